"""Who takes part in a population, and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from fathometer.networks.network import Inputs, Network, Parameters


@dataclass(frozen=True)
class Member:
    """One network to be trained: which, where it learns, and how.

    Members that differ only in fold and seed are of the same setting."""

    network: Network
    fold: int
    seed: int
    learning_rate: float
    weight_decay: float
    dropout: float
    steps: int  # length of its schedule, in batches
    label_smoothing: float = 0.0  # share of the target spread over all classes; values ignore it
    is_logarithmic: bool = False  # learns the target's logarithm; values alone

    @property
    def setting(self) -> Member:
        """All that is chosen about a member, as opposed to where and from which seed it starts."""
        return replace(self, fold=0, seed=0)


@dataclass(frozen=True)
class Logarithm:
    """The target's logarithm as another target, and the way back to the standardised values.

    A network learns ln(1 + value), standardised; its losses are compared with others' on values."""

    target: Tensor  # (F, N) float32
    mean: Tensor  # (F,) of ln(1 + value); float64, as all below
    spread: Tensor
    plain_mean: Tensor  # (F,) of the values themselves
    plain_spread: Tensor
    low: Tensor  # (F,) the least and largest value seen; answers are cut to them
    high: Tensor

    def standardised(self, outputs: Tensor, fold: int) -> Tensor:
        """What outputs (n, 1) of one fold's network say as standardised values."""
        values = torch.expm1(outputs.double() * self.spread[fold] + self.mean[fold])
        values = values.clamp(self.low[fold], self.high[fold])
        return ((values - self.plain_mean[fold]) / self.plain_spread[fold]).float()

    def to(self, device: torch.device) -> Logarithm:
        """The same on another device."""
        each = (self.target, self.mean, self.spread, self.plain_mean, self.plain_spread)
        ends = (self.low, self.high)
        return Logarithm(*(tensor.to(device) for tensor in (*each, *ends)))


@dataclass(frozen=True)
class Lessons:
    """What the members are taught from: encoded rows and, for each fold, its target and rows."""

    inputs: Inputs  # (F, N, ·)
    target: Tensor  # (F, N): int64 classes, or float32 standardised values
    learning: tuple[Tensor, ...]  # for each fold, the rows it learns from, int64
    validation: tuple[Tensor, ...]  # for each fold, the rows it is validated on, int64
    classify: bool
    logarithm: Logarithm | None = None  # where values may be learned by their logarithm

    def to(self, device: torch.device) -> Lessons:
        """The same lessons on another device."""
        return Lessons(
            self.inputs.to(device),
            self.target.to(device),
            tuple(rows.to(device) for rows in self.learning),
            tuple(rows.to(device) for rows in self.validation),
            self.classify,
            None if self.logarithm is None else self.logarithm.to(device),
        )


@dataclass(frozen=True)
class Rung:
    """Where in their schedules settings are compared, and what share of them goes on."""

    done: float  # share of a member's steps
    survive: float  # share of the settings


@dataclass(frozen=True)
class Schedule:
    """What all members of a population share."""

    batch: int  # rows in a member's batch
    every: int  # steps between two validations
    patience: int  # validations that must have passed before a setting may stop early
    rungs: tuple[Rung, ...] = ()  # successive halving; none: every setting runs to its end
    exact: bool = False  # float32 products even where bf16 is quicker (`population.precision`)


@dataclass(frozen=True, eq=False)
class Graduate:
    """One trained member, on the CPU."""

    member: Member
    parameters: Parameters  # as kept, without the axis P
    curve: np.ndarray  # (validations,) its mean validation losses
    kept: int  # the validation at which its weights were kept
    outputs: Tensor  # its kept outputs on its validation rows (n, K)
    steps: int  # taken
    is_through: bool  # False: halving ended its setting before its schedule did
