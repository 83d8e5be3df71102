"""Numbers in words: with their unit, and at the precision that they deserve."""

from __future__ import annotations

import math

from fathometer.trial.scorecard import Quality

MOST_PLACES = 12  # farads and metres per second are targets too


def places_for(half_width: float) -> int:
    """Decimal places at which a half-width shows two digits; negative from 100 on.

    A score is known to about that: 0.8684 ± 0.026 reads 0.868."""
    if not math.isfinite(half_width) or half_width <= 0:
        return 3
    return min(MOST_PLACES, 1 - math.floor(math.log10(half_width)))


def fixed(value: float, places: int) -> str:
    """The value at so many decimal places, thousands separated; negative places round before it."""
    if not math.isfinite(value):
        return "–"
    rounded = round(value, places) + 0.0  # + 0.0 turns -0.0 into 0.0
    return f"{rounded:,.{max(places, 0)}f}".replace("-", "−")


def signed(value: float, places: int) -> str:
    """Like `fixed`, with a plus before what is above 0."""
    return ("+" if round(value, places) > 0 else "") + fixed(value, places)


def significant(value: float, digits: int = 3) -> str:
    """The value at so many significant digits, thousands separated, never in powers of ten."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "–"
    rounded = float(f"{value:.{digits - 1}e}")  # first, so that 9.96 becomes 10 and not 10.0
    return fixed(value, digits - 1 - math.floor(math.log10(abs(rounded))))


def scored(quality: Quality | None, places: int) -> str:
    """A quality with half the width of its interval: "0.868 ± 0.026"."""
    if quality is None:
        return "–"
    value = fixed(quality.value, places)
    half = (quality.high - quality.low) / 2
    return f"{value} ± {fixed(half, places)}" if half > 0 else value


def counted(number: int, noun: str) -> str:
    """A number with its noun: "1 row", "1,309 rows"."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def duration(seconds: float) -> str:
    """Seconds at two digits in the unit that suits them: "38 µs", "9.8 s", "4.2 min"."""
    for size, unit in ((3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms")):
        if seconds >= size * 0.995:
            return f"{significant(seconds / size, 2)} {unit}"
    return f"{significant(seconds * 1e6, 2)} µs"


def energy(joules: float) -> str:
    """Joules at two digits: "41 J", "12 kJ"."""
    return (
        f"{significant(joules / 1000, 2)} kJ" if joules >= 9950 else f"{significant(joules, 2)} J"
    )


def file_size(size_bytes: int) -> str:
    """Bytes in steps of 1,000 at three digits: "212 KB"."""
    for size, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "KB")):
        if size_bytes >= size * 0.9995:
            return f"{size_bytes / size:.3g} {unit}"
    return f"{size_bytes} B"
