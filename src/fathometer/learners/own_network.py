"""A network of the user's own as a contestant: declared in TOML or Python, or any torch module."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Protocol

from fathometer.errors import LearnerError, NetworkError
from fathometer.features.learned import LearnedRoad, fit_learned_road
from fathometer.features.roads import feature_specs
from fathometer.learners.contract import UNLIMITED, Budget, Family
from fathometer.learners.network import Setting, Training, fit_population
from fathometer.networks.declaration import Declaration
from fathometer.networks.notation import Taught, check_name
from fathometer.table.kind import Kind
from fathometer.table.split import Split
from fathometer.table.table import Table
from fathometer.table.task import Task, TaskKind
from fathometer.wording import listed

if TYPE_CHECKING:
    from fathometer.learners.network_model import NetworkModel
    from fathometer.networks.declared import DeclaredNetwork
    from fathometer.networks.module import ModuleNetwork
    from fathometer.networks.module_check import ModuleSource
    from fathometer.networks.network import Shape

# Modules start as torch starts them, and are taught at the rates of our plain network.
MODULE_LEARNING_RATE, MODULE_WEIGHT_DECAY = 2e-3, 1e-2
# Five networks of so many, each with its gradient, two moments and a kept copy, fill 5 GB.
MOST_PARAMETERS = 50_000_000


class Architecture(Protocol):
    """What makes the user's network for inputs of a shape."""

    def build(self, shape: Shape) -> DeclaredNetwork | ModuleNetwork:
        """The network, checked.

        Raises:
            NetworkError: if it does not fit these inputs.
        """
        ...

    def taught(self, shape: Shape) -> Taught:
        """How it is taught."""
        ...


@dataclass(frozen=True)
class DeclaredArchitecture:
    """A network declared layer by layer."""

    declaration: Declaration
    teaching: Taught = field(default_factory=Taught)

    def build(self, shape: Shape) -> DeclaredNetwork:
        """The declared network for these inputs."""
        from fathometer.networks.declared import DeclaredNetwork

        return DeclaredNetwork(shape, self.declaration)

    def taught(self, shape: Shape) -> Taught:
        """As its owner says."""
        return self.teaching


class ModuleArchitecture:
    """A torch module, or a function that makes one for so many features and outputs.

    Its `repr` is what it computes, so that a run that was killed goes on with no other module."""

    def __init__(self, source: ModuleSource) -> None:
        self._source = source
        self._built: dict[Shape, ModuleNetwork] = {}

    def __repr__(self) -> str:
        return f"ModuleArchitecture({[network.digest for network in self._built.values()]})"

    def build(self, shape: Shape) -> ModuleNetwork:
        """The module for these inputs, checked the first time."""
        from fathometer.networks.module_check import check_module

        if shape not in self._built:
            self._built[shape] = check_module(self._source, shape)
        return self._built[shape]

    def taught(self, shape: Shape) -> Taught:
        """With the dropout that the module itself has."""
        return Taught(MODULE_LEARNING_RATE, MODULE_WEIGHT_DECAY, self.build(shape).share)


@dataclass(frozen=True)
class OwnNetwork:
    """The user's network, trained as a population of folds and seeds like ours."""

    name: str
    architecture: Architecture
    training: Training = field(default_factory=Training)
    seed: int = 0
    family: ClassVar[Family] = Family.DEEP

    def __post_init__(self) -> None:
        check_name(self.name)

    def build(self, shape: Shape) -> DeclaredNetwork | ModuleNetwork:
        """The network for inputs of this shape.

        Raises:
            NetworkError: if it does not fit these inputs, or is larger than can be trained.
        """
        try:
            network = self.architecture.build(shape)
        except NetworkError as error:
            words = f"{self.name}: {error.message}"
            raise NetworkError(words, details=error.details, try_next=error.try_next) from error
        if network.parameter_count > MOST_PARAMETERS:
            raise NetworkError(
                f"{self.name} has {network.parameter_count:,} parameters on this table; "
                f"at most {MOST_PARAMETERS:,} are trained."
            )
        return network

    def settings(self, shape: Shape, *, has_logarithm: bool) -> Sequence[Setting]:
        """The user's network as it is: nothing about it is searched."""
        network, taught = self.build(shape), self.architecture.taught(shape)
        return [Setting(network, taught.learning_rate, taught.weight_decay, taught.dropout)]

    def draw(self, shape: Shape) -> str:
        """Its layers as a table, for inputs of this shape.

        Raises:
            NetworkError: if it does not fit these inputs.
        """
        return f"{self.name}: {self.build(shape).draw()}"

    def fit(
        self, table: Table, task: Task, split: Split, *, budget: Budget = UNLIMITED
    ) -> NetworkModel:
        """Train one network for each fold and seed.

        Raises:
            NetworkError: if the network does not fit this table.
            LearnerError: if the table has no column to learn from that it reads.
            OutOfTimeError: if the time is up before the first step.
        """
        refuse_pictures_alone(table, task)
        model = fit_population(self, table, task, split, budget)
        shape = shape_of(model.road, task)
        taught, network = self.architecture.taught(shape), self.build(shape)
        chosen = (
            f"{model.account.fits} networks of {network.parameter_count:,} parameters, "
            f"learning rate {taught.learning_rate:g}, weight decay {taught.weight_decay:g}, "
            f"dropout {taught.dropout:g}"
        )
        return replace(model, account=replace(model.account, chosen=chosen))


def input_shape(table: Table, task: Task, split: Split) -> Shape:
    """How wide a network's inputs and output are on this table, as `fit_population` finds them.

    Raises:
        LearnerError: if networks cannot answer this task, or have no column to learn from.
    """
    if task.kind not in (TaskKind.CLASSIFY, TaskKind.REGRESS):
        raise LearnerError(f"a network cannot answer a task of the kind {task.kind.value}.")
    refuse_pictures_alone(table, task)
    learning = [split.fold_rows(fold)[0] for fold in range(len(split.folds))]
    return shape_of(fit_learned_road(table, task, learning), task)


def unread_pictures(table: Table, task: Task) -> tuple[str, ...]:
    """Columns of pictures, which a network of the user's own does not read."""
    return tuple(spec.name for spec in feature_specs(table, task) if spec.kind is Kind.IMAGE)


def refuse_pictures_alone(table: Table, task: Task) -> None:
    """Refuse a table in which there is nothing to learn from but pictures.

    Raises:
        LearnerError: if it is one.
    """
    pictures = unread_pictures(table, task)
    if pictures and len(pictures) == len(feature_specs(table, task)):
        raise LearnerError(
            f"{table.name} has only pictures to learn from ({listed(pictures)}), which a network "
            "of one's own does not read.",
            details="it reads numbers, categories, dates and words; networks made for pictures "
            "enter by themselves",
        )


def shape_of(road: LearnedRoad, task: Task) -> Shape:
    """How wide a road's output and a task's answer are."""
    from fathometer.networks.network import Shape

    return Shape(len(road.number_names), len(road.flag_names), road.levels, task.outputs)
