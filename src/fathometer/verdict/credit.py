"""Who deserves the credit: the features or the learner.

Four ways to answer the same rows, {engineered, learned} features × {classical learner, network}.
What changes along a side is worth that much; each of the two effects is the mean over both
learners or both features, so that they add up to the whole difference between the families
(Shapley's division for two). All of it is measured out of fold: no row of the lockbox is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from fathometer.table.metric import METRICS, Metric
from fathometer.table.task import Task
from fathometer.trial.credit import Place
from fathometer.trial.interval import draw, independent_rows, interval
from fathometer.trial.resample import bootstrap_scores, rare_classes
from fathometer.trial.spread import Spread
from fathometer.verdict.bench import Rows
from fathometer.verdict.quantities import fixed, places_for, shared_places, signed

Features = Literal["engineered", "learned"]
Kind = Literal["classical", "network"]
PLACES: tuple[Place, ...] = (
    ("engineered", "classical"),
    ("engineered", "network"),
    ("learned", "classical"),
    ("learned", "network"),
)
MOST_ROWS = 20_000  # out-of-fold rows that are resampled; more move no interval that is read


@dataclass(frozen=True)
class Corner:
    """One of the four: what stands there, and how it does out of fold."""

    features: Features
    learner: Kind
    name: str
    value: float
    low: float  # 95 % interval
    high: float


@dataclass(frozen=True)
class Effect:
    """What a change is worth, in the metric's unit, turned so that more is better."""

    value: float
    low: float  # 95 % interval
    high: float

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Credit:
    """The four corners and the two effects; `sentence` says them in words."""

    metric: str
    rows: int
    corners: tuple[Corner, ...]  # in the order of `PLACES`
    features: Effect  # learned instead of engineered
    learner: Effect  # a network instead of a classical learner
    sentence: str


def credit(
    scores: Mapping[Place, tuple[str, np.ndarray]], task: Task, train: Rows, *, seed: int
) -> Credit:
    """Divide the difference between the families.

    Args:
        scores: from a place to what stands there and its out-of-fold scores (rows, outputs).
        train: the true answers of these rows, and which of them belong together.
    """
    metric = METRICS[task.metric]
    rows = np.arange(len(train.truth))
    if len(rows) > MOST_ROWS:
        rows = _drawn(train.truth, metric, np.random.default_rng(seed))
    truth = train.truth[rows]
    groups = None if train.groups is None else train.groups[rows]
    weights = draw(metric, truth, seed=seed, groups=groups)
    corners, values, drawn = [], [], []
    for place in PLACES:
        name, own = scores[place]
        quality = interval(metric, truth, own[rows], groups=groups, weights=weights)
        corners.append(Corner(*place, name, quality.value, quality.low, quality.high))
        values.append(quality.value)
        drawn.append(bootstrap_scores(metric, truth, own[rows], weights))
    sign = 1.0 if metric.greater_is_better else -1.0
    value, resampled = sign * np.array(values), sign * np.stack(drawn)
    independent = independent_rows(metric, truth, groups)
    features = _effect(FEATURES, value, resampled, independent)
    learner = _effect(LEARNER, value, resampled, independent)
    words = _sentence(metric, corners, features, learner)
    return Credit(metric.name, len(truth), tuple(corners), features, learner, words)


def _drawn(truth: np.ndarray, metric: Metric, random: np.random.Generator) -> np.ndarray:
    """At most `MOST_ROWS` row numbers, among them all of classes that a draw might miss."""
    order = random.permutation(len(truth))
    strata = rare_classes(metric, truth)
    if strata is not None:
        order = order[np.argsort(strata[order] < 0, kind="stable")]
    return np.sort(order[:MOST_ROWS])


# How each effect weighs the corners, in the order of `PLACES`.
FEATURES = np.array([-0.5, -0.5, 0.5, 0.5])
LEARNER = np.array([-0.5, 0.5, -0.5, 0.5])


def _effect(side: np.ndarray, value: np.ndarray, resampled: np.ndarray, independent: int) -> Effect:
    spread = Spread.of(float(side @ value), side @ resampled, independent)
    return Effect(float(side @ value), spread.low, spread.high)


def _sentence(metric: Metric, corners: list[Corner], features: Effect, learner: Effect) -> str:
    """Which of the two matters, what both are worth, and the corners that show it."""
    if not (features.is_clear or learner.is_clear):
        lead = "Neither the features nor the learner make a clear difference"
    elif not learner.is_clear or (features.is_clear and abs(features.value) > abs(learner.value)):
        better = "learned" if features.value > 0 else "engineered"
        lead = f"The features matter most, and {better} ones are better"
    else:
        better = "networks" if learner.value > 0 else "classical learners"
        lead = f"The learner matters most, and {better} are better"
    worth = (
        f"learned instead of engineered features are worth {in_words(features)} {metric.label}, "
        f"a network instead of a classical learner {in_words(learner)}"
    )
    places = shared_places(corners)
    shown = ", ".join(f"{corner.name} {fixed(corner.value, places)}" for corner in corners[1:3])
    return f"{lead}: {worth} (out of fold; {shown})."


def in_words(effect: Effect) -> str:
    """What a change is worth, with its interval."""
    places = places_for((effect.high - effect.low) / 2)
    low, high = signed(effect.low, places), signed(effect.high, places)
    return f"{signed(effect.value, places)} [{low}, {high}]"
