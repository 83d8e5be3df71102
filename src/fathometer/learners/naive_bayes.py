"""Gaussian naive Bayes: each class a bell curve in every column, columns taken as independent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fathometer.graph import Element, Graph
from fathometer.learners.contract import Family, needs
from fathometer.learners.linear import softmax
from fathometer.learners.tuned import Core, Search, Tuned, no_reading
from fathometer.table.task import Task, TaskKind


@dataclass(frozen=True, eq=False)
class NaiveBayesCore:
    """log P(class, row) = row² · square + row · linear + offset, a polynomial of the columns."""

    square: np.ndarray  # (columns, classes) float64
    linear: np.ndarray  # (columns, classes) float64
    offset: np.ndarray  # (classes,) float64

    def scores(self, matrix: np.ndarray) -> np.ndarray:
        wide = matrix.astype(np.float64)
        return softmax(wide**2 @ self.square + wide @ self.linear + self.offset)

    def write(self, graph: Graph, matrix: str) -> str:
        wide = graph.cast(matrix, Element.DOUBLE)
        squared = graph.add("MatMul", graph.add("Mul", wide, wide), graph.constant(self.square))
        linear = graph.add("MatMul", wide, graph.constant(self.linear))
        raw = graph.add("Add", graph.add("Add", squared, linear), graph.constant(self.offset))
        return graph.cast(graph.add("Softmax", raw, axis=1), Element.FLOAT)


@dataclass(frozen=True)
class NaiveBayes(Tuned[float]):
    """Gaussian naive Bayes; what is searched is the variance added to every column."""

    smoothing: tuple[float, ...] = (1.0, 1e-1, 1e-2, 1e-4)  # of a scaled column's variance of 1
    name: str = "naive Bayes"
    family: ClassVar[Family] = Family.TRADITIONAL

    def search(self, task: Task) -> Search[float]:
        needs(task, TaskKind.CLASSIFY, self.name)

        def fit_path(
            matrix: np.ndarray, truth: np.ndarray, settings: Sequence[float]
        ) -> Iterator[Core]:
            shares = np.bincount(truth, minlength=task.outputs) / len(truth)
            mean = np.zeros((task.outputs, matrix.shape[1]))
            variance = np.ones_like(mean)
            for place in np.flatnonzero(shares):
                rows = matrix[truth == place].astype(np.float64)
                mean[place], variance[place] = rows.mean(axis=0), rows.var(axis=0)
            prior = np.log(np.maximum(shares, 1e-26))  # a class without rows has no chance
            for smoothing in settings:
                wide = variance + smoothing
                constant = -0.5 * (mean**2 / wide + np.log(wide)).sum(axis=1)
                yield NaiveBayesCore(-0.5 / wide.T, (mean / wide).T, constant + prior)

        return Search(self.smoothing, fit_path, lambda value: f"smoothing {value:g}", no_reading)
