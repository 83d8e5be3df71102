"""`compare`: from a raw table to a verdict and the folder that holds everything behind it."""

from __future__ import annotations

import threading
import time as clock
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from fathometer.app.backbones import backbones, described, each_of
from fathometer.app.challengers import challenger_trials, with_challengers
from fathometer.app.doubts import doubts
from fathometer.app.findings import with_findings
from fathometer.app.limits import limits_from
from fathometer.app.own_networks import drawn, own_networks, source_words, with_own
from fathometer.app.preparation import (
    Options,
    Understanding,
    describe_command,
    effort_from,
    folder_for,
    prepare,
    target_of,
)
from fathometer.app.results import write_results
from fathometer.app.students import graded, with_student
from fathometer.app.wishes import Wishes, wishes_from, with_prices
from fathometer.errors import LearnerError
from fathometer.features.roads import feature_specs
from fathometer.learners.contract import Learner
from fathometer.modelfile.load import ModelFile
from fathometer.runtime import cores
from fathometer.table.kind import Kind
from fathometer.table.metric import METRICS
from fathometer.table.read import Source
from fathometer.table.table import Table
from fathometer.table.task import Task
from fathometer.table.together import group_codes
from fathometer.trial.best import best_trial
from fathometer.trial.contest import Contest
from fathometer.trial.curves import keeping_time
from fathometer.trial.entrants import Effort, entrants, longer_fits, reserves
from fathometer.trial.event import Event
from fathometer.trial.jury import Jury
from fathometer.trial.measure import versions
from fathometer.trial.pace import Terms, cheapest_first
from fathometer.trial.scorecard import Scorecard
from fathometer.trial.store import RunStore, run_key
from fathometer.trial.trial import Trial
from fathometer.verdict.bench import Rows
from fathometer.verdict.decide import Contestant, decide
from fathometer.verdict.preference import with_preference
from fathometer.verdict.quantities import shared_places, with_interval
from fathometer.verdict.verdict import Verdict

if TYPE_CHECKING:
    from fathometer.app.backbones import BackboneSources
    from fathometer.app.own_networks import NetworkSources

Watch = Callable[[Understanding | Event], None]

# Kept back from --minutes for the verdict, the report and the files: they take about twice as long
# as reading the rows did, on any machine and table, and at least a few seconds.
CLOSING_SECONDS = 3.0
CLOSING_SHARE = 0.04
CLOSING_READS = 2.0


@dataclass(frozen=True, eq=False)
class Comparison:
    """A finished comparison: the verdict, every scorecard, and the models as files."""

    verdict: Verdict
    scorecards: tuple[Scorecard, ...]
    winner: ModelFile
    traditional: ModelFile | None
    deep: ModelFile | None
    task: Task
    folder: Path
    files: Mapping[str, Path] = field(default_factory=dict)
    seconds: float = 0.0
    student: ModelFile | None = None  # where limits were given and one keeps to them

    def __repr__(self) -> str:
        lines = [self.verdict.headline, *self.verdict.sentences]
        judged = {card.name: card.quality for card in self.scorecards if card.quality is not None}
        places = shared_places(judged.values())
        ranking = self.verdict.ranking
        for name in (*ranking, *(name for name in judged if name not in ranking)):
            star = "★" if name == self.verdict.winner else " "
            lines.append(f"{star} {name:16} {with_interval(judged[name], places)}")
        return "\n".join(lines)

    def as_json(self) -> dict[str, object]:
        """The verdict, every scorecard and where the files are."""
        return {
            "verdict": self.verdict.as_json(),
            "scorecards": [card.as_json() for card in self.scorecards],
            "folder": str(self.folder),
            "files": {name: str(path) for name, path in self.files.items()},
            "seconds": self.seconds,
        }

    def _repr_html_(self) -> str:
        """The report in a notebook, in a frame of its own."""
        import html

        report = self.files["report.html"].read_text(encoding="utf-8")
        return f'<iframe srcdoc="{html.escape(report)}" width="100%" height="700"></iframe>'


# One argument for each option of the question: the keywords are the interface.
def compare(
    source: Source,
    *,
    target: str | None = None,
    metric: str | None = None,
    kinds: Mapping[str, str] | None = None,
    ignore: Sequence[str] = (),
    group: str | None = None,
    time: str | None = None,
    test: Source | None = None,
    effort: str | None = None,
    minutes: float | None = None,
    only: Sequence[str] = (),
    seed: int = 0,
    out: str | Path | None = None,
    query: str | None = None,
    encoding: str | None = None,
    networks: NetworkSources = (),
    backbone: BackboneSources = (),
    latency: str | None = None,
    size: str | None = None,
    prefer: str | None = None,
    prices: str | Path | None = None,
    challengers: Sequence[str | Path] = (),
    watch: Watch | None = None,
    stop: threading.Event | None = None,
) -> Comparison:
    """Train both families on a table, judge them on rows neither has seen, and decide.

    Args:
        source: a path, a folder of pictures, a database URL (with `query`), or a frame of any
            library.
        target: the column to predict; of a folder of pictures, by default its classes.
        metric: a name in `METRICS`; by default ROC AUC, accuracy or RMSE by task.
        kinds: from column to kind, where the inferred one is wrong.
        group: rows that share its value stay on one side of every split.
        time: learn from its past, test on its future.
        test: rows to judge on, instead of a part of the source.
        effort: "quick", "standard" or "thorough": step budgets, exactly repeatable.
        minutes: a wall-clock budget for everything, report included.
        only: names of the contestants to enter.
        out: the folder to write; by default the source's name with .fathom.
        networks: networks of your own that enter too, or such by name: TOML files, declarations,
            torch modules, or functions of (features, outputs) that make one.
        backbone: a local checkpoint, or several, of networks trained elsewhere: each enters as it
            is, with a linear head on what it sees in pictures or texts.
        prefer: "fast", "small", "readable" or "cheap", with "=LOSS" the largest loss of quality
            that you accept for it.
        prices: a TOML file of your prices, see `docs/verdict.md`.
        challengers: ONNX files from elsewhere that are judged on the same rows, each a path, or
            "path:mapping.toml" where its inputs are not the columns.
        latency, size: what a student's file may take, such as "1ms" for a row and "500KB".
        watch: told what happens, as it happens. stop: set it to end early with the best so far.

    Raises:
        FathometerError: when the source or an option does not allow it; the message says what to
            type next.
    """
    started = clock.monotonic()
    options = Options(
        target_of(source, target),
        metric,
        dict(kinds or {}),
        tuple(ignore),
        group,
        time,
        test,
        effort_from(effort),
        minutes,
        tuple(only),
        seed,
        query,
        encoding,
        source_words(networks),
        tuple(str(each) for each in each_of(backbone)),
        latency=latency,
        size=size,
        prefer=prefer,
        prices=None if prices is None else str(prices),
        challengers=tuple(str(each) for each in challengers),
    )
    wishes = wishes_from(prefer, prices)
    own = own_networks(networks, options.effort, seed)
    frozen = backbones(backbone, options.effort)
    understanding = described(frozen, drawn(own, prepare(source, options)))
    tell = watch or (lambda news: None)
    tell(understanding)
    field = (understanding.task, understanding.table, options.effort, seed)
    learners = _contestants(field, (*own, *frozen), options)
    first = understanding.first
    growth = len(first.train) / len(first.teaching)
    longer = longer_fits(learners, *field, growth)
    folder = folder_for(source, out)
    command = describe_command(source, options, out)
    terms = keeping_time(
        Terms(_deadline(started, minutes), stop.is_set if stop else (lambda: False))
    )
    key = run_key(_decided(understanding, options, learners))
    table, task, split = understanding.table, understanding.task, understanding.split
    groups = group_codes(table, group) if group else None
    # Before the log is opened: one that cannot answer leaves no unfinished run behind.
    challenging = challenger_trials(options.challengers, Jury(table, task, split, groups))
    with RunStore.open(folder, key, words=command) as store:
        limits = limits_from(latency, size)
        contest = Contest(table, task, split, store, tell, terms, groups, limits, longer, first)
        judging = task.encode(table[task.target])[split.lockbox]
        lockbox = Rows(judging, None if groups is None else groups[split.lockbox])
        trials = graded((*contest.run(learners), *challenging), task, lockbox, seed)
        verdict = _decide(trials, understanding, options, wishes)
        verdict = with_findings(verdict, contest, learners, trials, options)
        files = write_results(folder, understanding, trials, verdict, command)
        if terms.stopped():
            store.stop()
        else:
            store.complete()
    return _gathered(verdict, trials, task, folder, files, clock.monotonic() - started)


def _contestants(
    field: tuple[Task, Table, Effort, int], own: Sequence[Learner], options: Options
) -> tuple[Learner, ...]:
    """Who enters, in their order.

    field: what `entrants` takes. own: networks of the user's own, and of checkpoints."""
    entered = entrants(*field, options.minutes)
    if options.only:
        entered += reserves(*field, entered)
    learners = with_own(entered, own, options.only)
    return learners if options.minutes is None else cheapest_first(learners)


def _decided(
    understanding: Understanding, options: Options, learners: Sequence[Learner]
) -> dict[str, object]:
    """What settles the bytes of a run: only where all of it is the same does a run go on.

    A time budget changes what is trained, so such a run is never mistaken for a step-budget one.
    Where a checkpoint lies changes nothing: its learner tells what is in it."""
    own = replace(options, test=None, prefer=None, prices=None, challengers=(), backbones=())
    return {
        "table": understanding.table.content_hash,
        "split": understanding.split.content_hash,
        "options": repr(own),
        "learners": repr(learners),
        "versions": versions(),
    }


def _gathered(
    verdict: Verdict,
    trials: Sequence[Trial],
    task: Task,
    folder: Path,
    files: Mapping[str, Path],
    seconds: float,
) -> Comparison:
    """What a finished run hands to its caller."""
    named = {trial.scorecard.name: trial.file for trial in trials}
    winner = named[verdict.winner]
    assert winner is not None  # the verdict chooses among finished contestants
    best = [best_trial(trials, METRICS[task.metric], side) for side in ("traditional", "deep")]
    traditional, deep = (None if trial is None else trial.file for trial in best)
    return Comparison(
        verdict,
        tuple(trial.scorecard for trial in trials),
        winner,
        traditional,
        deep,
        task,
        folder,
        files,
        seconds,
        next((trial.file for trial in trials if trial.scorecard.distillation), None),
    )


def _deadline(started: float, minutes: float | None) -> float | None:
    """When the contest must end; to be asked when the rows have been read."""
    if minutes is None:
        return None
    given = minutes * 60
    read = CLOSING_READS * (clock.monotonic() - started)
    closing = max(CLOSING_SECONDS, min(read, given / 4))
    return started + given * (1 - CLOSING_SHARE) - closing


def learned_from(table: Table, task: Task) -> str:
    """What the headline calls the data: a table that is all pictures or all texts is no table."""
    kinds = {spec.kind for spec in feature_specs(table, task)}
    if kinds == {Kind.IMAGE}:
        return "these pictures"
    return "these texts" if kinds == {Kind.TEXT} else "this table"


def _decide(
    trials: Sequence[Trial], understanding: Understanding, options: Options, wishes: Wishes
) -> Verdict:
    table, task, split = understanding.table, understanding.task, understanding.split
    finished = [
        Contestant(trial.scorecard, trial.lockbox, trial.out_of_fold)
        for trial in trials
        if trial.lockbox is not None
        and trial.out_of_fold is not None
        and trial.scorecard.distillation is None  # a student is no rival of those it learned from
    ]
    if not finished:
        raise LearnerError(
            "no contestant finished.",
            details="; ".join(f"{t.scorecard.name}: {t.scorecard.failure}" for t in trials)[:2000],
        )
    truth = task.encode(table[task.target])
    groups = group_codes(table, options.group) if options.group else None
    parts = (split.lockbox, split.train)
    lockbox, train = (Rows(truth[p], None if groups is None else groups[p]) for p in parts)
    train = replace(train, folds=tuple(split.places(fold) for fold in split.folds))
    verdict = decide(
        finished,
        task=task,
        lockbox=lockbox,
        train=train,
        seed=options.seed,
        data=learned_from(table, task),
    )
    verdict = replace(verdict, cores=cores())
    if wishes.preference is not None:
        verdict = with_preference(
            verdict,
            wishes.preference,
            finished,
            metric=METRICS[task.metric],
            lockbox=lockbox,
            learned=train.truth,
            seed=options.seed,
        )
    verdict = with_challengers(verdict, trials, task, lockbox, options.seed)
    verdict = with_prices(verdict, wishes.prices, [trial.scorecard for trial in trials])
    verdict = replace(verdict, warnings=doubts(verdict, trials, understanding, options))
    return with_student(verdict, [trial.scorecard for trial in trials], len(split.lockbox))
