"""Squared Euclidean distances between all rows and some others, and their twin."""

from __future__ import annotations

import numpy as np

from fathometer.graph import Element, Graph


def squared_distances(rows: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """(rows, references) squared Euclidean distances, in the rows' own precision."""
    across = rows @ reference.T
    across *= -2
    across += (reference**2).sum(axis=1)
    across += (rows**2).sum(axis=1, keepdims=True)
    return np.asarray(np.maximum(across, 0, out=across))


def write_squared_distances(graph: Graph, rows: str, reference: np.ndarray) -> str:
    """The same in double, from a double tensor (rows, columns) to a float32 (references, columns)
    that is written as it is."""
    wide = graph.cast(graph.constant(reference), Element.DOUBLE)
    across = graph.add("MatMul", rows, graph.add("Transpose", wide, perm=[1, 0]))
    twice = graph.add("Mul", across, graph.constant(-2.0))
    length = (reference.astype(np.float64) ** 2).sum(axis=1)
    axis = graph.constant(np.array([1]))
    own = graph.add("ReduceSum", graph.add("Mul", rows, rows), axis, keepdims=1)
    squared = graph.add("Add", graph.add("Add", twice, graph.constant(length)), own)
    return graph.add("Max", squared, graph.constant(0.0))
