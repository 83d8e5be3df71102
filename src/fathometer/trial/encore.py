"""Longer fits for the leaders of both families, with the time left of a wall-clock budget.

The first round gives every contestant few steps; which of them are worth more is known then, by
out-of-fold scores. As in successive halving (Jamieson and Talwalkar, 2016) the best go on: here as
many of each family, in turn, and each time half of what is left is the other family's."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from fathometer.learners.contract import Learner
from fathometer.table.metric import Metric
from fathometer.trial.best import standing
from fathometer.trial.scorecard import Scorecard

LEADERS = 3  # of each family


@dataclass(frozen=True)
class Longer:
    """A learner with more steps than in the first round, under a name of its own."""

    learner: Learner
    times: float  # about how many times the seconds of its first fit it takes
    least: float = 1.0  # of these; the share that it needs to be worth its turn


def names_of(longer: Mapping[str, Sequence[Longer]]) -> set[str]:
    """The names of all longer fits."""
    return {fit.learner.name for fits in longer.values() for fit in fits}


def encores(
    cards: Sequence[Scorecard],
    longer: Mapping[str, Sequence[Longer]],
    metric: Metric,
    share: Callable[[int], float],
    done: Collection[str] = (),
) -> Iterator[tuple[Learner, int]]:
    """Who fits again, and how many are to share the time that is left then, this one counted.

    A family's leader gets the longest of its fits that its share allows; what it does not use is
    the next one's.

    Args:
        cards: of the first round.
        longer: longer fits by the names of the first ones, ascending.
        share: seconds that a fit may take, of so many to come.
        done: names of fits; whoever has had one has had its turn.
    """
    finished = [card for card in cards if card.name in longer and card.out_of_fold is not None]
    finished.sort(key=lambda card: standing(card, metric))
    sides = [[card for card in finished if card.family == side] for side in ("traditional", "deep")]
    for place in range(LEADERS):
        turn = [side[place] for side in sides if place < len(side)]
        for passed, card in enumerate(turn):
            if any(fit.learner.name in done for fit in longer[card.name]):
                continue
            left = len(turn) - passed
            first = card.bill.train_seconds if card.bill else 0.0
            spare = share(left)
            allowed = [one for one in longer[card.name] if one.least * one.times * first <= spare]
            if allowed:
                yield allowed[-1].learner, left
