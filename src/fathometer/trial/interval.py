"""How sure a score is: its 95 % interval, honest for small lockboxes too.

Measured in 200 worlds each by `benchmarks/verdict_simulation.py --part intervals --worlds 200`, the
share of 95 % intervals that hold the truth, at 30, 60 and 180 rows (the plain percentile bootstrap
in brackets); the standard error is 1 to 2:

    accuracy 0.80   98  94 96  (91 92 94)     log loss        94 97 94  (88 94 92)
    accuracy 0.95   98  96 95  (78 77 94)     RMSE, normal    96 94 93  (90 90 94)
    ROC AUC, 40 %   98  96 98  (88 94 98)     RMSE, Laplace   92 92 95  (82 88 90)
    ROC AUC, 10 %  100 100 96  (67 82 92)     R², normal      97 93 94  (92 92 94)
    macro F1        87  94 95  (88 95 96)     MAE, normal    100  93 94  (95 92 94)

Where a few rows make most of a squared error, no method knows from 30 to 300 rows how far the rows
not seen are off: of errors as heavy as Student's t with 3 degrees, 83 to 86 % of the intervals of
the RMSE hold the truth.

Knows truth and answers; knows nothing of models."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fathometer.table.metric import Metric
from fathometer.trial.resample import (
    PARTS,
    bootstrap_scores,
    rare_classes,
    resample_count,
    resample_weights,
)
from fathometer.trial.scorecard import Quality
from fathometer.trial.spread import Spread

# Scores from 0 to 1: their interval is laid on the logit scale, where it cannot leave that range.
SHARES = ("roc_auc", "accuracy", "macro_f1")
# Means of losses of single rows, which are skewed: their interval is studentised.
LOSSES = ("log_loss", "brier", "rmse", "mae", "rmsle")
SMALL_ROWS = 1000  # or groups: from here on, all ways to take the interval agree
ROUNDING = 1e-9  # of a score: an interval narrower than that is sums that were rounded
FEW_UNITS = 5  # rows or groups
RULE_OF_THREE = 3.0  # -log(0.05): so many exceptions are missed by chance in one case of twenty
TAILS = np.array([0.025, 0.975])


def interval(
    metric: Metric,
    truth: np.ndarray,
    scores: np.ndarray,
    *,
    seed: int = 0,
    groups: np.ndarray | None = None,
    weights: np.ndarray | None = None,
) -> Quality:
    """The score with its 95 % interval.

    Args:
        truth: class places, or values; shape (rows,).
        scores: probabilities, shape (rows, classes), or values, shape (rows, 1).
        groups: which rows belong together, shape (rows,); whole groups are then resampled.
        weights: the resamples, where `draw` has already drawn them for another contestant.
    """
    if weights is None:
        weights = draw(metric, truth, seed=seed, groups=groups)
    value = metric.score(truth, scores)
    independent = independent_rows(metric, truth, groups)
    units = len(truth) if groups is None else len(np.unique(groups))
    if metric.name in LOSSES and units < SMALL_ROWS:
        low, high = _studentised(metric, truth, scores, weights, groups)
    else:
        spread = Spread.of(value, bootstrap_scores(metric, truth, scores, weights), independent)
        low, high = spread.low, spread.high
        if metric.name in SHARES:
            low, high = _on_logit_scale(value, spread.deviation, independent)
    if high - low < ROUNDING * abs(value):
        low = high = value
    return Quality(metric.name, value, low, high)


def draw(
    metric: Metric, truth: np.ndarray, *, seed: int = 0, groups: np.ndarray | None = None
) -> np.ndarray:
    """The resamples that `interval` uses, to be shared by all contestants."""
    rows, strata = len(truth), rare_classes(metric, truth)
    return resample_weights(rows, resample_count(rows), seed, groups=groups, strata=strata)


def independent_rows(metric: Metric, truth: np.ndarray, groups: np.ndarray | None = None) -> int:
    """On how many independent rows a score rests: groups count once, and for the area under the ROC
    curve of two classes those of the smaller class."""
    units = len(truth) if groups is None else len(np.unique(groups))
    if metric.name == "roc_auc":
        counts = np.unique(truth, return_counts=True)[1]
        return min(units, int(counts.min()) if len(counts) == 2 else units)
    return units


def left_open(metric: Metric, scores: Sequence[float], independent: int) -> float:
    """How far a difference of these scores may be off where every row shows the same one.

    n rows without a single exception leave exceptions up to 3/n open at 95 % (Hanley and
    Lippman-Hand, JAMA 1983). One is worth a whole row of a share, or as much as the larger error;
    so a single row, or a single group, says nothing of who is better."""
    worth = 1.0 if metric.name in SHARES else max(map(abs, scores))
    return RULE_OF_THREE / max(independent, 1) * worth


def _on_logit_scale(value: float, deviation: float, independent: int) -> tuple[float, float]:
    """The interval of a share from its standard error (which holds Student's t already).

    A share of 0 or 1, which resamples cannot move, is taken half a row inwards."""
    from scipy.special import expit, logit, ndtri

    edge = min(0.5 / independent, 0.5)
    inner = min(max(value, edge), 1 - edge)
    if inner != value:
        deviation = max(deviation, edge)
    reach = ndtri(TAILS) * deviation / (inner * (1 - inner))
    low, high = expit(logit(inner) + reach)
    return min(float(low), value), max(float(high), value)


def _studentised(
    metric: Metric,
    truth: np.ndarray,
    scores: np.ndarray,
    weights: np.ndarray,
    groups: np.ndarray | None,
) -> tuple[float, float]:
    """The bootstrap-t interval of a mean loss: each resample is judged by its own standard error
    (Efron and Tibshirani 1993, chapter 12). Where rows come in groups, the mean is a ratio of the
    groups' sums and sizes, and so is its error. The different resamples of fewer than five are too
    few to read tails from: there it is Student's t."""
    from scipy.special import stdtrit

    parts, finish = PARTS[metric.name]
    sums = parts(truth, scores)[:, 0]
    sizes: np.ndarray = np.ones(len(sums))
    drawn = weights
    if groups is not None:
        _, first, place = np.unique(groups, return_index=True, return_inverse=True)
        sizes = np.bincount(place, sizes)
        sums, drawn = np.bincount(place, sums), weights[:, first]
    mean = sums.sum() / sizes.sum()
    sums = sums - mean * sizes  # or small errors would drown in the digits of large means
    products = np.column_stack([sums, sizes, sums**2, sums * sizes, sizes**2])
    shift, error = _ratio(products.sum(axis=0), len(sums))
    shifts, errors = _ratio((drawn.astype(np.float64) @ products).T, len(sums))
    known = errors > 1e-6 * error  # a resample of one unit alone has none
    if len(sums) < FEW_UNITS or not known.any():
        steps = stdtrit(max(len(sums) - 1, 1), TAILS[::-1])
    else:
        steps = np.quantile((shifts[known] - shift) / errors[known], TAILS[::-1])
    ends = np.maximum(mean + shift - steps * error, 0)[:, None]
    low, high = finish(ends, np.ones(2))
    return float(low), float(high)


def _ratio(moments: np.ndarray, units: int) -> tuple[np.ndarray, np.ndarray]:
    """Sum over size, and its standard error, from the sums of the units' sums, sizes, and their
    squares and product; shape (5,) or (5, resamples)."""
    total, size, squared, crossed, sized = moments
    mean = total / size
    off = np.maximum(squared - 2 * mean * crossed + mean**2 * sized, 0)
    return mean, np.sqrt(off * units / max(units - 1, 1)) / size
