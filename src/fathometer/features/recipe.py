"""A `Recipe`: fitted steps that turn columns into one float32 matrix, here and in ONNX."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from fathometer.graph import Graph
from fathometer.table.table import Table


class Step(Protocol):
    """One fitted step over some columns; its ONNX twin stands in the same file."""

    @property
    def names(self) -> tuple[str, ...]:
        """What each output column is called."""
        ...

    def matrix(self, table: Table) -> np.ndarray:
        """The step's output, shape (rows, len(names)) float32."""
        ...

    def write(self, graph: Graph) -> str:
        """Write the twin, raw columns included; returns a float tensor (rows, len(names))."""
        ...


@dataclass(frozen=True)
class Recipe:
    """Steps side by side; the matrix is their outputs joined."""

    steps: tuple[Step, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for step in self.steps for name in step.names)

    def matrix(self, table: Table) -> np.ndarray:
        """All steps' outputs, shape (rows, len(names)) float32."""
        parts = [step.matrix(table) for step in self.steps]
        return np.concatenate(parts, axis=1, dtype=np.float32)

    def write(self, graph: Graph) -> str:
        """Write all twins; returns a float tensor (rows, len(names))."""
        return graph.concat([step.write(graph) for step in self.steps])
