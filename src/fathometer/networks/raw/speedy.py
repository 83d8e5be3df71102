"""A small convolutional network that learns in few passes.

After the CIFAR-10 speed records (Jordan 2024, "94% on CIFAR-10 in 3.29 seconds on a single GPU",
arXiv 2404.00498, and its successor with Muon): a first layer that whitens patches, fixed before
training; identity-like first kernels; batch norm without scale; GELU; orthogonalised momentum;
label smoothing; a rate that falls to 0. Widths are chosen for a processor's cores."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, max_pool2d

from fathometer.graph import Graph
from fathometer.networks.gelu import write_gelu
from fathometer.networks.raw.convolution import (
    PATCHED_PICTURES,
    few,
    unscaled_norm,
    whitening_kernel,
    write_convolution,
    write_max_over_places,
    write_max_pool,
)
from fathometer.networks.raw.encoder import Encoder, PictureShape, Rate, RawTraining
from fathometer.networks.raw.shown import ShownEncoder

MOST_KERNELS = 24  # eigenvectors of patches; with their negatives twice as many maps
TAUGHT = RawTraining(
    epochs=8,
    batch=256,
    label_smoothing=0.1,
    casts=True,
    head=Rate(learning_rate=1e-2, weight_decay=1e-3),
)


@dataclass(frozen=True)
class FastConvolution:
    """Whitened patches, then three blocks of two 3×3 convolutions, each halving the picture."""

    widths: tuple[int, ...] = (32, 64, 64)
    finest: int = 32  # places a side after the first layer, about; larger pictures are strided over
    kernel_rate: float = 0.15  # of Muon; each kernel is held at the length √out
    bias_rate: float = 1e-2
    training: RawTraining = TAUGHT

    def encoder(self, shape: PictureShape) -> Encoder:
        """The layers up to the largest answer of each map."""
        return FastConvolutionEncoder(self, shape)


class Block(nn.Module):
    """Convolution, max pooling where there is room, norm, GELU; convolution, norm, GELU."""

    def __init__(self, before: int, after: int, *, pools: bool) -> None:
        super().__init__()
        self.pools = pools
        self.first = dirac_convolution(before, after)
        self.first_norm = unscaled_norm(after, NORM_MOMENTUM)
        self.second = dirac_convolution(after, after)
        self.second_norm = unscaled_norm(after, NORM_MOMENTUM)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, before, height, width) to (B, after, half, half)."""
        maps = self.first(maps)
        maps = max_pool2d(maps, 2) if self.pools else maps
        maps = gelu(self.first_norm(maps))
        return gelu(self.second_norm(self.second(maps)))

    def write(self, graph: Graph, maps: str) -> str:
        """The twin of `forward`."""
        maps = write_convolution(graph, maps, self.first, self.first_norm)
        maps = write_max_pool(graph, maps) if self.pools else maps
        maps = write_convolution(graph, write_gelu(graph, maps), self.second, self.second_norm)
        return write_gelu(graph, maps)


NORM_MOMENTUM = 0.3  # of batch statistics; schedules of some hundred steps forget quickly


def dirac_convolution(before: int, after: int) -> nn.Conv2d:
    """A 3×3 convolution whose first kernels pass their maps on as they are."""
    layer = nn.Conv2d(before, after, 3, padding=1, bias=False)
    with torch.no_grad():
        nn.init.dirac_(layer.weight[: min(before, after)])
    return layer


class FastConvolutionEncoder(ShownEncoder):
    """(B, channels, height, width) to (B, widths[-1])."""

    def __init__(self, architecture: FastConvolution, shape: PictureShape) -> None:
        super().__init__(
            shape, kernel_rate=architecture.kernel_rate, bias_rate=architecture.bias_rate
        )
        self.width = architecture.widths[-1]
        side = min(shape.height, shape.width)
        stride = max(1, round(side / architecture.finest))
        self.size = min(stride + 1, side)
        kernels = min(MOST_KERNELS, shape.channels * self.size**2)
        self.whiten = nn.Conv2d(shape.channels, 2 * kernels, self.size, stride=stride)
        self.whiten.weight.requires_grad_(False)
        assert self.whiten.bias is not None
        nn.init.zeros_(self.whiten.bias)
        places, before, blocks = (side - self.size) // stride + 1, 2 * kernels, []
        for after in architecture.widths:
            pools = places >= 2
            blocks.append(Block(before, after, pools=pools))
            places, before = places // 2 if pools else places, after
        self.blocks = nn.ModuleList(blocks)

    def prepare(self, raw: Tensor, target: Tensor) -> None:
        super().prepare(raw, target)
        some, kernels = few(raw, PATCHED_PICTURES), self.whiten.weight.shape[0] // 2
        self.whiten.weight.copy_(whitening_kernel(self.pixels(some), self.size, kernels))

    def features(self, raw: Tensor) -> Tensor:
        maps = gelu(self.whiten(self.pixels(raw)))
        for block in self.blocks:
            maps = block(maps)
        return maps.amax(dim=(2, 3))

    def write_features(self, graph: Graph, raw: str) -> str:
        maps = write_convolution(graph, self.pixels.write(graph, raw), self.whiten)
        maps = write_gelu(graph, maps)
        for block in self.blocks:
            assert isinstance(block, Block)
            maps = block.write(graph, maps)
        return write_max_over_places(graph, maps)
