"""LeNet-5, as published in 1998 and as one would write it today.

LeCun, Bottou, Bengio, Haffner: Gradient-Based Learning Applied to Document Recognition, Proceedings
of the IEEE 86 (1998), section II.B."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, linear, max_pool2d

from fathometer.graph import Graph
from fathometer.networks.raw.convolution import (
    Brought,
    Pixels,
    unscaled_norm,
    values_of,
    write_convolution,
    write_flat,
    write_kernel,
    write_linear,
    write_max_pool,
    write_product,
)
from fathometer.networks.raw.encoder import (
    Encoder,
    PictureShape,
    Rate,
    RawTraining,
    SeededDropout,
)

SIDE = 32  # pixels; the paper's input
TAUGHT_1998 = RawTraining(epochs=12, batch=128, casts=True, head=Rate(learning_rate=2e-3))
TAUGHT_MODERN = RawTraining(epochs=12, batch=128, casts=True, head=Rate(learning_rate=4e-3))
# Table I of the paper: which maps of S2 each map of C3 is connected to.
CONNECTED = (
    *((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5)),
    *((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5)),
    *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5)),
    (0, 1, 2, 3, 4, 5),
)


@dataclass(frozen=True)
class LeNet1998:
    """LeNet-5 as published: sums with a trained coefficient, the table of connections, scaled tanh.

    Two things are ours: the answer is a linear layer with softmax instead of distances to drawn
    digits, which only digits have, and it is taught by AdamW instead of the paper's diagonal
    Levenberg-Marquardt. 60,000 parameters before the head on gray pictures."""

    training: RawTraining = TAUGHT_1998
    learning_rate: float = 2e-3
    weight_decay: float = 1e-3

    def encoder(self, shape: PictureShape) -> Encoder:
        """The layers C1 to F6."""
        rate = Rate(learning_rate=self.learning_rate, weight_decay=self.weight_decay)
        return LeNet1998Encoder(shape, rate)


@dataclass(frozen=True)
class LeNetModern:
    """LeNet-5's layout with what came after it: ReLU, max pooling, batch norm, dropout."""

    widths: tuple[int, int, int, int] = (12, 32, 120, 84)  # the paper's: 6, 16, 120, 84
    dropout: float = 0.25
    training: RawTraining = TAUGHT_MODERN
    learning_rate: float = 4e-3
    weight_decay: float = 1e-2

    def encoder(self, shape: PictureShape) -> Encoder:
        """The layers C1 to F6."""
        return LeNetModernEncoder(self, shape)


HEIGHT, SLOPE = 1.7159, 2 / 3  # the paper's f(a) = 1.7159 tanh(2a / 3), which is ±1 at ±1


class Subsampling(nn.Module):
    """The sum of each 2×2 square times a trained coefficient, plus a trained bias, for each map."""

    def __init__(self, maps: int) -> None:
        super().__init__()
        # The sum of four independent values of variance 1 has variance 4.
        self.coefficient = nn.Parameter(torch.full((maps, 1, 1), 0.5))
        self.bias = nn.Parameter(torch.zeros(maps, 1, 1))

    def factors(self) -> tuple[Tensor, Tensor]:
        """What a square's mean is multiplied by and raised by: the height of what comes in and the
        slope of what follows are taken along, to pass over the maps once and not three times."""
        return self.coefficient * (4 * HEIGHT * SLOPE), self.bias * SLOPE

    def forward(self, turned: Tensor) -> Tensor:
        """From tanh's answers (B, maps, height, width) to what goes into the next tanh."""
        factor, raised = self.factors()
        return torch.addcmul(raised, nn.functional.avg_pool2d(turned, 2), factor)

    def write(self, graph: Graph, tensor: str) -> str:
        """The twin of `forward`."""
        factor, raised = (graph.constant(values_of(own)) for own in self.factors())
        mean = graph.add("AveragePool", tensor, kernel_shape=[2, 2], strides=[2, 2])
        return graph.add("Add", graph.add("Mul", mean, factor), raised)


class LeNet1998Encoder(Encoder):
    """C1, S2, C3, S4, C5, F6: (B, channels, height, width) to (B, 84)."""

    width = 84
    connected: Tensor  # (16, 6, 1, 1) 0 or 1

    def __init__(self, shape: PictureShape, rate: Rate) -> None:
        super().__init__()
        self.rate = rate
        self.pixels = Pixels(shape.channels)
        self.brought = Brought((shape.height, shape.width), (SIDE, SIDE))
        self.c1 = nn.Conv2d(shape.channels, 6, 5)
        self.s2 = Subsampling(6)
        self.c3 = nn.Conv2d(6, 16, 5)
        self.s4 = Subsampling(16)
        self.c5 = nn.Linear(16 * 5 * 5, 120)
        self.f6 = nn.Linear(120, 84)
        mask = torch.zeros(16, 6, 1, 1)
        for own, taken in enumerate(CONNECTED):
            mask[own, list(taken)] = 1.0
        self.register_buffer("connected", mask, persistent=False)
        # Of variance 1 / fan-in, what this squashing is made for (LeCun et al., Efficient BackProp,
        # 1998); the paper's own ±2.4 / fan-in goes with its second-order steps.
        for layer in (self.c1, self.c3, self.c5, self.f6):
            bound = math.sqrt(3 / layer.weight[0].numel())
            nn.init.uniform_(layer.weight, -bound, bound)

    def prepare(self, raw: Tensor, target: Tensor) -> None:
        self.pixels.prepare(raw)

    def layers(self) -> list[tuple[Tensor, Tensor]]:
        """Weight and bias of C1, C3, C5 and F6: from tanh's answers to what goes into a tanh.

        C5 and F6 follow a squashing, C1 follows the pixels; C3 follows S2."""
        found = []
        for layer in (self.c1, self.c3, self.c5, self.f6):
            before = SLOPE if layer is self.c1 else SLOPE * HEIGHT
            weight = layer.weight * self.connected if layer is self.c3 else layer.weight
            assert layer.bias is not None
            found.append((weight * before, layer.bias * SLOPE))
        return found

    def forward(self, raw: Tensor) -> Tensor:
        c1, c3, c5, f6 = self.layers()
        maps = torch.tanh(conv2d(self.brought(self.pixels(raw)), *c1))
        maps = torch.tanh(conv2d(torch.tanh(self.s2(maps)), *c3))
        flat = torch.tanh(self.s4(maps)).flatten(1)
        flat = torch.tanh(linear(flat, *c5))
        return torch.tanh(linear(flat, *f6)) * HEIGHT

    def write(self, graph: Graph, raw: str) -> str:
        c1, c3, c5, f6 = ([values_of(own) for own in layer] for layer in self.layers())
        maps = self.brought.write(graph, self.pixels.write(graph, raw))
        for kernel, below in ((c1, self.s2), (c3, self.s4)):
            maps = graph.add("Tanh", write_kernel(graph, maps, *kernel, stride=1, pad=0))
            maps = graph.add("Tanh", below.write(graph, maps))
        flat = write_flat(graph, maps)
        for weight, bias in (c5, f6):
            flat = graph.add("Tanh", write_product(graph, flat, weight, bias))
        return graph.add("Mul", flat, graph.constant(np.float32(HEIGHT)))


class LeNetModernEncoder(Encoder):
    """Two convolutions and two dense layers: (B, channels, height, width) to (B, widths[3])."""

    def __init__(self, architecture: LeNetModern, shape: PictureShape) -> None:
        super().__init__()
        c1, c3, c5, f6 = architecture.widths
        self.width = f6
        self.rate = Rate(
            learning_rate=architecture.learning_rate, weight_decay=architecture.weight_decay
        )
        self.pixels = Pixels(shape.channels)
        self.brought = Brought((shape.height, shape.width), (SIDE, SIDE))
        self.c1, self.n1 = nn.Conv2d(shape.channels, c1, 5, bias=False), unscaled_norm(c1)
        self.c3, self.n3 = nn.Conv2d(c1, c3, 5, bias=False), unscaled_norm(c3)
        self.c5, self.n5 = nn.Linear(c3 * 5 * 5, c5, bias=False), nn.BatchNorm1d(c5)
        self.f6, self.n6 = nn.Linear(c5, f6, bias=False), nn.BatchNorm1d(f6)
        self.drop = SeededDropout(architecture.dropout)

    def prepare(self, raw: Tensor, target: Tensor) -> None:
        self.pixels.prepare(raw)

    def forward(self, raw: Tensor) -> Tensor:
        maps = self.brought(self.pixels(raw))
        maps = torch.relu(self.n1(max_pool2d(self.c1(maps), 2)))
        maps = torch.relu(self.n3(max_pool2d(self.c3(maps), 2)))
        flat = torch.relu(self.n5(self.c5(self.drop(maps.flatten(1)))))
        return torch.relu(self.n6(self.f6(self.drop(flat))))

    def write(self, graph: Graph, raw: str) -> str:
        maps = self.brought.write(graph, self.pixels.write(graph, raw))
        for layer, norm in ((self.c1, self.n1), (self.c3, self.n3)):
            pooled = write_max_pool(graph, write_convolution(graph, maps, layer, norm))
            maps = graph.add("Relu", pooled)
        flat = graph.add("Relu", write_linear(graph, write_flat(graph, maps), self.c5, self.n5))
        return graph.add("Relu", write_linear(graph, flat, self.f6, self.n6))
