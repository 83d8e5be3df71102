"""Which rows teach, which choose, and which judge: the `Split`, made once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Split:
    """Row numbers of a table. No row is in two places.

    `train` teaches and is divided into `folds` (each fold: the rows it validates, a part of
    `train`; the fold's model learns from the rest of `train`). `lockbox` scores each candidate
    once, at the end.
    """

    train: np.ndarray  # int64, ascending
    lockbox: np.ndarray  # int64, ascending
    folds: tuple[np.ndarray, ...]  # int64 each, ascending; together exactly `train`
    seed: int
    how: str = ""  # "5 folds, stratified", in words for the terminal and the report

    def fold_rows(self, fold: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows that fold's model learns from, and rows it is validated on."""
        validation = self.folds[fold]
        return np.setdiff1d(self.train, validation, assume_unique=True), validation

    def places(self, rows: np.ndarray) -> np.ndarray:
        """Where these row numbers stand in `train`, for arrays aligned with it."""
        return np.searchsorted(self.train, rows)
