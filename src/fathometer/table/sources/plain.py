"""Arrow's less usual types (extensions, intervals, endless dates) → the flat ones of columns.

What has no flat form, such as an address or a point, becomes bytes, which reading leaves out and
names."""

from __future__ import annotations

import uuid

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

DAY = 24 * 60 * 60
# As PostgreSQL's EXTRACT(EPOCH FROM interval): a year has 365.25 days, a month within it 30.
YEAR_DAYS, MONTH_DAYS = 365.25, 30
EXACT_DIGITS = 15  # decimal digits that float64 keeps
# PostgreSQL's dates begin in 4713 BC. What a driver hands on as an earlier one is its "infinity".
FIRST_DAY = -2_440_588  # from 1970, in days
TICKS_A_DAY = {"s": DAY, "ms": DAY * 10**3, "us": DAY * 10**6, "ns": DAY * 10**9}


def plain(table: pa.Table) -> tuple[pa.Table, tuple[str, ...]]:
    """The table with flat columns where there were none, and what to note about them."""
    notes: list[str] = []
    for place, field in enumerate(table.schema):
        values = table.column(place)
        made = _plain_column(values, field)
        endless = made.null_count - values.null_count
        if endless and pa.types.is_temporal(field.type):
            said = "infinite moment is" if endless == 1 else "infinite moments are"
            notes.append(f"column {field.name}: {endless:,} {said} treated as missing")
        if _is_money(field):
            notes.append(f"column {field.name}: money, read in its smallest unit (7128 is 71.28)")
        if made is not values:
            table = table.set_column(place, field.name, made)
    return table, tuple(notes)


def _is_money(field: pa.Field) -> bool:
    return (field.metadata or {}).get(b"POSTGRESQL:type") == b"money"


def _plain_column(values: pa.ChunkedArray, field: pa.Field) -> pa.ChunkedArray:
    kind = field.type
    if isinstance(kind, pa.BaseExtensionType):
        return _from_extension(values, kind)
    if kind == pa.month_day_nano_interval():
        return pa.chunked_array([_interval_seconds(values)])
    if pa.types.is_date32(kind):
        return _within_time(values, FIRST_DAY, pa.int32())
    if pa.types.is_timestamp(kind) and kind.unit != "ns":  # 64 bits of ns end in 1677
        return _within_time(values, FIRST_DAY * TICKS_A_DAY[kind.unit], pa.int64())
    return values


def _from_extension(values: pa.ChunkedArray, kind: pa.BaseExtensionType) -> pa.ChunkedArray:
    if kind.extension_name == "arrow.json":  # objects, which no column holds
        return values.cast(kind.storage_type).cast(pa.binary())
    stored = values.cast(kind.storage_type)
    if kind.extension_name == "arrow.uuid":
        written = [None if each is None else str(uuid.UUID(bytes=each)) for each in _list(stored)]
        return pa.chunked_array([pa.array(written, pa.string())])
    is_number = getattr(kind, "type_name", "") == "numeric"
    return _floats(stored) if is_number else stored


def _list(values: pa.ChunkedArray) -> list[bytes | None]:
    listed: list[bytes | None] = values.to_pylist()
    return listed


def _floats(written: pa.ChunkedArray) -> pa.ChunkedArray:
    """Numbers of any precision as float64, unless that would make two long keys the same."""
    digits = pc.max(pc.utf8_length(pc.replace_substring_regex(written, r"[^0-9]|^-?0*\.?0*", "")))
    if (digits.as_py() or 0) > EXACT_DIGITS and not pc.any(
        pc.match_substring(written, ".")
    ).as_py():
        return written
    return written.cast(pa.float64())


def _interval_seconds(values: pa.ChunkedArray) -> pa.Array:
    seconds = [
        None
        if each is None
        else (each.months // 12 * YEAR_DAYS + each.months % 12 * MONTH_DAYS + each.days) * DAY
        + each.nanoseconds / 1e9
        for each in values.to_pylist()
    ]
    return pa.array(seconds, pa.float64())


def _within_time(values: pa.ChunkedArray, first: int, ticks: pa.DataType) -> pa.ChunkedArray:
    """The values with those before the first moment that can be meant as missing."""
    known = values.cast(ticks)
    is_endless = pc.less(known, pa.scalar(first, ticks))
    if not np.any(pc.fill_null(is_endless, False).to_numpy()):
        return values
    return pc.if_else(is_endless, pa.scalar(None, values.type), values)
