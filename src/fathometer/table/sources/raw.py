"""What every source hands on: an Arrow table as it was found, and what reading it took."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa


@dataclass(frozen=True)
class RejectedLine:
    """A line of a text file that is not a row, or a picture that cannot be read: where it stands,
    why, and what it says or where it lies."""

    line: int  # counted from 1, as editors do; of pictures, the number of the file or row
    reason: str
    text: str
    is_picture: bool = False  # and `text` says which


@dataclass(frozen=True, eq=False)
class SetApart:
    """Rows that a source sets apart to judge on, as long as no others judge."""

    rows: np.ndarray  # their numbers
    note: str  # what is said where they judge
    instead: str  # what is said where others do
    is_learned: bool  # where others judge, as a part for choosing is; the rest is left out


@dataclass(frozen=True, eq=False)
class Raw:
    """Columns as found, before kinds are known; names may still be empty or doubled."""

    table: pa.Table
    how: str  # "CSV, UTF-8, comma separated"
    bytes: int
    notes: tuple[str, ...] = ()
    rejected: tuple[RejectedLine, ...] = ()  # at most `delimited.LISTED` of them
    rejected_count: int = 0
    decimal_comma_likely: bool = False  # "1,234" then means 1.234
    folder: str = ""  # that paths in the columns are relative to; empty: the current one
    picture: str | None = None  # the column that holds pictures by nature
    judged: SetApart | None = None
