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

from fathometer.graph import Graph
from fathometer.networks.network import Dropout, Inputs, InputTensors, Parameters, Shape

EMBEDDING_WIDTH = 8  # as in RealMLP, pytabkit 1.7.2 default_params.py
# Small against a scaled number's 1, so that many categories do not drown the numbers at first.
EMBEDDING_SPREAD = 0.3
NARROWEST = 1e-6  # a bin narrower than this would turn rounding into a jump
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
    for place in range(depth):
        x = drop(activation(dense(x, parameters[f"weight{place}"], parameters[f"bias{place}"])))
    return dense(x, parameters[f"weight{depth}"], parameters[f"bias{depth}"])


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


def joined(inputs: Inputs, parameters: Parameters, levels: Sequence[int]) -> Tensor:
    """Numbers, flags and embedded codes side by side, (P, B, ·)."""
    parts = [inputs.numbers, inputs.flags]
    if levels:
        parts.append(embed(inputs.codes, parameters["embedding"], levels))
    return torch.cat(parts, dim=2)


def joined_width(shape: Shape) -> int:
    """How many columns `joined` has."""
    return shape.numbers + shape.flags + EMBEDDING_WIDTH * len(shape.levels)


def write_joined(
    graph: Graph, inputs: InputTensors, parameters: dict[str, np.ndarray], levels: Sequence[int]
) -> list[str]:
    """The twin of `joined`, not yet concatenated."""
    parts = [tensor for tensor in (inputs.numbers, inputs.flags) if tensor is not None]
    if levels and inputs.codes is not None:
        parts.append(write_embed(graph, inputs.codes, parameters["embedding"], levels))
    return parts


def write_relu(graph: Graph, x: str) -> str:
    """The twin of `torch.relu`."""
    return graph.add("Relu", x)


def write_silu(graph: Graph, x: str) -> str:
    """The twin of `torch.nn.functional.silu`."""
    return graph.add("Mul", x, graph.add("Sigmoid", x))
