"""Successive halving that chooses nothing on the rows it is scored on.

All configurations of a learner run a heat, cheaply; the best go on and are fitted in full
(Jamieson and Talwalkar, 2016). Both choices are made for each fold apart, by the losses of the
*other* folds: what stands for fold k never saw how anything did on fold k's rows. A fold's choice
is thus among its own finalists alone, though every fold fits the finalists of all.

Knows neither tables nor libraries: a fit is a `Job`, and what it found is a curve of losses."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from fathometer.learners.contract import Budget, Progress
from fathometer.learners.crossfit import mean_of_others

HEAT_FOLDS = 4  # of the folds run in the heat; on two cores four take no longer than three
HASTE = 4  # a heat has this part of the rounds or trees
FINALISTS = 2  # of each fold; the usual settings are always one of them
HEAT_SHARE = 0.35  # of a limited time

Job = tuple[int, int]  # fold, configuration
Curves = Mapping[Job, np.ndarray]  # a job's losses, one or one a round


def heat_jobs(folds: int, configurations: int) -> tuple[Job, ...]:
    """Every configuration in the first folds, fold by fold."""
    return _all_jobs(min(folds, HEAT_FOLDS), range(configurations))


def final_jobs(listed: np.ndarray) -> tuple[Job, ...]:
    """Every configuration that any fold may choose, in all folds.

    listed: (folds, configurations) bool."""
    return _all_jobs(len(listed), np.flatnonzero(listed.any(axis=0)).tolist())


def _all_jobs(folds: int, configurations: Sequence[int]) -> tuple[Job, ...]:
    return tuple((fold, place) for fold in range(folds) for place in configurations)


def losses_elsewhere(curves: Curves, folds: int, configurations: int) -> np.ndarray:
    """(folds, configurations, folds) losses [k, c, j]: what fold k may know of c in fold j.

    Each after as many rounds as suit the folds other than k best, as `choose_rounds` will keep; NaN
    where j is k, and where it was not run or failed. A single fold knows its own."""
    losses = np.full((folds, configurations, folds), np.nan)
    for place in range(configurations):
        own = [curves.get((fold, place), np.zeros(0)) for fold in range(folds)]
        run = [fold for fold in range(folds) if len(own[fold])]
        for fold in range(folds):
            others = [other for other in run if other != fold] or run
            if others:
                kept = int(mean_of_others(own, fold).argmin())
                losses[fold, place, others] = [own[other][kept] for other in others]
    return np.where(np.isfinite(losses), losses, np.nan)


def clear_gaps(losses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(configurations,) mean gaps to the first, in parts of its loss, and whether each beats it.

    Beating is by more than the standard error over the folds (Breiman et al., 1984), or the search
    would chase noise: on 8,000 rows of bike_sharing_hour, divided by time, LightGBM's best by the
    mean alone had a test RMSE of 78.6, the usual settings 72.5; on wine_quality 0.705 and 0.698.

    losses: (configurations, folds), NaN where not run. One fold alone has no standard error, so
    nothing beats the first by it."""
    with np.errstate(divide="ignore", invalid="ignore"):  # nothing beats a loss of 0
        gaps = losses / losses[0] - 1.0
    known = np.isfinite(gaps)
    count = known.sum(axis=1)
    filled = np.where(known, gaps, 0.0)
    mean = filled.sum(axis=1) / np.maximum(count, 1)
    square = np.where(known, (filled - mean[:, None]) ** 2, 0.0).sum(axis=1)
    error = np.sqrt(square / np.maximum(count - 1, 1) / np.maximum(count, 1))
    return np.where(count > 0, mean, np.inf), (count > 1) & (mean + error < 0.0)


def shortlist(losses: np.ndarray, most: int) -> np.ndarray:
    """(folds, configurations) bool: the first, and of those that clearly beat it the best.

    losses: (folds, configurations, folds) as `losses_elsewhere` gives them. most: in a fold."""
    listed = np.zeros(losses.shape[:2], dtype=bool)
    for fold, each in enumerate(losses):
        gaps, clear = clear_gaps(each)
        order = np.where(clear, gaps, np.inf).argsort(kind="stable")[: most - 1]
        listed[fold, order[clear[order]]] = True
    listed[:, 0] = True
    return listed


def finalists(budget: Budget, heat_seconds: float, configurations: int) -> int:
    """How many go on: the usual settings alone where a limited time would cut the finals short.

    heat_seconds: what the heat of all configurations took."""
    if budget.deadline is None:
        return FINALISTS
    one_final = heat_seconds * HASTE / configurations
    affordable = (budget.deadline - time.monotonic()) / max(one_final, 1e-9)
    # Folds differ in their finalists, so that up to twice as many are fitted.
    return FINALISTS if affordable >= 2 * FINALISTS else 1


def choose(losses: np.ndarray, listed: np.ndarray) -> np.ndarray:
    """(folds,) int64: the configuration of each fold, among those that it may choose from.

    losses: (folds, configurations, folds) as `losses_elsewhere` gives them."""
    return np.array([preferred(losses[fold], listed[fold]) for fold in range(len(losses))])


def preferred(losses: np.ndarray, allowed: np.ndarray) -> int:
    """The best of those that clearly beat the first; the first if none does.

    losses: (configurations, folds)."""
    gaps, clear = clear_gaps(losses)
    worth = np.where(clear & allowed, gaps, np.inf)
    return int(worth.argmin()) if np.isfinite(worth).any() else 0


def best_of_all(curves: Curves, folds: int, listed: np.ndarray) -> int:
    """The configuration of a final fit on all rows, by the losses of all folds."""
    never = np.full(1, np.nan)
    losses = [
        [float(curves.get((fold, place), never)[-1]) for fold in range(folds)]
        for place in range(listed.shape[1])
    ]
    return preferred(np.array(losses), np.asarray(listed.any(axis=0)))


def heat_of(budget: Budget) -> Budget:
    """The heat's part of a budget; its progress is the first part of the whole."""
    now = time.monotonic()
    left = None if budget.deadline is None else max(0.0, budget.deadline - now)
    deadline = None if left is None else now + HEAT_SHARE * left
    return replace(
        budget,
        deadline=deadline,
        report=lambda told: _report(budget, told, "heat: ", 0.0, HEAT_SHARE),
    )


def final_of(budget: Budget) -> Budget:
    """What is left after the heat."""
    return replace(budget, report=lambda told: _report(budget, told, "", HEAT_SHARE, 1.0))


def _report(budget: Budget, told: Progress, words: str, low: float, high: float) -> None:
    budget.report(Progress(low + told.done * (high - low), words + told.words))
