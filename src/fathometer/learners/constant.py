"""The constant: what every contestant must beat. Class shares, or the mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fathometer.errors import LearnerError
from fathometer.features.roads import feature_specs
from fathometer.graph import Element, Graph, write_lookup
from fathometer.learners.contract import UNLIMITED, Account, Budget, Family, Prediction
from fathometer.table.kind import ELEMENTS, ColumnSpec, Kind
from fathometer.table.split import Split
from fathometer.table.table import Table
from fathometer.table.task import Task, TaskKind


@dataclass(frozen=True, eq=False)
class ConstantModel:
    """The same answer for every row."""

    task: Task
    columns: tuple[ColumnSpec, ...]
    answer: np.ndarray  # (outputs,) float64
    out_of_fold: np.ndarray
    account: Account
    family: ClassVar[Family] = Family.TRADITIONAL

    def predict(self, table: Table) -> Prediction:
        return Prediction(self.task, np.tile(self.answer, (len(table), 1)))

    def write(self, graph: Graph) -> str:
        # A graph has to learn the number of rows from an input, whatever that input holds.
        spec = min(self.columns, key=lambda column: column.kind is Kind.IMAGE)
        if spec.kind is Kind.IMAGE:
            return self._write_beside(graph, spec)
        element = ELEMENTS[spec.kind]
        raw = graph.input(spec.name, element)
        if element is Element.DOUBLE:
            one = graph.cast(graph.add("IsNaN", raw), Element.DOUBLE)
            rows = graph.add("Mul", one, graph.constant(0.0))
        else:
            rows = graph.cast(write_lookup(graph, raw, {"": 0}, 0), Element.DOUBLE)
        return self._answer_for(graph, rows)

    def _write_beside(self, graph: Graph, spec: ColumnSpec) -> str:
        """For pictures alone: their first pixel, turned into 0."""
        raw = graph.pictures(spec.name, spec.size.channels)
        corner = [graph.constant(np.array(each)) for each in ([0, 0, 0], [1, 1, 1], [1, 2, 3])]
        pixel = graph.add(
            "Reshape", graph.add("Slice", raw, *corner), graph.constant(np.array([-1, 1]))
        )
        rows = graph.add("Mul", graph.cast(pixel, Element.DOUBLE), graph.constant(0.0))
        return self._answer_for(graph, rows)

    def _answer_for(self, graph: Graph, rows: str) -> str:
        """The answer, added to zeros (rows, 1) of doubles."""
        scores = graph.add("Add", rows, graph.constant(self.answer[None]))
        regress = self.task.kind is TaskKind.REGRESS
        return scores if regress else graph.cast(scores, Element.FLOAT)


@dataclass(frozen=True)
class Constant:
    """Answer with the training rows' class shares, or with their mean."""

    name: str = "constant"
    family: ClassVar[Family] = Family.TRADITIONAL

    def fit(
        self, table: Table, task: Task, split: Split, *, budget: Budget = UNLIMITED
    ) -> ConstantModel:
        """Needs no time and cannot fail on a table that has a column beside the target."""
        columns = feature_specs(table, task)
        if not columns:
            raise LearnerError(f"no column of {table.name} is left to learn from.")
        truth = task.encode(table[task.target])
        out_of_fold = np.zeros((len(split.train), task.outputs))
        for fold in range(len(split.folds)):
            rows, validation = split.fold_rows(fold)
            out_of_fold[split.places(validation)] = _answer(truth[rows], task)
        answer = _answer(truth[split.teaching], task)
        shown = ", ".join(f"{value:.4g}" for value in answer[:5])
        words = f"{task.outputs} numbers" if task.outputs > 1 else "1 number"
        account = Account(1, 1, shown, words, shown)
        return ConstantModel(task, columns, answer, out_of_fold, account)


def _answer(truth: np.ndarray, task: Task) -> np.ndarray:
    if task.kind is TaskKind.REGRESS:
        return np.array([truth.mean()])
    return np.asarray(np.bincount(truth, minlength=task.outputs) / len(truth))
