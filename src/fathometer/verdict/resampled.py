"""The two families over the folds: the corrected resampled t-test, read as a Bayesian would.

Fold models share most of their training rows, so a plain t-test over folds finds leaders among
equals (in 48 to 57 % of simulated equal worlds where folds are drawn again and again). Nadeau and
Bengio (2003, Machine Learning 52) widen the variance by how much the folds overlap; the posterior
of the difference under a flat prior is the same Student t (Corani and Benavoli 2015, Machine
Learning 100)."""

from __future__ import annotations

import math

import numpy as np

from fathometer.table.metric import Metric
from fathometer.verdict.bench import Rows
from fathometer.verdict.verdict import FoldGap

FEWEST_FOLDS = 3


def fold_gap(
    metric: Metric,
    rows: Rows,
    deep: np.ndarray,
    traditional: np.ndarray,
    zone: float,
    *,
    taught: int | None = None,
) -> FoldGap | None:
    """Deep minus traditional, fold by fold, turned so that more is better for deep.

    None where there are fewer than three folds with a score.

    Args:
        deep, traditional: out-of-fold scores (rows, outputs). Both were chosen as the best of their
            family by these very rows, so this view flatters both; the lockbox does not.
        taught: how many of the rows were learned from, all folds together; all of them if None.
    """
    sign = 1.0 if metric.greater_is_better else -1.0
    scores = [
        [metric.score(rows.truth[fold], each[fold]) for each in (deep, traditional)]
        for fold in rows.folds
    ]
    gaps = sign * np.array([one - other for one, other in scores])
    gaps = gaps[np.isfinite(gaps)]
    if len(gaps) < FEWEST_FOLDS:
        return None
    tested = float(np.mean([len(fold) for fold in rows.folds])) / len(rows.truth)
    mean = float(gaps.mean())
    share = 1.0 if taught is None else taught / len(rows.truth)
    to_learned = tested / ((1 - tested) * share)  # rows tested to rows learned from, in a fold
    error = math.sqrt((1 / len(gaps) + to_learned) * float(gaps.var(ddof=1)))
    return _read(mean, error, len(gaps), zone)


def _read(mean: float, error: float, folds: int, zone: float) -> FoldGap:
    from scipy.special import stdtr, stdtrit

    freedom = folds - 1
    if error == 0:
        above, not_below = float(mean > zone), float(mean > -zone)
        p_value, reach = float(mean == 0), 0.0
    else:
        above = 1 - float(stdtr(freedom, (zone - mean) / error))
        not_below = 1 - float(stdtr(freedom, (-zone - mean) / error))
        p_value = 2 * float(stdtr(freedom, -abs(mean) / error))
        reach = float(stdtrit(freedom, 0.975)) * error
    return FoldGap(
        folds=folds,
        value=mean,
        low=mean - reach,
        high=mean + reach,
        p_value=p_value,
        deep_better=above,
        equivalent=not_below - above,
        traditional_better=1 - not_below,
    )
