"""Linear models: ridge, elastic net and logistic regression, their penalty searched."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fathometer.features.recipe import Recipe
from fathometer.graph import Element, Graph
from fathometer.learners.contract import Family, needs
from fathometer.learners.tuned import Core, Search, Tuned
from fathometer.table.task import Task, TaskKind

# Strength of the penalty relative to the rows, strongest and so simplest first.
PENALTIES = (1.0, 1e-1, 1e-2, 1e-3, 1e-4)
UNSEEN = -60.0  # logit of a class without a row: e^-60 = 9e-27
READ_AT_MOST = 40  # coefficients printed


@dataclass(frozen=True, eq=False)
class LinearCore:
    """scores = matrix · weights + offset, then softmax where there are classes."""

    weights: np.ndarray  # (columns, outputs) float64
    offset: np.ndarray  # (outputs,) float64
    classify: bool

    def scores(self, matrix: np.ndarray) -> np.ndarray:
        raw = matrix.astype(np.float64) @ self.weights + self.offset
        return softmax(raw) if self.classify else raw

    def write(self, graph: Graph, matrix: str) -> str:
        # In double: products of 1,000 columns lose up to 1e-5 in float, depending on their order.
        wide = graph.cast(matrix, Element.DOUBLE)
        product = graph.add("MatMul", wide, graph.constant(self.weights))
        raw = graph.add("Add", product, graph.constant(self.offset))
        if not self.classify:
            return raw
        return graph.cast(graph.add("Softmax", raw, axis=1), Element.FLOAT)


def softmax(raw: np.ndarray) -> np.ndarray:
    """Probabilities of raw scores along the last axis."""
    powers = np.exp(raw - raw.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


@dataclass(frozen=True)
class Ridge(Tuned[float]):
    """Linear regression with an L2 penalty; the penalty is relative to rows, on scaled columns."""

    penalties: tuple[float, ...] = PENALTIES
    name: str = "ridge"
    family: ClassVar[Family] = Family.TRADITIONAL

    def search(self, task: Task) -> Search[float]:
        needs(task, TaskKind.REGRESS, self.name)

        def fit_path(
            matrix: np.ndarray, truth: np.ndarray, penalties: Sequence[float]
        ) -> Iterator[Core]:
            wide = matrix.astype(np.float64)
            centre, mean = wide.mean(axis=0), truth.mean()
            wide -= centre
            gram, product = wide.T @ wide, wide.T @ (truth - mean)
            for penalty in penalties:
                ridged = gram + penalty * len(truth) * np.eye(len(gram))
                weights = np.linalg.solve(ridged, product)
                yield LinearCore(weights[:, None], np.array([mean - centre @ weights]), False)

        return Search(self.penalties, fit_path, _penalty_words, _read_coefficients)


@dataclass(frozen=True)
class ElasticNet(Tuned[float]):
    """Linear regression with an L1 and L2 penalty, so that some coefficients are exactly 0."""

    penalties: tuple[float, ...] = (1e-1, 1e-2, 1e-3)  # of the standardised target
    l1_share: float = 0.9
    name: str = "elastic net"
    family: ClassVar[Family] = Family.TRADITIONAL

    def search(self, task: Task) -> Search[float]:
        needs(task, TaskKind.REGRESS, self.name)
        from sklearn.linear_model import ElasticNet as Sklearn

        def fit_path(
            matrix: np.ndarray, truth: np.ndarray, penalties: Sequence[float]
        ) -> Iterator[Core]:
            mean, spread = truth.mean(), truth.std() or 1.0
            fitted = Sklearn(l1_ratio=self.l1_share, max_iter=300, tol=1e-3, warm_start=True)
            wide = np.asfortranarray(matrix, dtype=np.float64)
            for penalty in penalties:
                fitted.set_params(alpha=penalty)
                with warnings.catch_warnings():
                    # Coordinate descent that has not converged is a slightly stronger penalty;
                    # the folds judge it as it is.
                    warnings.simplefilter("ignore")
                    fitted.fit(wide, (truth - mean) / spread)
                weights = fitted.coef_[:, None] * spread
                yield LinearCore(weights, np.array([fitted.intercept_ * spread + mean]), False)

        return Search(self.penalties, fit_path, _penalty_words, _read_coefficients)


@dataclass(frozen=True)
class Logistic(Tuned[float]):
    """Logistic regression, multinomial for more than two classes, with an L2 penalty."""

    penalties: tuple[float, ...] = PENALTIES
    iterations: int = 100
    name: str = "logistic"
    family: ClassVar[Family] = Family.TRADITIONAL

    def search(self, task: Task) -> Search[float]:
        needs(task, TaskKind.CLASSIFY, self.name)
        from sklearn.linear_model import LogisticRegression

        def fit_path(
            matrix: np.ndarray, truth: np.ndarray, penalties: Sequence[float]
        ) -> Iterator[Core]:
            if np.ptp(truth) == 0:  # these rows have one class, which is all there is to say
                offset = np.where(np.arange(task.outputs) == truth[0], 0.0, UNSEEN)
                weights = np.zeros((matrix.shape[1], task.outputs))
                yield from (LinearCore(weights, offset, True) for _ in penalties)
                return
            fitted = LogisticRegression(max_iter=self.iterations, tol=1e-3, warm_start=True)
            wide = matrix.astype(np.float64)
            for penalty in penalties:
                fitted.set_params(C=1 / (penalty * len(truth)))
                with warnings.catch_warnings():
                    # Stopped at `iterations`: early stopping, judged by the folds as it is.
                    warnings.simplefilter("ignore")
                    fitted.fit(wide, truth)
                yield LinearCore(*_all_classes(fitted, task.outputs), True)

        return Search(self.penalties, fit_path, _penalty_words, _read_coefficients)


def _all_classes(fitted: object, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights and offsets of every class; a class that had no row gets probability 0 in effect."""
    coef, intercept, seen = fitted.coef_, fitted.intercept_, fitted.classes_  # type: ignore[attr-defined]
    weights = np.zeros((coef.shape[1], classes))
    offset = np.full(classes, UNSEEN)
    if len(coef) == 1:  # two classes seen: one row of coefficients, of the second
        weights[:, seen[1]], offset[seen[1]], offset[seen[0]] = coef[0], intercept[0], 0.0
    else:
        weights[:, seen], offset[seen] = coef.T, intercept
    return weights, offset


def _penalty_words(penalty: float) -> str:
    return f"penalty {penalty:g}"


def _read_coefficients(core: Core, recipe: Recipe) -> tuple[str, str]:
    """The largest coefficients as text; for more than two classes, each column's largest."""
    assert isinstance(core, LinearCore)
    weights = core.weights[:, -1:] if core.weights.shape[1] == 2 else core.weights
    size = np.abs(weights).max(axis=1)
    used = np.flatnonzero(size > 0)
    order = used[np.argsort(-size[used], kind="stable")][:READ_AT_MOST]
    lines = [
        f"{weights[place][np.abs(weights[place]).argmax()]:+.4g}  {recipe.names[place]}"
        for place in order
    ]
    if len(used) > len(order):
        lines.append(f"… and {len(used) - len(order):,} smaller ones")
    return f"{len(used):,} coefficients", "\n".join(lines)
