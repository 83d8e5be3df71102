"""Train P networks as one batched program.

Every member equals the same network trained alone with the same seed and rows, whoever trains
beside it. Nothing is chosen on rows that it is scored on: a member of fold k keeps the weights that
it had when the *other* folds' validation losses were lowest. Knows tensors, never tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence

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
    stack = start(network, members, lessons)
    optimizer = Optimizer(stack, members)
    streams = [RowStream(member, lessons.learning[member.fold]) for member in members]
    drop = MemberDropout(members, lessons.target.device)
    choice = LeaveFoldOut(members, patience=schedule.patience)
    best = stack.flat.clone()
    steps = max(member.steps for member in members)
    for step in range(steps):
        learn(network, stack, lessons, members, [s.take(schedule.batch) for s in streams], drop)
        optimizer.step(step)
        go_on = watch(step + 1, steps)
        if (step + 1) % schedule.every == 0 or step + 1 == steps or not go_on:
            improved = choice.observe(validate(network, stack.parameters, lessons, members))
            best[improved] = stack.flat[improved]
        if not go_on or choice.exhausted:
            break
    parameters = stack.with_rows(best)
    outputs = validation_outputs(network, parameters, lessons, members)
    kept = {name: tensor.detach().cpu() for name, tensor in parameters.items()}
    return Trained(kept, choice.curves, choice.kept, tuple(o.cpu() for o in outputs), step + 1)


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
