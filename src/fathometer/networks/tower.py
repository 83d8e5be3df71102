"""The dense layers of P networks with their gradients written by hand.

What autograd would do, but in place and as one node: activations this large do not fit a core's
cache, and every pass over them that is saved counts.

In a pass that casts (`torch.autocast`) the hidden layers are bf16, forward and backward, and half
as large; the last layer's sums, and all gradients handed back, are float32."""

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
        kind = hidden_kind(x)
        weights = [weight.to(kind) for weight in layers[::2]]
        entered, sums, masks = [x.to(kind)], list[Tensor](), list[Tensor | None]()
        for weight, bias in zip(weights[:-1], layers[1:-2:2], strict=True):
            total = torch.baddbmm(bias.to(kind).unsqueeze(1), entered[-1], weight)
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
        context.given = x.dtype, layers[-1].dtype
        with torch.autocast(x.device.type, enabled=False):
            last = entered[-1].to(layers[-1].dtype)
            return torch.baddbmm(layers[-1].unsqueeze(1), last, layers[-2])

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients of x, and of each weight and bias."""
        weights, entered = context.saved_tensors, context.entered
        kind_of_x, kind = context.given
        up = gradients[0].to(weights[0].dtype)
        found: list[Tensor] = []
        for place in reversed(range(len(weights))):
            own = torch.bmm(entered[place].transpose(1, 2), up)
            found += [up.sum(dim=1).to(kind), own.to(kind)]
            if place == 0 and not context.needs_input_grad[0]:
                break
            up = torch.bmm(up, weights[place].transpose(1, 2))
            if place:
                _through_units(up, context, place - 1)
        entering = up.to(kind_of_x) if context.needs_input_grad[0] else None
        return (entering, None, None, *reversed(found))


def hidden_kind(x: Tensor) -> torch.dtype:
    """What hidden layers over these inputs are computed in."""
    kind = x.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype


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
