"""How a delimited text is written: its delimiter, its escape, and whether it has a header.

Decided from the first records with the standard library's reader; the rows themselves are read by
`delimited`. DuckDB's own sniffer is not asked: with DuckDB 2.0 one badly quoted line made it give
up quotes for the whole file, and with the quote fixed, take the file for a single column."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from fathometer.errors import SourceError

SAMPLE = 1 << 18  # characters
RECORDS = 500
# In order of preference where two fit equally well; the blank last, since words hold blanks.
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "blank"}
Record = list[str]


@dataclass(frozen=True)
class Dialect:
    """A delimiter, an escape character, the names, and the lines above them."""

    delimiter: str
    escape: str
    names: tuple[str, ...]  # one a column; may be empty strings
    has_header: bool
    notes: tuple[str, ...] = ()
    lines_above: int = 0

    @property
    def words(self) -> str:
        """ "semicolon separated"."""
        return f"{DELIMITERS[self.delimiter]} separated"


def find_dialect(path: Path, name: str) -> Dialect:
    """The dialect of a UTF-8 text file; `name` is what to call it in messages.

    Raises: SourceError where the header and the rows do not have the same number of fields."""
    sample = _sample(path)
    filled = sample.lstrip("\r\n")
    named = re.match(r"sep=([,;\t|])(\r\n|\r|\n)", filled)  # written by Excel for itself
    if named:
        filled = filled[named.end() :]
    lines_above = len(sample[: len(sample) - len(filled)].splitlines())
    return replace(_dialect(filled, name), lines_above=lines_above)


def _dialect(sample: str, name: str) -> Dialect:
    escape = "\\" if '\\"' in sample and '""' not in sample.replace('\\""', "") else '"'
    trials = {mark: _records(sample, mark, escape) for mark in DELIMITERS}
    fitting = [mark for mark in trials if _fits(trials[mark], mark)]
    if not fitting:
        _refuse_title(trials, name)
        return _single_column(trials, sample, escape)
    delimiter = max(fitting, key=lambda mark: _merit(trials[mark], mark))
    return _with_header(trials[delimiter], delimiter, escape, name)


def _sample(path: Path) -> str:
    with path.open(encoding="utf-8-sig", errors="ignore", newline="") as file:
        sample = file.read(SAMPLE)
        cut = bool(file.read(1))
    last = max(sample.rfind("\n"), sample.rfind("\r"))
    return sample[: last + 1] if cut and last > 0 else sample


def _records(sample: str, delimiter: str, escape: str) -> list[Record]:
    reader = csv.reader(
        io.StringIO(sample, newline=""),
        delimiter=delimiter,
        escapechar="\\" if escape == "\\" else None,
        skipinitialspace=delimiter != " ",
    )
    records: list[Record] = []
    try:
        for record in reader:
            if record:
                records.append(record)
            if len(records) == RECORDS:
                break
    except csv.Error:  # a value longer than the reader's limit: what came before it must do
        pass
    return records


def _usual_width(records: list[Record]) -> tuple[int, float]:
    """The commonest number of fields after the first record, and the share of records with it."""
    widths = Counter(len(record) for record in records[1:] or records)
    width, count = widths.most_common(1)[0] if widths else (1, 1)
    return width, count / max(1, widths.total())


def _fits(records: list[Record], delimiter: str) -> bool:
    width, share = _usual_width(records)
    if not records or (len(records[0]) < 2 and width < 2):
        return False
    if delimiter == " ":
        return len(records[0]) == width and share == 1.0
    return abs(len(records[0]) - width) <= 1 and len(records[0]) > 1


def _merit(records: list[Record], delimiter: str) -> tuple[bool, float, int]:
    width, share = _usual_width(records)
    return delimiter != " ", round(share, 1), width


def _single_column(trials: dict[str, list[Record]], sample: str, escape: str) -> Dialect:
    """One value a line; the delimiter is a mark that does not occur, so "1,5" stays whole."""
    absent = [mark for mark in ("\t", "|", ";", ",") if mark not in sample]
    delimiter = absent[0] if absent else ","
    records = trials[delimiter]
    if absent and len(records) > 1 and _is_number(records[0][0]):
        return Dialect(delimiter, escape, ("column_1",), False, (_no_header(1),))
    header = records[0] if records else []
    return Dialect(delimiter, escape, tuple(header[:1]) if absent else tuple(header), True)


def _refuse_title(trials: dict[str, list[Record]], name: str) -> None:
    """Raises: SourceError where the first line alone has another number of fields."""
    for delimiter, records in trials.items():
        width, share = _usual_width(records)
        least = 2 if records and records[0][0].startswith("#") else 3
        if delimiter != " " and width >= least and share > 0.9 and len(records) > 2:
            raise _other_width(records, delimiter, name)


def _other_width(records: list[Record], delimiter: str, name: str) -> SourceError:
    width, _ = _usual_width(records)
    return SourceError(
        f"{name} has {len(records[0])} fields in its first line and {width} in most others.",
        details=f"first line: {delimiter.join(records[0])[:200]}\n"
        "delete lines above the column names, or give every column a name",
    )


def _with_header(records: list[Record], delimiter: str, escape: str, name: str) -> Dialect:
    header, body = [field.strip() for field in records[0]], records[1:]
    width, _ = _usual_width(records)
    if _is_row(header, body):
        names = tuple(f"column_{place + 1}" for place in range(len(header)))
        return Dialect(delimiter, escape, names, False, (_no_header(len(header)),))
    notes: tuple[str, ...] = ()
    if header[-1] == "" and all(len(r) < len(header) or not r[-1].strip() for r in body):
        header, notes = header[:-1], ("every line ends in a delimiter, which adds no column",)
    elif width == len(header) + 1:
        if all(len(record) < width or not record[-1].strip() for record in body):
            notes = ("every row ends in a delimiter, which adds no column",)
        else:
            header, notes = ["", *header], ("the first column has no name in the header",)
    elif body and width != len(header):
        raise _other_width(records, delimiter, name)
    return Dialect(delimiter, escape, tuple(header), True, notes)


def _is_row(first: Record, body: list[Record]) -> bool:
    """Whether the first record is a row already: all numbers, or some numbers beside words that
    come again below them."""
    if not any(_is_number(field) for field in first):
        return False
    words = [place for place, field in enumerate(first) if not _is_number(field)]
    return all(
        any(len(record) > place and record[place].strip() == first[place] for record in body)
        for place in words
    )


def _is_number(field: str) -> bool:
    try:
        float(field.replace(",", "."))
    except ValueError:
        return False
    return field.strip().lower() not in ("nan", "inf", "infinity")


def _no_header(columns: int) -> str:
    named = "column_1" if columns == 1 else f"column_1 to column_{columns}"
    return f"the first line holds values, not names: columns are called {named}"
