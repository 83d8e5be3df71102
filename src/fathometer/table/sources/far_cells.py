"""How large a grid the cells of a workbook span, before a reader takes memory for all of it.

A sheet lists only the cells that hold something, but its reader makes the whole rectangle up to the
last one: two cells in the farthest corners ask for half a terabyte. Of the parts of an .xlsx file
this reads names of cells, with bounds on what it unpacks, and knows nothing of their values."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from fathometer.errors import SourceError

# Cells of a sheet's rectangle: 32 bytes each while it is read (measured: 549 GB for 2^34), and more
# as Python's values.
MOST_CELLS = 100_000_000
LARGEST = 4 << 30  # bytes of all parts unpacked; 50 million cells of 40 bytes are 2 GB
CHUNK = 1 << 20  # bytes unpacked at once
LONGEST_TAG = 1 << 12  # bytes of a tag that may lie across two chunks
# A cell's name. Looked for everywhere first; only where the cells seem to span too much are those
# told apart whose tag ends empty, which hold no value and take no room.
NAMED = re.compile(rb"""r\s*=\s*["']\s*([A-Za-z]+)(\d+)""")
FILLED = re.compile(
    NAMED.pattern + rb"""\s*["']"""
    rb"""(?!(?:[^<>"']{0,99}(?:"[^"<]{0,99}"|'[^'<]{0,99}')){0,9}[^<>"']{0,99}/>)"""
)


@dataclass
class _Span:
    """How far the cells of a part reach, as far as it has been read."""

    pattern: re.Pattern[bytes]
    rows: int = 0
    columns: int = 0
    unpacked: int = 0  # bytes
    listed_rows: int = 0
    listed_cells: int = 0  # of the row that goes on

    @property
    def is_too_large(self) -> bool:
        return self.rows * self.columns > MOST_CELLS

    def add(self, text: bytes) -> None:
        """Count the cells of a stretch that ends where a tag begins."""
        self.unpacked += len(text)
        named = NAMED.findall(text)
        found = named if self.pattern is NAMED else self.pattern.findall(text)
        for letters in {letters for letters, _ in found}:
            self.columns = max(self.columns, _column_number(letters))
        self.rows = max(self.rows, max((int(row[:12]) for _, row in found), default=0))
        # Rows and cells may also go without names: then they stand one after the other.
        self.listed_rows += text.count(b"<row")
        self.rows = max(self.rows, self.listed_rows)
        if text.count(b"<c ") + text.count(b"<c>") > len(named):
            self._add_listed(text)

    def _add_listed(self, text: bytes) -> None:
        for place, row in enumerate(text.split(b"<row")):
            cells = row.count(b"<c ") + row.count(b"<c>")
            self.listed_cells = cells if place else self.listed_cells + cells
            self.columns = max(self.columns, self.listed_cells)


def refuse_far_cells(path: Path) -> None:
    """Refuse a workbook of which some sheet spans more than `MOST_CELLS` cells.

    Every part is looked at, since any may be named as a sheet. Other formats than .xlsx pass.
    600,000 cells take 0.4 s on one core, and reading them afterwards 0.6 s.

    Raises: SourceError for such a workbook, or one that unpacks to more than can be meant."""
    unpacked = 0
    try:
        with zipfile.ZipFile(path) as archive:
            for part in archive.infolist():
                span = _span_of(archive, part, NAMED, LARGEST - unpacked)
                unpacked += span.unpacked
                if span.is_too_large:
                    span = _span_of(archive, part, FILLED, LARGEST)
                if unpacked > LARGEST:
                    raise SourceError(
                        f"{path.name} unpacks to more than {LARGEST >> 30} GB.",
                        details="save the sheet as CSV",
                    )
                if span.is_too_large:
                    raise SourceError(
                        f"{path.name} has a sheet whose cells span {span.rows:,} rows and "
                        f"{span.columns:,} columns; at most {MOST_CELLS:,} cells are read.",
                        details="a stray value far from the others makes a sheet that large: "
                        "delete it, or save the sheet as CSV",
                    )
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError):
        return  # the reader says what is wrong with it


def _span_of(
    archive: zipfile.ZipFile, part: zipfile.ZipInfo, pattern: re.Pattern[bytes], most: int
) -> _Span:
    """What the cells of a part span, as far as it takes to know that it is too much, or that the
    part unpacks to more than `most` bytes."""
    span = _Span(pattern)
    with archive.open(part) as file:
        for text in _stretches(file):
            span.add(text)
            if span.is_too_large or span.unpacked > most:
                break
    return span


def _stretches(file: IO[bytes]) -> Iterator[bytes]:
    """The content in stretches that begin with a tag, or overlap where a tag or text is long."""
    kept = b""
    while chunk := file.read(CHUNK):
        text = kept + chunk
        end = text.rfind(b"<", max(0, len(text) - LONGEST_TAG))
        yield text[:end] if end >= 0 else text
        kept = text[end:] if end >= 0 else text[-LONGEST_TAG:]
    yield kept


def _column_number(letters: bytes) -> int:
    """ "A" is 1, "XFD" 16,384."""
    number = 0
    for letter in letters[:9].upper():
        number = number * 26 + letter - 64
    return number
