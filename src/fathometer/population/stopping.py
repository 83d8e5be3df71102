"""When to keep a member's weights, decided on rows that it is not scored on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fathometer.population.member import Member

# All stop when this share of the validations, up to now, has brought nothing. The learning rate
# falls to 0 at 1/7, 3/7 and 7/7 of a schedule (`stack.pace`): who was best at 1/7 is overtaken by
# 3/7 or not at all, and who was best at 3/7 waits for the end.
IDLE_SHARE = 0.7


class LeaveFoldOut:
    """Watches validation losses; fold k keeps what was best for the mean of the other folds.

    Choosing the epoch on a fold's own validation rows would flatter the out-of-fold score, which is
    measured on the same rows. With one fold alone there is nobody else to ask: the last weights
    are kept."""

    def __init__(self, members: Sequence[Member], *, patience: int) -> None:
        # [p, q]: member q has a say in when member p is kept.
        self._asks = np.array(
            [[q.fold != p.fold and q.setting == p.setting for q in members] for p in members]
        )
        self._patience = patience
        self._best = np.full(len(members), np.inf)
        self._history: list[np.ndarray] = []
        self.kept = np.zeros(len(members), dtype=np.int64)

    @property
    def curves(self) -> np.ndarray:
        """All losses observed, (validations, P)."""
        return np.array(self._history)

    @property
    def exhausted(self) -> bool:
        """Whether `patience` validations have passed, and for long none improved any choice."""
        seen = len(self._history)
        return seen >= self._patience and seen - 1 - int(self.kept.max()) >= IDLE_SHARE * seen

    def observe(self, losses: np.ndarray) -> np.ndarray:
        """Take in the members' losses (P,); returns which members to keep now, (P,) bool."""
        self._history.append(losses)
        asked = self._asks.sum(axis=1)
        others = np.where(self._asks, losses, 0.0).sum(axis=1) / np.maximum(asked, 1)
        improved = np.where(asked > 0, others < self._best, True)
        self._best[improved] = others[improved]
        self.kept[improved] = len(self._history) - 1
        return np.asarray(improved)
