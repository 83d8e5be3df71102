"""The members of one setting: they train, stop, go on and are dropped together."""

from __future__ import annotations

import numpy as np

from fathometer.population.state import MemberState
from fathometer.population.stopping import LeaveFoldOut


class Cohort:
    """The folds and seeds of one setting, and when each keeps its weights."""

    def __init__(self, states: list[MemberState], patience: int) -> None:
        self.states = states
        self.choice = LeaveFoldOut([state.member.fold for state in states], patience=patience)
        self.taken = 0  # steps

    @property
    def steps(self) -> int:
        """The length of the setting's schedule."""
        return self.states[0].member.steps

    @property
    def is_through(self) -> bool:
        """Whether its schedule has ended, nothing has improved for long, or it diverged."""
        return self.taken >= self.steps or self.choice.exhausted or self.choice.has_failed

    @property
    def best_by_others(self) -> np.ndarray:
        """For each fold the lowest loss of the other folds so far, over seeds; (folds,)."""
        folds = np.array([state.member.fold for state in self.states])
        return np.array([self.choice.best[folds == fold].mean() for fold in np.unique(folds)])

    @property
    def last_losses(self) -> list[float]:
        """The members' losses at the latest validation."""
        return [float(loss) for loss in self.choice.history[-1]]
