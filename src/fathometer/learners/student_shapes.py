"""Small models that learn from soft answers: linear ones and short rows of small trees.

A soft answer is a probability of each class, or a value; a hard one is the same with certainty.
Knows nothing of limits, teachers or files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Protocol

import numpy as np

from fathometer.features.category import OneHot, TargetStatistics
from fathometer.features.number import CentredNumbers
from fathometer.features.recipe import Recipe
from fathometer.features.roads import Road, feature_specs, fit_recipe
from fathometer.features.text_dense import NgramCounts, TextMeasures
from fathometer.graph import Graph
from fathometer.learners.light_gbm import LightGBMBooster
from fathometer.learners.linear import LinearCore, softmax
from fathometer.learners.link import Link
from fathometer.learners.tuned import Core
from fathometer.table.table import Table
from fathometer.table.task import Task, TaskKind

PENALTIES = (1e-2, 1e-4)
RANKING_LEAVES = 256  # of the tree whose gains rank the columns
# Few rounds need large steps: the rate is this over the most rounds of a shape, within bounds. Of
# 7, 15, 25 and 40, on 10,000 rows and 64 trees of 16 leaves: adult, ROC AUC 0.9211 0.9219 0.9168
# 0.9098; california_housing, RMSE in 1,000 51.2 48.6 48.9 50.6.
RATE_TIMES_ROUNDS = 15.0
RATES = (0.05, 0.3)


@dataclass(frozen=True, eq=False)
class Lesson:
    """What a student is given."""

    task: Task
    matrix: np.ndarray  # (rows, features) float32
    answers: np.ndarray  # (rows, outputs) float64: probabilities or values
    seed: int


class Shape(Protocol):
    """A row of ever larger small models of one kind, which share one fit or one matrix."""

    @property
    def road(self) -> Road: ...

    def sizes(self, task: Task) -> tuple[str, ...]:
        """Each model in words, smallest first."""
        ...

    def cores(self, lesson: Lesson, count: int) -> Iterator[Core]:
        """The first `count` of them, fitted."""
        ...


@dataclass(frozen=True)
class LinearShape:
    """Ridge or softmax regression; every penalty gives a file of the same size."""

    penalties: tuple[float, ...] = PENALTIES
    iterations: int = 100
    road: Road = Road.PRODUCTS

    def sizes(self, task: Task) -> tuple[str, ...]:
        return tuple(f"a linear model, penalty {penalty:g}" for penalty in self.penalties)

    def cores(self, lesson: Lesson, count: int) -> Iterator[Core]:
        wide = lesson.matrix.astype(np.float64)
        for penalty in self.penalties[:count]:
            if lesson.task.kind is TaskKind.REGRESS:
                yield _ridge(wide, lesson.answers[:, 0], penalty)
            else:
                yield _softmax_regression(wide, lesson.answers, penalty, self.iterations)


def _ridge(matrix: np.ndarray, answers: np.ndarray, penalty: float) -> LinearCore:
    centre, mean = matrix.mean(axis=0), answers.mean()
    centred = matrix - centre
    ridged = centred.T @ centred + penalty * len(answers) * np.eye(matrix.shape[1])
    weights = np.linalg.solve(ridged, centred.T @ (answers - mean))
    return LinearCore(weights[:, None], np.array([mean - centre @ weights]), False)


def _softmax_regression(
    matrix: np.ndarray, answers: np.ndarray, penalty: float, iterations: int
) -> LinearCore:
    """Cross-entropy against soft answers; scikit-learn's logistic regression takes no such."""
    from scipy.optimize import minimize

    rows, features = matrix.shape
    classes = answers.shape[1]

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights, offset = flat[:-classes].reshape(features, classes), flat[-classes:]
        found = softmax(matrix @ weights + offset)
        entropy = -(answers * np.log(np.maximum(found, 1e-300))).sum() / rows
        error = (found - answers) / rows
        slopes = np.concatenate([(matrix.T @ error + penalty * weights).ravel(), error.sum(axis=0)])
        return float(entropy + penalty / 2 * (weights**2).sum()), slopes

    start = np.zeros((features + 1) * classes)
    start[-classes:] = np.log(np.maximum(answers.mean(axis=0), 1e-9))
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": iterations}).x
    return LinearCore(found[:-classes].reshape(features, classes), found[-classes:], True)


@dataclass(frozen=True)
class TreesShape:
    """Boosted trees of so many leaves; the larger ones begin with the trees of the smaller."""

    leaves: int
    trees: tuple[int, ...]  # in all: with K > 2 classes a K-th of it for each class
    road: Road = Road.TREES

    def rounds(self, task: Task) -> tuple[int, ...]:
        """Rounds of each size; sizes that come to the same number of rounds count once."""
        margins = Link(task).margins
        return tuple(dict.fromkeys(max(1, trees // margins) for trees in self.trees))

    def sizes(self, task: Task) -> tuple[str, ...]:
        margins = Link(task).margins
        return tuple(
            f"{rounds * margins} trees of {self.leaves} leaves" for rounds in self.rounds(task)
        )

    def cores(self, lesson: Lesson, count: int) -> Iterator[Core]:
        rounds = self.rounds(lesson.task)
        rate = float(np.clip(RATE_TIMES_ROUNDS / rounds[-1], *RATES))
        growing = _Growing(lesson, self._settings(lesson, rate))
        try:
            for kept in rounds[:count]:
                growing.grow(kept)
                yield growing.core(kept)
        finally:
            growing.booster.free_dataset()

    def _settings(self, lesson: Lesson, rate: float) -> dict[str, object]:
        classes = lesson.answers.shape[1]
        objective = "regression" if classes == 1 else "cross_entropy" if classes == 2 else "none"
        return {
            "objective": objective,
            "num_class": classes if classes > 2 else 1,
            "learning_rate": rate,
            "num_leaves": self.leaves,
            "min_data_in_leaf": min(20, max(3, len(lesson.matrix) // 40)),
            "lambda_l2": 1.0 if classes > 1 else 0.0,
            "boost_from_average": False,  # the offset says it, for several classes as well
            "num_threads": 1,
            "deterministic": True,
            "force_row_wise": True,
            "feature_pre_filter": False,
            "seed": lesson.seed,
            "verbosity": -1,
        }


class _Growing:
    """A LightGBM booster that grows on soft answers, from one size to the next."""

    def __init__(self, lesson: Lesson, settings: dict[str, object]) -> None:
        import lightgbm

        self._answers = lesson.answers
        self._is_custom = settings["objective"] == "none"
        self._link, self._offset = _link(lesson), _offset(lesson)
        values = lesson.task.kind is TaskKind.REGRESS
        labels = self._link.target(self._answers[:, 0]) if values else self._answers[:, -1]
        start = np.tile(self._offset, (len(labels), 1)).ravel(order="F")
        learn = lightgbm.Dataset(lesson.matrix, labels, init_score=start, params=settings)
        self.booster = lightgbm.Booster(settings, learn)
        self._is_grown = False

    def grow(self, rounds: int) -> None:
        """Add trees until there are so many rounds, or no leaf can be split any more."""
        while self.booster.current_iteration() < rounds and not self._is_grown:
            objective = {"fobj": self._slopes} if self._is_custom else {}
            self._is_grown = self.booster.update(**objective)

    def core(self, rounds: int) -> TreesCore:
        """What the first rounds answer; stays as it is while the booster grows on."""
        return TreesCore(self._link, LightGBMBooster(self.booster), rounds, self._offset)

    def _slopes(self, margins: np.ndarray, dataset: object) -> tuple[np.ndarray, np.ndarray]:
        """Softmax cross-entropy against soft answers; LightGBM's own takes hard ones alone."""
        found = softmax(margins)
        factor = found.shape[1] / (found.shape[1] - 1)  # as LightGBM's own has it
        return found - self._answers, factor * found * (1 - found)


def _link(lesson: Lesson) -> Link:
    if lesson.task.kind is TaskKind.CLASSIFY:
        return Link(lesson.task)
    deviation = float(lesson.answers.std())
    return Link(lesson.task, float(lesson.answers.mean()), deviation if deviation > 0 else 1.0)


def _offset(lesson: Lesson) -> np.ndarray:
    """(margins,) what is answered before the first tree: how frequent each class is."""
    if lesson.task.kind is TaskKind.REGRESS:
        return np.zeros(1)
    shares = np.clip(lesson.answers.mean(axis=0), 1e-6, None)
    logs = np.log(shares / shares.sum())
    return np.asarray(logs if len(logs) > 2 else logs[1:] - logs[:1])


@dataclass(frozen=True, eq=False)
class TreesCore:
    """The first rounds of a booster on an offset, and the link."""

    link: Link
    booster: LightGBMBooster
    rounds: int
    offset: np.ndarray  # (margins,) float64

    def scores(self, matrix: np.ndarray) -> np.ndarray:
        return self.link.answers(self.booster.margins(matrix, self.rounds) + self.offset)

    def write(self, graph: Graph, matrix: str) -> str:
        forest = self.booster.forest(self.rounds)
        return self.link.write(graph, replace(forest, offset=self.offset).write(graph, matrix))


def shapes() -> tuple[Shape, ...]:
    """All shapes, smallest first; without LightGBM there are no trees."""
    if find_spec("lightgbm") is None:
        return (LinearShape(),)
    return (
        LinearShape(),
        TreesShape(8, (8, 32)),
        TreesShape(8, (128,)),
        TreesShape(16, (64,)),
        TreesShape(16, (128,)),
        TreesShape(16, (256, 400)),
        TreesShape(32, (200,)),
        TreesShape(32, (512,)),
    )


def ranked_columns(table: Table, task: Task, rows: np.ndarray, seed: int) -> tuple[str, ...]:
    """The columns a learner may use, those that divide these rows' answers best first.

    By the gains of one decision tree; columns it does not use keep the table's order."""
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    kind = DecisionTreeRegressor if task.kind is TaskKind.REGRESS else DecisionTreeClassifier
    fitted = fit_recipe(Road.TREES, table, task, rows, seed=seed)
    truth = task.encode(table[task.target])[rows]
    tree = kind(max_leaf_nodes=RANKING_LEAVES, min_samples_leaf=5, random_state=seed)
    gains = tree.fit(fitted.training, truth).feature_importances_
    names = [spec.name for spec in feature_specs(table, task)]
    total = dict.fromkeys(names, 0.0)
    for name, gain in zip(_columns_of(fitted.recipe), gains, strict=True):
        total[name] += float(gain)
    return tuple(sorted(names, key=lambda name: -total[name]))


def _columns_of(recipe: Recipe) -> list[str]:
    """The table's column behind each feature of a trees' recipe."""
    found: list[str] = []
    for step in recipe.steps:
        if isinstance(step, CentredNumbers):
            found += [spec.name for spec in step.numbers.columns]
            found += [part.spec.name for part in step.numbers.dates for _ in part.names]
        elif isinstance(step, OneHot | TargetStatistics | NgramCounts | TextMeasures):
            found += [step.column] * len(step.names)
    return found
