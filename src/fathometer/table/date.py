"""Reading dates: strings in a `DateLayout` → seconds since 1970.

The graph twin in `features/calendar` reads the same layouts with the same regular expressions (both
sides run RE2) and the same arithmetic, so a raw date string means the same in a model file as here.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fathometer.table.layout import ISO, MONTHS, DateLayout

# Years of four digits, 1 to 9999, in seconds since 1970: what strings and the graph can say.
FIRST_SECOND, END_SECOND = -62_135_596_800.0, 253_402_300_800.0


def days_from_civil(
    year: np.ndarray, month: np.ndarray, day: np.ndarray
) -> np.ndarray:  # int64 each
    """Days since 1970-01-01 in the Gregorian calendar (H. Hinnant, chrono-compatible algorithms).

    Days past the end of a month run on into the next, here as in the graph."""
    year = year - (month <= 2)
    era = year // 400  # years here are 1 and later, so // is the same as truncation
    year_of_era = year - era * 400
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    return np.asarray(era * 146097 + day_of_era - 719468, dtype=np.int64)


def matches(values: pa.Array, layout: DateLayout) -> np.ndarray:
    """Which values (strings) are written in this layout; a missing value is not."""
    found = pc.match_substring_regex(values, f"^(?:{layout.pattern})$")
    return np.asarray(pc.fill_null(found, False).to_numpy(zero_copy_only=False))


def parse(values: pa.Array, layout: DateLayout) -> np.ndarray:
    """Seconds since 1970-01-01 UTC (float64) of strings in this layout or in ISO 8601.

    NaN where a value is missing, written otherwise, or an offset takes it out of the years 1 to
    9999. A time without offset counts as UTC."""
    seconds = _parse_one(values, layout)
    if layout != ISO:
        iso = _parse_one(values, ISO)
        seconds = np.where(np.isnan(seconds), iso, seconds)
    return within_years(seconds)


def within_years(seconds: np.ndarray) -> np.ndarray:
    """Seconds since 1970, NaN outside the years 1 to 9999."""
    inside = (seconds >= FIRST_SECOND) & (seconds < END_SECOND)
    return np.where(inside, seconds, np.nan)


def _parse_one(values: pa.Array, layout: DateLayout) -> np.ndarray:
    fields = pc.extract_regex(values, f"^(?:{layout.pattern})$")

    def part(name: str, otherwise: str) -> np.ndarray:
        found = pc.struct_field(fields, name)
        found = pc.if_else(pc.equal(pc.fill_null(found, ""), ""), otherwise, found)
        return np.asarray(pc.cast(found, pa.float64()).to_numpy(zero_copy_only=False))

    if "b" in layout.order:
        names = pc.struct_field(fields, "b")
        index = pc.index_in(names, pa.array(MONTHS))
        month = np.asarray(pc.fill_null(index, 0).to_numpy(zero_copy_only=False)) + 1
    else:
        month = part("m", "1").astype(np.int64)
    days = days_from_civil(
        part("y", "1970").astype(np.int64), month, part("d", "1").astype(np.int64)
    )
    offset = pc.fill_null(pc.struct_field(fields, "Z"), "")
    offset = pc.if_else(pc.is_in(offset, pa.array(["", "Z"])), "+00:00", offset)
    signs = np.where(np.asarray(pc.starts_with(offset, "-").to_numpy(zero_copy_only=False)), -1, 1)
    hours = pc.cast(pc.utf8_slice_codeunits(offset, 1, 3), pa.float64()).to_numpy()
    minutes = pc.cast(pc.utf8_slice_codeunits(offset, 4, 6), pa.float64()).to_numpy()
    shift = signs * (hours * 60 + minutes) * 60
    clock = part("H", "0") * 3600 + part("M", "0") * 60 + part("S", "0")
    known = np.asarray(pc.is_valid(fields).to_numpy(zero_copy_only=False))
    return np.where(known, days * 86400.0 + clock - shift, np.nan)
