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
    common_width,
    keep_all,
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
        return replace(self, width=common_width(self.width))

    @property
    def fixed(self) -> frozenset[str]:
        """The bins are the quantiles of the learning rows."""
        return frozenset({"left", "slope"})

    def start(self, numbers: Tensor, generator: torch.Generator) -> Parameters:
        """Bins from the rows, embeddings and dense layers from the generator."""
        shape, parameters = self.shape, Parameters()
        if shape.numbers:
            edges = layers.quantile_edges(numbers, self.bins)
            parameters["left"], parameters["slope"] = layers.bins_between(edges)
        if shape.levels:
            parameters["embedding"] = layers.start_embedding(shape.levels, generator)
        height = layers.joined_width(shape) + shape.numbers * self.bins
        sizes = [height, *[self.width] * self.depth, shape.outputs]
        return parameters | layers.start_tower(sizes, generator)

    def forward(self, parameters: Parameters, inputs: Inputs, drop: Dropout = keep_all) -> Tensor:
        """Logits or standardised values, (P, B, K)."""
        hidden = layers.joined(inputs, parameters, self.shape.levels)
        if self.shape.numbers:
            encoded = layers.piecewise(inputs.numbers, parameters["left"], parameters["slope"])
            hidden = torch.cat([hidden, encoded], dim=2)
        return layers.tower(hidden, parameters, self.depth, silu, drop)

    def write(self, graph: Graph, parameters: dict[str, np.ndarray], inputs: InputTensors) -> str:
        """The twin of `forward`, (P, rows, K)."""
        parts = layers.write_joined(graph, inputs, parameters, self.shape.levels)
        if inputs.numbers is not None:
            left, slope = parameters["left"], parameters["slope"]
            parts.append(layers.write_piecewise(graph, inputs.numbers, left, slope))
        hidden = graph.concat(parts, axis=2)
        return layers.write_tower(graph, hidden, parameters, self.depth, layers.write_silu)
