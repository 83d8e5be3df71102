"""How light and dark, and of which colours, a picture is: as a whole and in each quarter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fathometer.features.pictures.measured import LARGEST
from fathometer.features.pictures.regions import (
    halves,
    write_count,
    write_flat,
    write_sums,
    write_whole,
)
from fathometer.graph import Graph
from fathometer.table.kind import ColumnSpec

STEPS = 8  # of a channel's histogram
CHANNELS = {1: ("light",), 3: ("red", "green", "blue")}
REGIONS = ("top left", "top right", "bottom left", "bottom right", "whole")


@dataclass(frozen=True)
class Colours:
    """Of each channel and region: the share of pixels at least so light (a cumulative histogram),
    mean and standard deviation; all out of 255."""

    spec: ColumnSpec
    called: ClassVar[str] = "colours"

    @property
    def names(self) -> tuple[str, ...]:
        said = [f"at least {256 * step // STEPS}" for step in range(1, STEPS)]
        return tuple(
            f"{self.spec.name}: {channel} {what}, {region}"
            for what in (*said, "mean", "deviation")
            for channel in CHANNELS[self.spec.size.channels]
            for region in REGIONS
        )

    def measure(self, graph: Graph, pixels: str) -> str:
        size = self.spec.size
        down, across = halves(size.height), halves(size.width)
        counts = np.outer(down.sum(axis=1), across.sum(axis=1)).ravel()
        counts = np.append(counts, counts.sum()).astype(np.float64)

        def sums(tensor: str, most: int) -> str:
            """(rows, channels, regions) double."""
            quarters = write_sums(graph, tensor, down, across, most=most)
            flat = graph.add("Reshape", quarters, graph.constant(np.array([0, size.channels, 4])))
            axis = graph.constant(np.array([2]))
            return graph.concat([flat, graph.add("ReduceSum", flat, axis, keepdims=1)], axis=2)

        count = graph.constant(np.maximum(counts, 1))
        parts = []
        for step in range(1, STEPS):
            edge = graph.constant(np.float32(256 * step / STEPS))
            is_light = graph.add("GreaterOrEqual", pixels, edge)
            found = sums(write_count(graph, is_light, 1), 1)
            share = graph.add("Mul", found, graph.constant(float(LARGEST)))
            parts.append(graph.add("Div", share, count))
        total, squares = sums(pixels, 255), sums(graph.add("Mul", pixels, pixels), 255**2)
        parts.append(graph.add("Div", total, count))
        # n Σx² - (Σx)²: whole numbers, so nothing is lost in the difference.
        spread = graph.add("Sub", graph.add("Mul", squares, count), graph.add("Mul", total, total))
        # Beyond some 600 x 600 pixels the products are rounded, and could differ the wrong way.
        spread = graph.add("Max", spread, graph.constant(0.0))
        # Twice the deviation, which is at most half the range.
        twice = graph.add("Mul", graph.add("Sqrt", spread), graph.constant(2.0))
        parts.append(graph.add("Div", twice, count))
        whole = write_whole(graph, graph.concat(parts))
        return write_flat(graph, whole, len(self.names))
