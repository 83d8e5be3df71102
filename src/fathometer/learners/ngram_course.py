"""The common course of linear learners on n-grams: settings searched, margins made probabilities.

For each fold: n-grams chosen and weighed on its learning rows, every setting fitted, margins on its
validation rows. Fold k's setting, and the scale that turns its margins into probabilities, come
from the margins of the *other* folds (as in `learners/choice`); the final model takes the setting
and the scale that fit all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from fathometer.errors import OutOfTimeError
from fathometer.features.ngram_blocks import BlockPlan, CountedTable, SparseRoad, count_texts
from fathometer.features.roads import feature_specs
from fathometer.graph import Graph
from fathometer.learners.contract import Account, Budget, Family, Prediction, Progress
from fathometer.learners.link import Link, fit_link
from fathometer.learners.sparse_descent import Margins
from fathometer.table.kind import ColumnSpec
from fathometer.table.metric import METRICS
from fathometer.table.split import Split
from fathometer.table.table import Table
from fathometer.table.task import Task, TaskKind

if TYPE_CHECKING:
    from scipy.sparse import csr_array

READ_AT_MOST = 12  # n-grams printed of each class
READ_CLASSES = 20


@dataclass(frozen=True)
class Setting:
    """One setting of the search: which blocks, and how strongly smoothed or penalised."""

    plans: tuple[BlockPlan, ...]
    strength: float
    words: str


@dataclass(frozen=True, eq=False)
class Learning:
    """What one fit learns from."""

    rows: csr_array  # (rows, columns) float32, the first columns n-grams
    truth: np.ndarray  # (rows,) class places or values
    link: Link  # fitted on these rows
    text_columns: int


@dataclass(frozen=True)
class NgramSearch:
    """Settings, simplest first, and how to fit those that share their blocks one after another.

    `fit_path(learning, strengths)` yields the margins of each strength."""

    settings: tuple[Setting, ...]
    fit_path: Callable[[Learning, Sequence[float]], Iterator[Margins]]


@dataclass(frozen=True, eq=False)
class NgramModel:
    """A sparse road and linear margins on it."""

    task: Task
    columns: tuple[ColumnSpec, ...]
    road: SparseRoad
    margins: Margins
    link: Link
    out_of_fold: np.ndarray
    account: Account
    family: ClassVar[Family] = Family.TRADITIONAL

    def predict(self, table: Table) -> Prediction:
        return Prediction(self.task, self.link.answers(self.margins.of(self.road.matrix(table))))

    def write(self, graph: Graph) -> str:
        product = self.road.write(graph, self.margins.weights)
        offset = graph.constant(self.margins.offset.astype(np.float64))
        return self.link.write(graph, graph.add("Add", product, offset))


@dataclass(frozen=True, eq=False)
class Calibration:
    """margins · scale + shift, so that the link makes well-measured probabilities of them."""

    scale: float
    shift: np.ndarray  # (margins,) float64

    def of(self, margins: np.ndarray) -> np.ndarray:
        return np.asarray(margins * self.scale + self.shift)

    def inside(self, margins: Margins) -> Margins:
        """Margins that come out calibrated."""
        return Margins(
            (margins.weights * np.float32(self.scale)).astype(np.float32),
            (margins.offset * self.scale + self.shift).astype(np.float32),
        )


def calibrate(task: Task, margins: np.ndarray, truth: np.ndarray) -> Calibration:
    """The scale and shift of least log loss (Platt 1999; for several classes one common scale).

    A shift of size 1 costs as much as half a row in error, so that few rows do not move it far."""
    from scipy.optimize import minimize

    width = margins.shape[1]
    if task.kind is TaskKind.REGRESS:
        return Calibration(1.0, np.zeros(width))
    shown = np.zeros((len(truth), width))
    if width == 1:
        shown[:, 0] = truth
    else:
        shown[np.arange(len(truth)), truth] = 1
    spread = float(margins.std()) or 1.0

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        scaled = margins * (np.exp(flat[0]) / spread) + flat[1:]
        if width == 1:
            cost = float((np.logaddexp(0, scaled) - shown * scaled).sum())
            error = np.exp(-np.logaddexp(0, -scaled)) - shown
        else:
            top = scaled.max(axis=1, keepdims=True)
            powers = np.exp(scaled - top)
            total = powers.sum(axis=1, keepdims=True)
            cost = float((np.log(total) + top).sum() - (shown * scaled).sum())
            error = powers / total - shown
        slope = np.append((error * (scaled - flat[1:])).sum(), error.sum(axis=0) + flat[1:])
        return cost + 0.5 * float(flat[1:] @ flat[1:]), slope

    start = np.zeros(1 + width)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 100}).x
    return Calibration(float(np.exp(found[0]) / spread), found[1:])


def fit_on_ngrams(
    search: NgramSearch, table: Table, task: Task, split: Split, *, budget: Budget
) -> NgramModel:
    """Search the settings cleanly over the split's folds and fit the final model.

    Raises:
        LearnerError: if the table holds no text. OutOfTimeError: if the budget ended too soon.
    """
    rows = split.train
    truth = task.encode(table[task.target])
    taught = split.teaching
    link = fit_link(task, truth[taught])
    plans = tuple(dict.fromkeys(plan for setting in search.settings for plan in setting.plans))
    counted = count_texts(table, task, plans, seed=split.seed, among=rows)
    margins = _margins_of_folds(search, counted, link, split, budget)
    out_of_fold = np.zeros((len(rows), task.outputs))
    everything = np.arange(len(rows))
    for fold in split.folds:
        own = split.places(fold)
        others = np.setdiff1d(everything, own, assume_unique=True)
        judges = others if len(others) else own
        place, scaled = _best(link, margins[:, judges], truth[rows[judges]])
        out_of_fold[own] = link.answers(scaled.of(margins[place, own]))
    final, scaled = _best(link, margins, truth[rows])
    setting = search.settings[final]
    fitted = counted.fit(taught, setting.plans)
    learning = Learning(fitted.training, truth[taught], link, fitted.road.text_columns)
    (found,) = search.fit_path(learning, [setting.strength])
    found = scaled.inside(found)
    settings = len(search.settings)
    account = Account(
        settings,
        len(split.folds) * settings + 1,
        setting.words,
        f"{fitted.training.shape[1]:,} weights",
        heaviest(task, fitted.road, found),
    )
    specs = feature_specs(table, task)
    return NgramModel(task, specs, fitted.road, found, link, out_of_fold, account)


def _margins_of_folds(
    search: NgramSearch, counted: CountedTable, link: Link, split: Split, budget: Budget
) -> np.ndarray:
    """(settings, training rows, margins) float64: of each row by a model that did not see it."""
    task, settings = counted.task, search.settings
    truth = task.encode(counted.table[task.target])
    margins = np.zeros((len(settings), len(split.train), link.margins))
    folds = len(split.folds)
    for fold in range(folds):
        rows, validation = split.fold_rows(fold)
        own = fit_link(task, truth[rows])
        for group in _groups(settings):
            fitted = counted.fit(rows, settings[group[0]].plans)
            judged = counted.matrix(fitted, validation)
            lesson = Learning(fitted.training, truth[rows], own, fitted.road.text_columns)
            path = search.fit_path(lesson, [settings[place].strength for place in group])
            for place, found in zip(group, path, strict=True):
                if budget.spent:
                    raise OutOfTimeError(f"time was up after {fold} of {folds} folds.")
                raw = found.of(judged)
                if task.kind is TaskKind.REGRESS:
                    raw = (own.answers(raw) - link.mean) / link.deviation
                margins[place, split.places(validation)] = raw
                done = (fold * len(settings) + place + 1) / (folds * len(settings) + 1)
                words = f"{settings[place].words}, fold {fold + 1}/{folds}"
                budget.report(Progress(done, words))
    return margins


def _groups(settings: Sequence[Setting]) -> list[list[int]]:
    """Places of the settings that share their blocks."""
    groups: dict[tuple[BlockPlan, ...], list[int]] = {}
    for place, setting in enumerate(settings):
        groups.setdefault(setting.plans, []).append(place)
    return list(groups.values())


def _best(link: Link, margins: np.ndarray, truth: np.ndarray) -> tuple[int, Calibration]:
    """The setting of least loss on these rows, (settings, rows, margins), and its calibration."""
    task = link.task
    metric = METRICS["log_loss" if task.kind is TaskKind.CLASSIFY else "rmse"]
    found = [calibrate(task, each, truth) for each in margins]
    losses = [
        metric.loss(truth, link.answers(scaled.of(each)))
        for scaled, each in zip(found, margins, strict=True)
    ]
    place = int(np.argmin(losses))
    return place, found[place]


def heaviest(task: Task, road: SparseRoad, margins: Margins) -> str:
    """The columns of largest weight for each class, or for more and for less, as text."""
    if margins.weights.shape[1] == 1:
        high, low = (
            (task.classes[1], task.classes[0])
            if task.kind is TaskKind.CLASSIFY
            else (f"more {task.target}", f"less {task.target}")
        )
        sides = [(high, margins.weights[:, 0]), (low, -margins.weights[:, 0])]
    else:
        sides = list(zip(task.classes, margins.weights.T, strict=True))
    lines = []
    for title, weights in sides[:READ_CLASSES]:
        order = np.argsort(-weights, kind="stable")[:READ_AT_MOST]
        shown = ", ".join(f"{road.names[at]} {weights[at]:+.3g}" for at in order if weights[at] > 0)
        lines.append(f"{title}: {shown or 'nothing speaks for it'}")
    if len(sides) > READ_CLASSES:
        lines.append(f"… and {len(sides) - READ_CLASSES} more classes")
    return "\n".join(lines)
