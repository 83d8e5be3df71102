"""The pixels themselves, of a picture made so small that each still says something of its own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fathometer.features.pictures.regions import areas, write_flat, write_sums, write_whole
from fathometer.graph import Graph
from fathometer.table.kind import ColumnSpec

MOST = 1024  # values; 32 x 32 gray pixels, or 18 x 18 of three colours


@dataclass(frozen=True)
class Thumbnail:
    """Mean lightness of each channel over a grid of areas, 0 to 255."""

    spec: ColumnSpec
    called: ClassVar[str] = "pixels"

    @property
    def grid(self) -> tuple[int, int]:
        """Down and across."""
        size = self.spec.size
        smaller = min(1.0, math.sqrt(MOST / (size.height * size.width * size.channels)))
        return max(1, int(size.height * smaller)), max(1, int(size.width * smaller))

    @property
    def names(self) -> tuple[str, ...]:
        down, across = self.grid
        return tuple(
            f"{self.spec.name}: pixel {y},{x}" + (f" {'rgb'[z]}" if z or channels > 1 else "")
            for channels in (self.spec.size.channels,)
            for z in range(channels)
            for y in range(down)
            for x in range(across)
        )

    def measure(self, graph: Graph, pixels: str) -> str:
        size, (down, across) = self.spec.size, self.grid
        sums = write_sums(
            graph, pixels, areas(down, size.height), areas(across, size.width), most=255
        )
        mean = graph.add("Div", sums, graph.constant(np.float64(size.height * size.width)))
        return write_flat(graph, write_whole(graph, mean), len(self.names))
