"""Numbers in words: with their unit, and at the precision that they deserve.

The terminal, the verdict's sentences and the report take them from here, so that a value reads the
same in all three."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from statistics import median_low
from typing import Protocol

from fathometer.trial.scorecard import Bill, Quality
from fathometer.wording import counted

DASH = "–"  # where there is no number
MOST_PLACES = 12  # farads and metres per second are targets too


class Ranged(Protocol):
    """A value between the ends of its interval: a quality, a corner of the credit, a loss."""

    @property
    def value(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...


def places_for(half_width: float) -> int:
    """Decimal places at which a half-width shows two digits; negative from 100 on.

    A score is known to about that: 0.8684 ± 0.026 reads 0.868."""
    if not math.isfinite(half_width) or half_width <= 0:
        return 3
    return min(MOST_PLACES, 1 - math.floor(math.log10(half_width)))


def shared_places(scores: Iterable[Ranged]) -> int:
    """Decimal places for scores side by side: those of the middle one of the intervals with a
    width, for a single sure score, such as a constant's, must not give digits to all."""
    widths = [(one.high - one.low) / 2 for one in scores if one.high > one.low]
    return places_for(median_low(widths)) if widths else 3


def fixed(value: float, places: int) -> str:
    """The value at so many decimal places, thousands separated; negative places round before it."""
    if not math.isfinite(value):
        return DASH
    rounded = round(value, places) + 0.0  # + 0.0 turns -0.0 into 0.0
    return f"{rounded:,.{max(places, 0)}f}".replace("-", "−")


def signed(value: float, places: int) -> str:
    """Like `fixed`, with a plus before what is above 0."""
    return ("+" if round(value, places) > 0 else "") + fixed(value, places)


def by_how_much(value: float, written: Callable[[float], str]) -> str:
    """A difference as its unit is written, with its sign: "+41 J", "−198 KB"; a dash for none."""
    if value == 0 or not math.isfinite(value):
        return DASH
    return ("+" if value > 0 else "−") + written(abs(value))


def significant(value: float, digits: int = 3) -> str:
    """The value at so many significant digits, thousands separated, never in powers of ten."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else DASH
    rounded = float(f"{value:.{digits - 1}e}")  # first, so that 9.96 becomes 10 and not 10.0
    return fixed(value, digits - 1 - math.floor(math.log10(abs(rounded))))


def bare(value: float, digits: int = 2) -> str:
    """The value at so many significant digits without the zeros that say nothing: 0.005, 250."""
    written = significant(value, digits)
    return written.rstrip("0").rstrip(".") if "." in written else written


def scored(quality: Quality | None, places: int) -> str:
    """A quality with half the width of its interval, for a sentence: "0.868 ± 0.026"."""
    if quality is None:
        return DASH
    value = fixed(quality.value, places)
    half = (quality.high - quality.low) / 2
    return f"{value} ± {fixed(half, places)}" if half > 0 else value


def with_interval(one: Ranged, places: int) -> str:
    """A value with its interval where that has a width: "0.868 [0.811, 0.917]", for a table."""
    value = fixed(one.value, places)
    if not one.high > one.low:
        return value
    return f"{value} [{fixed(one.low, places)}, {fixed(one.high, places)}]"


def duration(seconds: float) -> str:
    """How long work took: "9.0 ms", "0.19 s", "14 s", "4 min 10 s", "25 min", "1 h 02 min".

    Minutes keep their seconds up to ten: three digits are as much as one run tells."""
    if not math.isfinite(seconds):
        return DASH
    if seconds == 0:
        return "0 s"
    if seconds < 0.01:
        return latency(1000 * seconds)
    if seconds < 59.5:
        return (f"{seconds:.2f}" if seconds < 0.995 else significant(seconds, 2)) + " s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 10:
        return f"{minutes} min {rest:02d} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def latency(milliseconds: float, *, is_exact: bool = False) -> str:
    """How long an answer takes: "38 µs", "1.2 ms", "345 ms", "1.5 s".

    is_exact: it is no measurement but a limit that was asked for: "1 ms", "1.25 ms"."""
    return _in_steps(milliseconds, ((1e3, "s"), (1.0, "ms"), (1e-3, "µs")), is_exact=is_exact)


def energy(joules: float) -> str:
    """Joules: "0.90 J", "41 J", "1.2 kJ"."""
    return _in_steps(joules, ((1e6, "MJ"), (1e3, "kJ"), (1.0, "J")))


def training_energy(bill: Bill) -> str:
    """What training took; an estimate is marked: "≈41 J"."""
    return ("≈" if is_estimate(bill) else "") + energy(bill.energy_joules)


def is_estimate(bill: Bill) -> bool:
    """Whether its joules are estimated; a challenger has none."""
    return bill.energy_source == "estimated" and math.isfinite(bill.energy_joules)


def file_size(size_bytes: float, *, is_exact: bool = False) -> str:
    """Bytes in steps of 1,000: "6 KB", "212 KB", "1.4 MB".

    is_exact: it is a limit that was asked for: "1.25 MB"."""
    if size_bytes < 999.5:
        return f"{size_bytes:.0f} B"
    steps = ((1e9, "GB"), (1e6, "MB"), (1e3, "KB"))
    return _in_steps(size_bytes, steps, is_exact=is_exact).replace(".0 ", " ")


def training_rows(sets: Sequence[int]) -> str:
    """What travels in a file: "2,500 training rows", "5 sets of up to 8,192 training rows"; nothing
    where nothing does."""
    if len(sets) < 2:
        return "".join(counted(rows, "training row") for rows in sets)
    each = "" if min(sets) == max(sets) else "up to "
    return f"{counted(len(sets), 'set')} of {each}{counted(max(sets), 'training row')}"


def _in_steps(value: float, steps: tuple[tuple[float, str], ...], *, is_exact: bool = False) -> str:
    """In the first unit of which there is one: two digits, three from 100 on, as one run tells."""
    if not math.isfinite(value):
        return DASH
    size, unit = next((step for step in steps if value >= step[0] * 0.9995), steps[-1])
    amount = value / size
    said = bare(amount, 3) if is_exact else significant(amount, 3 if amount >= 100 else 2)
    return f"{said} {unit}"
