"""When to keep a member's weights, and which settings go on: never by rows it is scored on."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from fathometer.errors import LearnerError

# All stop when this share of the validations, up to now, has brought nothing. The learning rate
# falls to 0 at 1/7, 3/7 and 7/7 of a schedule (`block.pace`): who was best at 1/7 is overtaken by
# 3/7 or not at all, and who was best at 3/7 waits for the end.
IDLE_SHARE = 0.7


class LeaveFoldOut:
    """Watches the validation losses of one setting; fold k keeps what was best for the others.

    Choosing the epoch on a fold's own validation rows would flatter the out-of-fold score, which is
    measured on the same rows. With one fold alone there is nobody else to ask: the last weights
    are kept."""

    def __init__(self, folds: Sequence[int], *, patience: int) -> None:
        """folds: of the setting's members, several seeds allowed."""
        own = np.asarray(folds)
        self._asks = own[:, None] != own[None, :]  # [p, q]: q has a say in when p is kept
        self._patience = patience
        self.best = np.full(len(own), np.inf)  # (P,) the lowest mean loss of the others so far
        self.history: list[np.ndarray] = []  # (P,) losses of each validation
        self.kept = np.zeros(len(own), dtype=np.int64)

    @property
    def curves(self) -> np.ndarray:
        """All losses observed, (validations, P)."""
        return np.array(self.history).reshape(-1, len(self.kept))

    @property
    def has_failed(self) -> bool:
        """Whether the latest losses are not all finite: the networks of that fold diverged.

        No later one is finite again, and what the other folds keep would hang on who came last."""
        return bool(self.history) and not np.isfinite(self.history[-1]).all()

    @property
    def exhausted(self) -> bool:
        """Whether `patience` validations have passed, and for long none improved any choice."""
        seen = len(self.history)
        return seen >= self._patience and seen - 1 - int(self.kept.max()) >= IDLE_SHARE * seen

    def observe(self, losses: np.ndarray) -> np.ndarray:
        """Take in the members' losses (P,); returns which members to keep now, (P,) bool."""
        self.history.append(losses)
        if self.has_failed:
            return np.zeros(len(losses), dtype=bool)
        asked = self._asks.sum(axis=1)
        others = np.where(self._asks, losses, 0.0).sum(axis=1) / np.maximum(asked, 1)
        improved = np.where(asked > 0, others < self.best, True)
        self.best[improved] = np.where(asked > 0, others, np.inf)[improved]
        self.kept[improved] = len(self.history) - 1
        return np.asarray(improved)


def diverged(validations: int) -> LearnerError:
    """The error for networks of which none is left."""
    return LearnerError(
        f"the networks diverged: at validation {validations} their loss was not a finite number.",
        try_next="a lower learning rate",
    )


def survivors(best: np.ndarray, share: float) -> list[int]:
    """Which settings go on: for each fold the best by the other folds; the union of those.

    Were one list made for all folds, a setting would owe its place to the very rows that its
    out-of-fold score is measured on. As long as a setting is among the best for one fold, all of
    its folds go on, since the others' choice needs them.

    Args:
        best: (settings, folds) for each fold the lowest loss of the *other* folds.
        share: of the settings, the part that goes on for each fold; one at least.
    """
    settings = len(best)
    count = max(1, math.ceil(share * settings - 1e-9))
    if not np.isfinite(best).any():  # one fold alone: nobody may judge, the first ones go on
        return list(range(count))
    order = np.argsort(best, axis=0, kind="stable")[:count]
    return sorted({int(place) for place in order.flatten()})
