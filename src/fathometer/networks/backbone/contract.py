"""The contract of backbones: networks trained elsewhere that turn a raw column into features.

A backbone is frozen: nothing of it is fitted here, so its features of a row depend on that row
alone. Knows tensors, never tables."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Protocol

import numpy as np

from fathometer.graph import Graph

if TYPE_CHECKING:
    from fathometer.networks.raw.encoder import PictureShape


class Reads(Enum):
    """What a backbone reads."""

    PICTURES = "pictures"
    TEXTS = "texts"


class Backbone(Protocol):
    """A frozen network with its ONNX twin; two are equal only if they are one object.

    Its `repr` is its identity, by which a run that was killed goes on: it holds the digest of
    everything that the features depend on (weights, configuration, vocabulary)."""

    @property
    def reads(self) -> Reads: ...
    @property
    def name(self) -> str:
        """The architecture in words: "ResNet-18"."""
        ...

    @property
    def licence(self) -> str:
        """As the checkpoint states it; "not stated" where it does not."""
        ...

    @property
    def parameters(self) -> int:
        """How many weights its features are computed from."""
        ...

    @property
    def width(self) -> int:
        """Features of a row."""
        ...

    def features(self, values: np.ndarray) -> np.ndarray:
        """(rows, width) float32, each row whatever the others are; no rows are answered too.

        A head may part what differs in its last bits only, so the nearer this is to what the twin
        answers the better: best the twin itself is run.

        values: pictures (rows, height, width, channels) uint8, all black where missing, or texts
        (rows,) str, empty where missing: `Column.pixels` and `Column.strings`."""
        ...

    def write(self, graph: Graph, values: str, shape: PictureShape | None) -> str:
        """The twin of `features`; a float tensor (rows, width), within 1e-5 of it.

        Args:
            values: pictures (rows, channels, height, width) float, 0 to 255, or texts (rows, 1)
                string, empty where missing.
            shape: of the pictures; None for texts.
        """
        ...
