"""What more rows would change, in one or two plain sentences, each tied to its numbers."""

from __future__ import annotations

from fathometer.table.metric import METRICS
from fathometer.verdict.forecast import Band, Crossing, Forecast, Outlook
from fathometer.verdict.quantities import fixed, places_for, significant
from fathometer.wording import listed

SIDES = {"deep": "deep learning", "traditional": "traditional machine learning"}


def forecast_sentences(found: Forecast) -> tuple[str, ...]:
    """What twice the rows would bring, where the two families would cross, and what to note."""
    return tuple(filter(None, (_twice(found), _later(found), found.note)))


def _twice(found: Forecast) -> str:
    two = found.outlooks[0]
    return (
        f"More data: with {_times(two)} the rows ({two.rows:,} to learn from) "
        f"{found.traditional.name} is expected at {_expected(two.traditional)} and "
        f"{found.deep.name} at {_expected(two.deep)} ({METRICS[found.metric].label} out of fold, "
        f"90 % intervals; today {_today(found)})."
    )


def _today(found: Forecast) -> str:
    two, pair = found.outlooks[0], (found.traditional, found.deep)
    places = _places(two.traditional), _places(two.deep)
    told = [fixed(one.scores[-1], place) for one, place in zip(pair, places, strict=True)]
    return " and ".join(told)


def _later(found: Forecast) -> str:
    """Who is ahead at more rows, and where the one behind draws level."""
    if found.is_open:
        return _open_today(found)
    crossing = found.crossing
    behind = SIDES[crossing.trailing]
    leads = SIDES["traditional" if crossing.trailing == "deep" else "deep"]
    if crossing.low is None:
        return (
            f"No crossing is in sight: {behind} is not expected to catch up with {leads} within "
            f"{_times(found.outlooks[-1])} the rows ({_chances(found)})."
        )
    if crossing.rows is None:
        return (
            f"{behind.capitalize()} is not expected to catch up with {leads} within "
            f"{_times(found.outlooks[-1])} the rows (90 % interval of the crossing: "
            f"{_between(crossing, found)}; {_chances(found)})."
        )
    return (
        f"{behind.capitalize()} is expected to draw level with {leads} at about "
        f"{_round(crossing.rows)} rows to learn from (90 % interval {_between(crossing, found)}; "
        f"{_chances(found)})."
    )


def _open_today(found: Forecast) -> str:
    decided = next((one for one in found.outlooks if one.ahead != "undecided"), None)
    if decided is None:
        return (
            "Which family is ahead is open today, and more rows up to "
            f"{_times(found.outlooks[-1])} as many are not expected to settle it "
            f"({_chances(found)})."
        )
    return (
        f"Which family is ahead is open today; with {_times(decided)} the rows "
        f"({decided.rows:,}) {SIDES[decided.ahead]} is expected to lead ({_chances(found)})."
    )


def _chances(found: Forecast) -> str:
    """ "P(deep ahead) 0.12, 0.20 and 0.35 at 2, 4 and 10 times the rows"."""
    chances = [f"{one.deep_ahead:.2f}" for one in found.outlooks]
    factors = [f"{one.factor:g}" for one in found.outlooks]
    return f"P(deep ahead) {listed(chances)} at {listed(factors)} times the rows"


def _between(crossing: Crossing, found: Forecast) -> str:
    """ "4,000 to beyond 71,000"."""
    low = crossing.low if crossing.low is not None else found.rows
    start = "today's" if low <= found.rows else _round(low)
    if crossing.high is None:
        return f"{start} to beyond {_round(found.outlooks[-1].rows)}"
    return f"{start} to {_round(crossing.high)}"


def _round(rows: int) -> str:
    return significant(rows, 2)


def _times(outlook: Outlook) -> str:
    return "twice" if outlook.factor == 2 else f"{outlook.factor:g} times"


def _expected(band: Band) -> str:
    places = _places(band)
    return f"{fixed(band.value, places)} [{fixed(band.low, places)}, {fixed(band.high, places)}]"


def _places(band: Band) -> int:
    return places_for((band.high - band.low) / 2)
