"""k nearest neighbours, with weights that make the answer a continuous function of the row.

Plain k-NN jumps when two neighbours are equally far, so two correct programs can disagree by 1/k.
Here a neighbour's weight falls to 0 at the distance of the (k+1)-th, and identical rows are merged
first; rounding then moves an answer no more than it moves a distance. Distances are in double."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fathometer.graph import Element, Graph, write_squared_distances
from fathometer.learners.contract import UNLIMITED, Budget, Family
from fathometer.learners.distances import squared_distances
from fathometer.learners.tuned import Core, RecipeModel, Search, fit_tuned, no_reading
from fathometer.table.split import Split
from fathometer.table.table import Table
from fathometer.table.task import Task, TaskKind

CHUNK = 512  # rows of distances held at once
FLOOR = 1e-9  # keeps the nearest neighbour's weight above 0 when all are equally far


@dataclass(frozen=True, eq=False)
class NeighboursCore:
    """Distinct training rows, what each one's rows answered on average, and how many they were."""

    rows: np.ndarray  # (references, columns) float32
    answers: np.ndarray  # (references, outputs) float64, summed over identical rows
    counts: np.ndarray  # (references,) float64
    neighbours: int

    def scores(self, matrix: np.ndarray) -> np.ndarray:
        reference = self.rows.astype(np.float64)
        parts = []
        for start in range(0, len(matrix), CHUNK):
            rows = matrix[start : start + CHUNK].astype(np.float64)
            squared = squared_distances(rows, reference)
            taken = min(self.neighbours + 1, len(reference))
            near = np.argpartition(squared, taken - 1, axis=1)[:, :taken]
            distance = np.take_along_axis(squared, near, axis=1)
            edge = distance.max(axis=1, keepdims=True)
            weight = (1 - distance / (edge + FLOOR) + FLOOR) * self.counts[near]
            answer = (weight[:, :, None] * self.answers[near]).sum(axis=1)
            parts.append(answer / weight.sum(axis=1, keepdims=True))
        return np.concatenate(parts) if parts else np.zeros((0, self.answers.shape[1]))

    def write(self, graph: Graph, matrix: str) -> str:
        wide = graph.cast(matrix, Element.DOUBLE)
        squared = write_squared_distances(graph, wide, self.rows)
        axis = graph.constant(np.array([1]))
        taken = graph.constant(np.array([min(self.neighbours + 1, len(self.rows))]))
        distance, near = graph.add_many(
            "TopK", squared, taken, outputs=2, axis=1, largest=0, sorted=1
        )
        edge = graph.add("ReduceMax", distance, axis, keepdims=1)
        share = graph.add("Div", distance, graph.add("Add", edge, graph.constant(FLOOR)))
        falling = graph.add("Sub", graph.constant(1 + FLOOR), share)
        weight = graph.add("Mul", falling, graph.add("Gather", graph.constant(self.counts), near))
        answers = graph.add("Gather", graph.constant(self.answers), near)  # (rows, k + 1, outputs)
        row = graph.add("Unsqueeze", weight, axis)  # (rows, 1, k + 1)
        total = graph.add("Squeeze", graph.add("MatMul", row, answers), axis)
        mean = graph.add("Div", total, graph.add("ReduceSum", weight, axis, keepdims=1))
        return mean if self.answers.shape[1] == 1 else graph.cast(mean, Element.FLOAT)


@dataclass(frozen=True)
class Neighbours:
    """k nearest neighbours on scaled columns; `k` is searched, and the references are capped."""

    neighbours: tuple[int, ...] = (40, 15, 5)  # smoothest, so simplest, first
    most_rows: int = 5_000  # references kept: they all travel in the file
    name: str = "k-nearest"
    family: ClassVar[Family] = Family.TRADITIONAL

    def fit(
        self, table: Table, task: Task, split: Split, *, budget: Budget = UNLIMITED
    ) -> RecipeModel:
        classify = task.kind is TaskKind.CLASSIFY

        def fit_path(
            matrix: np.ndarray, truth: np.ndarray, settings: Sequence[int]
        ) -> Iterator[Core]:
            answers = np.eye(task.outputs)[truth] if classify else truth[:, None]
            if len(matrix) > self.most_rows:
                rng = np.random.default_rng(split.seed)
                kept = np.sort(rng.choice(len(matrix), self.most_rows, replace=False))
                matrix, answers = matrix[kept], answers[kept]
            rows, inverse, counts = np.unique(
                matrix, axis=0, return_inverse=True, return_counts=True
            )
            sums = np.stack(
                [np.bincount(inverse, weights=column, minlength=len(rows)) for column in answers.T],
                axis=1,
            )
            means = sums / counts[:, None]
            for neighbours in settings:
                yield NeighboursCore(rows, means, counts.astype(np.float64), neighbours)

        search = Search(self.neighbours, fit_path, lambda k: f"{k} neighbours", no_reading)
        return fit_tuned(search, table, task, split, budget=budget)
