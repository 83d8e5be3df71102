"""How a picture is brought to the size of its column: one definition, an ONNX node, run by the
reader of files and written into every model file alike.

A triangle filter as wide as the pixel it makes, which at the border uses what is inside the picture
alone (what Pillow calls BILINEAR, within 1 of 255). So a picture fed raw to a model file is
answered exactly as the same picture read from its file."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from fathometer.graph import Element, Graph
from fathometer.runtime import open_session
from fathometer.table.kind import PictureSize

if TYPE_CHECKING:
    import onnxruntime


def write_resized(graph: Graph, name: str, size: PictureSize) -> str:
    """A column of pictures of any one size, brought to this size; uint8 (rows, height, width,
    channels)."""
    raw = graph.pictures(name, size.channels)
    sizes = graph.constant(np.array([size.height, size.width], dtype=np.int64))
    return graph.add(
        "Resize",
        raw,
        "",  # no region of interest
        "",  # and sizes instead of scales
        sizes,
        axes=[1, 2],
        mode="linear",
        coordinate_transformation_mode="half_pixel",
        antialias=1,
        exclude_outside=1,
    )


def resized(picture: np.ndarray, size: PictureSize) -> np.ndarray:
    """One picture (height, width, channels) uint8 at this size; itself if it has it already."""
    if picture.shape[:2] == (size.height, size.width):
        return picture
    made = _session(size).run(None, {"picture": picture[None]})[0]
    return np.asarray(made[0])


@cache
def _session(size: PictureSize) -> onnxruntime.InferenceSession:
    """What resizes to this size; calls may run side by side."""
    graph = Graph()
    tensor = write_resized(graph, "picture", size)
    model = graph.finish({"resized": (tensor, Element.UINT8, None)})
    model.graph.output[0].type.tensor_type.ClearField("shape")
    return open_session(model.SerializeToString())
