"""What a reader may rely on beside the score: intervals of every further number, and how often the
model's own intervals held the truth.

Knows truth and answers; knows nothing of models."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from fathometer.modelfile.intervals import Intervals, residual_quantiles, set_thresholds
from fathometer.table.metric import METRICS, Metric
from fathometer.table.task import Task, TaskKind
from fathometer.trial.interval import SMALL_ROWS, draw, interval
from fathometer.trial.measure import calibration_error
from fathometer.trial.resample import FEWEST_RESAMPLES
from fathometer.trial.scorecard import Coverage

SHOWN_COVERAGE = 0.9
DRAWS = 200  # of the calibration error: its standard error within 5 %
# From so many rows on, intervals that decide nothing rest on fewer resamples: their standard error
# within 9 %. 100,000 rows of two classes take 1.1 s a contestant instead of 3.0 s.
MANY_ROWS, MANY_DRAWS = 10_000, 60
MOST_ROWS = 20_000  # whose calibration error is drawn again


def further_intervals(
    task: Task,
    truth: np.ndarray,
    scores: np.ndarray,
    resamples: Callable[[Metric], np.ndarray],
    groups: np.ndarray | None = None,
) -> dict[str, list[float]]:
    """95 % intervals, by name, of all metrics but the task's own, and of the calibration error.

    Args:
        resamples: the lockbox's, as a metric wants them; of many rows 200 of them suffice.
    """
    found = {}
    for metric in METRICS.values():
        if metric.kind is task.kind and metric.name != task.metric:
            drawn = resamples(metric)
            few = drawn[: _enough(len(truth), len(drawn))]
            seen = interval(metric, truth, scores, groups=groups, weights=few)
            found[metric.name] = [seen.low, seen.high]
    if task.kind is TaskKind.CLASSIFY:
        found["calibration_error"] = calibration_interval(truth, scores, groups)
    return found


def calibration_interval(
    truth: np.ndarray, scores: np.ndarray, groups: np.ndarray | None = None
) -> list[float]:
    """The 95 % interval of the expected calibration error; whole groups are drawn, where there are.

    The error of a resample is larger than that of the rows it was drawn from, since chance gaps add
    to it; the interval is moved back by as much (the basic bootstrap), down to 0 at most."""
    random = np.random.default_rng(0)
    rows = min(len(truth), MOST_ROWS)
    value = calibration_error(truth, scores)
    members = None if groups is None else _members(groups)
    drawn = []
    for _ in range(DRAWS if len(truth) < MANY_ROWS else MANY_DRAWS):
        if members is None:
            place = random.integers(len(truth), size=rows)
        else:
            chosen = random.integers(len(members), size=len(members))
            place = np.concatenate([members[one] for one in chosen])
        drawn.append(calibration_error(truth[place], scores[place]))
    low, high = (float(each) for each in np.quantile(drawn, (0.025, 0.975)))
    return [min(max(2 * value - high, 0.0), value), max(2 * value - low, value)]


def _members(groups: np.ndarray) -> list[np.ndarray]:
    """The rows of each group, (its rows,) each."""
    order = np.argsort(groups, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)


def few_draws(
    metric: Metric, truth: np.ndarray, seed: int, groups: np.ndarray | None
) -> np.ndarray:
    """As many resamples as an interval that nothing is decided by deserves."""
    drawn = draw(metric, truth, seed=seed, groups=groups)
    return drawn[: _enough(len(truth), len(drawn))].copy()


def _enough(rows: int, drawn: int) -> int:
    """How many of the drawn resamples an interval rests on that decides nothing."""
    if rows < SMALL_ROWS:
        return drawn
    return min(drawn, FEWEST_RESAMPLES if rows < MANY_ROWS else MANY_DRAWS)


def conformal(task: Task, truth: np.ndarray, out_of_fold: np.ndarray) -> Intervals:
    """The intervals that out-of-fold answers calibrate."""
    if task.kind is TaskKind.CLASSIFY:
        return set_thresholds(truth, out_of_fold)
    return residual_quantiles(truth, out_of_fold)


def measured_coverage(
    task: Task, by: Intervals, truth: np.ndarray, scores: np.ndarray, units: int
) -> Coverage | None:
    """How often they hold the truth of these rows; None where the training rows were too few.

    Args:
        units: independent ones among the rows: groups count once.
    """
    place = by.levels.index(SHOWN_COVERAGE)
    if by.second and None in (*by.first[place], *by.second[place]):
        return None
    if task.kind is TaskKind.CLASSIFY:
        sets = by.sets(scores, SHOWN_COVERAGE)
        held = float(sets[np.arange(len(truth)), truth].mean())
        size = float(sets.sum(axis=1).mean())
    else:
        ends = by.ends(scores, SHOWN_COVERAGE)
        held = float(((ends[:, 0] <= truth) & (truth <= ends[:, 1])).mean())
        size = float(np.median(ends[:, 1] - ends[:, 0]))
    low, high = wilson(held, units)
    return Coverage(SHOWN_COVERAGE, held, low, high, size)


def wilson(share: float, rows: int) -> tuple[float, float]:
    """The 95 % interval of a share of so many rows (Wilson 1927, JASA 22)."""
    z = 1.959964
    middle = (share + z * z / (2 * rows)) / (1 + z * z / rows)
    half = z / (1 + z * z / rows) * (share * (1 - share) / rows + z * z / (4 * rows * rows)) ** 0.5
    # The share lies within, were it not for the last bit.
    return min(share, max(0.0, middle - half)), max(share, min(1.0, middle + half))


def intervals_stated(by: Intervals, found: Coverage | None) -> Mapping[str, object]:
    """What a file's metadata says of its intervals."""
    if found is None:
        return by.as_json()
    checked = {"stated": found.stated, "held": found.held, "low": found.low, "high": found.high}
    return {**by.as_json(), "lockbox": checked}
