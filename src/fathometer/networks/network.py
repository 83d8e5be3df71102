"""What a network is: a value made of parameters and a pure function, for P members at once.

Every parameter tensor has a leading population axis P, and so has every input; member p sees only
its own slice, so members cannot leak into one another. A network knows tensors, never tables, and
it does not know how it is trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, Self, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from fathometer.graph import Graph

Parameters = dict[str, Tensor]
# From activations (P, B, H) to the same with some of them dropped; the identity when predicting.
Dropout = Callable[[Tensor], Tensor]


def keep_all(activations: Tensor) -> Tensor:
    """The dropout of a prediction: none."""
    return activations


@dataclass(frozen=True)
class Shape:
    """How wide a network's inputs and its output are."""

    numbers: int  # D, scaled numeric columns
    flags: int  # Q, columns that are 0 or 1
    levels: tuple[int, ...]  # codes of each category column, from 0 (missing, unknown) up
    outputs: int  # K classes, or 1


@dataclass(frozen=True, eq=False)
class Inputs:
    """Rows for each of several networks or folds; any of the last axes may be empty."""

    numbers: Tensor  # (P, B, D) float32, roughly within -3 and 3
    flags: Tensor  # (P, B, Q) float32
    codes: Tensor  # (P, B, C) int64, each below its column's levels

    def take(self, folds: Tensor, rows: Tensor) -> Inputs:
        """Each network's own rows of its own fold: folds (P,), rows (P, B), both int64."""
        return self.at(folds.unsqueeze(1) * self.numbers.shape[1] + rows)

    def members(self, folds: Sequence[int]) -> Inputs:
        """All rows of each member's fold: from (F, B, ·) to (P, B, ·)."""
        own = list(folds)
        return Inputs(self.numbers[own], self.flags[own], self.codes[own])

    def at(self, places: Tensor) -> Inputs:
        """Each network's own rows by their places in all folds laid end to end, (P, B) int64."""

        def gather(tensor: Tensor) -> Tensor:
            flat = tensor.flatten(0, 1).index_select(0, places.flatten())
            return flat.view(*places.shape, tensor.shape[2])

        return Inputs(gather(self.numbers), gather(self.flags), gather(self.codes))

    def to(self, device: torch.device) -> Inputs:
        """The same rows on another device."""
        return Inputs(self.numbers.to(device), self.flags.to(device), self.codes.to(device))


@dataclass(frozen=True)
class InputTensors:
    """Names of the same inputs in a graph, (P, rows, ·); None where there are no such columns."""

    numbers: str | None
    flags: str | None
    codes: str | None


class Network(Protocol):
    """An architecture of a fixed shape."""

    @property
    def fixed(self) -> frozenset[str]:
        """Names of the parameters that are computed once from the rows and never trained."""
        ...

    def start(self, numbers: Tensor, generator: torch.Generator) -> Parameters:
        """One member's parameters, without the axis P, drawn from the member's own generator.

        `numbers` (rows, D) are those of the member's learning rows."""
        ...

    def forward(self, parameters: Parameters, inputs: Inputs, drop: Dropout = keep_all) -> Tensor:
        """Logits or standardised values of all members at once, (P, B, K)."""
        ...

    def write(self, graph: Graph, parameters: dict[str, np.ndarray], inputs: InputTensors) -> str:
        """Write the ONNX twin of `forward`; returns a float tensor (P, rows, K)."""
        ...


@runtime_checkable
class Masking(Protocol):
    """A dropout that tells what it multiplies by."""

    def mask(self, activations: Tensor) -> Tensor | None:
        """0 or 1 / (1 - share) for every activation (P, B, H); None where nothing is dropped."""
        ...


@runtime_checkable
class Widening(Protocol):
    """A network that may run as a wider one whose additional units are zero.

    A unit with zero weights and bias answers 0 where the activation of 0 is 0, so no gradient
    reaches the weights into it or out of it, and they stay zero: the wider network is the narrower
    one, and nearly equal widths can share one batched product."""

    @property
    def width(self) -> int: ...
    @property
    def padded(self) -> Self:
        """The next wider network of a common width, or itself."""
        ...


@runtime_checkable
class Featured(Protocol):
    """A network whose last layer is a dense one over features that it has learned."""

    def features(self, parameters: Parameters, inputs: Inputs) -> Tensor:
        """What the last layer sees, (P, B, H)."""
        ...


@runtime_checkable
class Headed(Protocol):
    """A network of several heads, each with an answer of its own that is taught by itself."""

    def heads(self, parameters: Parameters, inputs: Inputs, drop: Dropout = keep_all) -> Tensor:
        """The heads' logits or standardised values, (P, H, B, K); `forward` is their mean."""
        ...


@runtime_checkable
class Retrieving(Protocol):
    """A network that answers from the rows it has learned, which it remembers."""

    @property
    def candidates(self) -> int:
        """How many rows a batch is compared with in a step, beside itself."""
        ...

    def recall(
        self, parameters: Parameters, inputs: Inputs, target: Tensor, same: Tensor, drop: Dropout
    ) -> Tensor:
        """Answer for the first B of C learning rows from the others, (P, B, K).

        inputs (P, C, ·), target (P, C), same (P, B, C): where a row meets itself."""
        ...

    def memory(
        self, parameters: Parameters, learned: Sequence[tuple[Inputs, Tensor]]
    ) -> Parameters:
        """What `forward` needs beside the parameters: of each network the rows it remembers,
        inputs (1, n, ·) and target (n,)."""
        ...


PADDED_WIDTHS = tuple(sorted({base << power for base in (2, 3) for power in range(2, 12)}))


def shared_width(width: int) -> int:
    """The next width that networks are padded to, at most half as much again."""
    return next((common for common in PADDED_WIDTHS if common >= width), width)
