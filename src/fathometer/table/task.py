"""The question asked of a table: what to predict, how it is scored, how its classes are ordered."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from fathometer.table.table import Column


class TaskKind(Enum):
    """What is asked. Clustering and translation have their names here and no learner yet."""

    CLASSIFY = "classify"
    REGRESS = "regress"
    CLUSTER = "cluster"
    TRANSLATE = "translate"


@dataclass(frozen=True)
class Task:
    """Predict `target`; for classification, probabilities stand in the order of `classes`."""

    kind: TaskKind
    target: str
    metric: str  # a name in `metric.METRICS`
    classes: tuple[str, ...] = ()
    integer_labels: bool = False  # classes are whole numbers, so labels are given as numbers
    reason: str = ""  # why this task was understood

    @property
    def outputs(self) -> int:
        """Columns of a prediction: the number of classes, or 1."""
        return len(self.classes) if self.kind is TaskKind.CLASSIFY else 1

    def encode(self, column: Column) -> np.ndarray:
        """The target as numbers: class places (int64, -1 for an unknown class) or values (float64).

        Shape (rows,)."""
        if self.kind is TaskKind.REGRESS:
            return column.numbers
        places = {label: place for place, label in enumerate(self.classes)}
        return np.array([places.get(text, -1) for text in class_labels(column)], dtype=np.int64)


def class_labels(column: Column) -> np.ndarray:
    """The values of a target column as class names (str), "" where missing; 1.0 is named "1"."""
    from fathometer.graph import Element
    from fathometer.table.kind import ELEMENTS, Kind
    from fathometer.table.number import number_name

    if column.kind is Kind.DATE or ELEMENTS[column.kind] is Element.STRING:
        return column.strings
    numbers = column.numbers.tolist()
    return np.array(["" if value != value else number_name(value) for value in numbers], object)
