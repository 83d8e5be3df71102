"""Residual networks (He et al. 2016) from checkpoints, as encoders of pictures.

The ResNet family of basic blocks (18, 34) and bottlenecks (50, 101, 152) with the stride in the
3×3 convolution, named as torchvision and timm name its tensors or as Hugging Face's `ResNetModel`
does. Batch norms are folded into the convolutions as they are read; the head is left out.

The graph is the definition: `features` runs what `write` writes. A head weighs thousands of
features by how little they vary, and there the last bits of two libraries' sums part a model from
its file: with torch's features by up to 5e-5 in probability (ResNet-101 with drawn weights, 240
pictures of 28 × 28, four classes), more than is shipped; with the graph's own by 3e-8. It is no
slower: a picture of 28 × 28 takes 0.57 ms of processor time and torch 0.73, one of 96 × 96 5.1 and
5.5 (ResNet-18, onnxruntime 1.31, torch 2.13, an Intel Xeon)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from fathometer import runtime
from fathometer.graph import Element, Graph
from fathometer.networks.backbone.checkpoint import Checkpoint
from fathometer.networks.backbone.contract import Reads
from fathometer.networks.backbone.pixels import Seen, read_seen, write_sized
from fathometer.networks.backbone.resnet_names import Names, find_names
from fathometer.networks.raw.convolution import write_kernel
from fathometer.networks.raw.encoder import PictureShape

if TYPE_CHECKING:
    import onnxruntime

EPSILON = 1e-5  # of every batch norm, in torchvision, timm and Hugging Face alike
CHANNELS = 3
PICTURES_AT_ONCE = 32
THREADS = 8  # at most; what is answered depends on their number in no way
SESSIONS = 2  # sizes of pictures that a network is kept ready for


@dataclass(frozen=True, eq=False)
class Layer:
    """A convolution with its batch norm folded in."""

    weight: np.ndarray  # (out, in, size, size) float32
    bias: np.ndarray  # (out,) float32
    stride: int

    @property
    def width(self) -> int:
        """Maps that come out."""
        return len(self.bias)

    def write(self, graph: Graph, maps: str) -> str:
        """(rows, in, height, width) to (rows, out, ...); a stride of 1 keeps the size."""
        pad = self.weight.shape[-1] // 2
        return write_kernel(graph, maps, self.weight, self.bias, stride=self.stride, pad=pad)


@dataclass(frozen=True, eq=False)
class Block:
    """Convolutions whose answer is added to what came in."""

    layers: tuple[Layer, ...]
    passed: Layer | None  # what came in, brought to the answer's shape

    def write(self, graph: Graph, maps: str) -> str:
        """(rows, in, height, width) to (rows, out, ...)."""
        passed = maps if self.passed is None else self.passed.write(graph, maps)
        for layer in self.layers[:-1]:
            maps = graph.add("Relu", layer.write(graph, maps))
        return graph.add("Relu", graph.add("Add", self.layers[-1].write(graph, maps), passed))


@dataclass(frozen=True, eq=False)
class ResNet:
    """A frozen residual network; features are the means of its last maps."""

    name: str
    licence: str
    digest: str
    seen: Seen
    stem: Layer = field(repr=False)
    blocks: tuple[Block, ...] = field(repr=False)
    reads: ClassVar[Reads] = Reads.PICTURES

    @property
    def width(self) -> int:
        """Features of a picture."""
        return self.blocks[-1].layers[-1].width

    @property
    def parameters(self) -> int:
        """Weights of the convolutions, batch norms folded in."""
        layers = [self.stem, *(each for block in self.blocks for each in block.layers)]
        layers += [block.passed for block in self.blocks if block.passed is not None]
        return sum(layer.weight.size + layer.bias.size for layer in layers)

    def features(self, values: np.ndarray) -> np.ndarray:
        """(rows, width) float32 of pictures (rows, height, width, channels) uint8."""
        if not len(values):
            return np.zeros((0, self.width), dtype=np.float32)
        height, width, channels = values.shape[1:]
        session = self._session(PictureShape(channels, height, width))

        def run(start: int) -> np.ndarray:
            feeds = {"pictures": values[start : start + PICTURES_AT_ONCE]}
            return np.asarray(session.run(None, feeds)[0])

        with ThreadPoolExecutor(min(THREADS, runtime.cores())) as pool:
            return np.concatenate([*pool.map(run, range(0, len(values), PICTURES_AT_ONCE))])

    @cached_property
    def _sessions(self) -> dict[PictureShape, onnxruntime.InferenceSession]:
        """Of the network, so that they end with it."""
        return {}

    def _session(self, shape: PictureShape) -> onnxruntime.InferenceSession:
        if shape not in self._sessions:
            if len(self._sessions) >= SESSIONS:
                self._sessions.pop(next(iter(self._sessions)))
            self._sessions[shape] = open_session(self, shape)
        return self._sessions[shape]

    def write(self, graph: Graph, values: str, shape: PictureShape | None) -> str:
        """What `features` runs, over pictures (rows, channels, height, width) float, 0 to 255."""
        assert shape is not None, "pictures have a shape"
        seen = write_sized(graph, values, shape, self.seen)
        maps = graph.add("Relu", self.stem.write(graph, seen))
        maps = graph.add("MaxPool", maps, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
        for block in self.blocks:
            maps = block.write(graph, maps)
        return graph.add("ReduceMean", maps, graph.constant(np.array([2, 3])), keepdims=0)


def open_session(network: ResNet, shape: PictureShape) -> onnxruntime.InferenceSession:
    """The network for pictures of this shape, run as a model file is."""
    graph = Graph()
    light = graph.cast(graph.pictures("pictures", shape.channels), Element.FLOAT)
    features = network.write(graph, graph.add("Transpose", light, perm=[0, 3, 1, 2]), shape)
    model = graph.finish({"features": (features, Element.FLOAT, network.width)})
    return runtime.open_session(model.SerializeToString())


def load_resnet(checkpoint: Checkpoint) -> ResNet:
    """The network in a checkpoint, its shapes and values checked.

    Raises:
        BackboneError: if the tensors are not those of a ResNet, or damaged.
    """
    names = find_names(checkpoint)
    stem = _layer(checkpoint, names, "conv1", (CHANNELS, 7), stride=2)
    blocks: list[Block] = []
    width = stem.width
    for stage, depth in enumerate(names.depths):
        for place in range(depth):
            stride = 2 if stage and not place else 1
            block = _block(checkpoint, names, f"layer{stage + 1}.{place}", width, stride)
            width = block.layers[-1].width
            blocks.append(block)
    is_wide = blocks[0].layers[0].width > stem.width
    layers = 2 + sum(names.depths) * len(names.sizes)  # the stem and the head count as well
    return ResNet(
        f"{'Wide ' if is_wide else ''}ResNet-{layers}",
        checkpoint.licence,
        checkpoint.digest,
        read_seen(checkpoint),
        stem,
        tuple(blocks),
    )


def _block(checkpoint: Checkpoint, names: Names, own: str, width: int, stride: int) -> Block:
    """One block over maps of this width."""
    layers: list[Layer] = []
    before = width
    # The first 3×3 convolution strides: in a bottleneck the second layer, else the first.
    striding = names.sizes.index(3)
    for place, size in enumerate(names.sizes):
        layer = _layer(
            checkpoint,
            names,
            f"{own}.conv{place + 1}",
            (before, size),
            stride=stride if place == striding else 1,
        )
        before = layer.width
        layers.append(layer)
    if names.has_shortcut(own):
        shortcut = f"{own}.downsample.0"
        passed = _layer(checkpoint, names, shortcut, (width, 1), stride=stride, after=before)
        return Block(tuple(layers), passed)
    if stride != 1 or before != width:
        raise checkpoint.refused(
            f'its block "{names.of(own)}" turns {width} maps into {before} with a stride of '
            f"{stride}, but nothing brings what is passed on to that shape"
        )
    return Block(tuple(layers), None)


def _layer(
    checkpoint: Checkpoint,
    names: Names,
    own: str,
    inputs: tuple[int, int],
    *,
    stride: int,
    after: int | None = None,
) -> Layer:
    """A convolution and its batch norm as one; inputs: maps that come in, and the kernel's size."""
    before, size = inputs
    weight = checkpoint.tensor(f"{names.of(own)}.weight", (after, before, size, size))
    norm = names.of(names.norm_of(own))
    parts = (
        checkpoint.tensor(f"{norm}.{part}", (len(weight),)).astype(np.float64)
        for part in ("weight", "bias", "running_mean", "running_var")
    )
    scale, shift, mean, variance = parts
    if variance.min() < 0:
        raise checkpoint.refused(f'its tensor "{norm}.running_var" has values below 0')
    factor = scale / np.sqrt(variance + EPSILON)
    with np.errstate(over="ignore"):
        folded = (weight * factor[:, None, None, None]).astype(np.float32)
        bias = (shift - mean * factor).astype(np.float32)
    if not (np.isfinite(folded).all() and np.isfinite(bias).all()):
        raise checkpoint.refused(f'"{names.of(own)}" and its batch norm overflow float32 together')
    return Layer(folded, bias, stride)
