"""Numbers as people read them: with their unit, and at the precision that they deserve."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fathometer.trial.scorecard import Quality
from fathometer.verdict.chances import percent
from fathometer.verdict.quantities import fixed, places_for, significant

PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "µ"))


def shared_places(qualities: Sequence[Quality]) -> int:
    """Decimal places for a column of scores: those of the narrowest interval that has a width."""
    widths = [(q.high - q.low) / 2 for q in qualities if q.high > q.low]
    return places_for(min(widths)) if widths else 3


def measured(value: float) -> str:
    """A time, energy or size as one run measures it: two digits, three from 100 on."""
    return significant(value, 3 if abs(value) >= 100 else 2)


def bare(value: float, digits: int = 2) -> str:
    """The value at so many significant digits without the zeros that say nothing: 0.005, 250."""
    written = significant(value, digits)
    return written.rstrip("0").rstrip(".") if "." in written else written


def sentence(words: str) -> str:
    """The words with a capital at their start."""
    return words[:1].upper() + words[1:]


def scored(quality: Quality, places: int) -> str:
    """A score with its 95 % interval, the interval left out where it has no width."""
    value = fixed(quality.value, places)
    if quality.low == quality.high:
        return value
    return f"{value} [{fixed(quality.low, places)}, {fixed(quality.high, places)}]"


def share(value: float) -> str:
    """A probability in per cent; the ends are not rounded into certainty."""
    return percent(round(100 * value))


def prefixed(value: float, unit: str) -> str:
    """The value with the prefix that leaves it from 1 to 999: 0.0031 s reads 3.1 ms."""
    if not math.isfinite(value):
        return "–"
    if value == 0:
        return f"0 {unit}"
    size, prefix = next((p for p in PREFIXES if abs(value) >= p[0] * 0.9995), PREFIXES[-1])
    if unit == "s" and size > 1:
        size, prefix = 1.0, ""
    return f"{measured(value / size)} {prefix}{unit}"


def file_size(size_bytes: float) -> str:
    """A size in bytes, KB, MB or GB of 1,000 each."""
    return prefixed(size_bytes, "B").replace("kB", "KB") if size_bytes >= 1 else "0 B"


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: "1 row", "1,309 rows"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
