"""Train P networks as one batched program.

Every member equals the same network trained alone with the same seed and rows, whoever trains
beside it. Nothing is chosen on rows that it is scored on: a member of fold k keeps the weights that
it had when the *other* folds' validation losses were lowest. Knows tensors, never tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from fathometer.networks.network import Network, Parameters
from fathometer.population.member import Lessons, Member, Schedule, Trained
from fathometer.population.randomness import MemberDropout, RowStream
from fathometer.population.stack import Optimizer, Stack, start
from fathometer.population.stopping import LeaveFoldOut

CHUNK = 1024  # rows of each member in one forward pass outside training
Watch = Callable[[int, int], bool]  # (steps taken, steps planned) -> whether to go on


def train(
    network: Network,
    lessons: Lessons,
    members: Sequence[Member],
    schedule: Schedule,
    *,
    watch: Watch = lambda step, steps: True,
) -> Trained:
    """Train all members side by side until their schedules end, none improves, or `watch` says no.

    Args:
        watch: asked after every step; when it answers False the best weights so far are returned.
    """
    steps = max(member.steps for member in members)
    choice = LeaveFoldOut(members, patience=schedule.patience)
    taken, goes_on = 0, True
    with one_thread_an_operator() as cores:
        count = 1 if lessons.target.is_cuda else min(cores, len(members))
        parts = [list(part) for part in np.array_split(np.arange(len(members)), count)]
        blocks = [Block(network, lessons, [members[p] for p in part], schedule) for part in parts]
        with ThreadPoolExecutor(count) as pool:
            while goes_on and taken < steps:
                first, ahead = taken, min(schedule.every, steps - taken)
                told = [True]

                def go_on(step: int, first: int = first, told: list[bool] = told) -> bool:
                    told[0] = told[0] and watch(first + step, steps)
                    return told[0]

                # One block asks; the others look at what it was told.
                asked = [go_on, *[lambda step, told=told: told[0]] * (count - 1)]
                taken += max(pool.map(Block.teach, blocks, [first] * count, [ahead] * count, asked))
                improved = choice.observe(np.concatenate(list(pool.map(Block.validate, blocks))))
                for block, part in zip(blocks, parts, strict=True):
                    block.keep(improved[part])
                goes_on = told[0] and not choice.exhausted
            outputs = [output for own in pool.map(Block.outputs, blocks) for output in own]
    kept = [block.kept for block in blocks]
    parameters = {name: torch.cat([own[name] for own in kept]).cpu() for name in kept[0]}
    return Trained(parameters, choice.curves, choice.kept, tuple(outputs), taken)


@contextmanager
def one_thread_an_operator() -> Iterator[int]:
    """Let no operator spread over cores; yields how many there are for whole blocks of members.

    Operators this small are over before the cores have met: five networks of 118,000 parameters
    took 5.6 s with one thread and 18 to 53 s with two on two busy cores of an EPYC (torch 2.13).
    """
    cores = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield cores
    finally:
        torch.set_num_threads(cores)


class Block:
    """The members that one core trains: their weights, optimizer, rows and dropout."""

    def __init__(
        self, network: Network, lessons: Lessons, members: Sequence[Member], schedule: Schedule
    ) -> None:
        self._network, self._lessons, self._members = network, lessons, members
        self._batch = schedule.batch
        self._stack = start(network, members, lessons)
        self._optimizer = Optimizer(self._stack, members)
        self._streams = [RowStream(member, lessons.learning[member.fold]) for member in members]
        self._drop = MemberDropout(members, lessons.target.device)
        self._best = self._stack.flat.clone()

    @property
    def kept(self) -> Parameters:
        """The weights kept so far, (P, ...) by name."""
        parameters = self._stack.with_rows(self._best)
        return {name: tensor.detach() for name, tensor in parameters.items()}

    def teach(self, first: int, count: int, go_on: Callable[[int], bool]) -> int:
        """Take `count` steps after the `first`, or fewer if told not to go on; returns how many."""
        for step in range(count):
            rows = [stream.take(self._batch) for stream in self._streams]
            learn(self._network, self._stack, self._lessons, self._members, rows, self._drop)
            self._optimizer.step(first + step)
            if not go_on(step + 1):
                return step + 1
        return count

    def validate(self) -> np.ndarray:
        """Each member's mean loss on its validation rows, (P,) float64."""
        return validate(self._network, self._stack.parameters, self._lessons, self._members)

    def keep(self, improved: np.ndarray) -> None:
        """Remember the present weights of these members, (P,) bool."""
        places = torch.from_numpy(improved)
        self._best[places] = self._stack.flat[places]

    def outputs(self) -> list[Tensor]:
        """Each member's outputs, by the weights kept, on its validation rows, P times (n, K)."""
        found = validation_outputs(self._network, self.kept, self._lessons, self._members)
        return [output.cpu() for output in found]


def learn(
    network: Network,
    stack: Stack,
    lessons: Lessons,
    members: Sequence[Member],
    batches: Sequence[Tensor],
    drop: MemberDropout,
) -> None:
    """Compute the gradients of one batch of each member's own rows, batches P times (B,)."""
    folds = fold_places(members, lessons)
    rows = torch.stack(list(batches))
    outputs = network.forward(stack.parameters, lessons.inputs.take(folds, rows), drop)
    losses = row_losses(outputs, lessons.target[folds.unsqueeze(1), rows], lessons.classify)
    # A sum over members keeps each member's gradient what it would be alone.
    stack.differentiate(losses.mean(dim=1).sum())


def row_losses(outputs: Tensor, target: Tensor, classify: bool) -> Tensor:
    """Cross-entropy or squared error of each row, (P, B), from outputs (P, B, K)."""
    if classify:
        losses = cross_entropy(outputs.flatten(0, 1), target.flatten(), reduction="none")
        return losses.view(target.shape)
    return (outputs.squeeze(2) - target) ** 2


def fold_places(members: Sequence[Member], lessons: Lessons) -> Tensor:
    """Each member's fold, (P,) int64."""
    return torch.tensor([member.fold for member in members], device=lessons.target.device)


def validate(
    network: Network, parameters: Parameters, lessons: Lessons, members: Sequence[Member]
) -> np.ndarray:
    """Each member's mean loss on its validation rows, (P,) float64."""
    outputs = validation_outputs(network, parameters, lessons, members)
    losses = []
    for member, output in zip(members, outputs, strict=True):
        target = lessons.target[member.fold, lessons.validation[member.fold]]
        own = row_losses(output.unsqueeze(0), target.unsqueeze(0), lessons.classify)
        losses.append(float(own.double().mean()))
    return np.array(losses)


@torch.no_grad()
def validation_outputs(
    network: Network, parameters: Parameters, lessons: Lessons, members: Sequence[Member]
) -> list[Tensor]:
    """Each member's outputs on its own validation rows, P times (n, K)."""
    folds = fold_places(members, lessons)
    own = [lessons.validation[member.fold] for member in members]
    longest = max(len(rows) for rows in own)
    # Shorter lists are filled up with row 0; what it yields is cut off below.
    filled = torch.stack([torch.nn.functional.pad(rows, (0, longest - len(rows))) for rows in own])
    outputs = [
        network.forward(parameters, lessons.inputs.take(folds, rows))
        for rows in torch.split(filled, CHUNK, dim=1)
    ]
    return [o[: len(rows)] for o, rows in zip(torch.cat(outputs, dim=1), own, strict=True)]
