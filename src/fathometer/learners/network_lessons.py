"""The rows and targets of a split as a population's lessons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fathometer.features.learned import LearnedRoad, NetworkInputs
from fathometer.learners.network_model import TargetScale, as_inputs, fit_target_scale
from fathometer.table.task import Task

if TYPE_CHECKING:
    from fathometer.networks.network import Shape
    from fathometer.population.member import Lessons, Logarithm


@dataclass(frozen=True)
class Scales:
    """A regression's target as it is learned: itself, and its logarithm where there is one."""

    plain: TargetScale
    logarithm: TargetScale | None

    def of(self, *, logarithmic: bool) -> TargetScale:
        """The scale of members that learn the logarithm, or do not."""
        return self.logarithm if logarithmic and self.logarithm is not None else self.plain


def network_shape(road: LearnedRoad, encoded: NetworkInputs, task: Task) -> Shape:
    """How wide the road's output and the task's answer are."""
    from fathometer.networks.network import Shape

    numbers, flags = encoded.numbers.shape[2], encoded.flags.shape[2]
    return Shape(numbers, flags, road.levels, task.outputs)


def make_lessons(
    encoded: NetworkInputs,
    target: np.ndarray,
    scales: Scales | None,
    learning: Sequence[np.ndarray],
    validation: Sequence[np.ndarray],
) -> Lessons:
    """Rows and targets as tensors; a regression's target is standardised for each fold."""
    import torch

    from fathometer.population.member import Lessons

    each, logarithm = np.broadcast_to(target, (len(learning), len(target))), None
    if scales is not None:
        each = standardised(target, scales.plain)
        logarithm = logarithm_lessons(target, scales)
    return Lessons(
        as_inputs(encoded),
        torch.from_numpy(each.copy()),
        tuple(torch.from_numpy(rows) for rows in learning),
        tuple(torch.from_numpy(rows) for rows in validation),
        classify=scales is None,
        logarithm=logarithm,
    )


def fit_scales(target: np.ndarray, folds: Sequence[np.ndarray]) -> Scales:
    """The target's scale in each fold, and its logarithm's where no fold saw a negative one."""
    plain = fit_target_scale(target, folds)
    if plain.low.min() < 0:
        return Scales(plain, None)
    return Scales(plain, fit_target_scale(target, folds, logarithmic=True))


def standardised(target: np.ndarray, scale: TargetScale) -> np.ndarray:
    """The target by each fold's scale, (F, rows) float32."""
    each: np.ndarray = (target - scale.mean[:, None]) / scale.spread[:, None]
    return each.astype(np.float32)


def logarithm_lessons(target: np.ndarray, scales: Scales) -> Logarithm | None:
    """The target's logarithm as networks learn it, and the way back."""
    import torch

    from fathometer.population.member import Logarithm

    if scales.logarithm is None:
        return None
    # A row that no fold learns from may be negative; it is never asked for by its logarithm.
    logs = standardised(np.log1p(np.maximum(target, 0.0)), scales.logarithm)
    own, plain = scales.logarithm, scales.plain
    back = (own.mean, own.spread, plain.mean, plain.spread, own.low, own.high)
    return Logarithm(torch.from_numpy(logs), *(torch.from_numpy(values) for values in back))
