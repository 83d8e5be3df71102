"""The dense layers of P networks with their gradients written by hand.

What autograd would do, but in place and as one node: activations this large do not fit a core's
cache, and every pass over them that is saved counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import silu

from fathometer.networks.network import Dropout, Masking


class Tower(torch.autograd.Function):
    """Hidden layers of rectified or SiLU units with dropout, and a last dense layer.

    Equal to `layers.tower`; backward overwrites what forward saved, so it runs once."""

    @staticmethod
    def forward(
        context: Any, x: Tensor, smooth: bool, masking: Masking | None, *layers: Tensor
    ) -> Tensor:
        """x (P, B, D); layers: each layer's weight (P, D, H) and bias (P, H) in turn."""
        weights, biases = layers[::2], layers[1::2]
        entered, sums, masks = [x], list[Tensor](), list[Tensor | None]()
        for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
            total = torch.baddbmm(bias.unsqueeze(1), entered[-1], weight)
            if smooth:
                sums.append(total)
                units = silu(total)
            else:
                units = total.relu_()
            mask = None if masking is None else masking.mask(units)
            masks.append(mask)
            entered.append(units if mask is None else units.mul_(mask))
        context.save_for_backward(*weights)
        context.entered, context.sums, context.masks = entered, sums, masks
        return torch.baddbmm(biases[-1].unsqueeze(1), entered[-1], weights[-1])

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients of x, and of each weight and bias."""
        (up,) = gradients
        found: list[Tensor] = []
        weights = context.saved_tensors
        for place in reversed(range(len(weights))):
            found += [up.sum(dim=1), torch.bmm(context.entered[place].transpose(1, 2), up)]
            if place == 0 and not context.needs_input_grad[0]:
                break
            up = torch.bmm(up, weights[place].transpose(1, 2))
            if place:
                _through_units(up, context, place - 1)
        own = up if context.needs_input_grad[0] else None
        return (own, None, None, *reversed(found))


def _through_units(up: Tensor, context: Any, place: int) -> None:
    """From the gradient of a hidden layer's answer to that of its sum, in place."""
    mask = context.masks[place]
    if mask is not None:
        up.mul_(mask)
    if context.sums:
        torch.ops.aten.silu_backward.grad_input(up, context.sums[place], grad_input=up)
    else:
        answered = context.entered[place + 1]
        torch.ops.aten.threshold_backward.grad_input(up, answered, 0, grad_input=up)


def tower_with_gradients(
    x: Tensor, layers: Sequence[Tensor], *, smooth: bool, drop: Dropout
) -> Tensor:
    """`Tower` for a dropout that tells its masks, or none; (P, B, K)."""
    masking = drop if isinstance(drop, Masking) else None
    answer: Tensor = Tower.apply(x, smooth, masking, *layers)  # type: ignore[no-untyped-call]
    return answer
