"""Choosing a setting without choosing on the rows that are scored.

Every setting is fitted in every fold. The setting that stands for fold k is the one that did best
in the *other* folds, so no row's out-of-fold score took part in choosing what scored it; the final
model takes the setting that did best over all folds."""

from __future__ import annotations

import numpy as np


def choose_for_each_fold(losses: np.ndarray) -> tuple[np.ndarray, int]:
    """The setting of each fold, and the one of the final model.

    Args:
        losses: (folds, settings), less is better; NaN or infinity for a setting that failed.

    Returns:
        (folds,) int64 settings, and the setting with the least mean loss over all folds. Ties go
        to the earlier setting, so list the simplest first.
    """
    safe = np.where(np.isfinite(losses), losses, np.inf)
    if len(safe) == 1:
        return np.array([safe[0].argmin()]), int(safe[0].argmin())
    others = np.stack([np.delete(safe, fold, axis=0).mean(axis=0) for fold in range(len(safe))])
    return others.argmin(axis=1), int(safe.mean(axis=0).argmin())
