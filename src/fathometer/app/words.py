"""Numbers as people read them: sizes, times, energies and scores with their units.

Knows nothing of terminals; every function takes a number and returns a few characters."""

from __future__ import annotations

import math
from collections.abc import Iterable

from fathometer.trial.scorecard import Quality

NOTHING = "–"


def count(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: "1 row", "891 rows"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def size(count_of_bytes: int) -> str:
    """Bytes in steps of 1,000: "212 KB", "1.4 MB"."""
    if count_of_bytes < 1000:
        return f"{count_of_bytes} B"
    value, units = count_of_bytes / 1000, ["KB", "MB", "GB"]
    while value >= 999.5 and len(units) > 1:
        value /= 1000
        units.pop(0)
    return significant(value, 2) + " " + units[0]


def duration(seconds: float) -> str:
    """Seconds with two digits, then minutes and hours: "0.02 s", "14 s", "2 min 05 s"."""
    if not math.isfinite(seconds):
        return NOTHING
    if seconds < 59.5:
        return (f"{seconds:.2f}" if seconds < 1 else significant(seconds, 2)) + " s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def latency(milliseconds: float) -> str:
    """A short time in microseconds or milliseconds: "38 µs", "1.2 ms"."""
    if milliseconds < 0.9995:
        return significant(milliseconds * 1000, 2) + " µs"
    return significant(milliseconds, 2) + " ms"


def energy(joules: float, *, is_estimate: bool) -> str:
    """Joules with two digits; an estimate is marked: "≈41 J"."""
    if not math.isfinite(joules):
        return NOTHING
    value, unit = (joules / 1000, "kJ") if joules >= 9950 else (joules, "J")
    return ("≈" if is_estimate else "") + significant(value, 2) + " " + unit


def rate(per_second: float) -> str:
    """Rows per second with two digits: "26,000"."""
    return significant(float(f"{per_second:.1e}"), 2)


def significant(value: float, digits: int) -> str:
    """A number with so many digits, whole from there on: 3.1, 14, 212."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else NOTHING
    rounded = float(f"{value:.{digits - 1}e}")  # first, so that 9.96 becomes 10 and not 10.0
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(rounded))))
    return f"{value:,.{decimals}f}"


def decimals_for(qualities: Iterable[Quality]) -> int:
    """Decimals that the intervals deserve: the narrowest one keeps two digits; 4 at most, or four
    digits of the largest score where all are small."""
    each = list(qualities)
    known = [half for one in each if math.isfinite(half := (one.high - one.low) / 2) and half > 0]
    if not known:
        return 3
    largest = max(abs(one.value) for one in each if math.isfinite(one.value))
    most = max(4, 3 - math.floor(math.log10(largest))) if largest > 0 else 4
    return min(most, max(0, 1 - math.floor(math.log10(min(known)))))


def score(value: float | None, decimals: int = 3) -> str:
    """A score with thousands separators, or a dash where there is none."""
    if value is None or not math.isfinite(value):
        return NOTHING
    return f"{value:,.{decimals}f}"


def score_with_interval(quality: Quality | None, decimals: int) -> str:
    """A score with its 95 % interval: "0.868 [0.811, 0.917]"; one of no width is left out."""
    if quality is None:
        return NOTHING
    value = score(quality.value, decimals)
    if not quality.high > quality.low:
        return value
    return f"{value} [{score(quality.low, decimals)}, {score(quality.high, decimals)}]"
