"""What a user adds to the question: a preference, prices; answered after the verdict is found.

Nothing here changes what is trained or who wins, so a finished run answers new wishes at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fathometer.errors import OptionError
from fathometer.runtime import cores
from fathometer.trial.scorecard import Scorecard
from fathometer.verdict.preference import Preference, preference_from
from fathometer.verdict.prices import Prices, priced, prices_from
from fathometer.verdict.verdict import Verdict


@dataclass(frozen=True)
class Wishes:
    """What the options ask for beside the verdict."""

    preference: Preference | None = None
    prices: Prices | None = None


def wishes_from(prefer: str | None, prices: str | Path | None) -> Wishes:
    """The options, checked before anything is trained.

    Raises:
        OptionError: if one of them cannot be understood.
    """
    return Wishes(
        None if prefer is None else preference_from(prefer),
        None if prices is None else prices_from(Path(prices)),
    )


def with_prices(verdict: Verdict, prices: Prices | None, cards: Sequence[Scorecard]) -> Verdict:
    """The verdict in money, where there are prices; it knows the cores of the machine that measured
    its bills, but for runs of before it did."""
    if prices is None:
        return verdict
    return priced(verdict, prices, cards, cores=verdict.cores or cores())


def coverage_from(option: float) -> float:
    """A coverage as it is typed: a share above 0 and below 1.

    Raises:
        OptionError: if it is none; 90 is understood to have meant 0.9.
    """
    if not 0 < option < 1:
        meant = option / 100 if 1 < option < 100 else 0.9
        raise OptionError(
            f"--interval was given {option:g}; it takes a share of rows above 0 and below 1.",
            try_next=f"--interval {meant:g}",
        )
    return option
