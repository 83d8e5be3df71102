"""The front door for data: a path, a database's URL, a folder of pictures or a frame → a `Table`,
with all that reading took said in words.

Knows columns and their kinds; knows nothing of targets, splits or models."""

from __future__ import annotations

import csv
import shlex
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path

import numpy as np
import pyarrow as pa

from fathometer.errors import ColumnError, EmptySourceError, KindError, OptionError
from fathometer.table.declare import (
    RawColumn,
    choose_layout,
    column_as,
    declared_column,
    raw_column,
    raw_column_for,
)
from fathometer.table.infer import infer
from fathometer.table.kind import ColumnSpec, Kind
from fathometer.table.picture import PictureColumns, find_pictures, pictures_as
from fathometer.table.sources.folder import LABEL, PATH
from fathometer.table.sources.opening import open_source
from fathometer.table.sources.plain import plain
from fathometer.table.sources.raw import Raw, RejectedLine, SetApart
from fathometer.table.table import Column, Table, no_such_column

Source = str | Path | object  # a path, a database's URL, or a frame of any library

DATE_ORDERS = ("dmy", "mdy", "ymd")


@dataclass(frozen=True, eq=False)
class Reading:
    """A table, and what reading it took."""

    table: Table
    rejected: tuple[RejectedLine, ...]  # the first of them; `rejected_count` counts all
    rejected_count: int
    bytes: int  # of the file, or of the frame in memory
    seconds: float
    how: str  # "CSV, UTF-8, semicolon separated"
    judged: SetApart | None = None  # rows that a folder sets apart to judge on
    files: pa.Array | None = None  # where the pictures of each row were read from


def read(
    source: Source,
    *,
    kinds: Mapping[str, str] | None = None,
    ignore: Sequence[str] = (),
    encoding: str | None = None,
    query: str | None = None,
    keep_origins: bool = False,
) -> Reading:
    """Read a table and understand the kind of every column, each with its reason.

    kinds: column → a kind ("number", "category", …; "date:dmy" fixes the order, "image:64x48" the
    height and width that pictures are learned at), obeyed or refused.
    ignore: columns to leave out. encoding: of text files, else found from the bytes. query: for
    databases. keep_origins: whether columns of pictures keep where these lie.

    Raises: SourceError where the source is absent or broken; EmptySourceError without a row;
    ColumnError for doubled or unknown columns; KindError where a declared kind does not fit."""
    started = time.perf_counter()
    name, raw = open_source(source, encoding, query)
    table, notes = _named(raw, name)
    there = set(table.column_names)
    for asked in [*ignore, *(kinds or {})]:
        if asked not in there:
            raise no_such_column(asked, table.column_names, name)
    table = table.drop_columns(list(ignore))
    pictures = find_pictures(table, raw, kinds or {}, keep_origins=keep_origins)
    places = {each: place for place, each in enumerate(table.column_names)}
    notes += pictures.notes if raw.picture is None else _lost_classes(table, pictures)
    table, unfit = _flat(table, pictures, kinds or {})
    notes += unfit
    columns: list[Column] = list(pictures.columns.values())
    stripped: dict[str, int] = {}
    for each in _raw_columns(table, raw):
        column, more = _understood(each, raw, (kinds or {}).get(each.name))
        columns.append(column)
        notes.extend(more)
        stripped |= _stripped(each, column)
    notes += _stripped_note(stripped)
    columns.sort(key=lambda column: places[column.name])
    if all(column.missing == len(column.values) for column in columns):
        raise EmptySourceError(f"{name} has {table.num_rows:,} rows, and no value in any of them.")
    return _reading(Table(tuple(columns), name, tuple(notes)), raw, pictures, started)


def read_as(
    source: Source,
    specs: Sequence[ColumnSpec],
    *,
    encoding: str | None = None,
    query: str | None = None,
    keep_origins: bool = False,
) -> Reading:
    """Read exactly these columns with exactly these kinds, for a prediction or a second file.

    Other columns are left out; values that are not of the kind become missing; both are counted in
    the table's notes.

    Raises: ColumnError for a column that is not there; otherwise as `read`."""
    started = time.perf_counter()
    name, raw = open_source(source, encoding, query, specs)
    table, notes = _named(raw, name)
    names = table.column_names
    there, wanted = set(names), {spec.name for spec in specs}
    for spec in specs:
        if spec.name not in there:
            raise no_such_column(spec.name, names, name)
    if raw.picture is not None:
        wanted |= {LABEL, PATH}
    extra = [each for each in names if each not in wanted]
    if extra:
        notes.append(f"{_columns(extra)} not asked for and left out: {_list(extra)}")
    of_pictures = [spec for spec in specs if spec.kind is Kind.IMAGE]
    pictures = pictures_as(table, raw, of_pictures, keep_origins=keep_origins)
    notes += pictures.notes
    table = table.take(pa.array(pictures.rows)) if len(pictures.rows) < len(table) else table
    columns: list[Column] = []
    for spec in specs:
        if spec.kind is Kind.IMAGE:
            columns.append(pictures.columns[spec.name])
            continue
        made, more = column_as(raw_column_for(spec, table.column(spec.name)), spec)
        columns.append(made)
        notes.extend(more)
    return _reading(Table(tuple(columns), name, tuple(notes)), raw, pictures, started)


def rejected_as_csv(lines: Sequence[RejectedLine]) -> str:
    """The rejected lines as the text of a CSV file with the columns line, reason and text."""
    text = StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["line", "reason", "text"])
    writer.writerows([each.line, each.reason, each.text] for each in lines)
    return text.getvalue()


def _reading(table: Table, raw: Raw, pictures: PictureColumns, started: float) -> Reading:
    decimal_comma = any("decimal comma" in each.reason for each in table.of_kind(Kind.NUMBER))
    how = raw.how + (", decimal comma" if decimal_comma else "")
    judged = None
    if raw.judged is not None:
        rows = np.flatnonzero(np.isin(pictures.rows, raw.judged.rows))
        judged = replace(raw.judged, rows=rows)
    return Reading(
        table,
        (*raw.rejected, *pictures.rejected),
        raw.rejected_count + len(pictures.rejected),
        raw.bytes,
        time.perf_counter() - started,
        how,
        judged,
        pictures.files,
    )


def _named(raw: Raw, name: str) -> tuple[pa.Table, list[str]]:
    """The columns with a name each, and what to note.

    Raises: EmptySourceError without rows; ColumnError for doubled names."""
    table, said = plain(raw.table)
    notes = [*raw.notes, *said]
    if not table.num_columns or not table.num_rows:
        lost = f" All {raw.rejected_count:,} lines were rejected." if raw.rejected_count else ""
        first = f"line {raw.rejected[0].line}: {raw.rejected[0].reason}" if raw.rejected else ""
        raise EmptySourceError(f"{name} has no rows below its names.{lost}", details=first)
    names = [each.strip() or f"column_{place + 1}" for place, each in enumerate(table.column_names)]
    unnamed = [each for each, old in zip(names, table.column_names, strict=True) if not old.strip()]
    if unnamed:
        notes.append(f"{_columns(unnamed)} without a name and now called {_list(unnamed)}")
    doubled = sorted(each for each, count in Counter(names).items() if count > 1)
    if doubled:
        raise ColumnError(
            f"{name} has more than one column called {_list([repr(each) for each in doubled])}.",
            details=f"columns: {_list(names)} ({len(names)}); give each column its own name",
        )
    return table.rename_columns(names), notes


def _lost_classes(table: pa.Table, pictures: PictureColumns) -> tuple[str, ...]:
    """Notes on a folder of pictures, with one for each class of which nothing can be read."""
    if LABEL not in table.column_names or len(pictures.rows) == len(table):
        return pictures.notes
    before = table.column(LABEL).combine_chunks().value_counts().to_pylist()
    left = set(table.column(LABEL).take(pa.array(pictures.rows)).unique().to_pylist())
    gone = (each for each in before if each["values"] is not None and each["values"] not in left)
    return pictures.notes + tuple(
        f"none of the {each['counts']:,} pictures of class {each['values']} can be read: the class "
        "is left out"
        for each in gone
    )


def _flat(
    table: pa.Table, pictures: PictureColumns, kinds: Mapping[str, str]
) -> tuple[pa.Table, list[str]]:
    """The other columns whose values can be told kinds of, in the rows of the pictures, and what
    to note.

    Raises: KindError for a column that was declared a kind and has none."""
    table = table.drop_columns(list(pictures.columns))
    unfit = [field.name for field in table.schema if not _is_flat(field.type)]
    for name in kinds:
        if name in unfit:
            raise KindError(
                f'Column "{name}" was declared {kinds[name]}, but holds values of type '
                f"{table.schema.field(name).type}.",
                details="if they are pictures, declare the column image",
                try_next=f"--ignore {shlex.quote(name)}",
            )
    notes = []
    if unfit:
        notes.append(f"{_columns(unfit)} left out, being lists, objects or bytes: {_list(unfit)}")
    table = table.drop_columns(unfit)
    every = len(pictures.rows) == len(table)
    return (table if every else table.take(pa.array(pictures.rows))), notes


def _beside_pictures(raw: RawColumn) -> Column:
    """What a folder tells of its pictures: their classes, and where they lie."""
    if raw.name == PATH:
        made, _ = declared_column(raw, Kind.IDENTIFIER)
        return replace(made, reason="where each picture lies: ignored")
    # A folder may be called "none" or "NA".
    written = raw_column(raw.name, raw.values, missing=())
    made, _ = declared_column(written, Kind.CATEGORY)
    return replace(made, reason=f"{len(made.values.unique()):,} folders of pictures")


def _is_flat(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return not (
        pa.types.is_nested(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_binary_view(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
    )


def _raw_columns(table: pa.Table, raw: Raw) -> Iterable[RawColumn]:
    for field in table.schema:
        values = table.column(field.name)
        yield raw_column(field.name, values, decimal_comma_likely=raw.decimal_comma_likely)


def _understood(
    column: RawColumn, raw: Raw, declared: str | None
) -> tuple[Column, tuple[str, ...]]:
    if declared is not None:
        return _declared(column, declared)
    return infer(column) if raw.picture is None else (_beside_pictures(column), ())


def _declared(raw: RawColumn, declared: str) -> tuple[Column, tuple[str, ...]]:
    kind, _, order = declared.partition(":")
    known = [each.value for each in Kind]
    if kind not in known or (order and (kind != "date" or order not in DATE_ORDERS)):
        raise OptionError(
            f'Column "{raw.name}" was declared "{declared}", which is not a kind.',
            details=f"kinds: {', '.join(known)}; date:dmy, date:mdy and date:ymd fix the order, "
            "image:64x48 the height and width",
            try_next=f"--kind {shlex.quote(raw.name)}=category",
        )
    layout = choose_layout(raw, order) if kind == "date" else None
    column, notes = declared_column(raw, Kind(kind), layout)
    return replace(
        column, reason=f"declared {declared}{column.reason.removeprefix('declared')}"
    ), notes


def _stripped(raw: RawColumn, column: Column) -> dict[str, int]:
    """How many values lost blanks, where strings are told apart by them."""
    if column.kind not in (Kind.CATEGORY, Kind.TEXT) or raw.levels is None:
        return {}
    return {raw.name: raw.levels.stripped} if raw.levels.stripped else {}


def _stripped_note(stripped: Mapping[str, int]) -> list[str]:
    if not stripped:
        return []
    count = sum(stripped.values())
    values = "1 value was" if count == 1 else f"{count:,} values were"
    return [f"{values} stripped of blanks around them, in {_list(list(stripped))}"]


def _columns(names: Sequence[str]) -> str:
    return "1 column was" if len(names) == 1 else f"{len(names):,} columns were"


def _list(names: Sequence[str]) -> str:
    return ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
