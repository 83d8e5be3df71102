"""What rows answer from the rows that lie near them, with gradients written by hand.

A batch meets some thousand rows: every pass over the distances between them that is saved counts,
and a few rows at a time they stay within a core's cache."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from fathometer.networks.stretches import stretches

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
        batch = same.shape[1]
        length = places.square().sum(dim=2, keepdim=True)
        ones = torch.ones_like(length)
        # |a|² - 2 a · k + |k|², smoothed, as one product.
        left = torch.cat([-2.0 * places, length + SMOOTHING, ones], dim=2)[:, :batch]
        right = torch.cat([places, ones, length], dim=2).transpose(1, 2)
        nearness, weights = (torch.empty_like(same, dtype=places.dtype) for _ in range(2))
        for part in stretches(same.shape, DISTANCES_AT_ONCE, same.device):
            own = torch.mm(left[part], right[part[0]]).clamp_(min=SMOOTHING).sqrt_().neg_()
            nearness[part] = own.masked_fill_(same[part], -math.inf)
            weights[part] = own.softmax(dim=1)
        context.save_for_backward(places, values)
        context.nearness, context.weights = nearness, weights
        return torch.bmm(weights, values)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """The gradient of the places."""
        (places, values), (up,) = context.saved_tensors, gradients
        nearness, weights = context.nearness, context.weights
        batch = weights.shape[1]
        # A column of ones adds up what the products are to be set off against.
        widened = torch.cat([places, torch.ones_like(places[:, :, :1])], dim=2)
        pushed = torch.zeros_like(widened)
        pulled = torch.empty_like(widened[:, :batch])
        for part in stretches(weights.shape, DISTANCES_AT_ONCE, up.device):
            network = part[0]
            pull = torch.mm(up[part], values[network].T)
            pull = torch._softmax_backward_data(pull, weights[part], 1, pull.dtype)
            pull.div_(nearness[part])
            pulled[part] = torch.mm(pull, widened[network])
            pushed[network].addmm_(pull.T, widened[part])
        found = pushed[:, :, -1:] * places - pushed[:, :, :-1]
        found[:, :batch] += pulled[:, :, -1:] * places[:, :batch] - pulled[:, :, :-1]
        return found, None, None
