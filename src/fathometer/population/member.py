"""Who takes part in a population, and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from fathometer.networks.network import Inputs, Parameters


@dataclass(frozen=True)
class Member:
    """One network to be trained: where it learns, and how.

    Members that differ only in fold and seed are of the same setting."""

    fold: int
    seed: int
    learning_rate: float
    weight_decay: float
    dropout: float
    steps: int  # length of its schedule, in batches

    @property
    def setting(self) -> tuple[float, float, float, int]:
        """All that is chosen about a member, as opposed to where and from which seed it starts."""
        return self.learning_rate, self.weight_decay, self.dropout, self.steps


@dataclass(frozen=True)
class Lessons:
    """What the members are taught from: encoded rows and, for each fold, its target and rows."""

    inputs: Inputs  # (F, N, ·)
    target: Tensor  # (F, N): int64 classes, or float32 standardised values
    learning: tuple[Tensor, ...]  # for each fold, the rows it learns from, int64
    validation: tuple[Tensor, ...]  # for each fold, the rows it is validated on, int64
    classify: bool

    def to(self, device: torch.device) -> Lessons:
        """The same lessons on another device."""
        return Lessons(
            self.inputs.to(device),
            self.target.to(device),
            tuple(rows.to(device) for rows in self.learning),
            tuple(rows.to(device) for rows in self.validation),
            self.classify,
        )


@dataclass(frozen=True)
class Schedule:
    """What all members of a population share."""

    batch: int  # rows in a member's batch
    every: int  # steps between two validations
    patience: int  # validations that must have passed before all may stop early


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained population, on the CPU."""

    parameters: Parameters  # (P, ...), as kept
    curves: np.ndarray  # (validations, P) mean validation loss of each member
    kept: np.ndarray  # (P,) int64: the validation at which each member's weights were kept
    outputs: tuple[Tensor, ...]  # for each member, its kept outputs on its validation rows (n, K)
    steps: int  # taken in all
