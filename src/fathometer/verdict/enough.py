"""How many held-out rows it would take to settle a difference of the size that was seen."""

from __future__ import annotations

import math

from fathometer.trial.spread import Spread

POWER = 0.80  # the customary chance of finding what is there
MOST_ROWS = 10**9  # beyond, the honest answer is that rows do not settle it


def rows_needed(gap: Spread, rows: int, zone: float) -> int | None:
    """How many lockbox rows would settle a gap of this size, in four of five such lockboxes.

    To name a family the 95 % interval must leave out 0 and the probability of more than the zone
    must reach 0.95; to call them equal, that of less than the zone. The standard error shrinks
    with the square root of the rows. None where no number of rows would, because the gap lies on
    the edge of the zone, or where nothing is known of the error.

    Args:
        gap: on `rows` rows.
    """
    from scipy.special import ndtri

    value, error = abs(gap.value), gap.deviation
    if error <= 0 or not math.isfinite(value):
        return None
    power = float(ndtri(POWER))
    if value > zone:
        steps = (float(ndtri(0.975)) + power, float(ndtri(0.95)) + power)
        shares = (value / (steps[0] * error), (value - zone) / (steps[1] * error))
        share = min(shares)
    else:
        share = (zone - value) / ((float(ndtri(0.95)) + power) * error)
    if share <= 0:
        return None
    needed = rows / share**2
    return math.ceil(needed) if needed < MOST_ROWS else None


def rounded_up(rows: int) -> int:
    """Two digits, rounded up: a number of rows is known no better."""
    step = int(10 ** max(0, len(str(rows)) - 2))
    return -(-rows // step) * step
