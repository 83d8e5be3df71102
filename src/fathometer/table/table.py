"""The `Table`: immutable typed columns of equal length, missing values explicit.

A table knows the kind of every column and why; it does not know which column is the target, nor
where it came from."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fathometer.errors import ColumnError
from fathometer.table.kind import ColumnSpec, Kind, PictureSize
from fathometer.table.layout import ISO

# How each kind is stored. Dates are seconds since 1970-01-01 UTC, exact to a microsecond until the
# year 2242 (2^53 / 10^6 seconds). Pictures are FixedSizeBinary of their column's size, rows of
# pixels from the top, channels innermost; what is declared here for them is what that derives from.
STORAGE: dict[Kind, pa.DataType] = {
    **dict.fromkeys(Kind, pa.string()),
    **dict.fromkeys((Kind.NUMBER, Kind.BOOLEAN, Kind.DATE), pa.float64()),
    Kind.IMAGE: pa.binary(),
}


@dataclass(frozen=True, eq=False)
class Column:
    """One column: what it is, why that was decided, and its values with nulls where missing."""

    spec: ColumnSpec
    values: pa.Array
    reason: str = ""
    # Of pictures, where reading was asked to keep them: (rows,) object, the path or content of each
    # one's file, None where it is missing; for who wants them at another size.
    origins: np.ndarray | None = None

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def kind(self) -> Kind:
        return self.spec.kind

    @property
    def missing(self) -> int:
        """How many values are missing."""
        return int(self.values.null_count)

    @cached_property
    def numbers(self) -> np.ndarray:
        """(rows,) float64, NaN where missing: numbers, booleans as 0 and 1, dates in seconds."""
        filled = pc.fill_null(self.values, float("nan"))
        return np.asarray(filled.to_numpy(zero_copy_only=False), dtype=np.float64)

    @cached_property
    def strings(self) -> np.ndarray:
        """(rows,) object array of str, empty where missing; dates in ISO 8601."""
        if self.kind is Kind.DATE:
            return iso_strings(self.numbers)
        return np.asarray(
            pc.fill_null(self.values, "").to_numpy(zero_copy_only=False), dtype=object
        )

    @cached_property
    def pixels(self) -> np.ndarray:
        """(rows, height, width, channels) uint8 of pictures; 0 where missing.

        A view of the stored bytes where none is missing, so of the file they are mapped from."""
        size = self.spec.size
        shape = (len(self.values), size.height, size.width, size.channels)
        stored = np.frombuffer(self.values.buffers()[1], dtype=np.uint8)
        first = self.values.offset * size.bytes
        found = stored[first : first + len(self.values) * size.bytes].reshape(shape)
        if not self.missing:
            return found
        unknown = self.values.is_null().to_numpy(zero_copy_only=False)
        return np.where(unknown[:, None, None, None], np.uint8(0), found)

    def take(self, rows: np.ndarray) -> Column:
        """The column restricted to these rows, in this order."""
        origins = None if self.origins is None else self.origins[rows]
        return replace(self, values=self.values.take(pa.array(rows)), origins=origins)


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of equal length; `name` is what to call the table in messages."""

    columns: tuple[Column, ...]
    name: str = "table"
    notes: tuple[str, ...] = field(default=())  # what reading changed, in words with counts

    def __len__(self) -> int:
        return len(self.columns[0].values) if self.columns else 0

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    @cached_property
    def _by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __getitem__(self, name: str) -> Column:
        if name not in self._by_name:
            raise no_such_column(name, [column.name for column in self.columns], self.name)
        return self._by_name[name]

    def rows(self, rows: np.ndarray) -> Table:
        """The table restricted to these row numbers, in this order."""
        return replace(self, columns=tuple(column.take(rows) for column in self.columns))

    def without(self, names: Sequence[str]) -> Table:
        """The table without these columns."""
        dropped = set(names)
        kept = tuple(column for column in self.columns if column.name not in dropped)
        return replace(self, columns=kept)

    def of_kind(self, *kinds: Kind) -> tuple[Column, ...]:
        """The columns of these kinds, in table order."""
        return tuple(column for column in self.columns if column.kind in kinds)

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 over names, kinds and values; equal tables have equal hashes."""
        digest = hashlib.sha256()
        for column in self.columns:
            digest.update(repr(column.spec).encode())
            if column.kind is Kind.IMAGE:
                digest.update(np.packbits(column.values.is_null()).tobytes())
                digest.update(np.ascontiguousarray(column.pixels).data)
                continue
            values = column.numbers if STORAGE[column.kind] == pa.float64() else column.values
            if isinstance(values, np.ndarray):
                digest.update(np.where(np.isnan(values), np.nan, values).tobytes())
            else:
                for text in values.to_pylist():
                    digest.update(b"\0" if text is None else b"\1" + text.encode() + b"\0")
        return digest.hexdigest()


def no_such_column(name: str, names: Sequence[str], where: str) -> ColumnError:
    """The error for a column that is not there, naming the nearest that is."""
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    nearest = f'; the nearest is "{near[0]}"' if near else ""
    listed = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return ColumnError(
        f'{where} has no column "{name}"{nearest}.', details=f"columns: {listed} ({len(names)})"
    )


def iso_strings(seconds: np.ndarray) -> np.ndarray:
    """ISO 8601 strings of seconds since 1970; empty where NaN.

    Midnights are written as a bare date; whole seconds without a fraction."""
    missing = np.isnan(seconds)
    micro = np.round(np.where(missing, 0.0, seconds) * 1e6).astype("datetime64[us]")
    text = np.datetime_as_string(micro, unit="us").astype(object)
    trimmed = [value.removesuffix(".000000").removesuffix("T00:00:00") for value in text]
    return np.where(missing, "", np.asarray(trimmed, dtype=object))


def column_from(
    name: str, kind: Kind, values: pa.Array | Sequence[object], *, reason: str = ""
) -> Column:
    """A column of this kind from values already in the kind's storage type (see `STORAGE`)."""
    stored = pa.array(values, type=STORAGE[kind], from_pandas=True)
    return Column(ColumnSpec(name, kind, ISO if kind is Kind.DATE else None), stored, reason)


def picture_column(name: str, pixels: np.ndarray, *, reason: str = "") -> Column:
    """A column of pictures (rows, height, width, channels) uint8, none of them missing.

    The pixels are not copied: they may be mapped from a file."""
    size = PictureSize(*pixels.shape[1:])
    stored = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(size.bytes), len(pixels), [None, pa.py_buffer(np.ascontiguousarray(pixels))]
    )
    return Column(ColumnSpec(name, Kind.IMAGE, picture=size), stored, reason)
