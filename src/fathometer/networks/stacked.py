"""A network of hidden layers one after the other; its kinds differ in how numbers enter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

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
class Stacked:
    """`depth` hidden layers of `width` units over numbers, flags and embedded categories.

    The numbers enter as they are, and the units are SiLU; a subclass may have both otherwise. Both
    activations are 0 at 0, so a narrower network may run as a wider one."""

    shape: Shape
    width: int
    depth: int

    @property
    def activation(self) -> layers.Activation:
        """Of the hidden units: SiLU or the rectifier."""
        return silu

    @property
    def height(self) -> int:
        """How many columns the first layer sees."""
        return layers.joined_width(self.shape)

    def enter(self, numbers: Tensor, generator: torch.Generator) -> Parameters:
        """The parameters of what `layers.encoded` makes of the inputs."""
        return layers.start_joined(self.shape, generator)

    @property
    def padded(self) -> Self:
        """The same at the next common width."""
        return replace(self, width=shared_width(self.width))

    @property
    def fixed(self) -> frozenset[str]:
        """Bins, where there are any, are the quantiles of the learning rows."""
        return layers.BINS

    def start(self, numbers: Tensor, generator: torch.Generator) -> Parameters:
        """Bins from the rows, everything else from the generator."""
        parameters = self.enter(numbers, generator)
        sizes = [self.height, *[self.width] * self.depth, self.shape.outputs]
        return parameters | layers.start_tower(sizes, generator)

    def forward(self, parameters: Parameters, inputs: Inputs, drop: Dropout = keep_all) -> Tensor:
        """Logits or standardised values, (P, B, K)."""
        hidden = layers.encoded(inputs, parameters, self.shape.levels)
        return layers.tower(hidden, parameters, self.depth, self.activation, drop)

    def features(self, parameters: Parameters, inputs: Inputs) -> Tensor:
        """What the last layer sees, (P, B, width)."""
        hidden = layers.encoded(inputs, parameters, self.shape.levels)
        return layers.hidden_layers(hidden, parameters, self.depth, self.activation, keep_all)

    def write(self, graph: Graph, parameters: dict[str, np.ndarray], inputs: InputTensors) -> str:
        """The twin of `forward`, (P, rows, K)."""
        hidden = layers.write_encoded(graph, inputs, parameters, self.shape.levels)
        activate = layers.write_silu if self.activation is silu else layers.write_relu
        return layers.write_tower(graph, hidden, parameters, self.depth, activate)
