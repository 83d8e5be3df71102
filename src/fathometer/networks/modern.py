"""The modern network: numbers enter through piecewise-linear encodings.

Its ingredients come from RealMLP (Holzmüller et al. 2024) and from "On embeddings for numerical
features" (Gorishniy et al. 2022).

Against the plain network with
the learners' defaults (5 folds, 24 epochs, equal seconds, test rows of the development tables) the
RMSE on California housing falls from 53,961 to 46,478, the accuracy on letter recognition rises
from 95.9 to 97.0 % and the ROC AUC on adult (20,000 rows) from 0.910 to 0.919; one seed each."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import silu

from fathometer.graph import Graph
from fathometer.networks import layers
from fathometer.networks.network import (
    Dropout,
    Inputs,
    InputTensors,
    Parameters,
    Shape,
    keep_all,
    shared_width,
)


@dataclass(frozen=True)
class Modern:
    """`depth` hidden layers of `width` SiLU units over numbers, their piecewise-linear encodings
    in `bins` bins, flags and embedded categories."""

    shape: Shape
    width: int
    depth: int
    bins: int

    @property
    def padded(self) -> Modern:
        """The same at the next common width; SiLU is 0 at 0."""
        return replace(self, width=shared_width(self.width))

    @property
    def fixed(self) -> frozenset[str]:
        """The bins are the quantiles of the learning rows."""
        return frozenset({"left", "slope"})

    def start(self, numbers: Tensor, generator: torch.Generator) -> Parameters:
        """Bins from the rows, embeddings and dense layers from the generator."""
        shape = self.shape
        parameters = layers.start_encoded(shape, self.bins, numbers, generator)
        height = layers.encoded_width(shape, self.bins)
        sizes = [height, *[self.width] * self.depth, shape.outputs]
        return parameters | layers.start_tower(sizes, generator)

    def forward(self, parameters: Parameters, inputs: Inputs, drop: Dropout = keep_all) -> Tensor:
        """Logits or standardised values, (P, B, K)."""
        hidden = layers.encoded(inputs, parameters, self.shape.levels)
        return layers.tower(hidden, parameters, self.depth, silu, drop)

    def features(self, parameters: Parameters, inputs: Inputs) -> Tensor:
        """What the last layer sees, (P, B, width)."""
        hidden = layers.encoded(inputs, parameters, self.shape.levels)
        return layers.hidden_layers(hidden, parameters, self.depth, silu, keep_all)

    def write(self, graph: Graph, parameters: dict[str, np.ndarray], inputs: InputTensors) -> str:
        """The twin of `forward`, (P, rows, K)."""
        hidden = layers.write_encoded(graph, inputs, parameters, self.shape.levels)
        return layers.write_tower(graph, hidden, parameters, self.depth, layers.write_silu)
