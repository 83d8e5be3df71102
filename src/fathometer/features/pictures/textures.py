"""Local binary patterns (Ojala et al., 2002): which neighbours of a pixel are at least as light.

Of the 256 patterns of eight neighbours the 58 uniform ones, which go from darker to lighter and
back at most once around, are counted each; all others together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fathometer.features.pictures.measured import LARGEST
from fathometer.features.pictures.regions import write_count, write_flat, write_part, write_whole
from fathometer.graph import Element, Graph
from fathometer.table.kind import ColumnSpec

# Down and across from the pixel above left, around; the place is the bit.
AROUND = ((0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))
# Shares of red, green and blue in the lightness, out of 256 (ITU-R BT.601).
LIGHTNESS = (77, 150, 29)


def _labels() -> np.ndarray:
    """(256,) places of the patterns: uniform ones in turn, then one for all others."""
    bits = np.arange(256)[:, None] >> np.arange(8) & 1
    is_uniform = (bits != np.roll(bits, 1, axis=1)).sum(axis=1) <= 2
    return np.where(is_uniform, np.cumsum(is_uniform) - 1, is_uniform.sum())


LABELS = _labels()
PATTERNS = int(LABELS.max()) + 1  # 59


@dataclass(frozen=True)
class Textures:
    """The root of each pattern's share of the pixels, out of 255: rare ones are told apart."""

    spec: ColumnSpec
    called: ClassVar[str] = "textures"

    @property
    def names(self) -> tuple[str, ...]:
        patterns = [f"{int(list(LABELS).index(place)):08b}" for place in range(PATTERNS)]
        patterns[-1] = "others"
        return tuple(f"{self.spec.name}: texture {pattern}" for pattern in patterns)

    def measure(self, graph: Graph, pixels: str) -> str:
        size = self.spec.size
        inner = (size.height - 2) * (size.width - 2)
        light = pixels if size.channels == 1 else _write_lightness(graph, pixels)
        far = 1 << 30
        centre = write_part(graph, light, (1, 1), (-1, -1))
        bits = []
        for place, (y, x) in enumerate(AROUND):
            ends = [(-2, -1, far)[each] for each in (y, x)]
            neighbour = write_part(graph, light, (y, x), ends)
            is_light = graph.add("GreaterOrEqual", neighbour, centre)
            bits.append(write_count(graph, is_light, 1 << place))
        code = graph.cast(write_flat(graph, graph.add("Sum", *bits), inner), Element.INT64)
        marks = graph.constant(np.eye(PATTERNS, dtype=np.float32)[LABELS])
        found = graph.add("Gather", marks, code)  # (rows, pixels, patterns)
        axis = graph.constant(np.array([1]))
        counts = graph.cast(graph.add("ReduceSum", found, axis, keepdims=0), Element.DOUBLE)
        root = graph.add("Sqrt", graph.add("Div", counts, graph.constant(float(inner))))
        return write_whole(graph, graph.add("Mul", root, graph.constant(float(LARGEST))))


def _write_lightness(graph: Graph, pixels: str) -> str:
    """(rows, 1, height, width) whole numbers."""
    weights = graph.constant(np.array(LIGHTNESS, dtype=np.float32)[:, None, None])
    axis = graph.constant(np.array([1]))
    total = graph.add("ReduceSum", graph.add("Mul", pixels, weights), axis, keepdims=1)
    return graph.add("Floor", graph.add("Mul", total, graph.constant(np.float32(1 / 256))))
