"""What is settled before anybody trains: the table, the question, the split, the doubts."""

from __future__ import annotations

import hashlib
import re
import time as clock
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from fathometer.app.judging import refuse_unmeasurable
from fathometer.app.limits import limits_from
from fathometer.app.terms import terms_in_words
from fathometer.errors import LearnerError, OptionError, SplitError, TaskError
from fathometer.features.roads import feature_specs
from fathometer.table.ask import answerable, ask
from fathometer.table.divide import DivideOptions, divide
from fathometer.table.kind import FEATURE_KINDS, Kind
from fathometer.table.read import Reading, Source, read, read_as
from fathometer.table.sources.address import without_password
from fathometer.table.sources.folder import default_target
from fathometer.table.sources.opening import open_source
from fathometer.table.split import Split
from fathometer.table.table import Column, Table
from fathometer.table.task import Task
from fathometer.table.together import group_codes
from fathometer.trial.detective import Suspicion, investigate
from fathometer.trial.entrants import (
    Effort,
    first_rows,
    folds_for,
    left_out,
    most_rows,
    raw_epochs,
)

NOTES_SHOWN = 3  # of what reading noted, beside a mistake
# What a file's name says of its format, not of its content; twice where it is compressed.
SUFFIXES = re.compile(r"(\.[A-Za-z]\w{0,7}){1,2}$")


@dataclass(frozen=True)
class Options:
    """What the user asked for beyond the source: the options of `compare`, checked."""

    target: str
    metric: str | None = None
    kinds: Mapping[str, str] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    group: str | None = None
    time: str | None = None
    test: Source | None = None
    effort: Effort = Effort.QUICK
    minutes: float | None = None
    only: tuple[str, ...] = ()
    seed: int = 0
    query: str | None = None
    encoding: str | None = None
    networks: tuple[str, ...] = ()  # the user's own, in words
    backbones: tuple[str, ...] = ()  # checkpoints, as they were named
    latency: str | None = None
    size: str | None = None
    prefer: str | None = None
    prices: str | None = None
    challengers: tuple[str, ...] = ()  # models from elsewhere, as they were named

    def __post_init__(self) -> None:
        if self.minutes is not None and not 0.1 <= self.minutes <= 60 * 24 * 30:
            raise OptionError(
                f"--minutes was given {self.minutes:g}; it takes 0.1 to 43,200 (30 days).",
                try_next="--minutes 5",
            )
        if not 0 <= self.seed < 2**31:
            raise OptionError(f"--seed was given {self.seed}; it takes 0 to 2,147,483,647.")
        named = {"ignore": self.ignore, "group": (self.group,), "time": (self.time,)}
        for option, columns in named.items():
            if self.target in columns:
                raise OptionError(f'"{self.target}" is the target; --{option} cannot name it too.')
        limits_from(self.latency, self.size)


@dataclass(frozen=True, eq=False)
class Understanding:
    """What was read and settled: shown before the first contestant starts."""

    reading: Reading
    task: Task
    split: Split
    suspicions: tuple[Suspicion, ...]
    dropped_rows: int  # without a target
    terms: tuple[str, ...]
    effort: str
    table: Table  # the rows that `split` numbers: the reading's, and those of --test behind them
    first: Split  # of the first fits, which learn from no more rows than the effort's
    drawings: tuple[str, ...] = ()  # of the user's own networks, and words of backbones
    trained_elsewhere: tuple[str, ...] = ()  # names of contestants whose features are


def effort_from(name: str | None) -> Effort:
    """The effort of that name, or quick.

    Raises:
        OptionError: if there is no such effort.
    """
    if name is None:
        return Effort.QUICK
    try:
        return Effort(name)
    except ValueError:
        raise OptionError(
            f'--effort was given "{name}"; it takes quick, standard or thorough.',
            try_next="--effort standard",
        ) from None


def target_of(source: Source, target: str | None, *, try_next: str = 'target="COLUMN"') -> str:
    """The column to predict: the one named, or what the source asks by itself.

    try_next: what to type where there is neither.

    Raises:
        OptionError: if there is neither.
    """
    found = target if target is not None else default_target(source)
    if found is None:
        is_path = isinstance(source, str | Path) and "://" not in str(source)
        if is_path and not Path(str(source)).expanduser().exists():
            open_source(source, None, None)  # refuses what is not there, which comes first
        raise OptionError("compare was not told which column to predict.", try_next=try_next)
    return found


def prepare(source: Source, options: Options) -> Understanding:
    """Read, ask, divide and investigate.

    Raises:
        FathometerError: in all its kinds, whenever the source or the options do not allow it.
    """
    reading = read(
        source,
        kinds=options.kinds,
        ignore=tuple(name for name in options.ignore if name not in (options.group, options.time)),
        encoding=options.encoding,
        query=options.query,
        keep_origins=bool(options.challengers),
    )
    with _telling_what_was_lost(reading):
        return _prepared(_with_parts(reading, options), options)


def _prepared(reading: Reading, options: Options) -> Understanding:
    task = ask(reading.table, options.target, metric=options.metric)
    table, dropped = answerable(reading.table, task)
    lockbox_rows = None
    if options.test is not None:
        tested = _tested(table, options)
        reading = _with_rejected(reading, tested)
        table, lockbox_rows, more = _with_test(table, task, tested.table)
        dropped += more
    elif reading.judged is not None and not dropped:
        lockbox_rows = _judged(table, task, reading.judged.rows)
    table = _without_features(table, options)
    if not feature_specs(table, task):
        raise LearnerError(
            f'{table.name} has no column to predict "{task.target}" from.',
            details=", ".join(f"{column.name}: {column.kind.value}" for column in table)[:300]
            + "\n--kind lets in a column that was left out",
            try_next="--kind COLUMN=category",
        )
    folds = folds_for(task, table, options.effort)
    most = most_rows(options.effort, options.minutes)
    division = DivideOptions(folds, options.group, options.time, most)
    split = divide(table, task, division, seed=options.seed, lockbox_rows=lockbox_rows)
    groups = group_codes(table, options.group) if options.group else None
    refuse_unmeasurable(table, task, split, groups)
    suspicions = investigate(
        table, task, split, group=options.group, time=options.time, seed=options.seed
    )
    ordered = {"group": options.group, "time": options.time}
    first = first_rows(split, table, task, options.effort, **ordered)
    return Understanding(
        reading,
        task,
        split,
        suspicions,
        dropped,
        terms_in_words(
            options,
            raw_epochs(task, table, options.effort),
            first,
            sorted(left_out(task, table, options.effort)),
        ),
        options.effort.value,
        table,
        first,
    )


@contextmanager
def _telling_what_was_lost(reading: Reading) -> Iterator[None]:
    """Adds what reading noted and refused to a mistake that it may be the cause of."""
    try:
        yield
    except (TaskError, LearnerError, SplitError) as error:
        lost = list(reading.table.notes[:NOTES_SHOWN])
        if reading.rejected_count:
            first = reading.rejected[0]
            named = first.text[:200] if first.is_picture else f"line {first.line:,}"
            lost.append(f"{reading.rejected_count:,} refused, {named}: {first.reason}")
        error.details = "\n".join([*filter(None, [error.details]), *lost])
        raise


def _without_features(table: Table, options: Options) -> Table:
    """The table in which two columns teach nothing: the one that groups the rows, for new groups
    come, and the one that orders them in time where it is to be ignored otherwise."""
    why = {options.group: "groups the rows (--group): not learned from"}
    if options.time in options.ignore:
        why[options.time] = "orders the rows (--time): not learned from, being ignored"
    why = {name: words for name, words in why.items() if name != options.target}
    columns = tuple(
        _as_identifier(column, why[column.name])
        if column.name in why and column.kind in FEATURE_KINDS
        else column
        for column in table
    )
    return replace(table, columns=columns)


def _as_identifier(column: Column, why: str) -> Column:
    spec = replace(column.spec, kind=Kind.IDENTIFIER, layout=None, picture=None)
    values = column.values if pa.types.is_string(column.values.type) else _as_strings(column)
    return Column(spec, values, why)


def _as_strings(column: Column) -> pa.Array:
    if column.kind is Kind.IMAGE:
        rows = column.pixels.reshape(len(column.values), -1)
        return pa.array([hashlib.sha256(row.data).hexdigest() for row in rows])
    return column.values.cast(pa.string())


def _tested(table: Table, options: Options) -> Reading:
    """The user's own lockbox rows, read as the table was."""
    specs = [column.spec for column in table]
    return read_as(
        options.test,
        specs,
        encoding=options.encoding,
        query=options.query,
        keep_origins=bool(options.challengers),
    )


def _with_parts(reading: Reading, options: Options) -> Reading:
    """The reading with a word on the part that its folder sets apart to judge on. Where the rows of
    --test judge, that part is left out, or learned from if it was for choosing."""
    table, apart = reading.table, reading.judged
    if apart is None:
        return reading
    if options.test is None:
        return replace(reading, table=replace(table, notes=(*table.notes, apart.note)))
    if not apart.is_learned:
        table = table.rows(np.delete(np.arange(len(table)), apart.rows))
    table = replace(table, notes=(*table.notes, apart.instead))
    return replace(reading, table=table, judged=None)


def _with_rejected(reading: Reading, tested: Reading) -> Reading:
    """The reading with what was refused of the user's own lockbox among the refused."""
    name = tested.table.name
    more = tuple(replace(each, reason=f"{name}: {each.reason}") for each in tested.rejected)
    count = reading.rejected_count + tested.rejected_count
    return replace(reading, rejected=reading.rejected + more, rejected_count=count)


def _with_test(table: Table, task: Task, tested: Table) -> tuple[Table, np.ndarray, int]:
    """The table with the user's own lockbox rows behind it, their numbers, and rows dropped."""
    judged, dropped = answerable(tested, task)
    known = task.encode(judged[task.target]) >= 0 if task.classes else np.ones(len(judged), bool)
    if not known.all():
        raise SplitError(
            f"{judged.name} has {int((~known).sum()):,} rows of classes that {table.name} does not "
            "have.",
            details=f"classes: {', '.join(task.classes[:20])}",
        )
    if not len(judged):
        raise SplitError(f'{judged.name} has no row with a value in "{task.target}".')
    joined = tuple(_joined(one, judged[one.name]) for one in table)
    rows = np.arange(len(table), len(table) + len(judged))
    notes = tuple(f"{judged.name}: {note}" for note in tested.notes)
    return replace(table, columns=joined, notes=table.notes + notes), rows, dropped


def _joined(one: Column, other: Column) -> Column:
    """A column with the rows of another one behind its own."""
    values = pa.concat_arrays([_whole(one.values), _whole(other.values)])
    if one.origins is None or other.origins is None:
        return replace(one, values=values, origins=None)
    return replace(one, values=values, origins=np.concatenate([one.origins, other.origins]))


def _judged(table: Table, task: Task, rows: np.ndarray) -> np.ndarray:
    """The rows that a folder sets apart to judge on, after a look at their classes."""
    if not len(rows):
        raise SplitError(
            f"{table.name} has a part to judge on, but no picture in it can be read.",
            try_next="mend that part or move it out",
        )
    truth = task.encode(table[task.target])
    learned = np.unique(np.delete(truth, rows))
    unknown = np.setdiff1d(truth[rows], learned)
    if task.classes and len(unknown):
        names = ", ".join(task.classes[int(each)] for each in unknown[:20])
        raise SplitError(
            f"{table.name} has pictures to judge on of classes that it has none of to learn from: "
            f"{names}.",
            try_next="move these folders out, or add their pictures to learn from",
        )
    return rows


def _whole(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def folder_for(source: Source, out: str | Path | None) -> Path:
    """Where a run writes: `out`, or the source's name with .fathom in the current folder."""
    if out is not None:
        return Path(out)
    if isinstance(source, str | Path) and "://" not in str(source):
        name = Path(str(source).split("#")[0]).name
        # Not every point ends a name: sales.2023.csv and sales.2024.csv are two tables.
        return Path((SUFFIXES.sub("", name) or name) + ".fathom")
    return Path(clock.strftime("table-%Y%m%d-%H%M%S.fathom"))


def _source_words(source: Source | None) -> str | None:
    """A path or an address as it is typed; a frame has no such name."""
    if source is None:
        return None
    return without_password(str(source)) if isinstance(source, str | Path) else "…"


def describe_command(source: Source, options: Options, out: str | Path | None) -> str:
    """The command line that repeats a run."""
    import shlex

    words: list[str] = ["fathom", "compare", _source_words(source) or ""]
    named: Sequence[tuple[str, object]] = (
        ("--target", options.target),
        ("--metric", options.metric),
        *(("--kind", f"{column}={kind}") for column, kind in options.kinds.items()),
        *(("--ignore", column) for column in options.ignore),
        ("--group", options.group),
        ("--time", options.time),
        ("--test", _source_words(options.test)),
        ("--effort", options.effort.value),
        ("--minutes", options.minutes),
        ("--only", ",".join(options.only) or None),
        *(("--network", network) for network in options.networks),
        *(("--backbone", path) for path in options.backbones),
        ("--seed", options.seed),
        ("--query", options.query),
        ("--encoding", options.encoding),
        ("--latency", options.latency),
        ("--size", options.size),
        ("--prefer", options.prefer),
        ("--prices", options.prices),
        *(("--with", challenger) for challenger in options.challengers),
        ("--out", out),
    )
    for option, value in named:
        if value is not None:
            words += [option, f"{value:g}" if isinstance(value, float) else str(value)]
    return shlex.join(words)
