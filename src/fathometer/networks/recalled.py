"""What rows answer from the rows that lie near them, with gradients written by hand.

A batch meets some thousand rows: every pass over the distances between them that is saved counts,
and a few rows at a time they stay within a core's cache."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

# Added to squared distances: at a distance near 0, where a square's rounding would count for most,
# its root stays smooth.
SMOOTHING = 1e-2
DISTANCES_AT_ONCE = 2**18  # 1 MB


class Recalled(torch.autograd.Function):
    """The mean of rows' values, weighted by exp(-distance), with gradients for the places of rows
    and not for their values.

    Equal to softmax(-distances) · values; its backward runs once."""

    @staticmethod
    def forward(context: Any, places: Tensor, values: Tensor, same: Tensor) -> Tensor:
        """Answers (P, B, K) of the first B of C rows at places (P, C, E), values (P, C, K).

        same (P, B, C): a row and itself, which has no say."""
        asked = places[:, : same.shape[1]]
        length = places.square().sum(dim=2, keepdim=True)
        ones = torch.ones_like(length)
        # |a|² - 2 a · k + |k|², smoothed, as one product.
        left = torch.cat(
            [-2.0 * asked, length[:, : same.shape[1]] + SMOOTHING, ones[:, : same.shape[1]]], dim=2
        )
        right = torch.cat([places, ones, length], dim=2).transpose(1, 2)
        nearness = torch.empty(same.shape, device=places.device, dtype=places.dtype)
        weights = torch.empty_like(nearness)
        for rows in stretches(same.shape):
            own = torch.bmm(left[:, rows], right).clamp_(min=SMOOTHING).sqrt_().neg_()
            nearness[:, rows] = own.masked_fill_(same[:, rows], -math.inf)
            weights[:, rows] = own.softmax(dim=2)
        answers = torch.bmm(weights, values)
        context.save_for_backward(places, values)
        context.nearness, context.weights = nearness, weights
        return answers

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """The gradient of the places."""
        (places, values), (up,) = context.saved_tensors, gradients
        nearness, weights = context.nearness, context.weights
        asked = places[:, : weights.shape[1]]
        # A column of ones adds up what the products are to be set off against.
        ones = torch.ones_like(places[:, :, :1])
        widened = torch.cat([places, ones], dim=2)
        moved = torch.zeros_like(widened)
        pulled = torch.empty_like(widened[:, : weights.shape[1]])
        for rows in stretches(weights.shape):
            pull = torch.bmm(up[:, rows], values.transpose(1, 2))
            pull = torch._softmax_backward_data(pull, weights[:, rows], 2, pull.dtype)
            pull.div_(nearness[:, rows])
            pulled[:, rows] = torch.bmm(pull, widened)
            moved.baddbmm_(pull.transpose(1, 2), widened[:, : weights.shape[1]][:, rows])
        found = moved[:, :, -1:] * places - moved[:, :, :-1]
        found[:, : weights.shape[1]] += pulled[:, :, -1:] * asked - pulled[:, :, :-1]
        return found, None, None


def stretches(shape: torch.Size) -> Iterator[slice]:
    """The rows whose distances, (P, B, C) in all, are held at once."""
    networks, rows, others = shape
    most = max(1, DISTANCES_AT_ONCE // (networks * others))
    yield from (slice(start, min(start + most, rows)) for start in range(0, rows, most))
