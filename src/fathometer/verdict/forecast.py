"""What more rows would change: both families' quality, the gap between them, and where it closes.

The gap is today's, moved by a part of what two separately fitted curves say: carried on alone, the
curves name the better family less often than today's leader does. How large a part, and how far
off such forecasts are, was learned from past curves (`past_lessons`). Knows numbers; the sentences
are written in `forecast_words`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from fathometer.table.metric import Metric
from fathometer.trial.curves import CurvePair, LearningCurve
from fathometer.trial.interval import interval
from fathometer.trial.resample import FEWEST_RESAMPLES
from fathometer.verdict.bench import Bench, Rows
from fathometer.verdict.extrapolate import PairPoints
from fathometer.verdict.past_lessons import Z90, Errors, Learned, learned

FACTORS = (2.0, 4.0, 10.0)  # times the rows
MOST_FACTOR = 10.0  # beyond it nothing was learned, so nothing is said
STEPS = 24  # at which the way there is drawn and searched for a crossing
Z95 = 1.959964

Ahead = Literal["deep", "traditional", "undecided"]


@dataclass(frozen=True)
class Band:
    """A forecast with its 90 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Outlook:
    """What is expected at `factor` times the rows; scores and gap in the metric's unit."""

    factor: float
    rows: int  # to learn from, in all
    traditional: Band
    deep: Band
    gap: Band  # deep against traditional, turned so that more is better for deep
    deep_ahead: float  # probability
    ahead: Ahead


@dataclass(frozen=True)
class Crossing:
    """At how many rows to learn from the family that trails now draws level.

    `rows` is where that becomes more likely than not; `low` and `high` are where it has a
    probability of 5 and 95 %. None: not up to ten times the rows."""

    trailing: Literal["deep", "traditional"]
    rows: int | None
    low: int | None
    high: int | None


@dataclass(frozen=True)
class Measured:
    """One family's curve as it was measured, out of fold; ascending rows, the last is today."""

    name: str
    rows: tuple[int, ...]  # to learn from, in all
    scores: tuple[float, ...]  # the task's metric


@dataclass(frozen=True)
class Forecast:
    """The curves of both families so far, and how they go on."""

    metric: str
    traditional: Measured
    deep: Measured
    gap: Band  # today's, with its 90 % interval from sampling alone
    outlooks: tuple[Outlook, ...]  # at 2, 4 and 10 times the rows
    path: tuple[Outlook, ...]  # from today to ten times the rows, evenly by ratio
    crossing: Crossing
    note: str = ""  # a sentence on what the curves are of, where that is not plain

    @property
    def rows(self) -> int:
        """Rows to learn from today."""
        return self.deep.rows[-1]

    @property
    def is_open(self) -> bool:
        """Whether today's gap is within noise, so that there is no leader to catch up with."""
        return self.gap.low <= 0 <= self.gap.high


def forecast(
    pair: CurvePair,
    metric: Metric,
    train: Rows,
    point: float,
    *,
    rows: int,
    seed: int,
    past: Learned | None = None,
) -> Forecast | None:
    """Carry both curves on; None where there is no pair of curves.

    Args:
        train: the training rows' true answers, aligned with the curves' out-of-fold scores.
        point: one point of loss in the metric's unit: the zone of practical equivalence.
        rows: that the last points of the curves learned from, all folds together.
        past: what was learned from past curves; what ships in the package if None.
    """
    if not pair.curves:
        return None
    past = learned() if past is None else past
    traditional, deep = pair.of("traditional"), pair.of("deep")
    bench = Bench(metric, train, seed, most_resamples=FEWEST_RESAMPLES)
    points = pair_points(bench, traditional, deep, point)
    view = _View(metric, train, point, rows, points, past)
    now = traditional.points[-1].out_of_fold, deep.points[-1].out_of_fold
    gap_error = bench.gap(now[1], now[0]).deviation / point
    errors = _score_error(view, now[0]), _score_error(view, now[1]), gap_error
    outlooks = _outlooks(view, np.array(FACTORS), errors)
    path = _outlooks(view, MOST_FACTOR ** (np.arange(STEPS + 1) / STEPS), errors)
    reach = Z90 * gap_error * point
    today = float(points.gap[-1]) * point
    return Forecast(
        metric.name,
        _measured(view, traditional, points.traditional),
        _measured(view, deep, points.deep),
        Band(today, today - reach, today + reach),
        outlooks,
        path,
        crossing_of(today, path),
    )


def pair_points(
    bench: Bench, traditional: LearningCurve, deep: LearningCurve, point: float
) -> PairPoints:
    """Both curves as losses in points, with the paired standard errors of their steps."""
    return PairPoints(
        deep.rows,
        *(_losses(bench, curve, point) for curve in (traditional, deep)),
        *(_step_errors(bench, curve, point) for curve in (traditional, deep)),
    )


def _losses(bench: Bench, curve: LearningCurve, point: float) -> np.ndarray:
    scores = np.array([bench.metric.score(bench.truth, each.out_of_fold) for each in curve.points])
    return (1.0 - scores if bench.metric.greater_is_better else scores) / point


def _step_errors(bench: Bench, curve: LearningCurve, point: float) -> np.ndarray:
    answers = [each.out_of_fold for each in curve.points]
    steps = [
        bench.gap(one, other).deviation / point
        for one, other in zip(answers[1:], answers[:-1], strict=True)
    ]
    return np.array([steps[0] if steps else 0.0, *steps])


@dataclass(frozen=True, eq=False)
class _View:
    """What every step of one forecast looks at."""

    metric: Metric
    train: Rows
    point: float
    rows: int  # to learn from today
    points: PairPoints
    past: Learned

    def score(self, loss: float) -> float:
        """The score of a loss in points; a loss below 0 is none."""
        lost = max(loss, 0.0) * self.point
        return 1.0 - lost if self.metric.greater_is_better else lost

    def band(self, loss: float, low: float, high: float) -> Band:
        """A forecast loss with its interval, as scores in ascending order."""
        ends = sorted((self.score(low), self.score(high)))
        return Band(self.score(loss), ends[0], ends[1])


def _score_error(view: _View, scores: np.ndarray) -> float:
    """The standard error of the quality of these answers, in points."""
    quality = interval(view.metric, view.train.truth, scores, groups=view.train.groups)
    return (quality.high - quality.low) / (2 * Z95) / view.point


def _outlooks(view: _View, factors: np.ndarray, errors: Errors) -> tuple[Outlook, ...]:
    """What is expected at each factor; errors: today's, of both qualities and the gap, in points"""
    expected = view.past.expected(view.points, factors, errors)
    found = []
    for place, factor in enumerate(factors.tolist()):
        traditional, deep, gap = expected.traditional, expected.deep, expected.gap
        probability = float(expected.deep_ahead[place])
        found.append(
            Outlook(
                factor,
                round(view.rows * factor),
                view.band(*traditional[place].tolist()),
                view.band(*deep[place].tolist()),
                Band(*(gap[place] * view.point).tolist()),
                probability,
                view.past.ahead(probability),
            )
        )
    return tuple(found)


def _measured(view: _View, curve: LearningCurve, losses: np.ndarray) -> Measured:
    whole = curve.points[-1].rows
    return Measured(
        curve.name,
        tuple(round(view.rows * each.rows / whole) for each in curve.points),
        tuple(view.score(float(loss)) for loss in losses),
    )


def crossing_of(gap: float, path: Sequence[Outlook]) -> Crossing:
    """Where the trailing family draws level, read from the probabilities along the path."""
    trailing: Literal["deep", "traditional"] = "deep" if gap <= 0 else "traditional"
    ahead = [o.deep_ahead if trailing == "deep" else 1 - o.deep_ahead for o in path]
    places = [_first_above(ahead, path, level) for level in (0.5, 0.05, 0.95)]
    return Crossing(trailing, *places)


def _first_above(chances: Sequence[float], path: Sequence[Outlook], level: float) -> int | None:
    """The rows at which the chance first reaches a level, between two steps by ratio."""
    if chances[0] >= level:
        return path[0].rows
    for place in range(1, len(path)):
        before, here = chances[place - 1], chances[place]
        if here >= level:
            part = (level - before) / (here - before)
            one, other = path[place - 1].rows, path[place].rows
            return round(math.exp((1 - part) * math.log(one) + part * math.log(other)))
    return None
