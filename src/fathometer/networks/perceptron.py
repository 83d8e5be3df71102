"""The plain network: a multilayer perceptron over scaled numbers, flags and embedded categories."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

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
class Perceptron:
    """`depth` hidden layers of `width` rectified units; the textbook's network."""

    shape: Shape
    width: int
    depth: int

    @property
    def padded(self) -> Perceptron:
        """The same at the next common width; a rectified 0 is 0."""
        return replace(self, width=shared_width(self.width))

    @property
    def fixed(self) -> frozenset[str]:
        """Nothing: every parameter is trained."""
        return frozenset()

    def start(self, numbers: Tensor, generator: torch.Generator) -> Parameters:
        """Embeddings and dense layers, all from the generator."""
        shape, parameters = self.shape, Parameters()
        if shape.levels:
            parameters["embedding"] = layers.start_embedding(shape.levels, generator)
        sizes = [layers.joined_width(shape), *[self.width] * self.depth, shape.outputs]
        return parameters | layers.start_tower(sizes, generator)

    def forward(self, parameters: Parameters, inputs: Inputs, drop: Dropout = keep_all) -> Tensor:
        """Logits or standardised values, (P, B, K)."""
        hidden = layers.joined(inputs, parameters, self.shape.levels)
        return layers.tower(hidden, parameters, self.depth, torch.relu, drop)

    def features(self, parameters: Parameters, inputs: Inputs) -> Tensor:
        """What the last layer sees, (P, B, width)."""
        hidden = layers.joined(inputs, parameters, self.shape.levels)
        return layers.hidden_layers(hidden, parameters, self.depth, torch.relu, keep_all)

    def write(self, graph: Graph, parameters: dict[str, np.ndarray], inputs: InputTensors) -> str:
        """The twin of `forward`, (P, rows, K)."""
        parts = layers.write_joined(graph, inputs, parameters, self.shape.levels)
        hidden = graph.concat(parts, axis=2)
        return layers.write_tower(graph, hidden, parameters, self.depth, layers.write_relu)
