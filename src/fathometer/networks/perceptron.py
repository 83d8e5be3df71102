"""The plain network: a multilayer perceptron over scaled numbers, flags and embedded categories."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from fathometer.networks.layers import Activation
from fathometer.networks.stacked import Stacked


@dataclass(frozen=True)
class Perceptron(Stacked):
    """`depth` hidden layers of `width` rectified units; the textbook's network."""

    @property
    def activation(self) -> Activation:
        """The rectifier."""
        return torch.relu
