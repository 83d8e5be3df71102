"""Cosines and sines of numbers at several frequencies, with the gradient written by hand.

A step draws millions of them: taken a few rows at a time they stay within a core's cache, and what
the gradient needs is what was answered."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from fathometer.networks.stretches import stretches

QUARTER = 0.25  # of a turn, which makes a sine of a cosine
WAVES_AT_ONCE = 2**18  # 1 MB


class Waves(torch.autograd.Function):
    """Cosines, and behind them sines, (P, B, D, 2 W), with a gradient for the frequencies alone."""

    @staticmethod
    def forward(context: Any, numbers: Tensor, frequency: Tensor) -> Tensor:
        """numbers (P, B, D); frequency (P, D, W), in turns for each unit."""
        waves = frequency.shape[2]
        found = numbers.new_empty(*numbers.shape, 2 * waves)
        for part in stretches(found.shape, WAVES_AT_ONCE, found.device):
            network, rows = part
            turns = numbers[part].unsqueeze(2) * frequency[network]
            for first, shift in ((0, 0.0), (waves, QUARTER)):
                own = turns - shift
                # Whole turns go first: float32 has fewer digits left for the angle, the more there
                # are.
                own.sub_(own.floor()).mul_(2 * math.pi)
                found[network, rows, :, first : first + waves] = own.cos_()
        context.save_for_backward(numbers, found)
        return found

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """The gradient of the frequencies."""
        (numbers, found), (up,) = context.saved_tensors, gradients
        waves = found.shape[3] // 2
        moved = numbers.new_zeros(len(numbers), numbers.shape[2], waves)
        for part in stretches(found.shape, WAVES_AT_ONCE, found.device):
            own, of_own = found[part], up[part]
            cosine, sine = own[:, :, :waves], own[:, :, waves:]
            of_cosine, of_sine = of_own[:, :, :waves], of_own[:, :, waves:]
            angle = (of_sine * cosine).addcmul_(of_cosine, sine, value=-1.0)
            moved[part[0]] += angle.mul_(numbers[part].unsqueeze(2)).sum(dim=0)
        return None, moved.mul_(2 * math.pi)
