"""How far a network's logits are to be stretched, so that its probabilities mean what they say.

Smoothed labels and few epochs leave networks less sure than they are right, which costs log loss
and no accuracy. One factor for all logits mends that (Guo et al. 2017, arXiv 1706.04599, as its
inverse, the temperature). For fold k it is chosen on the other folds' rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# Factors tried, 5 % apart. Beyond the ends a set of few rows that are all right would go for ever.
FACTORS = np.geomspace(0.5, 4.0, 43)


def best_factor(logits: np.ndarray, truth: np.ndarray) -> float:
    """The factor whose probabilities have the lowest log loss on these rows; 1 for no rows.

    Args:
        logits: (rows, classes), of networks that did not learn from the rows.
        truth: (rows,) class places.
    """
    if not len(truth):
        return 1.0
    own = np.arange(len(truth))
    losses = []
    for factor in FACTORS:
        scaled = logits.astype(np.float64) * factor
        scaled -= scaled.max(axis=1, keepdims=True)
        losses.append((np.log(np.exp(scaled).sum(axis=1)) - scaled[own, truth]).mean())
    return float(FACTORS[int(np.argmin(losses))])


def factors_by_others(
    logits: Sequence[np.ndarray], truth: Sequence[np.ndarray], folds: Sequence[int]
) -> list[float]:
    """For each network the best factor on the rows of networks of the other folds.

    Args:
        logits: of each network on its fold's validation rows, (rows, classes).
        truth: of those rows, (rows,) class places.
        folds: each network's.
    """
    by_fold = {}
    for fold in sorted(set(folds)):
        others = [place for place, own in enumerate(folds) if own != fold]
        if not others:
            by_fold[fold] = 1.0
            continue
        joined = [np.concatenate([each[place] for place in others]) for each in (logits, truth)]
        by_fold[fold] = best_factor(*joined)
    return [by_fold[fold] for fold in folds]
