"""TabM: heads that share the weights of every layer and yet answer each in its own way.

After "TabM: advancing tabular deep learning with parameter-efficient ensembling" (Gorishniy et al.
2025) and BatchEnsemble (Wen et al. 2020). A layer's weights are one matrix for all heads; what
tells the heads apart is a scaling of each unit that enters and leaves it, and a bias. The heads are
taught each by its own loss, and answer by their mean.

Unlike the paper's, the first layer's random signs stand behind its product and not in front of it,
so that the widest product is taken once for all heads: 73 ms a step against 100 ms (three networks,
16 heads, batch 256, one core). On a processor it still takes 5 times `Modern` for 8 heads, and at
equal seconds it is behind; see benchmarks/results/architectures-tried.md."""

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

LEAST_PROBABILITY = 1e-30  # a float32 whose logarithm is finite


@dataclass(frozen=True)
class TabM:
    """`depth` hidden layers of `width` SiLU units, shared by `count` heads.

    Numbers enter as in `Modern`, through piecewise-linear encodings in `bins` bins."""

    shape: Shape
    width: int
    depth: int
    bins: int
    count: int  # H, heads

    @property
    def padded(self) -> TabM:
        """The same at the next common width; SiLU is 0 at 0."""
        return replace(self, width=shared_width(self.width))

    @property
    def fixed(self) -> frozenset[str]:
        """The bins are the quantiles of the learning rows."""
        return layers.BINS

    def start(self, numbers: Tensor, generator: torch.Generator) -> Parameters:
        """Bins from the rows; embeddings, dense layers and signs from the generator."""
        shape, width, count = self.shape, self.width, self.count
        parameters = layers.start_encoded(shape, self.bins, numbers, generator)
        height = layers.encoded_width(shape, self.bins)
        for place in range(self.depth):
            gain = 2**0.5  # He et al. 2015
            weight, _ = layers.start_dense(height, width, gain, generator)
            parameters[f"weight{place}"] = weight
            parameters[f"bias{place}"] = torch.zeros(count, width)
            parameters[f"leave{place}"] = torch.ones(count, width)
            if place:
                parameters[f"enter{place}"] = torch.ones(count, width)
            height = width
        # The signs make the heads differ from the first step on.
        signs = torch.randint(2, (count, width), generator=generator)
        parameters["leave0"] = 2.0 * signs - 1.0
        answers = torch.randn(count, width, shape.outputs, generator=generator)
        parameters["answer weight"] = answers / width**0.5
        parameters["answer bias"] = torch.zeros(count, shape.outputs)
        return parameters

    def heads(self, parameters: Parameters, inputs: Inputs, drop: Dropout = keep_all) -> Tensor:
        """Logits or standardised values of every head, (P, H, B, K)."""
        x = layers.encoded(inputs, parameters, self.shape.levels)
        # All heads see the same rows, so the first product, the widest, is taken once for all.
        x = torch.bmm(x, parameters["weight0"]).unsqueeze(1)
        for place in range(self.depth):
            if place:
                x = x * parameters[f"enter{place}"].unsqueeze(2)
                rows = torch.bmm(x.flatten(1, 2), parameters[f"weight{place}"])
                x = rows.view(*x.shape[:3], self.width)
            leave, bias = parameters[f"leave{place}"], parameters[f"bias{place}"]
            x = silu(torch.addcmul(bias.unsqueeze(2), x, leave.unsqueeze(2)))
            x = drop(x.flatten(1, 2)).view(x.shape)
        weight, bias = parameters["answer weight"], parameters["answer bias"]
        members, count = weight.shape[:2]
        own = layers.dense(x.flatten(0, 1), weight.flatten(0, 1), bias.flatten(0, 1))
        return own.view(members, count, *own.shape[1:])

    def forward(self, parameters: Parameters, inputs: Inputs, drop: Dropout = keep_all) -> Tensor:
        """The heads' mean, (P, B, K): of values, or of probabilities, as their logarithms."""
        answers = self.heads(parameters, inputs, drop)
        if self.shape.outputs == 1:
            return answers.mean(dim=1)
        return answers.softmax(dim=3).mean(dim=1).clamp(min=LEAST_PROBABILITY).log()

    def write(self, graph: Graph, parameters: dict[str, np.ndarray], inputs: InputTensors) -> str:
        """The twin of `forward`, (P, rows, K)."""
        answers = self._write_heads(graph, parameters, inputs)
        heads = graph.constant(np.array([1]))
        if self.shape.outputs == 1:
            return graph.add("ReduceMean", answers, heads, keepdims=0)
        probabilities = graph.add("Softmax", answers, axis=3)
        mean = graph.add("ReduceMean", probabilities, heads, keepdims=0)
        least = graph.constant(np.float32(LEAST_PROBABILITY))
        return graph.add("Log", graph.add("Max", mean, least))

    def _write_heads(
        self, graph: Graph, parameters: dict[str, np.ndarray], inputs: InputTensors
    ) -> str:
        """The twin of `heads`, (P, H, rows, K)."""
        members = len(parameters["weight0"])
        folded = graph.constant(np.array([members, -1, self.width]))
        unfolded = graph.constant(np.array([members, self.count, -1, self.width]))

        def own(name: str) -> str:
            return graph.constant(parameters[name][:, :, None])

        x = layers.write_encoded(graph, inputs, parameters, self.shape.levels)
        x = graph.add("MatMul", x, graph.constant(parameters["weight0"]))
        x = graph.add("Unsqueeze", x, graph.constant(np.array([1])))
        for place in range(self.depth):
            if place:
                x = graph.add("Reshape", graph.add("Mul", x, own(f"enter{place}")), folded)
                x = graph.add("MatMul", x, graph.constant(parameters[f"weight{place}"]))
                x = graph.add("Reshape", x, unfolded)
            x = graph.add("Add", graph.add("Mul", x, own(f"leave{place}")), own(f"bias{place}"))
            x = layers.write_silu(graph, x)
        product = graph.add("MatMul", x, graph.constant(parameters["answer weight"]))
        return graph.add("Add", product, own("answer bias"))
