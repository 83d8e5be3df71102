"""Whether a population's schedule ends in time: noticed after its first validation, so that one
that does not is begun again, shorter, and its learning rate still falls to 0."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fathometer.learners.contract import Budget

if TYPE_CHECKING:
    from fathometer.learners.network import Training
    from fathometer.population.train import Standing

# Shares of a schedule at which its rate has fallen to 0 (`population.block.pace`): what a longer
# one that is cut has to show for itself.
ANNEALED = (0.0, 1 / 7, 3 / 7)
CLOCK_SHARE = 0.9  # of the time left that a schedule may fill: validations vary
FEWEST_EPOCHS = 2


@dataclass
class Timekeeper:
    """Asked after every step of a training, told after every validation."""

    budget: Budget
    is_watching: bool  # whether a shorter schedule would be taken instead
    began: float | None = None  # `time.monotonic` seconds of the first step
    fitting: float | None = None  # the share of the schedule that fits, where it is to be shorter

    def goes_on(self) -> bool:
        """Whether training goes on with this schedule."""
        if self.began is None:
            self.began = time.monotonic()
        return self.fitting is None and not self.budget.spent

    def telling(self, report: Callable[[Standing], None]) -> Callable[[Standing], None]:
        """The report, which also tells the time."""

        def told(standing: Standing) -> None:
            report(standing)
            self.look(standing.done, time.monotonic())

        return told

    def look(self, done: float, now: float) -> None:
        """Once: whether a schedule that begins anew would end better than this one, cut short.

        done: share of this one's steps that are taken."""
        deadline = self.budget.deadline
        if not self.is_watching or deadline is None or self.began is None or done <= 0:
            return
        self.is_watching = False
        whole = (now - self.began) / done
        left = max(0.0, deadline - now)
        reached = done + left / whole
        if reached >= 1:
            return
        anew = CLOCK_SHARE * left / whole
        if anew > max(share for share in ANNEALED if share <= reached):
            self.fitting = anew


def shortened(training: Training, share: float) -> Training:
    """The same steps an epoch, and fewer epochs."""
    epochs = max(FEWEST_EPOCHS, int(training.epochs * share))
    part = epochs / training.epochs
    return replace(
        training,
        epochs=epochs,
        least_steps=int(training.least_steps * part),
        most_steps=int(training.most_steps * part),
    )
