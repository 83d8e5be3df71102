"""What a contestant's trial left: its scorecard, its file, and what it answered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fathometer.modelfile.load import ModelFile, from_bytes
from fathometer.trial.scorecard import Scorecard
from fathometer.trial.store import StoredTrial


@dataclass(frozen=True, eq=False)
class Trial:
    """One contestant after its trial; a failed one has a scorecard alone."""

    scorecard: Scorecard
    file: ModelFile | None = None
    lockbox: np.ndarray | None = None  # (lockbox rows, outputs) scores
    out_of_fold: np.ndarray | None = None  # (train rows, outputs) scores
    plain: np.ndarray | None = None  # the same before its probabilities were corrected, if they are

    @property
    def uncorrected(self) -> np.ndarray | None:
        """The out-of-fold scores as the learner gave them."""
        return self.out_of_fold if self.plain is None else self.plain

    @property
    def stored(self) -> StoredTrial:
        """As a run's store keeps it."""
        content = self.file.content if self.file is not None else None
        return StoredTrial(self.scorecard, content, self.lockbox, self.out_of_fold, self.plain)

    @classmethod
    def restored(cls, stored: StoredTrial) -> Trial:
        """A trial that a run's store has kept."""
        file = from_bytes(stored.content) if stored.content is not None else None
        return cls(stored.scorecard, file, stored.lockbox, stored.out_of_fold, stored.plain)
