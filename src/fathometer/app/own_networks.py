"""Networks that a user brings: from what was handed in to contestants, named, checked and drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fathometer.errors import NetworkError, OptionError
from fathometer.learners.contract import Learner
from fathometer.learners.own_network import (
    Architecture,
    DeclaredArchitecture,
    ModuleArchitecture,
    OwnNetwork,
    input_shape,
    unread_pictures,
)
from fathometer.networks.declaration import Declaration
from fathometer.networks.notation import LONGEST_NAME, Notation, read_network
from fathometer.table.read import Source
from fathometer.trial.contest import TOGETHER
from fathometer.trial.distil import STUDENT
from fathometer.trial.entrants import Effort, chosen, training_of
from fathometer.wording import listed

if TYPE_CHECKING:
    from torch import nn

    from fathometer.app.preparation import Understanding

    # A TOML file, a declaration, a module, or what makes one for so many features and outputs.
    NetworkSource = (
        str | Path | Declaration | Notation | nn.Module | Callable[[int, int], nn.Module]
    )
    NetworkSources = NetworkSource | Sequence[NetworkSource] | Mapping[str, NetworkSource]

UNNAMED = "own network"


def own_networks(sources: NetworkSources, effort: Effort, seed: int) -> tuple[OwnNetwork, ...]:
    """A contestant of each network, with as many epochs and seeds as ours have.

    Args:
        sources: a network, or several, or several by name.

    Raises:
        NetworkError: if one is no network, or two have one name.
    """
    training = training_of(effort)
    found: list[OwnNetwork] = []
    for given, source in _each(sources):
        name, architecture = _architecture(source)
        found.append(OwnNetwork(given or name, architecture, training, seed))
    return tuple(found)


def _each(sources: NetworkSources) -> tuple[tuple[str | None, NetworkSource], ...]:
    """Every network, with the name that it was given."""
    if isinstance(sources, Mapping):
        return tuple(sources.items())
    if isinstance(sources, str) or not isinstance(sources, Sequence):
        return ((None, sources),)  # a single one
    return tuple((None, source) for source in sources)


def _architecture(source: NetworkSource) -> tuple[str, Architecture]:
    """A network's own name, and what builds it."""
    if isinstance(source, str | Path):
        source = read_network(source)
    if isinstance(source, Declaration):
        source = Notation(UNNAMED, source)
    if isinstance(source, Notation):
        return source.name, DeclaredArchitecture(source.declaration, source.taught)
    if not callable(source):
        raise NetworkError(
            f"networks= was given a {type(source).__name__}; it takes TOML files, declarations, "
            "torch modules, or functions of (features, outputs) that make a module.",
            try_next='networks=["my.toml"]',
        )
    # A module's name is its class's; a function or class has its own, but for a lambda.
    own = getattr(source, "__name__", type(source).__name__)
    return (own if own.isidentifier() else UNNAMED)[:LONGEST_NAME], ModuleArchitecture(source)


def with_own(
    learners: Sequence[Learner], own: Sequence[Learner], only: Sequence[str]
) -> tuple[Learner, ...]:
    """Our learners, or those named in `only`, and every network that the user brought.

    Raises:
        OptionError: if a name in `only` is nobody's, or two contestants share one.
    """
    everybody = (*learners, *own)
    _check_names(everybody)
    return chosen(everybody, (*only, *(network.name for network in own)) if only else ())


def _check_names(learners: Sequence[Learner]) -> None:
    taken = {TOGETHER.casefold(), STUDENT.casefold()}
    for learner in learners:
        if learner.name.casefold() in taken:
            raise OptionError(
                f'two contestants are called "{learner.name}".',
                details='a network is named by name = "…" in its file, or by '
                'networks={"…": network} in Python',
            )
        taken.add(learner.name.casefold())


def drawn(own: Sequence[OwnNetwork], understanding: Understanding) -> Understanding:
    """What was understood, with each network checked against it and drawn; columns of pictures are
    named below the drawing as not read.

    Raises:
        NetworkError: if a network does not fit the table.
        LearnerError: if no network can answer the task.
    """
    if not own:
        return understanding
    table, task = understanding.table, understanding.task
    shape = input_shape(table, task, understanding.split)
    pictures = unread_pictures(table, task)
    note = f"\nnot read: {listed(pictures)} (pictures)" if pictures else ""
    return replace(understanding, drawings=tuple(f"{each.draw(shape)}{note}" for each in own))


def draw_network(
    path: Path, source: Source, target: str, kinds: Mapping[str, str] | None = None
) -> str:
    """A network from its file, checked against a table and drawn; nothing is trained.

    Raises:
        FathometerError: in all its kinds, whenever the file, the table or the two do not fit.
    """
    from fathometer.app.preparation import Options, prepare

    own = own_networks(path, Effort.QUICK, 0)
    (drawing,) = drawn(own, prepare(source, Options(target, kinds=kinds or {}))).drawings
    return drawing


def source_words(sources: NetworkSources) -> tuple[str, ...]:
    """The networks as a command line names them; "…" where they are objects."""
    each = (source for _, source in _each(sources))
    return tuple(str(one) if isinstance(one, str | Path) else "…" for one in each)
