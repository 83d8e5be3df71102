"""Which rows belong together, and in which order they stand in time.

Learns nothing: equal features, equal groups and moments are read off the columns."""

from __future__ import annotations

import hashlib
import shlex

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fathometer.errors import SplitError
from fathometer.table.kind import FEATURE_KINDS, Kind
from fathometer.table.table import STORAGE, Column, Table
from fathometer.table.task import Task

# With fewer different rows than this share, a repeated row is no copy but a frequent combination
# (2,201 passengers, told by class, sex and age, are 14 different ones).
DIFFERENT_SHARE = 0.1
FEWEST_GROUPS = 4


def row_codes(table: Table, task: Task) -> np.ndarray:
    """(rows,) int64 from 0: equal for rows that are equal in every feature column.

    Rows are compared by a 64-bit hash; among half a million different ones, two collide with
    probability 10^-8. 494,021 × 41 values take about 0.6 s on one core."""
    features = [each for each in table.of_kind(*FEATURE_KINDS) if each.name != task.target]
    mixed = np.zeros(len(table), dtype=np.uint64)
    for column in features:
        mixed = _mixed(mixed + np.uint64(0x9E3779B97F4A7C15) + _codes(column))
    return np.asarray(np.unique(mixed, return_inverse=True)[1], dtype=np.int64)


def _codes(column: Column) -> np.ndarray:
    """(rows,) uint64: equal for equal values, missing ones included."""
    if STORAGE[column.kind] == pa.float64():
        numbers = column.numbers + 0.0  # -0.0 becomes 0.0
        return np.where(np.isnan(numbers), np.nan, numbers).view(np.uint64)
    if column.kind is Kind.IMAGE:
        return _picture_codes(column)
    places = pc.fill_null(pc.dictionary_encode(column.values).indices, -1)
    return np.asarray(places.to_numpy(zero_copy_only=False)).astype(np.int64).view(np.uint64)


def _picture_codes(column: Column) -> np.ndarray:
    """A hash of each picture: a dictionary of them would hold all pixels a second time."""
    rows = column.pixels.reshape(len(column.values), -1)
    codes = [hashlib.blake2b(row.data, digest_size=8).digest() for row in rows]
    found = np.frombuffer(b"".join(codes), dtype=np.uint64).copy()
    found[column.values.is_null().to_numpy(zero_copy_only=False)] = 0
    return found


def _mixed(value: np.ndarray) -> np.ndarray:
    """The finaliser of SplitMix64 (Steele, Lea and Flood, 2014), modulo 2^64."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(value ^ (value >> np.uint64(31)))


def group_codes(table: Table, name: str) -> np.ndarray:
    """(rows,) int64 from 0; each row without a group is one of its own.

    Raises: SplitError for fewer than four groups: two to judge, two to choose and learn."""
    column = table[name]
    codes = _codes(column)
    if STORAGE[column.kind] == pa.float64():
        missing = np.isnan(column.numbers)
    else:
        missing = np.asarray(column.values.is_null().to_numpy(zero_copy_only=False))
    places = np.unique(codes, return_inverse=True)[1].astype(np.int64)
    places[missing] = places.max() + 1 + np.arange(missing.sum())
    places = np.unique(places, return_inverse=True)[1].astype(np.int64)
    count = int(places.max()) + 1
    if count < FEWEST_GROUPS:
        noun = "group" if count == 1 else "groups"
        raise SplitError(
            f'The column "{name}" makes {count} {noun} of {len(table):,} rows; at least '
            f"{FEWEST_GROUPS} are needed, two to learn from and two to judge on: one alone does "
            "not tell how much another would differ.",
            details="name a column of more values for --group, or none",
        )
    return places


def connected(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(rows,) int64 from 0: equal for rows that a chain of equal codes, of either kind, links."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    first = int(one.max()) + 1
    size = first + int(other.max()) + 1
    links = coo_array((np.ones(len(one)), (one, first + other)), shape=(size, size))
    part = connected_components(links, directed=False)[1][one]
    return np.asarray(np.unique(part, return_inverse=True)[1], dtype=np.int64)


def time_values(table: Table, name: str) -> np.ndarray:
    """(rows,) float64 that grow with time; minus infinity where the time is missing.

    Raises: SplitError for a column that is no date or number, or never changes."""
    column = table[name]
    is_stored = STORAGE[column.kind] == pa.float64()
    numbers = column.numbers if is_stored else _written_numbers(column)
    if len(np.unique(numbers[~np.isnan(numbers)])) < 2:
        raise SplitError(
            f'The column "{name}" does not order the rows in time: it has fewer than two moments.',
            details="name a date or number column for --time",
        )
    return np.where(np.isnan(numbers), -np.inf, numbers)


def _written_numbers(column: Column) -> np.ndarray:
    """Numbers of a column that is kept as text because they count the rows."""
    try:
        cast = pc.cast(column.values, pa.float64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise SplitError(
            f'The column "{column.name}" is a {column.kind.value} column and cannot be ordered in '
            "time.",
            details="or name a date or number column for --time",
            try_next=f"--kind {shlex.quote(column.name)}=date",
        ) from error
    return np.asarray(pc.fill_null(cast, np.nan).to_numpy(zero_copy_only=False))
