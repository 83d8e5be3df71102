"""Sums over regions of a picture, as products with whole-number weights.

Everything that is measured of a picture is whole numbers from end to end, small enough for the
element type to hold them all exactly. A sum is then the same in whatever order it is taken, so that
a tree's threshold parts pictures alike here, in the file, one by one and in batches of any size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fathometer.graph import Element, Graph

EXACT_FLOAT = 1 << 24  # up to here float32 holds every whole number
SHADES = 8  # of a soft border: a pixel's weights for two neighbouring cells add up to this


def areas(parts: int, side: int) -> np.ndarray:
    """(parts, side) whole weights: how much of each pixel lies in each of equal parts of a side.

    A part's weights add up to `side`."""
    edges = np.arange(side + 1) * parts
    low, high = np.arange(parts)[:, None] * side, np.arange(1, parts + 1)[:, None] * side
    inside = np.minimum(edges[1:], high) - np.maximum(edges[:-1], low)
    return np.asarray(np.maximum(0, inside))


def halves(side: int) -> np.ndarray:
    """(2, side) of 0 and 1: the half that each pixel's centre lies in."""
    place = (2 * np.arange(side) + 1) // side
    return np.asarray(place == np.arange(2)[:, None]).astype(np.int64)


def soft_cells(cells: int, side: int) -> np.ndarray:
    """(cells, side) weights out of `SHADES`: a pixel counts for the two cells whose centres it lies
    between, for the nearer one more; beyond the outermost centres a part of it is lost."""
    place = (np.arange(side) + 0.5) * cells / side - 0.5
    weight = 1 - np.abs(place - np.arange(cells)[:, None])
    return np.asarray(np.rint(SHADES * np.maximum(weight, 0.0)).astype(np.int64))


def write_sums(
    graph: Graph, tensor: str, down: np.ndarray, across: np.ndarray, *, most: int
) -> str:
    """Weighted sums over regions of a float tensor (..., height, width) of whole numbers up to
    `most`; a double tensor (..., regions down, regions across).

    down (regions, height), across (regions, width): the weights."""
    largest = most * int(across.sum(axis=1).max()) * int(down.sum(axis=1).max())
    wide = largest > EXACT_FLOAT
    element = np.float64 if wide else np.float32
    cast = graph.cast(tensor, Element.DOUBLE) if wide else tensor
    rows = graph.add("MatMul", cast, graph.constant(across.T.astype(element)))
    sums = graph.add("MatMul", graph.constant(down.astype(element)), rows)
    return sums if wide else graph.cast(sums, Element.DOUBLE)


def write_whole(graph: Graph, tensor: str) -> str:
    """The nearest whole number of a double tensor, halves upwards."""
    return graph.add("Floor", graph.add("Add", tensor, graph.constant(0.5)))


def write_count(graph: Graph, condition: str, value: int) -> str:
    """A float tensor: the value where the condition holds, else 0."""
    values = [graph.constant(np.float32(each)) for each in (value, 0)]
    return graph.add("Where", condition, *values)


def write_flat(graph: Graph, tensor: str, width: int) -> str:
    """(rows, width) of a tensor (rows, ...)."""
    # The width is written out, since -1 cannot be worked out where there are no rows.
    return graph.add("Reshape", tensor, graph.constant(np.array([0, width])))


def write_part(graph: Graph, tensor: str, starts: Sequence[int], ends: Sequence[int]) -> str:
    """A part of the last two of a tensor's four axes, height and width."""
    named = [graph.constant(np.array(each)) for each in (starts, ends, (2, 3))]
    return graph.add("Slice", tensor, *named)
