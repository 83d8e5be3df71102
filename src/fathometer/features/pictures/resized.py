"""The step that every road of pictures begins with: pictures of any size → the size of their
column, as a tensor of pixels."""

from __future__ import annotations

from fathometer.graph import Element, Graph
from fathometer.table.kind import ColumnSpec
from fathometer.table.resizing import write_resized


def write_pixels(graph: Graph, spec: ColumnSpec) -> str:
    """The pictures of a column at their column's size; returns (rows, channels, height, width)
    float32, whole numbers 0..255.

    Fed pictures of that size come out as they went in. Others are averaged over the area that a
    pixel stands for (down) or interpolated (up), and rounded; nothing is cropped, so that pictures
    of another aspect are stretched."""
    # Transposed after: onnxruntime 1.31 refuses the sizes of bytes that are transposed before.
    pixels = write_resized(graph, spec.name, spec.size)
    return graph.add("Transpose", graph.cast(pixels, Element.FLOAT), perm=[0, 3, 1, 2])
