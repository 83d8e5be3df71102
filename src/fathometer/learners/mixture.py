"""Weights of a mixture of models, found greedily on out-of-fold scores (Caruana et al. 2004)."""

from __future__ import annotations

import numpy as np

from fathometer.table.metric import TINY
from fathometer.table.split import Split
from fathometer.table.task import Task, TaskKind

ROUNDS = 24  # greedy steps, so weights are multiples of 1/24


def cross_mixed(
    stacked: np.ndarray, truth: np.ndarray, task: Task, split: Split, *, most: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Mix models; returns the mixture's out-of-fold scores and the weights to ship.

    Each fold's scores are mixed by weights found on the other folds' rows, so that they stay
    honest; the shipped weights are found on all of them.

    Args:
        stacked: (models, len(split.train), outputs) out-of-fold scores.
        truth: (len(split.train),) the target, encoded.
        most: at most so many models may have a weight.

    Returns:
        (len(split.train), outputs) float64 and (models,) weights that add up to 1.
    """
    out_of_fold = np.zeros_like(stacked[0])
    for fold in split.folds:
        rows = split.places(fold)
        others = np.setdiff1d(np.arange(len(split.train)), rows, assume_unique=True)
        weights = greedy_weights(stacked[:, others], truth[others], task, most=most)
        out_of_fold[rows] = np.tensordot(weights, stacked[:, rows], axes=1)
    return out_of_fold, greedy_weights(stacked, truth, task, most=most)


def greedy_weights(
    stacked: np.ndarray, truth: np.ndarray, task: Task, *, most: int | None = None
) -> np.ndarray:
    """(models,) weights: start from nothing and add, with repetition, what helps the sum most.

    With `most`, those that got the largest weights are mixed again by themselves."""
    weights = _greedy(stacked, truth, task)
    if most is None or np.count_nonzero(weights) <= most:
        return weights
    best = np.sort(np.argsort(-weights, kind="stable")[:most])
    weights = np.zeros_like(weights)
    weights[best] = _greedy(stacked[best], truth, task)
    return weights


def _greedy(stacked: np.ndarray, truth: np.ndarray, task: Task) -> np.ndarray:
    if task.kind is TaskKind.CLASSIFY:
        chosen = stacked[:, np.arange(len(truth)), truth]  # (models, rows): the true class's

        def losses(sums: np.ndarray, count: int) -> np.ndarray:
            return np.asarray(-np.log(np.maximum((sums + chosen) / count, TINY)).mean(axis=1))
    else:
        chosen = stacked[:, :, 0]

        def losses(sums: np.ndarray, count: int) -> np.ndarray:
            return np.asarray((((sums + chosen) / count - truth) ** 2).mean(axis=1))

    counts = np.zeros(len(stacked))
    sums = np.zeros(stacked.shape[1])
    for step in range(1, ROUNDS + 1):
        found = losses(sums, step)
        best = int(np.where(np.isfinite(found), found, np.inf).argmin())
        counts[best] += 1
        sums = sums + chosen[best]
    return np.asarray(counts / ROUNDS)
