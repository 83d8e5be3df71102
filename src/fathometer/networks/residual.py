"""The residual network: blocks that each add to what the blocks before them found.

After the ResNet for tables of "Revisiting deep learning models for tabular data" (Gorishniy et al.
2021, section 3.2), with piecewise-linear encodings in front and each row normalised by itself in
place of batch normalisation.

At 12 processor seconds and 10,000 rows of the development tables, one seed each, it has the RMSE of
`Modern` on California housing (48,467 against 48,325) and a lower one on bike sharing (69.0 against
78.6), in half as many steps; see benchmarks/results/architectures.md."""

from __future__ import annotations

from dataclasses import dataclass

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
)

WIDENING = 2  # a block's hidden units for each unit it adds to; the paper searches 1 to 4
# A block starts small against what it adds to, so that a deep network starts as a shallow one.
BLOCK_GAIN = 0.5


@dataclass(frozen=True)
class Residual:
    """`depth` blocks over `width` units: normalise, widen to twice as many SiLU units, and add.

    Numbers enter as in `Modern`, through piecewise-linear encodings in `bins` bins."""

    shape: Shape
    width: int
    depth: int
    bins: int

    @property
    def fixed(self) -> frozenset[str]:
        """The bins are the quantiles of the learning rows."""
        return layers.BINS

    def start(self, numbers: Tensor, generator: torch.Generator) -> Parameters:
        """Bins from the rows, embeddings and dense layers from the generator, gains of 1."""
        shape, width = self.shape, self.width
        parameters = layers.start_encoded(shape, self.bins, numbers, generator)
        height = layers.encoded_width(shape, self.bins)
        # From the size of what comes in to that of what goes out, and how large it is at first.
        dense = {"enter": (height, width, 1.0)}
        for place in range(self.depth):
            dense[f"widen{place}"] = width, WIDENING * width, 2**0.5
            dense[f"narrow{place}"] = WIDENING * width, width, BLOCK_GAIN
        dense["answer"] = width, shape.outputs, 1.0
        for name, (inputs, outputs, gain) in dense.items():
            weight, bias = layers.start_dense(inputs, outputs, gain, generator)
            parameters |= {f"{name} weight": weight, f"{name} bias": bias}
        for place in range(self.depth + 1):
            parameters[f"gain{place}"] = torch.ones(width)
        return parameters

    def forward(self, parameters: Parameters, inputs: Inputs, drop: Dropout = keep_all) -> Tensor:
        """Logits or standardised values, (P, B, K)."""
        last = self.features(parameters, inputs, drop)
        return layers.dense(last, parameters["answer weight"], parameters["answer bias"])

    def features(self, parameters: Parameters, inputs: Inputs, drop: Dropout = keep_all) -> Tensor:
        """What the last layer sees, (P, B, width)."""

        def dense(x: Tensor, name: str) -> Tensor:
            return layers.dense(x, parameters[f"{name} weight"], parameters[f"{name} bias"])

        sums = dense(layers.encoded(inputs, parameters, self.shape.levels), "enter")
        for place in range(self.depth):
            x = layers.root_mean_square(sums, parameters[f"gain{place}"])
            x = drop(silu(dense(x, f"widen{place}")))
            sums = sums + drop(dense(x, f"narrow{place}"))
        last = layers.root_mean_square(sums, parameters[f"gain{self.depth}"])
        return silu(last)

    def write(self, graph: Graph, parameters: dict[str, np.ndarray], inputs: InputTensors) -> str:
        """The twin of `forward`, (P, rows, K)."""

        def dense(x: str, name: str) -> str:
            weight, bias = parameters[f"{name} weight"], parameters[f"{name} bias"]
            return layers.write_dense(graph, x, weight, bias)

        sums = dense(layers.write_encoded(graph, inputs, parameters, self.shape.levels), "enter")
        for place in range(self.depth):
            x = layers.write_root_mean_square(graph, sums, parameters[f"gain{place}"])
            x = layers.write_silu(graph, dense(x, f"widen{place}"))
            sums = graph.add("Add", sums, dense(x, f"narrow{place}"))
        last = layers.write_root_mean_square(graph, sums, parameters[f"gain{self.depth}"])
        return dense(layers.write_silu(graph, last), "answer")
