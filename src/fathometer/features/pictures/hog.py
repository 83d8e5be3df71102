"""Histograms of oriented gradients (Dalal and Triggs, 2005): where edges lie and how they run.

Nine orientations without sign, each gradient shared softly by the two orientations and the four
cells it lies between, cells normalised in overlapping blocks of 2 x 2, large shares cut (L2-Hys).
All in whole numbers. A gradient is shared by taking it apart into its two neighbouring directions
(a parallelogram), which needs no angle; the shares differ by at most 1.5 % from those by angle."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fathometer.features.pictures.measured import LARGEST
from fathometer.features.pictures.regions import (
    soft_cells,
    write_flat,
    write_part,
    write_sums,
    write_whole,
)
from fathometer.graph import Graph
from fathometer.table.kind import ColumnSpec

ORIENTATIONS = 9
MOST_CELLS = 7  # a side; 28 pixels then have cells of 4, and there are 6 x 6 blocks of 36 numbers
LEAST_CELL = 3  # pixels; smaller ones hold too few gradients to be a histogram
# Length of the whole-number vectors that stand for the directions: at 64 they point at most 0.2
# degrees beside 0, 20, ..., 160 degrees.
RADIUS = 64
SHARE = RADIUS * np.sin(np.pi / ORIENTATIONS)  # of a gradient of 1 along a direction, for itself
MOST_SHARE = 7_200  # of any gradient for one direction; of all 511 x 511 the largest is 7,177
# Sums over a cell stay below this, so that 36 squares of them add up to less than 2^53.
LARGEST_SUM = 1 << 23
# Gradient of a pixel, out of 255, below which a block is noise rather than edges.
NOISE = 2.0
CUT = 0.2  # L2-Hys: no share of a block is larger (Dalal and Triggs, section 6.4)
FINE = 1 << 12  # shares are whole numbers of this size while they are cut


@dataclass(frozen=True)
class Hog:
    """Shares of each orientation, cell and block, out of 255."""

    spec: ColumnSpec
    called: ClassVar[str] = "edges"

    @property
    def cells(self) -> tuple[int, int]:
        """Down and across."""
        size = self.spec.size
        down, across = (
            max(2, min(MOST_CELLS, side // LEAST_CELL)) for side in (size.height, size.width)
        )
        return down, across

    @property
    def names(self) -> tuple[str, ...]:
        down, across = self.cells
        return tuple(
            f"{self.spec.name}: edges at {180 * turn // ORIENTATIONS}°, block {y + 1},{x + 1}, "
            f"cell {corner // 2 + 1},{corner % 2 + 1}"
            for corner in range(4)
            for turn in range(ORIENTATIONS)
            for y in range(down - 1)
            for x in range(across - 1)
        )

    def measure(self, graph: Graph, pixels: str) -> str:
        size, (down, across) = self.spec.size, self.cells
        shares = _write_shares(graph, *_write_gradient(graph, pixels, size.channels))
        # The outermost pixels have no gradient: their neighbours are not there.
        rows, columns = soft_cells(down, size.height), soft_cells(across, size.width)
        sums = write_sums(graph, shares, rows[:, 1:-1], columns[:, 1:-1], most=MOST_SHARE)
        largest = MOST_SHARE * rows.sum(axis=1).max() * columns.sum(axis=1).max()
        unit = 2.0 ** max(0, math.ceil(math.log2(largest / LARGEST_SUM)))
        if unit > 1:
            sums = graph.add("Floor", graph.add("Div", sums, graph.constant(unit)))
        corners = [
            write_part(graph, sums, (y, x), (down - 1 + y, across - 1 + x))
            for y in (0, 1)
            for x in (0, 1)
        ]
        blocks = graph.concat(corners)  # (rows, 36, blocks down, blocks across)
        pixels_a_cell = 64 * size.height * size.width / (down * across)  # 64: SHADES both ways
        noise = round(NOISE * SHARE * pixels_a_cell / unit)
        fine = write_whole(graph, _write_normed(graph, blocks, noise, FINE))
        cut = graph.add("Min", fine, graph.constant(np.float64(round(CUT * FINE))))
        normed = write_whole(graph, _write_normed(graph, cut, 1, LARGEST))
        return write_flat(graph, normed, len(self.names))


def _write_normed(graph: Graph, blocks: str, noise: int, length: int) -> str:
    """Each block divided by its length in the Euclidean sense, times `length`."""
    squares = graph.add("Mul", blocks, blocks)
    axis = graph.constant(np.array([1]))
    # A sum of whole numbers below 2^53, so exact; roots and quotients are rounded in one way.
    total = graph.add("ReduceSum", squares, axis, keepdims=1)
    root = graph.add("Sqrt", graph.add("Add", total, graph.constant(np.float64(noise**2))))
    scaled = graph.add("Mul", blocks, graph.constant(np.float64(length)))
    return graph.add("Div", scaled, root)


def _write_gradient(graph: Graph, pixels: str, channels: int) -> tuple[str, str]:
    """Differences of the neighbours across and down, of the channel that changes most; each
    (rows, 1, height - 2, width - 2)."""
    left, right = ((1, 0), (-1, -2)), ((1, 2), (-1, 1 << 30))
    above, below = ((0, 1), (-2, -1)), ((2, 1), (1 << 30, -1))
    parts = [write_part(graph, pixels, *part) for part in (right, left, below, above)]
    across, down = graph.add("Sub", *parts[:2]), graph.add("Sub", *parts[2:])
    if channels == 1:
        return across, down
    squares = [graph.add("Mul", each, each) for each in (across, down)]
    steepest = graph.add("ArgMax", graph.add("Add", *squares), axis=1, keepdims=1)
    taken = [graph.add("GatherElements", each, steepest, axis=1) for each in (across, down)]
    return taken[0], taken[1]


def _write_shares(graph: Graph, across: str, down: str) -> str:
    """How much of the gradient each orientation gets; (rows, 9, height - 2, width - 2).

    With u(k) the direction k and x the cross product, that is u(k - 1) x g or g x u(k + 1), the
    smaller, between u(k - 1) and u(k + 1); there alone both are positive, or both negative where g
    points the opposite way."""
    turns = np.arange(ORIENTATIONS + 2) - 1  # from one before the first to one after the last
    angles = np.pi * turns / ORIENTATIONS
    units = np.rint(RADIUS * np.stack([np.cos(angles), np.sin(angles)])).astype(np.float32)

    def crossed(first: int) -> str:
        """u(k) x g of nine directions in turn."""
        x, y = units[:, first : first + ORIENTATIONS, None, None]
        along = graph.add("Mul", down, graph.constant(x))
        return graph.add("Sub", along, graph.add("Mul", across, graph.constant(y)))

    before, after = crossed(0), graph.add("Neg", crossed(2))
    inside = graph.add("Min", before, after)
    opposite = graph.add("Neg", graph.add("Max", before, after))
    return graph.add("Max", graph.add("Max", inside, opposite), graph.constant(np.float32(0)))
