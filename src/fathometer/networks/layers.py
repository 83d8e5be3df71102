"""Layers for P networks at once, each function with its ONNX twin beside it.

Parameters are plain tensors with a leading population axis. The `start_*` functions draw one
member's parameters, without that axis."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import silu

from fathometer.graph import Graph
from fathometer.networks.network import (
    Dropout,
    Inputs,
    InputTensors,
    Masking,
    Parameters,
    Shape,
    keep_all,
)
from fathometer.networks.tower import tower_with_gradients

EMBEDDING_WIDTH = 8  # as in RealMLP, pytabkit 1.7.2 default_params.py
# Small against a scaled number's 1, so that many categories do not drown the numbers at first.
EMBEDDING_SPREAD = 0.3
NARROWEST = 1e-6  # a bin narrower than this would turn rounding into a jump
# Waves of a number, what they are brought down to, and how fast they are at first, in turns a unit
# (RealMLP, pytabkit 1.7.2 default_params.py; its 4 columns hold the raw value, as `joined` does).
WAVES, WAVE_WIDTH, FREQUENCY_SPREAD = 16, 3, 0.1
EMBEDDING = "embedding"  # the parameter's name, in every network that has one
BINS = frozenset({"left", "slope"})  # parameters that are never trained
SMALLEST_SQUARE = 1e-6  # keeps a row of zeros from being divided by 0
# An activation here and in a graph.
Activation = Callable[[Tensor], Tensor]
WriteActivation = Callable[[Graph, str], str]


def start_dense(
    inputs: int, outputs: int, gain: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Weight (inputs, outputs) of standard deviation gain / sqrt(inputs), and a zero bias."""
    scale = gain / math.sqrt(max(inputs, 1))
    return torch.randn(inputs, outputs, generator=generator) * scale, torch.zeros(outputs)


def dense(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """One dense layer of every network; returns (P, B, H).

    x (P, B, D), weight (P, D, H), bias (P, H)."""
    return torch.baddbmm(bias.unsqueeze(1), x, weight)


def write_dense(graph: Graph, x: str, weight: np.ndarray, bias: np.ndarray) -> str:
    """The twin of `dense`: one batched product over all networks."""
    product = graph.add("MatMul", x, graph.constant(weight))
    return graph.add("Add", product, graph.constant(bias[:, None, :]))


def start_tower(sizes: Sequence[int], generator: torch.Generator) -> Parameters:
    """Dense layers from each size to the next: He's initialisation (2015), and 1 for the last."""
    parameters, last = Parameters(), len(sizes) - 2
    for place, (inputs, outputs) in enumerate(pairwise(sizes)):
        gain = 1.0 if place == last else math.sqrt(2)
        weight, bias = start_dense(inputs, outputs, gain, generator)
        parameters |= {f"weight{place}": weight, f"bias{place}": bias}
    return parameters


def tower(
    x: Tensor, parameters: Parameters, depth: int, activation: Activation, drop: Dropout
) -> Tensor:
    """`depth` hidden layers, each activated and dropped from, and a last dense one; (P, B, K)."""
    tells = drop is keep_all or isinstance(drop, Masking)
    if torch.is_grad_enabled() and tells and activation in (torch.relu, silu):
        own = [parameters[f"{kind}{p}"] for p in range(depth + 1) for kind in ("weight", "bias")]
        return tower_with_gradients(x, own, smooth=activation is silu, drop=drop)
    x = hidden_layers(x, parameters, depth, activation, drop)
    return dense(x, parameters[f"weight{depth}"], parameters[f"bias{depth}"])


def hidden_layers(
    x: Tensor, parameters: Parameters, depth: int, activation: Activation, drop: Dropout
) -> Tensor:
    """The hidden layers of `tower` alone, (P, B, H)."""
    for place in range(depth):
        x = drop(activation(dense(x, parameters[f"weight{place}"], parameters[f"bias{place}"])))
    return x


def write_tower(
    graph: Graph, x: str, parameters: dict[str, np.ndarray], depth: int, activate: WriteActivation
) -> str:
    """The twin of `tower`."""
    for place in range(depth):
        weight, bias = parameters[f"weight{place}"], parameters[f"bias{place}"]
        x = activate(graph, write_dense(graph, x, weight, bias))
    return write_dense(graph, x, parameters[f"weight{depth}"], parameters[f"bias{depth}"])


def start_embedding(levels: Sequence[int], generator: torch.Generator) -> Tensor:
    """One table (L, E) for all category columns together, L the sum of their levels.

    Code 0, missing or never seen, starts at zero, so that it says nothing until it is learned."""
    table = EMBEDDING_SPREAD * torch.randn(sum(levels), EMBEDDING_WIDTH, generator=generator)
    table[torch.from_numpy(offsets(levels))] = 0.0
    return table


def offsets(levels: Sequence[int]) -> np.ndarray:
    """Where each column's codes start in the common embedding table, (C,) int64."""
    return np.concatenate(([0], np.cumsum(levels)[:-1])).astype(np.int64)


def embed(codes: Tensor, table: Tensor, levels: Sequence[int]) -> Tensor:
    """Look up category codes in each network's own table; returns (P, B, C * E).

    codes (P, B, C) int64, table (P, L, E)."""
    members, height, width = table.shape
    first = torch.from_numpy(offsets(levels)).to(codes.device)
    own = torch.arange(members, device=codes.device).view(members, 1, 1) * height
    rows = torch.nn.functional.embedding(codes + first + own, table.reshape(-1, width))
    return rows.flatten(2)


def write_embed(graph: Graph, codes: str, table: np.ndarray, levels: Sequence[int]) -> str:
    """The twin of `embed`."""
    members, height, width = table.shape
    first = offsets(levels) + (np.arange(members) * height)[:, None, None]
    places = graph.add("Add", codes, graph.constant(first.astype(np.int64)))
    rows = graph.add("Gather", graph.constant(table.reshape(-1, width)), places, axis=0)
    return graph.add("Reshape", rows, graph.constant(np.array([0, 0, len(levels) * width])))


def quantile_edges(numbers: Tensor, bins: int) -> Tensor:
    """Edges of bins that hold about equally many rows, (D, bins + 1).

    A value that repeats counts for one bin at most: of a column that is mostly 0, the rest is
    still resolved. Edges repeat where there are fewer values than bins. numbers (rows, D)."""
    return torch.stack([torch.from_numpy(_edges(column, bins)) for column in numbers.numpy().T])


def _edges(column: np.ndarray, bins: int) -> np.ndarray:
    values, counts = np.unique(column, return_counts=True)
    weights = counts.astype(np.float64)
    for _ in range(4):  # each cap lowers the sum, and with it the next cap; four come close
        weights = np.minimum(weights, weights.sum() / bins)
    below = weights.cumsum() - weights
    places = np.searchsorted(below, np.linspace(0, below[-1], bins + 1))
    return np.asarray(values[places])


def bins_between(edges: Tensor) -> tuple[Tensor, Tensor]:
    """Where each bin starts and 1 / its width, 0 for an empty bin; (D, bins) each."""
    widths = edges.diff(dim=1)
    slope = torch.where(widths > NARROWEST, 1 / widths.clamp(min=NARROWEST), 0.0)
    return edges[:, :-1].contiguous(), slope


def piecewise(numbers: Tensor, left: Tensor, slope: Tensor) -> Tensor:
    """Piecewise-linear encoding (Gorishniy et al. 2022, eq. 1); returns (P, B, D * bins).

    Each number fills its bins one after the other from 0 to 1. numbers (P, B, D), left and slope
    (P, D, bins): where a bin starts, and 1 / its width (0 for an empty bin)."""
    filled = (numbers.unsqueeze(3) - left.unsqueeze(1)) * slope.unsqueeze(1)
    return filled.clamp(0.0, 1.0).flatten(2)


def write_piecewise(graph: Graph, numbers: str, left: np.ndarray, slope: np.ndarray) -> str:
    """The twin of `piecewise`."""
    column = graph.add("Unsqueeze", numbers, graph.constant(np.array([3])))
    above = graph.add("Sub", column, graph.constant(left[:, None]))
    filled = graph.add("Mul", above, graph.constant(slope[:, None]))
    limits = graph.constant(np.float32(0.0)), graph.constant(np.float32(1.0))
    clipped = graph.add("Clip", filled, *limits)
    # The last axis is written out, since -1 cannot be worked out where there are no rows.
    return graph.add("Reshape", clipped, graph.constant(np.array([0, 0, left[0].size])))


def start_periodic(numbers: int, generator: torch.Generator) -> Parameters:
    """Waves for each of D numbers, and what is made of them: weights (D, WAVES, WAVE_WIDTH)."""
    weight = torch.randn(numbers, WAVES, WAVE_WIDTH, generator=generator)
    return {
        "frequency": FREQUENCY_SPREAD * torch.randn(numbers, 1, WAVES, generator=generator),
        "phase": torch.rand(numbers, 1, WAVES, generator=generator),
        "wave weight": weight / math.sqrt(WAVES),
        "wave bias": torch.zeros(numbers, 1, WAVE_WIDTH),
    }


def periodic(numbers: Tensor, parameters: Parameters) -> Tensor:
    """Periodic embedding of each number (RealMLP's PBLD without its raw value, Holzmüller et al.
    2024, section 3); returns (P, B, D * WAVE_WIDTH) from numbers (P, B, D).

    Frequencies and phases count whole turns."""
    columns = numbers.transpose(1, 2).unsqueeze(3)  # (P, D, B, 1)
    turns = columns * parameters["frequency"] + parameters["phase"]
    # Whole turns go first: float32 has fewer digits left for the angle, the more of them there are.
    waves = torch.cos(2 * math.pi * (turns - turns.floor()))
    weight, bias = parameters["wave weight"], parameters["wave bias"]
    own = torch.baddbmm(bias.flatten(0, 1), waves.flatten(0, 1), weight.flatten(0, 1))
    return own.view(*waves.shape[:3], WAVE_WIDTH).transpose(1, 2).flatten(2)


def write_periodic(graph: Graph, numbers: str, parameters: dict[str, np.ndarray]) -> str:
    """The twin of `periodic`."""
    columns = graph.add("Transpose", numbers, perm=[0, 2, 1])
    columns = graph.add("Unsqueeze", columns, graph.constant(np.array([3])))
    turned = graph.add("Mul", columns, graph.constant(parameters["frequency"]))
    turned = graph.add("Add", turned, graph.constant(parameters["phase"]))
    part = graph.add("Sub", turned, graph.add("Floor", turned))
    waves = graph.add("Cos", graph.add("Mul", part, graph.constant(np.float32(2 * math.pi))))
    own = graph.add("MatMul", waves, graph.constant(parameters["wave weight"]))
    own = graph.add("Add", own, graph.constant(parameters["wave bias"]))
    rows = graph.add("Transpose", own, perm=[0, 2, 1, 3])
    width = parameters["frequency"].shape[1] * WAVE_WIDTH
    return graph.add("Reshape", rows, graph.constant(np.array([0, 0, width])))


def encoded(inputs: Inputs, parameters: Parameters, levels: Sequence[int]) -> Tensor:
    """What `joined` has, and beside it the encodings of the numbers that there are parameters of,
    (P, B, ·)."""
    parts = [joined(inputs, parameters, levels)]
    if not BINS.isdisjoint(parameters):
        parts.append(piecewise(inputs.numbers, parameters["left"], parameters["slope"]))
    if "frequency" in parameters:
        parts.append(periodic(inputs.numbers, parameters))
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim=2)


def start_encoded(
    shape: Shape, bins: int, numbers: Tensor, generator: torch.Generator
) -> Parameters:
    """Bins from the rows (rows, D), and what `start_joined` draws."""
    parameters = Parameters()
    if shape.numbers:
        parameters["left"], parameters["slope"] = bins_between(quantile_edges(numbers, bins))
    return parameters | start_joined(shape, generator)


def encoded_width(shape: Shape, bins: int) -> int:
    """How many columns `encoded` has with these bins."""
    return joined_width(shape) + shape.numbers * bins


def write_encoded(
    graph: Graph, inputs: InputTensors, parameters: dict[str, np.ndarray], levels: Sequence[int]
) -> str:
    """The twin of `encoded`."""
    parts = write_joined(graph, inputs, parameters, levels)
    if inputs.numbers is not None and not BINS.isdisjoint(parameters):
        left, slope = parameters["left"], parameters["slope"]
        parts.append(write_piecewise(graph, inputs.numbers, left, slope))
    if inputs.numbers is not None and "frequency" in parameters:
        parts.append(write_periodic(graph, inputs.numbers, parameters))
    return graph.concat(parts, axis=2)


def start_joined(shape: Shape, generator: torch.Generator) -> Parameters:
    """The embeddings, where there are categories."""
    return {EMBEDDING: start_embedding(shape.levels, generator)} if shape.levels else {}


def joined(inputs: Inputs, parameters: Parameters, levels: Sequence[int]) -> Tensor:
    """Numbers, flags and embedded codes side by side, (P, B, ·)."""
    parts = [part for part in (inputs.numbers, inputs.flags) if part.shape[2]]
    if levels:
        parts.append(embed(inputs.codes, parameters[EMBEDDING], levels))
    return parts[0] if len(parts) == 1 else torch.cat(parts or [inputs.numbers], dim=2)


def joined_width(shape: Shape) -> int:
    """How many columns `joined` has."""
    return shape.numbers + shape.flags + EMBEDDING_WIDTH * len(shape.levels)


def write_joined(
    graph: Graph, inputs: InputTensors, parameters: dict[str, np.ndarray], levels: Sequence[int]
) -> list[str]:
    """The twin of `joined`, not yet concatenated."""
    parts = [tensor for tensor in (inputs.numbers, inputs.flags) if tensor is not None]
    if levels and inputs.codes is not None:
        parts.append(write_embed(graph, inputs.codes, parameters[EMBEDDING], levels))
    return parts


def root_mean_square(x: Tensor, gain: Tensor) -> Tensor:
    """Scale each row's units to a root mean square of 1, then by their gains (Zhang & Sennrich
    2019); x (P, B, H), gain (P, H).

    Unlike batch normalisation it looks at one row alone, so a row's answer depends on no other."""
    size = x.square().mean(dim=2, keepdim=True) + SMALLEST_SQUARE
    return x * size.rsqrt() * gain.unsqueeze(1)


def write_root_mean_square(graph: Graph, x: str, gain: np.ndarray) -> str:
    """The twin of `root_mean_square`."""
    mean = graph.add("ReduceMean", graph.add("Mul", x, x), graph.constant(np.array([2])))
    size = graph.add("Sqrt", graph.add("Add", mean, graph.constant(np.float32(SMALLEST_SQUARE))))
    return graph.add("Mul", graph.add("Div", x, size), graph.constant(gain[:, None, :]))


def write_relu(graph: Graph, x: str) -> str:
    """The twin of `torch.relu`."""
    return graph.add("Relu", x)


def write_silu(graph: Graph, x: str) -> str:
    """The twin of `torch.nn.functional.silu`."""
    return graph.add("Mul", x, graph.add("Sigmoid", x))
