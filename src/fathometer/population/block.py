"""The members that one core trains as one batched program.

Their parameters are the rows of one matrix, so that an optimizer step is one fused pass over the
rows of a setting, and each member's rate, decay, dropout and rows are its own."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import log_softmax, pad
from torch.optim.adamw import adamw

from fathometer.networks.network import Headed, Network, Parameters, Retrieving
from fathometer.population.member import Lessons, Member
from fathometer.population.precision import casting_members
from fathometer.population.randomness import MemberDropout
from fathometer.population.state import (
    MemberState,
    copy_between,
    narrowed,
    padded_layout,
    padded_network,
)

CHUNK = 1024  # rows of each member in one forward pass outside training
# Learning rows of a retrieving network, which all travel in its file; and those that it answers
# from where its weights after one epoch are compared with those after another.
MOST_REMEMBERED, MOST_COMPARED = 8_192, 4_096
BETAS = (0.9, 0.95)  # RealMLP's second beta: quicker to forget, better with few steps
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


@dataclass(frozen=True)
class MovedRows:
    """Rows of a block that one fused pass of AdamW moves, with their rate, decay and schedule.

    The optimizer's function, not its class, whose first use imports a compiler for 2 seconds."""

    member: Member  # one of them, for its setting
    taken: int  # steps of theirs before the block was made
    matrices: list[list[Tensor]]  # weights, gradients and both moments, (rows, size) each
    counted: list[Tensor]  # steps as the optimizer counts them

    def step(self, since: int) -> None:
        """Take one step, `since` others having been taken in this block."""
        member = self.member
        weights, gradients, first, second = self.matrices
        adamw(
            weights,
            gradients,
            first,
            second,
            [],
            self.counted,
            fused=True,
            amsgrad=False,
            beta1=BETAS[0],
            beta2=BETAS[1],
            lr=member.learning_rate * pace((self.taken + since) / member.steps),
            weight_decay=member.weight_decay,
            eps=1e-8,
            maximize=False,
        )


class Block:
    """P members of one shape while they are trained; their states are brought up to date by
    `settle`."""

    def __init__(
        self, lessons: Lessons, states: Sequence[MemberState], batch: int, *, exact: bool = False
    ) -> None:
        self._lessons, self._states, self._batch = lessons, states, batch
        self._network = padded_network(states[0].member.network)
        self._drawn = rows_a_step(self._network, batch, lessons)
        self.layout = padded_layout(states, lessons)
        device = lessons.target.device
        shape = len(states), self.layout.size
        # Distances are differences of large numbers: bf16 would leave little of them.
        exact = exact or isinstance(self._network, Retrieving)
        self._casting = casting_members(device, math.prod(shape) * batch, exact=exact)
        self._weights, self._first, self._second, self._gradient = (
            torch.zeros(shape, device=device) for _ in range(4)
        )
        self._copy(out=False)
        self._fixed = {
            name: torch.stack([state.fixed[name] for state in states]) for name in states[0].fixed
        }
        views = self.layout.views(self._weights)
        self._leaves = {name: view.detach().requires_grad_() for name, view in views.items()}
        self._gradients = list(self.layout.views(self._gradient).values())
        self._moved = list(self._moved_together())
        self._drop = MemberDropout(
            [state.member.dropout for state in states],
            [state.dropout for state in states],
            [narrowed(state.member.network) for state in states],
            device,
        )
        smoothing = torch.tensor([s.member.label_smoothing for s in states], device=device)
        self._smoothing = smoothing if bool(smoothing.any()) else None
        # All targets laid end to end: the logarithms' stand behind the plain ones.
        logarithm = lessons.logarithm
        both = [lessons.target] if logarithm is None else [lessons.target, logarithm.target]
        self._targets = torch.cat([target.flatten() for target in both])
        variants = [state.member.is_logarithmic for state in states]
        self._variants = torch.tensor(variants, device=device).view(-1, 1) * lessons.target.numel()
        self._folds = torch.tensor([state.member.fold for state in states], device=device)

    def _moved_together(self) -> Iterator[MovedRows]:
        """Runs of rows whose setting and age are the same: one fused optimizer step each."""
        first = 0
        for _, run in groupby(self._states, key=lambda state: (state.member.setting, state.taken)):
            own = list(run)
            rows = slice(first, first + len(own))
            first = rows.stop
            matrices = (self._weights, self._gradient, self._first, self._second)
            step = torch.tensor(float(own[0].taken), device=self._weights.device)
            yield MovedRows(own[0].member, own[0].taken, [[m[rows]] for m in matrices], [step])

    def teach(self, first: int, count: int, goes_on: Callable[[], bool]) -> int:
        """Take steps `first` to `first + count` since the block was made, or fewer where
        `goes_on` says no; returns how many."""
        # A network that has learned all there is has gradients below what float32 holds in full;
        # a core is ten times slower at those (80 ms a step for 7 on kddcup99). For this thread.
        torch.set_flush_denormal(True)
        # Drawn for the whole stretch at once: P small draws a step would cost more than the step.
        drawn = [state.stream.take(self._drawn * count) for state in self._states]
        rows = torch.stack(drawn).view(len(drawn), count, self._drawn)
        places = self._folds.view(-1, 1, 1) * self._lessons.target.shape[1] + rows
        for step in range(count):
            self._differentiate(places[:, step])
            for moved in self._moved:
                moved.step(first + step)
            if not goes_on():
                return step + 1
        return count

    def _differentiate(self, places: Tensor) -> None:
        """Gradients of one batch of each member's own rows, into the optimizer's matrix.

        places (P, B): of the rows, all folds laid end to end; behind a batch, those of the rows
        that it is compared with."""
        inputs = self._lessons.inputs.at(places)
        target = self._targets.index_select(0, (places + self._variants).flatten())
        target = target.view(places.shape)
        parameters = self._leaves | self._fixed
        network = self._network
        with self._casting:
            if isinstance(network, Retrieving):
                same = places[:, : self._batch].unsqueeze(2) == places.unsqueeze(1)
                outputs = network.recall(parameters, inputs, target, same, self._drop)
                target = target[:, : self._batch]
            else:
                answer = network.heads if isinstance(network, Headed) else network.forward
                outputs = answer(parameters, inputs, self._drop).float()
        heads = 1
        if isinstance(network, Headed):
            heads = outputs.shape[1]
            outputs, target = outputs.flatten(0, 1), target.repeat_interleave(heads, dim=0)
        losses = self._losses(outputs, target.contiguous(), heads).view(len(places), -1)
        # A sum over members keeps each member's gradient what it would be alone.
        found = torch.autograd.grad(losses.mean(dim=1).sum(), list(self._leaves.values()))
        for place, gradient in zip(self._gradients, found, strict=True):
            place.copy_(gradient)

    def _losses(self, outputs: Tensor, target: Tensor, heads: int = 1) -> Tensor:
        smoothing = self._smoothing
        if smoothing is not None and heads > 1:
            smoothing = smoothing.repeat_interleave(heads)
        return row_losses(outputs, target, self._lessons.classify, smoothing)

    def settle(self, taken: int) -> None:
        """Write back into the states what `taken` steps made of them."""
        self._copy(out=True)
        for state in self._states:
            state.taken += taken

    def _copy(self, *, out: bool) -> None:
        with torch.no_grad():
            for place, state in enumerate(self._states):
                for own, rows in (
                    (state.weights, self._weights),
                    (state.first, self._first),
                    (state.second, self._second),
                ):
                    copy_between(state.layout, own, self.layout, rows[place], out=out)

    def validate(self) -> np.ndarray:
        """Each member's mean loss on its validation rows, (P,) float64."""
        members = [state.member for state in self._states]
        parameters = self.layout.views(self._weights) | self._fixed
        parameters = with_memory(
            self._network, parameters, self._lessons, members, most=MOST_COMPARED
        )
        outputs = validation_outputs(self._network, parameters, self._lessons, members)
        return np.array(
            [
                validation_loss(output, member, self._lessons)
                for output, member in zip(outputs, members, strict=True)
            ]
        )

    def keep(self, improved: Sequence[bool]) -> None:
        """Remember the present weights of these members."""
        for place, (state, is_better) in enumerate(zip(self._states, improved, strict=True)):
            if is_better:
                own = self._weights[place]
                copy_between(state.layout, state.kept, self.layout, own, out=True)


def row_losses(
    outputs: Tensor, target: Tensor, classify: bool, smoothing: Tensor | None = None
) -> Tensor:
    """Cross-entropy or squared error of each row, (P, B), from outputs (P, B, K).

    smoothing (P,): the share of each member's target that is spread over all classes."""
    if not classify:
        return (outputs.squeeze(2) - target) ** 2
    # With the classes in the middle a sum over them runs through whole vectors of rows: of two
    # classes that is 0.1 ms instead of 0.5 for 32 × 256 rows, there and back.
    logs = log_softmax(outputs.transpose(1, 2).contiguous(), dim=1)
    losses = -logs.gather(1, target.unsqueeze(1)).squeeze(1)
    if smoothing is None:
        return losses
    share = smoothing.unsqueeze(1)
    return (1.0 - share) * losses - share * logs.mean(dim=1)


def validation_loss(outputs: Tensor, member: Member, lessons: Lessons) -> float:
    """The mean loss of one member's outputs (n, K) on its validation rows."""
    target = lessons.target[member.fold, lessons.validation[member.fold]]
    if member.is_logarithmic and lessons.logarithm is not None:
        outputs = lessons.logarithm.standardised(outputs, member.fold)
    losses = row_losses(outputs.unsqueeze(0), target.unsqueeze(0), lessons.classify)
    return float(losses.double().mean())


def rows_a_step(network: Network, batch: int, lessons: Lessons) -> int:
    """How many rows of each member a step looks at; no more than any fold's members learn from."""
    if not isinstance(network, Retrieving):
        return batch
    return max(batch, min(batch + network.candidates, *map(len, lessons.learning)))


@torch.no_grad()
def with_memory(
    network: Network,
    parameters: Parameters,
    lessons: Lessons,
    members: Sequence[Member],
    *,
    most: int = MOST_REMEMBERED,
) -> Parameters:
    """The parameters, and beside them what a retrieving network remembers of its learning rows, at
    most so many of them."""
    if not isinstance(network, Retrieving):
        return parameters
    learned = []
    for fold in (member.fold for member in members):
        rows = lessons.learning[fold]
        kept = min(len(rows), most)  # spread over all of them
        rows = rows[torch.arange(kept, device=rows.device) * len(rows) // kept]
        inputs = lessons.inputs.take(rows.new_tensor([fold]), rows.unsqueeze(0))
        learned.append((inputs, lessons.target[fold, rows]))
    return parameters | network.memory(parameters, learned)


@torch.no_grad()
def validation_outputs(
    network: Network, parameters: Parameters, lessons: Lessons, members: Sequence[Member]
) -> list[Tensor]:
    """Each member's outputs on its own validation rows, P times (n, K)."""
    folds = torch.tensor([member.fold for member in members], device=lessons.target.device)
    own = [lessons.validation[member.fold] for member in members]
    longest = max(len(rows) for rows in own)
    # Shorter lists are filled up with row 0; what it yields is cut off below.
    filled = torch.stack([pad(rows, (0, longest - len(rows))) for rows in own])
    outputs = [
        network.forward(parameters, lessons.inputs.take(folds, rows))
        for rows in torch.split(filled, CHUNK, dim=1)
    ]
    return [o[: len(rows)] for o, rows in zip(torch.cat(outputs, dim=1), own, strict=True)]
