"""Optimizers as plain functions over lists of weights, with state that can be saved and resumed.

Torch's optimizer classes import a compiler for 2 seconds at first use; its functions do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw

from fathometer.networks.raw.encoder import Optimiser, Rate

BETA2 = 0.99
# Jordan et al. 2024 (Muon): the quintic iteration's coefficients, chosen to move every singular
# value towards 1 as quickly as possible; three turns are enough for convolutions.
QUINTIC = (3.4445, -4.7750, 2.0315)
TURNS = 3


class Moved:
    """Some of a network's weights, and the moments by which they are moved."""

    def __init__(self, rate: Rate, weights: Sequence[nn.Parameter]) -> None:
        self._rate, self._weights = rate, list(weights)
        self._first = [torch.zeros_like(weight) for weight in weights]
        adam = rate.optimiser is Optimiser.ADAMW
        self._second = [torch.zeros_like(weight) for weight in weights] if adam else []
        self._taken = [torch.tensor(0.0, device=weight.device) for weight in weights]

    @torch.no_grad()
    def step(self, pace: float) -> None:
        """Take one step by the weights' gradients; pace: share of the highest learning rate."""
        gradients = [weight.grad for weight in self._weights]
        found = [gradient for gradient in gradients if gradient is not None]
        assert len(found) == len(gradients), "every trained weight takes part in the answer"
        if self._rate.optimiser is Optimiser.ADAMW:
            self._adam(found, pace * self._rate.learning_rate)
        else:
            self._muon(found, pace * self._rate.learning_rate)

    def _adam(self, gradients: list[Tensor], rate: float) -> None:
        adamw(
            list(self._weights),
            gradients,
            self._first,
            self._second,
            [],
            self._taken,
            fused=True,
            amsgrad=False,
            beta1=self._rate.momentum,
            beta2=BETA2,
            lr=rate,
            weight_decay=self._rate.weight_decay,
            eps=1e-8,
            maximize=False,
        )

    def _muon(self, gradients: list[Tensor], rate: float) -> None:
        """Nesterov's step, made orthogonal."""
        torch._foreach_mul_(self._first, self._rate.momentum)
        torch._foreach_add_(self._first, gradients)
        plain = torch._foreach_add(gradients, self._first, alpha=self._rate.momentum)
        steps = [orthogonal(step) for step in plain]
        if self._rate.is_scale_free:
            for weight in self._weights:
                weight.mul_(len(weight) ** 0.5 / (weight.norm() + 1e-7))
        if self._rate.weight_decay:
            torch._foreach_mul_(list(self._weights), 1.0 - rate * self._rate.weight_decay)
        torch._foreach_add_(list(self._weights), steps, alpha=-rate)

    def arrays(self) -> dict[str, np.ndarray]:
        """The moments, for a checkpoint."""
        named = {"first": self._first, "second": self._second, "taken": self._taken}
        return {
            f"{name}.{place}": array_of(tensor)
            for name, tensors in named.items()
            for place, tensor in enumerate(tensors)
        }

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Go on from a checkpoint."""
        named = {"first": self._first, "second": self._second, "taken": self._taken}
        for name, tensors in named.items():
            for place, tensor in enumerate(tensors):
                tensor.copy_(torch.from_numpy(arrays[f"{name}.{place}"]))


def array_of(tensor: Tensor) -> np.ndarray:
    """A copy of a tensor's values."""
    return np.array(tensor.detach().cpu().numpy(), order="C")


def orthogonal(step: Tensor) -> Tensor:
    """The step (out, ...) with its singular values brought near 1, as long as its weights' side.

    Scaled by the root of max(1, out / in), so that one rate serves all layers (Muon)."""
    flat = step.flatten(1)
    tall = len(flat) > flat.shape[1]
    found = flat.T if tall else flat
    found = found / (found.norm() + 1e-7)
    a, b, c = QUINTIC
    for _ in range(TURNS):
        product = found @ found.T
        found = a * found + (b * product + c * (product @ product)) @ found
    found = found.T if tall else found
    root = max(1.0, len(flat) / flat.shape[1]) ** 0.5
    scaled: Tensor = found * root
    return scaled.reshape(step.shape)
