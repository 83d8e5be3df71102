"""Which rows teach, which choose, and which judge: the `Split`, made once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np

# Rows of every class in every fold that a limited split keeps, so that no fold's model has to do
# without a class that the whole has taught.
KEPT_OF_A_CLASS = 2


@dataclass(frozen=True, eq=False)
class Split:
    """Row numbers of a table. No row is in two places.

    `train` teaches and is divided into `folds` (each fold: the rows it validates, a part of
    `train`; the fold's model learns from the rest of `train`). `lockbox` scores each candidate
    once, at the end. Where `taught` is given, only those rows of `train` teach, and every fold
    still validates all of its rows: what fewer rows would have come to, on the same rows.
    """

    train: np.ndarray  # int64, ascending
    lockbox: np.ndarray  # int64, ascending
    folds: tuple[np.ndarray, ...]  # int64 each, ascending; together exactly `train`
    seed: int
    how: str = ""  # "5 folds, stratified", in words for the terminal and the report
    taught: np.ndarray | None = None  # int64, ascending, a part of `train`; None: all of it

    @property
    def content_hash(self) -> str:
        """SHA-256 over which rows stand where, and the seed; equal splits have equal hashes."""
        parts = (self.train, self.lockbox, self.teaching, *self.folds)
        digest = hashlib.sha256(repr([self.seed, *map(len, parts)]).encode())
        for rows in parts:
            digest.update(np.ascontiguousarray(rows, dtype=np.int64).data)
        return digest.hexdigest()

    @property
    def teaching(self) -> np.ndarray:
        """The rows that a model of all folds may learn from."""
        return self.train if self.taught is None else self.taught

    def fold_rows(self, fold: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows that fold's model learns from, and rows it is validated on."""
        validation = self.folds[fold]
        return np.setdiff1d(self.teaching, validation, assume_unique=True), validation

    def places(self, rows: np.ndarray) -> np.ndarray:
        """Where these row numbers stand in `train`, for arrays aligned with it."""
        return np.searchsorted(self.train, rows)

    def limited(
        self,
        share: float,
        *,
        classes: np.ndarray | None = None,
        groups: np.ndarray | None = None,
        times: np.ndarray | None = None,
    ) -> Split:
        """The same split with about this share of the rows of every fold teaching.

        A smaller share's rows are among those of every larger one. Rows are drawn by the split's
        seed; `groups` stay whole. Where time orders the folds, the latest rows of each block teach:
        neighbours in time repeat one another, so drawn rows would nearly be worth the whole, and
        the latest rows of all would leave the last block without any other block's to learn from.

        Args:
            share: above 0, at most 1.
            classes, groups, times: of the rows of `train`, shape (train rows,): class places to
                stratify by, numbers of groups, times.
        """
        if not 0 < share <= 1:
            raise ValueError(f"share is {share}, not above 0 and at most 1")
        if share == 1:
            return replace(self, taught=None)
        random = np.random.default_rng([self.seed, 0x7A])  # other draws than the folds' own
        chosen = []
        for fold in self.folds:
            own = self.places(fold)
            if times is not None:
                urgency = _latest_first(times[own])
            elif groups is not None:
                urgency = _whole_groups(groups[own], random)
            else:
                strata = None if classes is None else classes[own]
                urgency = drawn_urgency(strata, len(own), random)
            # Whole groups may be so large that none lies below the share: one teaches at least.
            chosen.append(fold[(urgency < share) | (urgency == urgency.min(initial=1.0))])
        return replace(self, taught=np.sort(np.concatenate(chosen)))


def _latest_first(times: np.ndarray) -> np.ndarray:
    """From 0 for the latest to 1 for the oldest; (rows,)."""
    urgency = np.empty(len(times))
    urgency[np.argsort(-times, kind="stable")] = (np.arange(len(times)) + 0.5) / max(len(times), 1)
    return urgency


def _whole_groups(groups: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Each group's middle when all are laid end to end in a drawn order; (rows,)."""
    _, place, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    order = random.permutation(len(sizes))
    middle = np.empty(len(sizes))
    middle[order] = np.cumsum(sizes[order]) - sizes[order] / 2
    return np.asarray(middle[place] / max(len(groups), 1))


def drawn_urgency(classes: np.ndarray | None, rows: int, random: np.random.Generator) -> np.ndarray:
    """(rows,) float64: whoever takes those below a share takes about that share of every class.

    Evenly from 0 to 1 in a drawn order within each class; below 0 for the first
    `KEPT_OF_A_CLASS` rows of a class, so that none is without.

    classes: (rows,) class places to stratify by, or None."""
    urgency = np.empty(rows)
    strata = np.zeros(rows, dtype=np.int64) if classes is None else classes
    for stratum in np.unique(strata):
        members = random.permutation(np.flatnonzero(strata == stratum))
        # Each class starts at a place of its own, or all would gain their next row at one share.
        urgency[members] = (np.arange(len(members)) + random.random()) / len(members)
        if classes is not None:
            urgency[members[:KEPT_OF_A_CLASS]] = -1.0
    return urgency
