"""Support vector machines on squared hinge loss: linear, and with a Gaussian kernel on landmarks.

One class stands against the rest. The kernel machine sees rows by their nearness to some training
rows, its landmarks (Nyström; Williams and Seeger, 2001), so that its cost grows with the rows and
not with their square. Margins become probabilities by a map fitted on out-of-fold margins."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from fathometer.errors import OutOfTimeError
from fathometer.features.roads import Road, feature_specs, fit_recipe
from fathometer.graph import Element, Graph, write_squared_distances
from fathometer.learners.choice import choose_for_each_fold
from fathometer.learners.contract import UNLIMITED, Account, Budget, Family, Progress, needs
from fathometer.learners.distances import squared_distances
from fathometer.learners.squared_hinge import Calibration, fit_calibration, fit_squared_hinge, gram
from fathometer.learners.tuned import RecipeModel
from fathometer.table.metric import METRICS
from fathometer.table.split import Split
from fathometer.table.table import Table
from fathometer.table.task import Task, TaskKind

CHUNK = 1024  # rows of distances held at once
FOLDS_AT_ONCE = 2
JITTER = 1e-6  # on the kernel's diagonal of 1: equal landmarks harm nothing


class Margins(Protocol):
    """How far a row lies on each class's side; knows nothing of columns or probabilities."""

    def of(self, matrix: np.ndarray) -> np.ndarray:
        """(rows, classes) float64 of a (rows, columns) float32 matrix."""
        ...

    def write(self, graph: Graph, matrix: str) -> str:
        """The same in a graph, from a double tensor."""
        ...


@dataclass(frozen=True, eq=False)
class LinearMargins:
    """matrix · weights + offset."""

    weights: np.ndarray  # (columns, classes) float64
    offset: np.ndarray  # (classes,) float64

    def of(self, matrix: np.ndarray) -> np.ndarray:
        return np.asarray(matrix.astype(np.float64) @ self.weights + self.offset)

    def write(self, graph: Graph, matrix: str) -> str:
        product = graph.add("MatMul", matrix, graph.constant(self.weights))
        return graph.add("Add", product, graph.constant(self.offset))


@dataclass(frozen=True, eq=False)
class KernelMargins:
    """exp(-sharpness · squared distance to each landmark) · weights + offset, all in double."""

    landmarks: np.ndarray  # (landmarks, columns) float32
    sharpness: float
    weights: np.ndarray  # (landmarks, classes) float64
    offset: np.ndarray  # (classes,) float64

    def of(self, matrix: np.ndarray) -> np.ndarray:
        reference = self.landmarks.astype(np.float64)
        parts = [np.zeros((0, len(self.offset)))]
        for start in range(0, len(matrix), CHUNK):
            squared = squared_distances(matrix[start : start + CHUNK].astype(np.float64), reference)
            parts.append(np.exp(-self.sharpness * squared) @ self.weights + self.offset)
        return np.concatenate(parts)

    def write(self, graph: Graph, matrix: str) -> str:
        near = write_squared_distances(graph, matrix, self.landmarks)
        kernel = graph.add("Exp", graph.add("Mul", near, graph.constant(-self.sharpness)))
        product = graph.add("MatMul", kernel, graph.constant(self.weights))
        return graph.add("Add", product, graph.constant(self.offset))


@dataclass(frozen=True, eq=False)
class CalibratedCore:
    """Margins, and the map from them to probabilities."""

    margins: Margins
    calibration: Calibration

    def scores(self, matrix: np.ndarray) -> np.ndarray:
        return self.calibration.probabilities(self.margins.of(matrix))

    def write(self, graph: Graph, matrix: str) -> str:
        margins = self.margins.write(graph, graph.cast(matrix, Element.DOUBLE))
        return self.calibration.write(graph, margins)


@dataclass(frozen=True)
class Setting:
    """What is searched."""

    penalty: float  # on squared weights, beside the mean loss of a row
    width: float = 0.0  # of a kernel, see `KernelMachine`; 0: linear

    def __str__(self) -> str:
        kernel = f"kernel 1/{self.width:g} of the mean distance, " if self.width else ""
        return f"{kernel}penalty {self.penalty:g}"


class Machine(Protocol):
    """A support vector machine: what it searches and how it fits that; the rest is common."""

    @property
    def name(self) -> str: ...

    def settings(self) -> Sequence[Setting]:
        """What is searched, simplest first."""
        ...

    def fit_path(
        self, matrix: np.ndarray, signs: np.ndarray, settings: Sequence[Setting], seed: int
    ) -> Iterator[Margins]:
        """Margins of each setting in turn.

        Args:
            matrix: (rows, columns) float32.
            signs: (rows, classes) float32, 1 for a row's own class and -1 for the others.
            seed: of what is drawn.
        """
        ...

    def fit(
        self, table: Table, task: Task, split: Split, *, budget: Budget = UNLIMITED
    ) -> RecipeModel:
        """Search the settings cleanly, then fit all training rows; see `fit_machine`."""
        needs(task, TaskKind.CLASSIFY, self.name)
        return fit_machine(self, table, task, split, budget)


@dataclass(frozen=True)
class LinearMachine(Machine):
    """Linear support vector machine; its penalty is searched."""

    penalties: tuple[float, ...] = (1e-1, 1e-2, 1e-3)
    iterations: int = 25
    name: str = "linear SVM"
    family: ClassVar[Family] = Family.TRADITIONAL

    def settings(self) -> Sequence[Setting]:
        return [Setting(penalty) for penalty in self.penalties]

    def fit_path(
        self, matrix: np.ndarray, signs: np.ndarray, settings: Sequence[Setting], seed: int
    ) -> Iterator[Margins]:
        features = _with_ones(matrix)
        products = gram(features)
        for setting in settings:
            weights = fit_squared_hinge(
                features, signs, products, penalty=setting.penalty, iterations=self.iterations
            )
            yield LinearMargins(weights[:-1], weights[-1])


@dataclass(frozen=True)
class KernelMachine(Machine):
    """Support vector machine with the kernel exp(-width · d² / mean d²) on landmarks.

    Landmarks are drawn from the rows that a fit learns from, and travel in the file. Width and
    penalty are searched."""

    landmarks: int = 1_000
    widths: tuple[float, ...] = (1.0, 2.0)  # widest kernel, so simplest, first
    penalties: tuple[float, ...] = (1e-4, 1e-5, 1e-6)
    iterations: int = 25
    name: str = "kernel SVM"
    family: ClassVar[Family] = Family.TRADITIONAL

    def settings(self) -> Sequence[Setting]:
        return [Setting(penalty, width) for width in self.widths for penalty in self.penalties]

    def fit_path(
        self, matrix: np.ndarray, signs: np.ndarray, settings: Sequence[Setting], seed: int
    ) -> Iterator[Margins]:
        draw = np.random.default_rng(seed)
        count = min(self.landmarks, len(matrix))
        landmarks = matrix[np.sort(draw.choice(len(matrix), count, replace=False))]
        between = squared_distances(*[landmarks.astype(np.float64)] * 2)
        mean = float(between.mean()) or 1.0
        for width, group in itertools.groupby(settings, lambda setting: setting.width):
            sharpness = width / mean
            features, unfold = _near_landmarks(matrix, landmarks, between, sharpness)
            products = gram(features)
            for setting in group:
                weights = fit_squared_hinge(
                    features, signs, products, penalty=setting.penalty, iterations=self.iterations
                )
                yield KernelMargins(landmarks, sharpness, unfold @ weights[:-1], weights[-1])


def fit_machine(
    machine: Machine, table: Table, task: Task, split: Split, budget: Budget
) -> RecipeModel:
    """Fit every setting in every fold, choose and calibrate cleanly, and fit all training rows.

    The setting of a fold is the one that did best in the other folds, each calibrated on itself;
    its margins are calibrated on those of the other folds. The final model's are calibrated on all
    out-of-fold margins of its setting.

    Raises:
        OutOfTimeError: if the time was up before all folds were fitted.
    """
    import scipy.linalg  # noqa: F401  its threads are limited only once they are there
    from threadpoolctl import threadpool_limits

    truth = task.encode(table[task.target])
    taught = truth[split.train]
    signs = (2 * np.eye(task.outputs, dtype=np.float32) - 1)[truth]
    settings = machine.settings()
    folds, tried = len(split.folds), len(settings)
    margins = np.zeros((tried, len(split.train), task.outputs))
    losses = np.full((folds, tried), np.inf)

    def fit_fold(fold: int) -> None:
        rows, validation = split.fold_rows(fold)
        fitted = fit_recipe(Road.PRODUCTS, table, task, rows, seed=split.seed)
        matrix = fitted.recipe.matrix(table.rows(validation))
        path = machine.fit_path(fitted.training, signs[rows], settings, split.seed)
        for place, own in enumerate(path):
            if budget.spent:
                raise OutOfTimeError(f"time was up after {place} of {tried} settings of a fold.")
            found = margins[place, split.places(validation)] = own.of(matrix)
            map_ = fit_calibration(found, truth[validation])
            losses[fold, place] = METRICS["log_loss"].loss(
                truth[validation], map_.probabilities(found)
            )
            done = int(np.isfinite(losses).sum()) / ((folds + 1) * tried)
            budget.report(Progress(done, f"{settings[place]}, fold {fold + 1}/{folds}"))

    # Folds side by side on one thread each: the many small products of a fit make threads that
    # share them wait for each other (800 pictures, 3 folds, busy machine: 75 s and 10 s).
    with threadpool_limits(1), ThreadPoolExecutor(FOLDS_AT_ONCE) as pool:
        list(pool.map(fit_fold, range(folds)))
    chosen, final = choose_for_each_fold(losses)
    out_of_fold = calibrated_scores(margins, taught, split, chosen)
    whole = fit_recipe(Road.PRODUCTS, table, task, split.teaching, seed=split.seed)
    with threadpool_limits(1):
        (own,) = machine.fit_path(
            whole.training, signs[split.teaching], [settings[final]], split.seed
        )
    known = np.concatenate([split.places(rows) for rows in split.folds])
    core = CalibratedCore(own, fit_calibration(margins[final, known], taught[known]))
    account = Account(tried, folds * tried + 1, str(settings[final]))
    return RecipeModel(task, feature_specs(table, task), whole.recipe, core, out_of_fold, account)


def calibrated_scores(
    margins: np.ndarray, taught: np.ndarray, split: Split, chosen: np.ndarray
) -> np.ndarray:
    """(train rows, classes) probabilities: each fold's margins by the map of the other folds'.

    Args:
        margins: (settings, train rows, classes), out of fold.
        taught: (train rows,) the target, encoded.
        chosen: (folds,) each fold's setting.
    """
    scores = np.zeros(margins.shape[1:])
    for fold, place in enumerate(chosen.tolist()):
        own = split.places(split.folds[fold])
        others = [split.places(rows) for rows in split.folds if rows is not split.folds[fold]]
        known = np.concatenate(others) if others else own  # a single fold has no others
        found = fit_calibration(margins[place, known], taught[known])
        scores[own] = found.probabilities(margins[place, own])
    return scores


def _near_landmarks(
    matrix: np.ndarray, landmarks: np.ndarray, between: np.ndarray, sharpness: float
) -> tuple[np.ndarray, np.ndarray]:
    """Features (rows, landmarks + 1) float32 whose products are the kernel's, and ones; and what
    unfolds their weights to weights of the landmarks."""
    import scipy.linalg

    kernel = np.exp(-sharpness * between)
    kernel[np.diag_indices_from(kernel)] += JITTER
    root = scipy.linalg.cholesky(kernel, lower=True)
    unfold = scipy.linalg.solve_triangular(root, np.eye(len(root)), lower=True).T
    narrow = unfold.astype(np.float32)
    features = np.ones((len(matrix), len(landmarks) + 1), dtype=np.float32)
    for start in range(0, len(matrix), CHUNK):
        rows = matrix[start : start + CHUNK]
        near = np.exp(-np.float32(sharpness) * squared_distances(rows, landmarks))
        features[start : start + CHUNK, :-1] = near @ narrow
    return features, unfold


def _with_ones(matrix: np.ndarray) -> np.ndarray:
    return np.concatenate([matrix, np.ones((len(matrix), 1), dtype=np.float32)], axis=1)
