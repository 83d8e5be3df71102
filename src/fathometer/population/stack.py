"""The parameters of all members as one matrix, and the optimizer that moves its rows.

Each member is one row, so that an optimizer step is one fused pass over a row, with the member's
own learning rate and weight decay, and a snapshot of a member is a copy of a row."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from fathometer.networks.network import Network, Parameters
from fathometer.population.member import Lessons, Member
from fathometer.population.randomness import Purpose, generator

BETAS = (0.9, 0.95)  # RealMLP's second beta: quicker to forget, better with few steps


class Stack:
    """The trained parameters of P members in one (P, size) matrix, with views by name."""

    def __init__(self, starts: Sequence[Parameters], fixed: frozenset[str]) -> None:
        stacked = {name: torch.stack([start[name] for start in starts]) for name in starts[0]}
        self.fixed = {name: tensor for name, tensor in stacked.items() if name in fixed}
        trained = {name: tensor for name, tensor in stacked.items() if name not in fixed}
        self.flat = torch.cat([tensor.flatten(1) for tensor in trained.values()], dim=1)
        self.gradient = torch.zeros_like(self.flat)
        self._shapes = {name: tensor.shape for name, tensor in trained.items()}
        self._leaves = {
            name: view.detach().requires_grad_() for name, view in self._by_name(self.flat).items()
        }
        self._gradients = list(self._by_name(self.gradient).values())

    @property
    def parameters(self) -> Parameters:
        """All parameters by name, (P, ...)."""
        return self._leaves | self.fixed

    def with_rows(self, flat: Tensor) -> Parameters:
        """All parameters by name, the trained ones taken from another matrix."""
        return self._by_name(flat) | self.fixed

    def differentiate(self, loss: Tensor) -> None:
        """Write the gradients of a loss into the matrix that the optimizer reads by rows."""
        gradients = torch.autograd.grad(loss, list(self._leaves.values()))
        for place, gradient in zip(self._gradients, gradients, strict=True):
            place.copy_(gradient)

    def _by_name(self, flat: Tensor) -> Parameters:
        """Views of a (P, size) matrix."""
        views, first = Parameters(), 0
        for name, shape in self._shapes.items():
            last = first + shape[1:].numel()
            views[name] = flat[:, first:last].view(shape)
            first = last
        return views


def start(network: Network, members: Sequence[Member], lessons: Lessons) -> Stack:
    """Every member's first parameters, each from its own seed and rows."""
    device = lessons.target.device
    starts = []
    for member in members:
        numbers = lessons.inputs.numbers[member.fold][lessons.learning[member.fold]].cpu()
        own = network.start(numbers, generator(member, Purpose.WEIGHTS, torch.device("cpu")))
        starts.append({name: tensor.to(device) for name, tensor in own.items()})
    return Stack(starts, network.fixed)


class Optimizer:
    """AdamW over the rows of a stack, each with its member's rate, decay and schedule."""

    def __init__(self, stack: Stack, members: Sequence[Member]) -> None:
        self._members = members
        groups = []
        for place, member in enumerate(members):
            row = stack.flat[place].detach().requires_grad_()
            row.grad = stack.gradient[place]
            groups.append({"params": [row], "weight_decay": member.weight_decay})
        self._adam = torch.optim.AdamW(groups, betas=BETAS, fused=True)

    def step(self, step: int) -> None:
        """Move every member that is not yet through."""
        for group, member in zip(self._adam.param_groups, self._members, strict=True):
            group["lr"] = member.learning_rate * pace(step / member.steps)
        self._adam.step()


CYCLES = 3


def pace(done: float) -> float:
    """Share of the learning rate after this share of the schedule; 0 from its end on.

    RealMLP's coslog schedule (Holzmüller et al. 2024, with 3 cycles for their 4): the rate rises
    from 0 and falls back to it in cycles that end at 1/7, 3/7 and 1. So a table that needs few
    epochs finds well-annealed weights early, and one that needs many finds them at the end."""
    if done >= 1.0:
        return 0.0
    turns = math.log2(1.0 + (2**CYCLES - 1) * done)
    return 0.5 * (1.0 - math.cos(2.0 * math.pi * turns))
