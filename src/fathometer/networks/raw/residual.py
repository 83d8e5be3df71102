"""A residual network for pictures of more than about 48 pixels a side (He et al. 2016).

Strided convolutions bring a picture down to about 32 places a side; then stages of residual blocks,
each with half the places and twice the maps, and the mean over places. Small pictures are learned
quicker and as well by `speedy`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from fathometer.graph import Graph
from fathometer.networks.raw.convolution import write_convolution
from fathometer.networks.raw.encoder import Encoder, PictureShape, Rate, RawTraining
from fathometer.networks.raw.shown import ShownEncoder

FINEST = 40  # places a side after the stem, at most
TAUGHT = RawTraining(
    epochs=8,
    batch=128,
    label_smoothing=0.1,
    casts=True,
    head=Rate(learning_rate=1e-2, weight_decay=1e-3),
)


@dataclass(frozen=True)
class ResidualConvolution:
    """A stem of strided convolutions, then residual blocks."""

    widths: tuple[int, ...] = (16, 32, 64, 128)
    blocks: int = 1  # of each width
    kernel_rate: float = 0.1  # of Muon; each kernel is held at the length √out
    bias_rate: float = 1e-2
    training: RawTraining = TAUGHT

    def encoder(self, shape: PictureShape) -> Encoder:
        """The layers up to the mean of each map."""
        return ResidualConvolutionEncoder(self, shape)


class Normed(nn.Module):
    """A convolution without bias and the batch norm after it."""

    def __init__(self, before: int, after: int, size: int, stride: int) -> None:
        super().__init__()
        self.layer = nn.Conv2d(before, after, size, stride, padding=size // 2, bias=False)
        self.norm = nn.BatchNorm2d(after)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, before, height, width) to (B, after, ...)."""
        found: Tensor = self.norm(self.layer(maps))
        return found

    def write(self, graph: Graph, maps: str) -> str:
        """The twin of `forward`."""
        return write_convolution(graph, maps, self.layer, self.norm)


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions whose answer is added to what came in."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.first = Normed(before, after, 3, stride)
        self.second = Normed(after, after, 3, 1)
        nn.init.zeros_(self.second.norm.weight)  # begins as what is passed on alone
        is_plain = before == after and stride == 1
        self.passed = None if is_plain else Normed(before, after, 1, stride)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, before, height, width) to (B, after, ...)."""
        passed = maps if self.passed is None else self.passed(maps)
        return torch.relu(passed + self.second(torch.relu(self.first(maps))))

    def write(self, graph: Graph, maps: str) -> str:
        """The twin of `forward`."""
        passed = maps if self.passed is None else self.passed.write(graph, maps)
        inner = graph.add("Relu", self.first.write(graph, maps))
        return graph.add("Relu", graph.add("Add", passed, self.second.write(graph, inner)))


class ResidualConvolutionEncoder(ShownEncoder):
    """(B, channels, height, width) to (B, widths[-1])."""

    def __init__(self, architecture: ResidualConvolution, shape: PictureShape) -> None:
        super().__init__(
            shape, kernel_rate=architecture.kernel_rate, bias_rate=architecture.bias_rate
        )
        self.width = architecture.widths[-1]
        stem: list[Normed] = []
        side, before = min(shape.height, shape.width), shape.channels
        first = architecture.widths[0]
        while side > FINEST or not stem:
            stride = 2 if side > FINEST else 1
            stem.append(Normed(before, first, 3, stride))
            side, before = -(-side // stride), first
        self.stem = nn.ModuleList(stem)
        blocks = []
        for stage, after in enumerate(architecture.widths):
            for place in range(architecture.blocks):
                stride = 2 if stage and not place else 1
                blocks.append(ResidualBlock(before, after, stride))
                before = after
        self.blocks = nn.ModuleList(blocks)

    def features(self, raw: Tensor) -> Tensor:
        maps: Tensor = self.pixels(raw)
        for layer in self.stem:
            maps = torch.relu(layer(maps))
        for block in self.blocks:
            maps = block(maps)
        return maps.mean(dim=(2, 3))

    def write_features(self, graph: Graph, raw: str) -> str:
        maps = self.pixels.write(graph, raw)
        for layer in self.stem:
            assert isinstance(layer, Normed)
            maps = graph.add("Relu", layer.write(graph, maps))
        for block in self.blocks:
            assert isinstance(block, ResidualBlock)
            maps = block.write(graph, maps)
        return graph.add("ReduceMean", maps, graph.constant(np.array([2, 3])), keepdims=0)
