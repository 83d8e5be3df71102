"""A fit beside the contest: from its store, or in what is left of its time, or left out and why.

What it leaves is scores out of fold; no file, and the lockbox is not asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from fathometer.errors import FathometerError
from fathometer.learners.contract import Budget, Progress
from fathometer.trial.contest import Contest
from fathometer.trial.event import Event
from fathometer.trial.scorecard import Scorecard
from fathometer.trial.store import StoredTrial

Side = Literal["traditional", "deep"]
Scored = tuple[str, np.ndarray]  # what learned, in words, and its scores (train rows, outputs)


@dataclass(frozen=True)
class SideFit:
    """One fit, and its place in its part of the run."""

    part: str  # the name that progress is told under
    name: str  # in the store
    words: str  # shown while it lasts
    family: Side
    number: int  # from 0
    count: int  # of all fits of the part

    def done(self, progress: Progress) -> float:
        """How much of the part is done, from 0 to 1."""
        return (self.number + min(1.0, progress.done)) / self.count


@dataclass(frozen=True)
class LeftOut:
    """A fit that is not there, and why: a clause that ends no sentence."""

    why: str


def fit_beside(contest: Contest, one: SideFit, fit: Callable[[Budget], Scored]) -> Scored | LeftOut:
    """Its scores; what is in the contest's store is not fitted again.

    A fit that was cut short by the clock or the user is left out, for it is not what it says."""
    known = contest.store.finished(one.name)
    if known is not None and known.out_of_fold is not None:
        return known.scorecard.chosen, known.out_of_fold

    if contest.terms.deadline is not None and contest.store.is_complete:
        return LeftOut("it was left out when the run was made")

    def report(progress: Progress) -> None:
        contest.watch(Event("progress", one.part, "both", one.done(progress), one.words))

    budget = Budget(contest.terms.deadline, report, contest.terms.stopped)
    failure = ""
    try:
        scored = None if budget.spent else fit(budget)
    except FathometerError as error:  # no verdict rests on it
        scored, failure = None, error.message.rstrip(".")
    if contest.terms.stopped():
        return LeftOut("the run was stopped")
    if budget.spent:
        return LeftOut(f"the time did not suffice for all fits ({one.words})")
    if scored is None:
        return LeftOut(f"one fit failed ({one.words}): {failure}")
    if not np.isfinite(scored[1]).all():
        return LeftOut(f"one fit answered with what is no number ({one.words})")
    card = Scorecard(one.name, one.family, chosen=scored[0])
    contest.store.finish(StoredTrial(card, out_of_fold=scored[1]))
    return scored
