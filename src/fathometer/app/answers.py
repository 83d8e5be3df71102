"""Answers of a model file for a whole table, and where they are written."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO, StringIO
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
import pyarrow as pa

from fathometer.app.reservations import Beside, free_name, with_reservations
from fathometer.errors import OptionError
from fathometer.modelfile.feeds import feeds_from
from fathometer.modelfile.load import ModelFile, load
from fathometer.table.kind import Kind
from fathometer.table.read import read_as
from fathometer.trial.files import write_bytes
from fathometer.wording import counted

if TYPE_CHECKING:
    from fathometer.table.read import Reading


NOTHING_BESIDE = Beside()


@dataclass(frozen=True, eq=False)
class Answers:
    """One row an asked row, in order: `label` and `probability_<class>` columns, or `value`."""

    table: pa.Table
    notes: tuple[str, ...]  # what could not be read as the model expects, with counts


def answer(
    path: Path,
    source: str | Sequence[str],
    *,
    query: str | None = None,
    encoding: str | None = None,
    beside: Beside = NOTHING_BESIDE,
) -> Answers:
    """Ask the model file at `path` about every row of a source, or about pictures named one by one.

    The answers about pictures begin with their paths.

    Args:
        beside: which columns to add to the answers.

    Raises:
        ModelFileError: if the file is refused.
        SourceError: if the source cannot be read.
        ColumnError: if a column that the model takes is absent.
    """
    model = load(path)
    if not isinstance(source, str):
        source = source[0] if len(source) == 1 else _pictures_alone(source, model)
    reading = read_as(source, model.columns, query=query, encoding=encoding)
    feeds, _ = feeds_from(reading.table, model.columns)
    scores = model.scores(feeds)
    table, more = with_reservations(answer_columns(model, scores), beside, model, feeds, scores)
    if reading.files is not None:
        table = table.add_column(0, free_name("path", table.column_names), reading.files)
    return Answers(table, (*notes_of(reading), *more))


def _pictures_alone(sources: Sequence[str], model: ModelFile) -> Sequence[str]:
    """Raises: OptionError where several sources are not pictures for a model of pictures."""
    if any(spec.kind is not Kind.IMAGE for spec in model.columns) or len(model.columns) != 1:
        raise OptionError(
            f"predict was given {len(sources)} sources; several are answered only where they are "
            "pictures, and the model takes nothing else.",
            details="columns: " + ", ".join(spec.name for spec in model.columns)[:300],
            try_next="one table at a time",
        )
    return sources


def answer_columns(model: ModelFile, scores: np.ndarray) -> pa.Table:
    """Scores (rows, outputs) as the named columns that a reader expects."""
    answers = pa.array(model.answers(scores))
    if model.task.kind != "classify":
        return pa.table({"value": answers})
    # The file answers in float; as double, 0.9082175 would be written 0.9082174897193909.
    exact = scores.astype(np.float32)
    columns = {f"probability_{name}": exact[:, k] for k, name in enumerate(model.task.classes)}
    return pa.table({"label": answers, **columns})


def notes_of(reading: Reading) -> Iterator[str]:
    """What happened to values on the way in, in words with counts."""
    yield from reading.table.notes
    if reading.rejected_count:
        first = reading.rejected[0] if reading.rejected else None
        is_file = first is not None and first.is_picture
        where = ""
        if first is not None:
            place = f"{first.text}: it" if is_file else f"line {first.line:,}:"
            where = f"; the first is {place} {first.reason}"
        many = counted(reading.rejected_count, "picture" if is_file else "line")
        verb = "cannot be read" if is_file else "cannot be rows"
        yield f"{many} {verb}: no answer{where}"


def write_answers(table: pa.Table, path: Path | None) -> None:
    """Write answers in the format that the suffix names; to standard output as CSV without one.

    Raises:
        OptionError: if the suffix names no format.
        StoreError: if the file cannot be written.
    """
    if path is None:
        write_csv(table, sys.stdout.buffer)
        sys.stdout.flush()
        return
    content = BytesIO()
    writer_for(path)(table, content)
    write_bytes(path, content.getvalue())


def writer_for(path: Path) -> Callable[[pa.Table, IO[bytes]], None]:
    """What writes the format that the suffix names.

    Raises:
        OptionError: if it names none.
    """
    write = WRITERS.get(path.suffix.lower())
    if write is None:
        better = path.with_suffix(".csv") if path.name else path / "answers.csv"
        raise OptionError(
            f'answers cannot be written to {path}: "{path.suffix}" names no format.',
            details="formats: " + ", ".join(WRITERS),
            try_next=shlex.join(["-o", str(better)]),
        )
    return write


def write_csv(table: pa.Table, file: IO[bytes], *, delimiter: str = ",") -> None:
    """Comma separated with a header; quotes only where they are needed."""
    from csv import writer

    from pyarrow import csv

    # Arrow quotes every name of a header.
    header = StringIO()
    writer(header, delimiter=delimiter, lineterminator="\n").writerow(table.column_names)
    file.write(header.getvalue().encode())
    options = csv.WriteOptions(include_header=False, delimiter=delimiter, quoting_style="needed")
    csv.write_csv(table, file, options)


def write_tsv(table: pa.Table, file: IO[bytes]) -> None:
    """Tab separated with a header."""
    write_csv(table, file, delimiter="\t")


def write_json(table: pa.Table, file: IO[bytes]) -> None:
    """A list of records."""
    from fathometer.app.document import as_json

    file.write(as_json(table.to_pylist()).encode() + b"\n")


def write_json_lines(table: pa.Table, file: IO[bytes]) -> None:
    """A record a line."""
    import json

    from fathometer.app.document import finite

    for record in table.to_pylist():
        file.write(json.dumps(finite(record), ensure_ascii=False).encode() + b"\n")


def write_parquet(table: pa.Table, file: IO[bytes]) -> None:
    """Parquet, compressed with zstd."""
    from pyarrow import parquet

    parquet.write_table(table, file, compression="zstd")


WRITERS: dict[str, Callable[[pa.Table, IO[bytes]], None]] = {
    ".csv": write_csv,
    ".tsv": write_tsv,
    ".json": write_json,
    ".jsonl": write_json_lines,
    ".parquet": write_parquet,
}
