"""What encoders of pictures are made of, each with its twin: pixels, convolutions, pooling."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from fathometer.graph import Graph
from fathometer.networks.raw.encoder import Optimiser, Rate

LEAST_SPREAD = 1.0  # of 255; a column of pictures that are all alike is not blown up to noise
MOST_PICTURES = 5_000  # that fixed statistics are computed from; more change nothing in them
PATCHED_PICTURES = 500  # that patches are cut from, hundreds each


class Pixels(nn.Module):
    """Pixels 0 to 255, centred and scaled by the learning pictures' mean and spread a channel."""

    mean: Tensor  # (1, channels, 1, 1), as is the scale
    scale: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(1, channels, 1, 1))
        self.register_buffer("scale", torch.full((1, channels, 1, 1), 1 / 255))

    def prepare(self, raw: Tensor) -> None:
        """Take mean and spread from pictures (n, channels, height, width)."""
        some = few(raw).double()
        self.mean.copy_(some.mean(dim=(0, 2, 3), keepdim=True))
        spread = some.std(dim=(0, 2, 3), keepdim=True, unbiased=False)
        self.scale.copy_(1.0 / spread.clamp_min(LEAST_SPREAD))

    def forward(self, raw: Tensor) -> Tensor:
        """(B, channels, height, width) float32, of mean 0 and variance 1 over the pictures."""
        return (raw - self.mean) * self.scale

    def write(self, graph: Graph, raw: str) -> str:
        """The twin of `forward`."""
        centred = graph.add("Sub", raw, graph.constant(values_of(self.mean)))
        return graph.add("Mul", centred, graph.constant(values_of(self.scale)))


def unscaled_norm(channels: int, momentum: float = 0.1) -> nn.BatchNorm2d:
    """A batch norm that shifts by what is trained but does not scale by it.

    Its factor is positive, so that it may stand after max pooling, over a quarter of the places,
    and be folded into the convolution before it all the same."""
    norm = nn.BatchNorm2d(channels, momentum=momentum)
    norm.weight.requires_grad_(False)
    return norm


def kernels_and_biases(
    encoder: nn.Module, kernel_rate: float, bias_rate: float
) -> list[tuple[Rate, list[nn.Parameter]]]:
    """All that is trained: kernels by Muon, each held at the length √out; the rest by AdamW."""
    trained = [each for each in encoder.parameters() if each.requires_grad]
    kernels = Rate(Optimiser.MUON, kernel_rate, 0.0, 0.6, is_scale_free=True)
    biases = Rate(learning_rate=bias_rate, weight_decay=0.0)
    return [
        (kernels, [each for each in trained if each.dim() == 4]),
        (biases, [each for each in trained if each.dim() < 4]),
    ]


def few(raw: Tensor, most: int = MOST_PICTURES) -> Tensor:
    """At most so many of these rows, evenly spread over them."""
    step = -(-len(raw) // most)
    return raw[::step]


def values_of(tensor: Tensor) -> np.ndarray:
    """A weight as an array, contiguous."""
    return tensor.detach().cpu().contiguous().numpy()


def folded(
    convolution: nn.Conv2d | nn.Linear, norm: nn.BatchNorm1d | nn.BatchNorm2d | None
) -> tuple[np.ndarray, np.ndarray]:
    """Weight and bias that do at once what a layer and the batch norm after it do."""
    weight = convolution.weight.detach().double()
    bias = torch.zeros(len(weight), dtype=torch.float64, device=weight.device)
    if convolution.bias is not None:
        bias = convolution.bias.detach().double()
    if norm is not None:
        assert norm.running_var is not None
        assert norm.running_mean is not None
        scale = (norm.running_var.double() + norm.eps).rsqrt()
        if norm.weight is not None:
            scale = scale * norm.weight.detach().double()
        bias = (bias - norm.running_mean.double()) * scale
        if norm.bias is not None:
            bias = bias + norm.bias.detach().double()
        weight = weight * scale.view(-1, *[1] * (weight.dim() - 1))
    return values_of(weight.float()), values_of(bias.float())


def write_convolution(
    graph: Graph, tensor: str, convolution: nn.Conv2d, norm: nn.BatchNorm2d | None = None
) -> str:
    """A convolution, the batch norm that follows it folded in."""
    weight, bias = folded(convolution, norm)
    return write_kernel(
        graph, tensor, weight, bias, stride=convolution.stride[0], pad=padding_of(convolution)
    )


def padding_of(convolution: nn.Conv2d) -> int:
    """The padding on each side, in pixels."""
    padding = convolution.padding
    assert not isinstance(padding, str)
    return int(padding[0])


def write_kernel(
    graph: Graph, tensor: str, weight: np.ndarray, bias: np.ndarray, *, stride: int, pad: int
) -> str:
    """A convolution with this kernel (out, in, height, width)."""
    return graph.add(
        "Conv",
        tensor,
        graph.constant(weight),
        graph.constant(bias),
        kernel_shape=list(weight.shape[2:]),
        strides=[stride, stride],
        pads=[pad] * 4,
    )


def write_max_pool(graph: Graph, tensor: str) -> str:
    """The largest of each square of 2 by 2; what is left at the rim is dropped."""
    return graph.add("MaxPool", tensor, kernel_shape=[2, 2], strides=[2, 2])


def write_linear(
    graph: Graph, tensor: str, linear: nn.Linear, norm: nn.BatchNorm1d | None = None
) -> str:
    """A dense layer (rows, in) to (rows, out), the batch norm that follows it folded in."""
    return write_product(graph, tensor, *folded(linear, norm))


def write_product(graph: Graph, tensor: str, weight: np.ndarray, bias: np.ndarray) -> str:
    """A dense layer with this weight (out, in)."""
    product = graph.add("MatMul", tensor, graph.constant(np.ascontiguousarray(weight.T)))
    return graph.add("Add", product, graph.constant(bias))


def write_flat(graph: Graph, tensor: str) -> str:
    """(rows, channels, height, width) to (rows, all of them)."""
    return graph.add("Reshape", tensor, graph.constant(np.array([0, -1])))


class Brought(nn.Module):
    """Pictures brought to a height and width: smaller ones get a rim that repeats their outermost
    pixels, larger ones are averaged over areas. One linear map for each axis."""

    rows: Tensor  # (height after, height before)
    columns: Tensor  # (width before, width after)

    def __init__(self, before: tuple[int, int], after: tuple[int, int]) -> None:
        super().__init__()
        self.is_idle = before == after
        rows, columns = (axis_map(*sizes) for sizes in zip(before, after, strict=True))
        self.register_buffer("rows", rows, persistent=False)
        self.register_buffer("columns", columns.T.contiguous(), persistent=False)

    def forward(self, pictures: Tensor) -> Tensor:
        """(B, channels, height, width) to the same of the other size."""
        if self.is_idle:
            return pictures
        brought = self.rows @ (pictures @ self.columns)
        # A product leaves its answer channels first; pooling is twice to four times as quick on
        # channels last (2.9 ms for 4.6 of 128 × 6 maps of 28 × 28, 1.6 for 3.0 averaged).
        return brought.contiguous(memory_format=torch.channels_last)

    def write(self, graph: Graph, pictures: str) -> str:
        """The twin of `forward`."""
        if self.is_idle:
            return pictures
        across = graph.add("MatMul", pictures, graph.constant(values_of(self.columns)))
        return graph.add("MatMul", graph.constant(values_of(self.rows)), across)


def axis_map(before: int, after: int) -> Tensor:
    """(after, before) float32: what each new place takes of each old one; rows add up to 1."""
    if before <= after:
        found = torch.arange(after) - (after - before) // 2
        return torch.eye(before)[found.clamp(0, before - 1)]
    edges = torch.linspace(0, before, after + 1, dtype=torch.float64)
    old = torch.arange(before, dtype=torch.float64)
    high = torch.minimum(edges[1:, None], old + 1)
    low = torch.maximum(edges[:-1, None], old)
    return ((high - low).clamp_min(0) * (after / before)).float()


def patch_covariance(pictures: Tensor, size: int) -> Tensor:
    """The covariance of normalised pictures' patches, side by side; (values, values) float64."""
    values = pictures.shape[1] * size**2
    total, count = torch.zeros(values, values, dtype=torch.float64, device=pictures.device), 0
    for some in torch.split(pictures, 32):  # all patches at once would fill gigabytes
        patches = nn.functional.unfold(some, size, stride=size)  # (n, values, places)
        flat = patches.transpose(1, 2).flatten(0, 1).double()
        total += flat.T @ flat
        count += len(flat)
    return total / max(1, count)


def whitening_kernel(pictures: Tensor, size: int, most: int) -> Tensor:
    """Kernels whose answers over these pictures are uncorrelated and of variance 1.

    The first eigenvectors of the patches' covariance, at most `most`, and their negatives, as in
    Jordan 2024 ("94% on CIFAR-10 in 3.29 seconds", arXiv 2404.00498); returns (2 * eigenvectors,
    channels, size, size)."""
    values, vectors = torch.linalg.eigh(patch_covariance(pictures, size))
    # Pictures with few grays have directions of no variance: they are left small, not blown up.
    floor = 5e-4 * max(1.0, float(values[-1]))
    scaled = (vectors / (values.clamp_min(0) + floor).sqrt()).T.flip(0)[:most]
    # An eigenvector's sign is a matter of the library; the pair of both is not.
    signs = torch.sign(scaled.gather(1, scaled.abs().argmax(dim=1, keepdim=True)))
    kernels = (scaled * signs).view(-1, pictures.shape[1], size, size)
    return torch.cat([kernels, -kernels]).float()


def write_max_over_places(graph: Graph, maps: str) -> str:
    """(rows, channels, height, width) to (rows, channels), the largest of each map."""
    return graph.add("ReduceMax", maps, graph.constant(np.array([2, 3])), keepdims=0)
