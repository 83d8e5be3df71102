"""Where one member stands in its training: all that is needed to go on, wherever it stood before.

Between two stretches of training a member is such a state; to be trained it takes a row of a
`Block`. So members can be packed anew, dropped, and saved at any validation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
import torch
from torch import Tensor

from fathometer.networks.network import Network, Parameters, Widening
from fathometer.population.member import Lessons, Member
from fathometer.population.randomness import Purpose, RowStream, generator

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Layout:
    """The trained parameters of one network as one row of numbers: their names and shapes."""

    shapes: tuple[tuple[str, tuple[int, ...]], ...]

    @property
    def size(self) -> int:
        return sum(prod(shape) for _, shape in self.shapes)

    @property
    def outputs(self) -> int:
        """Units of all layers together, heads counted: what a row of activations takes."""
        return sum(prod(shape) for name, shape in self.shapes if "bias" in name)

    def views(self, flat: Tensor) -> Parameters:
        """A (size,) row, or a (P, size) matrix, by name; views, not copies."""
        views, first = Parameters(), 0
        for name, shape in self.shapes:
            last = first + prod(shape)
            views[name] = flat[..., first:last].view(*flat.shape[:-1], *shape)
            first = last
        return views


def copy_between(layout: Layout, flat: Tensor, padded: Layout, row: Tensor, *, out: bool) -> None:
    """Copy a member's own numbers into its place in a padded row, or with `out` back from it."""
    if layout == padded:
        (flat if out else row).copy_(row if out else flat)
        return
    places = padded.views(row)
    for name, own in layout.views(flat).items():
        place = places[name][tuple(slice(length) for length in own.shape)]
        (own if out else place).copy_(place if out else own)


def padded_network(network: Network) -> Network:
    """What a network runs as beside others of nearly its width."""
    return network.padded if isinstance(network, Widening) else network


def narrowed(network: Network) -> float:
    """A network's width as a share of the width it runs at."""
    return network.width / network.padded.width if isinstance(network, Widening) else 1.0


@dataclass(eq=False)
class MemberState:
    """A member's weights, moments and generators; changes as it is trained."""

    member: Member
    layout: Layout
    fixed: Parameters
    weights: Tensor  # (size,) float32
    first: Tensor  # (size,) AdamW's mean of gradients
    second: Tensor  # (size,) and of their squares
    kept: Tensor  # (size,) the best weights so far
    stream: RowStream
    dropout: torch.Generator
    taken: int = 0  # steps

    @property
    def parameters(self) -> Parameters:
        """The weights kept, by name, on the CPU."""
        both = self.layout.views(self.kept) | self.fixed
        return {name: tensor.detach().to("cpu", copy=True) for name, tensor in both.items()}

    def arrays(self) -> dict[str, np.ndarray]:
        """All that changes, for a checkpoint."""
        order, ahead = self.stream.state
        tensors = {
            "weights": self.weights,
            "first": self.first,
            "second": self.second,
            "kept": self.kept,
            "order": order,
            "ahead": ahead,
            "dropout": self.dropout.get_state(),
            "taken": torch.tensor(self.taken),
        }
        return {name: tensor.cpu().numpy() for name, tensor in tensors.items()}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Go on from a checkpoint."""
        for name in ("weights", "first", "second", "kept"):
            getattr(self, name).copy_(torch.from_numpy(arrays[name]))
        self.stream.state = (torch.from_numpy(arrays["order"]), torch.from_numpy(arrays["ahead"]))
        self.dropout.set_state(torch.from_numpy(arrays["dropout"]))
        self.taken = int(arrays["taken"])


def start(member: Member, lessons: Lessons) -> MemberState:
    """A member before its first step: weights from its own seed and rows."""
    device = lessons.target.device
    rows = lessons.learning[member.fold]
    numbers = lessons.inputs.numbers[member.fold][rows].cpu()
    own = member.network.start(numbers, generator(member, Purpose.WEIGHTS, CPU))
    fixed = {name: own.pop(name).to(device) for name in sorted(member.network.fixed & own.keys())}
    layout = Layout(tuple((name, tuple(tensor.shape)) for name, tensor in own.items()))
    weights = torch.cat([tensor.flatten() for tensor in own.values()]).to(device)
    return MemberState(
        member,
        layout,
        fixed,
        weights,
        torch.zeros_like(weights),
        torch.zeros_like(weights),
        weights.clone(),
        RowStream(member, rows),
        generator(member, Purpose.DROPOUT, device),
    )


def padded_layout(states: Sequence[MemberState], lessons: Lessons) -> Layout:
    """The layout that the rows of a block share."""
    first, network = states[0], padded_network(states[0].member.network)
    if all(state.member.network == network for state in states):
        return first.layout
    numbers = lessons.inputs.numbers[0, :2].cpu()
    own = network.start(numbers, torch.Generator().manual_seed(0))
    trained = [(name, tuple(t.shape)) for name, t in own.items() if name not in network.fixed]
    return Layout(tuple(trained))
