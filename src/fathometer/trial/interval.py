"""How sure a score is: the paired bootstrap over held-out rows.

A resample draws as many rows as there are, with replacement, and is kept as counts: how often each row
was drawn. Scores of all resamples are then matrix products of counts with what each row contributes.
The same counts serve every contestant, so the difference of two of them is paired row by row. Knows
truth and answers; knows nothing of models."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from fathometer.table.metric import TINY, Metric
from fathometer.table.task import TaskKind
from fathometer.trial.scorecard import Quality
from fathometer.trial.spread import Spread

MOST_RESAMPLES = 2000
# 200 give the standard error within 5 %, and past 20,000 rows, where resamples become fewer, the
# distribution is normal and nothing more is wanted.
FEWEST_RESAMPLES = 200
MOST_COUNTS = 40_000_000  # in one set of resamples, one byte each
RARE_ROWS = 20  # a class of 20 rows is missed by one resample in 500 million
BLOCK_NUMBERS = 4_000_000  # 32 MB of float64 at a time


def interval(
    metric: Metric,
    truth: np.ndarray,
    scores: np.ndarray,
    *,
    seed: int = 0,
    groups: np.ndarray | None = None,
) -> Quality:
    """The score with its 95 % interval.

    Args:
        truth: class places, or values; shape (rows,).
        scores: probabilities, shape (rows, classes), or values, shape (rows, 1).
        groups: which rows belong together, shape (rows,); whole groups are then resampled.
    """
    weights = resample_weights(
        len(truth),
        resample_count(len(truth)),
        seed,
        groups=groups,
        strata=rare_classes(metric, truth),
    )
    return quality(metric, truth, scores, weights, groups=groups)


def quality(
    metric: Metric,
    truth: np.ndarray,
    scores: np.ndarray,
    weights: np.ndarray,
    *,
    groups: np.ndarray | None = None,
) -> Quality:
    """Like `interval`, on resamples that are already drawn and shared between contestants."""
    value = metric.score(truth, scores)
    spread = Spread.of(
        value,
        bootstrap_scores(metric, truth, scores, weights),
        independent_rows(metric, truth, groups),
    )
    low, high = BOUNDS.get(metric.name, (0.0, math.inf))
    return Quality(metric.name, value, max(low, spread.low), min(high, spread.high))


BOUNDS = {
    "roc_auc": (0.0, 1.0),
    "accuracy": (0.0, 1.0),
    "macro_f1": (0.0, 1.0),
    "brier": (0.0, 2.0),
    "r2": (-math.inf, 1.0),
}


def resample_count(rows: int) -> int:
    """How many resamples to draw: 2,000 up to 20,000 rows, 200 from 200,000 on."""
    return int(np.clip(MOST_COUNTS // max(rows, 1), FEWEST_RESAMPLES, MOST_RESAMPLES))


def resample_weights(
    rows: int,
    count: int,
    seed: int,
    *,
    groups: np.ndarray | None = None,
    strata: np.ndarray | None = None,
) -> np.ndarray:
    """Draw `count` resamples; returns how often each row is in each, shape (count, rows) uint8.

    The same arguments give the same counts.

    Args:
        groups: which rows belong together, shape (rows,). Whole groups are drawn, as many as there
            are, so that the dependence between their rows is kept.
        strata: rows with the same value are drawn among themselves, so that each stratum keeps its
            size; shape (rows,). Not used together with groups.
    """
    random = np.random.default_rng(seed)
    weights = np.zeros((count, rows), dtype=np.uint8)
    if groups is not None:
        _, place = np.unique(groups, return_inverse=True)
        units = int(place.max()) + 1 if rows else 0
        for resample in weights:
            resample[:] = _draw(units, random)[place]
        return weights
    labels = np.zeros(rows, dtype=np.int64) if strata is None else strata
    members = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    for resample in weights:
        for rows_of_one in members:
            resample[rows_of_one] = _draw(len(rows_of_one), random)
    return weights


def _draw(units: int, random: np.random.Generator) -> np.ndarray:
    """How often each of the units is drawn in as many draws; shape (units,)."""
    return np.bincount(random.integers(units, size=units), minlength=units)


def rare_classes(metric: Metric, truth: np.ndarray) -> np.ndarray | None:
    """Strata in which classes of fewer than 20 rows stand alone and all others together.

    So no class vanishes from a resample, and the counts of common classes still vary as they would
    in fresh rows. None where nothing is rare."""
    if metric.kind is not TaskKind.CLASSIFY:
        return None
    places, counts = np.unique(truth, return_counts=True)
    rare = places[counts < RARE_ROWS]
    return np.where(np.isin(truth, rare), truth, -1) if len(rare) else None


def independent_rows(metric: Metric, truth: np.ndarray, groups: np.ndarray | None = None) -> int:
    """On how many independent rows a score rests: groups count once, and for the area under the ROC
    curve of two classes those of the smaller class."""
    units = len(truth) if groups is None else len(np.unique(groups))
    if metric.name == "roc_auc":
        counts = np.unique(truth, return_counts=True)[1]
        return min(units, int(counts.min()) if len(counts) == 2 else units)
    return units


def bootstrap_scores(
    metric: Metric, truth: np.ndarray, scores: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """The metric's score on each resample, shape (count,) float64.

    NaN on a resample that lacks what the metric needs, such as one of two classes.

    Args:
        truth: class places, or values; shape (rows,).
        scores: probabilities, shape (rows, classes), or values, shape (rows, 1).
        weights: from `resample_weights`, shape (count, rows).
    """
    if metric.name == "roc_auc":
        return _bootstrap_roc_auc(truth, scores, weights)
    parts, finish = PARTS[metric.name]
    contributions = parts(truth, scores)
    sums = [block @ contributions for block in _blocks(weights, contributions.shape[0])]
    totals = weights.sum(axis=1, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return finish(np.concatenate(sums), totals)


def _blocks(weights: np.ndarray, rows: int) -> Iterator[np.ndarray]:
    """The counts as float64, some resamples at a time, so that memory stays bounded."""
    step = max(1, BLOCK_NUMBERS // max(rows, 1))
    for start in range(0, len(weights), step):
        yield weights[start : start + step].astype(np.float64)


def _bootstrap_roc_auc(truth: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """As `metric.roc_auc`: ties count half; of several classes, the mean of one against the rest."""
    places = [1] if scores.shape[1] == 2 else range(scores.shape[1])
    areas = [_weighted_area(truth == place, scores[:, place], weights) for place in places]
    known = ~np.isnan(areas)
    with np.errstate(invalid="ignore"):
        return np.asarray(
            np.nansum(areas, axis=0) / np.where(known.any(axis=0), known.sum(axis=0), np.nan)
        )


def _weighted_area(positive: np.ndarray, score: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Area under the ROC curve of each resample; rows are sorted once, equal scores pooled."""
    order = np.argsort(score, kind="stable")
    rises = np.flatnonzero(np.diff(score[order], prepend=-np.inf) > 0)
    is_positive = positive[order].astype(np.float64)
    areas = []
    for block in _blocks(weights, len(score)):
        drawn = block[:, order]
        ups, downs = drawn * is_positive, drawn * (1 - is_positive)
        if len(rises) < len(score):
            ups, downs = (np.add.reduceat(each, rises, axis=1) for each in (ups, downs))
        below = np.cumsum(downs, axis=1) - downs / 2
        with np.errstate(invalid="ignore"):
            areas.append((ups * below).sum(axis=1) / (ups.sum(axis=1) * downs.sum(axis=1)))
    return np.concatenate(areas)


# What each row contributes, shape (rows, parts), and how the sums over a resample, shape (count,
# parts), with the resample's size, shape (count,), become its score.


def _mean(sums: np.ndarray, totals: np.ndarray) -> np.ndarray:
    return np.asarray(sums[:, 0] / totals)


def _root_mean(sums: np.ndarray, totals: np.ndarray) -> np.ndarray:
    return np.sqrt(sums[:, 0] / totals)


def _log_losses(truth: np.ndarray, scores: np.ndarray) -> np.ndarray:
    return -np.log(np.clip(scores[np.arange(len(truth)), truth], TINY, 1.0))[:, None]


def _hits(truth: np.ndarray, scores: np.ndarray) -> np.ndarray:
    return (scores.argmax(axis=1) == truth).astype(np.float64)[:, None]


def _distances(truth: np.ndarray, scores: np.ndarray) -> np.ndarray:
    target = np.eye(scores.shape[1])[truth]
    return np.asarray(((scores - target) ** 2).sum(axis=1, keepdims=True))


def _squares(truth: np.ndarray, scores: np.ndarray) -> np.ndarray:
    return np.asarray((truth[:, None] - scores[:, :1]) ** 2)


def _sizes(truth: np.ndarray, scores: np.ndarray) -> np.ndarray:
    return np.abs(truth[:, None] - scores[:, :1])


def _log_squares(truth: np.ndarray, scores: np.ndarray) -> np.ndarray:
    return _squares(np.log1p(np.clip(truth, 0, None)), np.log1p(np.clip(scores, 0, None)))


def _variances(truth: np.ndarray, scores: np.ndarray) -> np.ndarray:
    centred = truth - truth.mean()  # or the difference of two large sums would lose its digits
    return np.column_stack([_squares(truth, scores)[:, 0], centred, centred**2])


def _share_explained(sums: np.ndarray, totals: np.ndarray) -> np.ndarray:
    spread = sums[:, 2] - sums[:, 1] ** 2 / totals
    return np.asarray(1.0 - sums[:, 0] / np.where(spread > 0, spread, np.nan))


def _confusions(truth: np.ndarray, scores: np.ndarray) -> np.ndarray:
    classes = np.arange(max(scores.shape[1], int(truth.max(initial=0)) + 1))
    true, said = truth[:, None] == classes, scores.argmax(axis=1)[:, None] == classes
    return np.concatenate([true & said, true, said], axis=1).astype(np.float64)


def _mean_f1(sums: np.ndarray, totals: np.ndarray) -> np.ndarray:
    hits, true, said = np.split(sums, 3, axis=1)
    occurring = true + said
    each = np.divide(2 * hits, occurring, out=np.zeros_like(hits), where=occurring > 0)
    return np.asarray(each.sum(axis=1) / (occurring > 0).sum(axis=1))


PARTS: dict[
    str,
    tuple[
        Callable[[np.ndarray, np.ndarray], np.ndarray],
        Callable[[np.ndarray, np.ndarray], np.ndarray],
    ],
] = {
    "log_loss": (_log_losses, _mean),
    "accuracy": (_hits, _mean),
    "macro_f1": (_confusions, _mean_f1),
    "brier": (_distances, _mean),
    "rmse": (_squares, _root_mean),
    "mae": (_sizes, _mean),
    "r2": (_variances, _share_explained),
    "rmsle": (_log_squares, _root_mean),
}
