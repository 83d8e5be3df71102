"""Probabilities that come true as often as they say: a correction that becomes part of the model.

Fitted on out-of-fold answers. Whether it pays is decided by cross-fitting: each fold is corrected
by a map that the other folds' rows have fitted, and only where the log loss of the rows is clearly
less is the map, fitted on all of them, written into the graph. Two maps compete:

- temperature (Guo et al., ICML 2017): all log probabilities divided by one number. One parameter,
  any number of classes;
- isotonic (Zadrozny and Elkan, KDD 2002), two classes and many rows: a rising line through a few
  points. A hundredth of the plain probability is mixed in, so that no two rows that were told apart
  become equal and every ranking stays as it was."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

import numpy as np

from fathometer.graph import Element, Graph
from fathometer.learners.contract import Account, Family, Model, Prediction
from fathometer.table.kind import ColumnSpec
from fathometer.table.split import Split
from fathometer.table.table import Table
from fathometer.table.task import Task, TaskKind

FEWEST_ROWS = 200  # to fit one number on, and to tell whether it pays
ISOTONIC_ROWS = 5_000  # below about a thousand it overfits (Niculescu-Mizil and Caruana, ICML 2005)
FITTED_ROWS = 50_000  # evenly spread ones of more: one number is known well enough
FLOOR = 1e-7  # probabilities below are taken for it: float32 has no digits left beside 1
HOTTEST = 8.0
# Of the log loss. A shipped model that averages its folds, or learned from all rows, is a little
# less sure than each fold's was: on a lockbox of 2,400 rows (adult) corrections that gained 0.4 to
# 1.1 % out of fold lost 0.2 to 0.5 %; from 2 % on (telco_churn, adult) those of naive Bayes,
# k-nearest and random forest gained 5 to 18 %, but one that lost 0.3 %.
LEAST_GAIN = 0.02
POINTS = 24
LEAST_STEP = 0.004  # between two points, so that the line is never so steep that float32 shows
PLAIN_SHARE = 0.01


class Correction(Protocol):
    """A map from probabilities to probabilities, with its twin."""

    @property
    def words(self) -> str: ...

    def apply(self, scores: np.ndarray) -> np.ndarray: ...

    def write(self, graph: Graph, scores: str) -> str: ...


@dataclass(frozen=True)
class Temperature:
    """Divide log probabilities by a number: above 1 less sure, below 1 surer."""

    degrees: float

    @property
    def words(self) -> str:
        return f"temperature {self.degrees:.3g}"

    def apply(self, scores: np.ndarray) -> np.ndarray:
        """Corrected probabilities (rows, classes) of such."""
        logs = np.log(np.clip(scores, FLOOR, 1.0)) * (1 / self.degrees)
        grown = np.exp(logs - logs.max(axis=1, keepdims=True))
        return np.asarray(grown / grown.sum(axis=1, keepdims=True))

    def write(self, graph: Graph, scores: str) -> str:
        """The twin: float probabilities to float probabilities, in double between."""
        wide = graph.cast(scores, Element.DOUBLE)
        held = graph.add("Clip", wide, graph.constant(np.float64(FLOOR)), graph.constant(1.0))
        logs = graph.add("Mul", graph.add("Log", held), graph.constant(1 / self.degrees))
        return graph.cast(graph.add("Softmax", logs, axis=1), Element.FLOAT)


@dataclass(frozen=True)
class Line:
    """The probability of the second of two classes along a rising line through points."""

    places: tuple[float, ...]  # ascending from 0 to 1
    values: tuple[float, ...]

    @property
    def words(self) -> str:
        return f"isotonic, {len(self.places)} points"

    def _slopes(self) -> np.ndarray:
        return np.asarray(np.diff(self.values) / np.diff(self.places))

    def apply(self, scores: np.ndarray) -> np.ndarray:
        """Corrected probabilities (rows, 2) of such."""
        places, values = np.array(self.places), np.array(self.values)
        stated = np.clip(scores[:, 1], 0.0, 1.0)
        left = (stated[:, None] >= places[1:-1]).sum(axis=1)
        second = values[left] + self._slopes()[left] * (stated - places[left])
        return np.column_stack([1 - second, second])

    def write(self, graph: Graph, scores: str) -> str:
        """The twin: which piece of the line a row is on is counted, its end and slope looked up."""
        second = graph.add("Gather", scores, graph.constant(np.array([1])), axis=1)
        wide = graph.cast(second, Element.DOUBLE)
        zero, one = graph.constant(0.0), graph.constant(1.0)
        held = graph.add("Clip", wide, zero, one)
        inner = graph.constant(np.array([self.places[1:-1]]))
        passed = graph.cast(graph.add("GreaterOrEqual", held, inner), Element.INT64)
        axis = graph.constant(np.array([1]))
        left = graph.add("ReduceSum", passed, axis, keepdims=1)
        start, base, slope = (
            graph.add("Gather", graph.constant(np.asarray(table, dtype=np.float64)), left)
            for table in (self.places[:-1], self.values[:-1], self._slopes())
        )
        rise = graph.add("Mul", slope, graph.add("Sub", held, start))
        found = graph.add("Add", base, rise)
        both = graph.concat([graph.add("Sub", one, found), found])
        return graph.cast(both, Element.FLOAT)


@dataclass(frozen=True, eq=False)
class Calibrated:
    """A model whose probabilities are corrected; its out-of-fold answers are, fold by fold, by maps
    that the other folds have fitted."""

    plain: Model
    correction: Correction
    out_of_fold: np.ndarray

    @property
    def family(self) -> Family:
        return self.plain.family

    @property
    def task(self) -> Task:
        return self.plain.task

    @property
    def columns(self) -> tuple[ColumnSpec, ...]:
        return self.plain.columns

    @property
    def account(self) -> Account:
        account = self.plain.account
        chosen = "; ".join(filter(None, (account.chosen, self.correction.words)))
        return replace(account, chosen=chosen)

    def predict(self, table: Table) -> Prediction:
        return Prediction(self.task, self.correction.apply(self.plain.predict(table).scores))

    def write(self, graph: Graph) -> str:
        return self.correction.write(graph, self.plain.write(graph))


Fit = Callable[[np.ndarray, np.ndarray], Correction]


def calibrated(model: Model, truth: np.ndarray, split: Split) -> Model:
    """The model with the correction that pays, or the model itself where none does.

    Args:
        truth: (len(split.train),) class places, or values, which are left as they are.
    """
    scores = model.out_of_fold
    if model.task.kind is not TaskKind.CLASSIFY or len(truth) < FEWEST_ROWS:
        return model
    if not np.isfinite(scores).all():
        return model
    fits: list[Fit] = [fit_temperature]
    if scores.shape[1] == 2 and len(truth) >= ISOTONIC_ROWS:
        fits.append(fit_line)
    before = _losses(truth, scores)
    best, least = model, LEAST_GAIN * float(before.mean())
    for fit in fits:
        crossed = _cross_fitted(fit, truth, scores, split)
        gains = before - _losses(truth, crossed)
        gain, error = float(gains.mean()), float(gains.std(ddof=1)) / math.sqrt(len(gains))
        if gain > least and gain - 1.96 * error > 0:
            best, least = Calibrated(model, fit(truth, scores), crossed), gain
    return best


def _cross_fitted(fit: Fit, truth: np.ndarray, scores: np.ndarray, split: Split) -> np.ndarray:
    """(rows, classes) each fold corrected by a map that the other folds have fitted."""
    crossed = np.empty_like(scores)
    for fold in split.folds:
        rows = split.places(fold)
        others = np.setdiff1d(np.arange(len(truth)), rows, assume_unique=True)
        crossed[rows] = fit(truth[others], scores[others]).apply(scores[rows])
    return crossed


def _losses(truth: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """(rows,) log loss."""
    return np.asarray(-np.log(np.clip(scores[np.arange(len(truth)), truth], FLOOR, 1.0)))


def fit_temperature(truth: np.ndarray, scores: np.ndarray) -> Temperature:
    """The temperature with the least log loss, at four digits."""
    from scipy.optimize import minimize_scalar

    rows = _spread(len(truth))
    truth, logs = truth[rows], np.log(np.clip(scores[rows], FLOOR, 1.0))
    places = np.arange(len(truth))

    def loss(log_degrees: float) -> float:
        cooled = logs * math.exp(-log_degrees)
        top = cooled.max(axis=1)
        total = np.log(np.exp(cooled - top[:, None]).sum(axis=1)) + top
        return float((total - cooled[places, truth]).mean())

    widest = math.log(HOTTEST)
    found = minimize_scalar(loss, bounds=(-widest, widest), method="bounded")
    return Temperature(float(f"{math.exp(float(found.x)):.4g}"))


def fit_line(truth: np.ndarray, scores: np.ndarray) -> Line:
    """The rising line through the isotonic regression of what happened on what was stated."""
    from sklearn.isotonic import IsotonicRegression

    rows = _spread(len(truth))
    stated, happened = scores[rows, 1], (truth[rows] == 1).astype(np.float64)
    risen = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(stated, happened)
    places = [0.0]
    for place in np.quantile(stated, np.linspace(0, 1, POINTS)):
        if places[-1] + LEAST_STEP <= place <= 1 - LEAST_STEP:
            places.append(float(f"{place:.5g}"))
    places.append(1.0)
    # Isotonic steps are averaged over half a piece to either side, or a point on a step would take
    # all of one side's.
    middles = (np.array(places[1:]) + np.array(places[:-1])) / 2
    edges = np.concatenate([[0.0], middles, [1.0]])
    fine = [risen.predict(np.linspace(a, b, 21)).mean() for a, b in pairwise(edges)]
    values = (1 - PLAIN_SHARE) * np.array(fine) + PLAIN_SHARE * np.array(places)
    return Line(tuple(places), tuple(float(f"{value:.6g}") for value in values))


def _spread(rows: int) -> np.ndarray:
    """At most so many rows' places, evenly spread."""
    return np.unique(np.linspace(0, rows - 1, min(rows, FITTED_ROWS)).astype(np.int64))
