"""From raw margins to answers: the `Link` between what boosted trees add up and what was asked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fathometer.graph import Element, Graph
from fathometer.table.task import Task, TaskKind


@dataclass(frozen=True)
class Link:
    """Margins → probabilities by the logistic function or softmax, or → values in their own unit.

    Two classes have one margin, in favour of the second; values are learned standardised, so that
    no learner's defaults depend on the target's unit."""

    task: Task
    mean: float = 0.0
    deviation: float = 1.0

    @property
    def margins(self) -> int:
        """Columns of the margins."""
        return self.task.outputs if self.task.outputs > 2 else 1

    def target(self, encoded: np.ndarray) -> np.ndarray:
        """What a booster learns: class places as they are, values standardised; (rows,) float64."""
        if self.task.kind is TaskKind.CLASSIFY:
            return encoded.astype(np.float64)
        return (encoded - self.mean) / self.deviation

    def answers(self, margins: np.ndarray) -> np.ndarray:
        """Scores (rows, outputs) float64 of margins (rows, margins)."""
        if self.task.kind is TaskKind.REGRESS:
            return margins * self.deviation + self.mean
        if self.margins == 1:
            # Each class from its own side: 1 - p would lose the small probability of the first.
            both = np.concatenate([margins, -margins], axis=1)
            return np.asarray(np.exp(-np.logaddexp(0.0, both)))
        grown = np.exp(margins - margins.max(axis=1, keepdims=True))
        return np.asarray(grown / grown.sum(axis=1, keepdims=True))

    def write(self, graph: Graph, margins: str) -> str:
        """The twin over a double tensor (rows, margins); float probabilities, double values."""
        if self.task.kind is TaskKind.REGRESS:
            scaled = graph.add("Mul", margins, graph.constant(np.float64(self.deviation)))
            return graph.add("Add", scaled, graph.constant(np.float64(self.mean)))
        if self.margins == 1:
            both = graph.concat([graph.add("Neg", margins), margins])
            return graph.cast(graph.add("Sigmoid", both), Element.FLOAT)
        return graph.cast(graph.add("Softmax", margins, axis=1), Element.FLOAT)


def fit_link(task: Task, encoded: np.ndarray) -> Link:
    """The link for a task; mean and deviation come from these training targets."""
    if task.kind is TaskKind.CLASSIFY:
        return Link(task)
    deviation = float(encoded.std())
    return Link(task, float(encoded.mean()), deviation if deviation > 0.0 else 1.0)
