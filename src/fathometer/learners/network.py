"""The deep learners: networks that take raw values by the learned road.

All folds and seeds of a learner train side by side as one population; the model is the mean of
their answers, written as one graph of batched products."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np

from fathometer.errors import LearnerError, OutOfTimeError
from fathometer.features.learned import LearnedRoad, NetworkInputs, fit_learned_road
from fathometer.features.roads import feature_specs
from fathometer.graph import Element, Graph
from fathometer.learners.contract import UNLIMITED, Account, Budget, Family, Prediction, Progress
from fathometer.table.kind import ColumnSpec
from fathometer.table.split import Split
from fathometer.table.table import Table
from fathometer.table.task import Task, TaskKind

if TYPE_CHECKING:
    import torch

    from fathometer.networks.network import Inputs, Network, Shape
    from fathometer.population.member import Lessons, Member, Schedule, Trained

# Bins of all numbers together; with more, the first layer is all of the cost. Many columns get 8
# bins each up to the second limit, and fewer beyond it.
ENCODED_WIDTH = 384
WIDEST_ENCODED = 2048
ROWS_AT_ONCE = 4096  # rows of one forward pass when predicting


class NetworkLearner(Protocol):
    """What the two deep learners have in common, for `fit_population`."""

    @property
    def name(self) -> str: ...
    @property
    def training(self) -> Training: ...
    @property
    def seed(self) -> int: ...

    def network(self, shape: Shape) -> Network:
        """The architecture for inputs of this shape."""
        ...


@dataclass(frozen=True)
class Training:
    """How a population of one setting is trained; step budgets, so exactly repeatable."""

    epochs: int  # passes over a fold's learning rows; validated after each
    learning_rate: float
    weight_decay: float
    dropout: float
    batch: int = 256
    least_steps: int = 600  # small tables are passed over more often, up to this
    most_steps: int = 4000  # large ones less often: they need fewer passes
    patience: int = 8  # validations before all may stop early
    seeds: int = 1  # networks for each fold


# Chosen on 9 development tables of at most 20,000 rows by out-of-fold scores, with test scores in
# view: on those tables the networks may look slightly better than on others.
PLAIN_TRAINING = Training(epochs=24, learning_rate=2e-3, weight_decay=1e-2, dropout=0.1)
MODERN_TRAINING = Training(epochs=24, learning_rate=6e-3, weight_decay=2e-2, dropout=0.15)


@dataclass(frozen=True)
class PlainNetwork:
    """A multilayer perceptron with textbook settings: what most people call a neural network."""

    width: int = 256
    depth: int = 2
    training: Training = PLAIN_TRAINING
    seed: int = 0
    name: str = "perceptron"
    family: ClassVar[Family] = Family.DEEP

    def network(self, shape: Shape) -> Network:
        """The perceptron for inputs of this shape."""
        from fathometer.networks.perceptron import Perceptron

        return Perceptron(shape, self.width, self.depth)

    def fit(
        self, table: Table, task: Task, split: Split, *, budget: Budget = UNLIMITED
    ) -> NetworkModel:
        """Train one network for each fold and seed.

        Raises:
            LearnerError: if the table has no column to learn from.
            OutOfTimeError: if the time is up before the first step.
        """
        return fit_population(self, table, task, split, budget)


@dataclass(frozen=True)
class ModernNetwork:
    """A multilayer perceptron whose numbers enter through piecewise-linear encodings."""

    width: int = 128
    depth: int = 3
    bins: int = 32
    training: Training = MODERN_TRAINING
    seed: int = 0
    name: str = "modern network"
    family: ClassVar[Family] = Family.DEEP

    def network(self, shape: Shape) -> Network:
        """The modern network for inputs of this shape."""
        from fathometer.networks.modern import Modern

        return Modern(shape, self.width, self.depth, min(self.bins, affordable_bins(shape.numbers)))

    def fit(
        self, table: Table, task: Task, split: Split, *, budget: Budget = UNLIMITED
    ) -> NetworkModel:
        """Train one network for each fold and seed.

        Raises:
            LearnerError: if the table has no column to learn from.
            OutOfTimeError: if the time is up before the first step.
        """
        return fit_population(self, table, task, split, budget)


def affordable_bins(numbers: int) -> int:
    """How finely each of so many numbers may be encoded."""
    columns = max(numbers, 1)
    return max(1, ENCODED_WIDTH // columns, min(8, WIDEST_ENCODED // columns))


@dataclass(frozen=True, eq=False)
class TargetScale:
    """Each fold's standardisation of a regression target, and the range it has seen; (F,) each."""

    mean: np.ndarray
    spread: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def take(self, folds: Sequence[int]) -> TargetScale:
        """The scales of these folds, shaped (P, 1, 1)."""
        each = (self.mean, self.spread, self.low, self.high)
        return TargetScale(*(values[list(folds)].reshape(-1, 1, 1) for values in each))

    def restore(self, values: np.ndarray) -> np.ndarray:
        """From standardised values back to the target's unit, within the range seen; float64."""
        restored = values.astype(np.float64) * self.spread + self.mean
        return np.asarray(np.clip(restored, self.low, self.high))

    def write(self, graph: Graph, values: str) -> str:
        """The twin of `restore`."""
        wide = graph.cast(values, Element.DOUBLE)
        scaled = graph.add("Mul", wide, graph.constant(self.spread))
        moved = graph.add("Add", scaled, graph.constant(self.mean))
        above = graph.add("Max", moved, graph.constant(self.low))
        return graph.add("Min", above, graph.constant(self.high))


def fit_target_scale(target: np.ndarray, folds: Sequence[np.ndarray]) -> TargetScale:
    """Standardise on each fold's learning rows alone; folds hold places in `target`."""
    own = [target[rows] for rows in folds]
    spread = np.array([values.std() for values in own])
    return TargetScale(
        np.array([values.mean() for values in own]),
        np.where(spread > 0, spread, 1.0),
        np.array([values.min() for values in own]),
        np.array([values.max() for values in own]),
    )


@dataclass(frozen=True, eq=False)
class NetworkModel:
    """A trained population; its answer is the mean of its members' answers."""

    task: Task
    columns: tuple[ColumnSpec, ...]
    out_of_fold: np.ndarray
    account: Account
    road: LearnedRoad
    network: Network
    parameters: dict[str, np.ndarray]  # (P, ...) each
    folds: tuple[int, ...]  # each member's fold
    scale: TargetScale | None  # regression only, (P, 1, 1)
    family: ClassVar[Family] = Family.DEEP

    def predict(self, table: Table) -> Prediction:
        """Answer for every row, in float32 but for a regression's last step."""
        import torch

        parameters = {name: torch.from_numpy(array) for name, array in self.parameters.items()}
        parts = [np.zeros((0, self.task.outputs))]
        for first in range(0, len(table), ROWS_AT_ONCE):
            rows = np.arange(first, min(first + ROWS_AT_ONCE, len(table)))
            encoded = self.road.inputs(table.rows(rows))
            inputs = as_inputs(encoded).members(self.folds)
            with torch.no_grad():
                outputs = self.network.forward(parameters, inputs)
            parts.append(scores(outputs, self.scale).mean(axis=0))
        return Prediction(self.task, np.concatenate(parts))

    def write(self, graph: Graph) -> str:
        """One graph for all members: batched products over the population axis."""
        from fathometer.networks.network import InputTensors

        encoded = self.road.write(graph)
        folds = graph.constant(np.array(self.folds, dtype=np.int64))
        own = [
            None if tensor is None else graph.add("Gather", tensor, folds, axis=0)
            for tensor in (encoded.numbers, encoded.flags, encoded.codes)
        ]
        outputs = self.network.write(graph, self.parameters, InputTensors(*own))
        if self.scale is None:
            answers = graph.add("Softmax", outputs, axis=2)
        else:
            answers = self.scale.write(graph, outputs)
        return graph.add("ReduceMean", answers, graph.constant(np.array([0])), keepdims=0)


def fit_population(
    learner: NetworkLearner, table: Table, task: Task, split: Split, budget: Budget
) -> NetworkModel:
    """Train the learner's network for every fold and seed as one population."""
    import torch

    from fathometer.population.train import train

    if task.kind not in (TaskKind.CLASSIFY, TaskKind.REGRESS):
        raise LearnerError(f"{learner.name} cannot answer a task of the kind {task.kind.value}.")
    if budget.spent:
        raise OutOfTimeError(f"no time was left for {learner.name}.")
    training_rows = table.rows(split.train)
    target = task.encode(training_rows[task.target])
    own_rows = [split.fold_rows(fold) for fold in range(len(split.folds))]
    places = [split.places(learning) for learning, _ in own_rows]
    validation = [split.places(validated) for _, validated in own_rows]
    road = fit_learned_road(table, task, [learning for learning, _ in own_rows])
    scale = fit_target_scale(target, places) if task.kind is TaskKind.REGRESS else None
    encoded = road.inputs(training_rows)
    lessons = make_lessons(encoded, target, scale, places, validation)
    members, schedule = plan(learner.training, learner.seed, places)
    network = learner.network(network_shape(road, encoded, task))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    watch = watcher(budget, len(members), schedule)
    trained = train(network, lessons.to(device), members, schedule, watch=watch)
    folds = tuple(member.fold for member in members)
    return NetworkModel(
        task,
        feature_specs(table, task),
        out_of_fold_scores(trained, folds, validation, scale, task),
        describe(learner, members, trained),
        road,
        network,
        {name: tensor.numpy() for name, tensor in trained.parameters.items()},
        folds,
        None if scale is None else scale.take(folds),
    )


def network_shape(road: LearnedRoad, encoded: NetworkInputs, task: Task) -> Shape:
    """How wide the road's output and the task's answer are."""
    from fathometer.networks.network import Shape

    numbers, flags = encoded.numbers.shape[2], encoded.flags.shape[2]
    return Shape(numbers, flags, road.levels, task.outputs)


def make_lessons(
    encoded: NetworkInputs,
    target: np.ndarray,
    scale: TargetScale | None,
    learning: Sequence[np.ndarray],
    validation: Sequence[np.ndarray],
) -> Lessons:
    """Rows and targets as tensors; a regression's target is standardised for each fold."""
    import torch

    from fathometer.population.member import Lessons

    if scale is None:
        each = np.broadcast_to(target, (len(learning), len(target)))
    else:
        each = (target - scale.mean[:, None]) / scale.spread[:, None]
        each = each.astype(np.float32)
    return Lessons(
        as_inputs(encoded),
        torch.from_numpy(each.copy()),
        tuple(torch.from_numpy(rows) for rows in learning),
        tuple(torch.from_numpy(rows) for rows in validation),
        classify=scale is None,
    )


def as_inputs(encoded: NetworkInputs) -> Inputs:
    """Encoded rows as tensors, sharing memory."""
    import torch

    from fathometer.networks.network import Inputs

    return Inputs(
        torch.from_numpy(encoded.numbers),
        torch.from_numpy(encoded.flags),
        torch.from_numpy(encoded.codes),
    )


def plan(
    training: Training, seed: int, learning: Sequence[np.ndarray]
) -> tuple[list[Member], Schedule]:
    """The members, a network for each fold and seed, and how often they are validated."""
    from fathometer.population.member import Member, Schedule

    rows = max(len(own) for own in learning)
    batch = min(training.batch, max(16, rows // 8))
    least, most = (
        math.ceil(steps / training.epochs) for steps in (training.least_steps, training.most_steps)
    )
    every = min(max(math.ceil(rows / batch), least), most)
    members = [
        Member(
            fold=fold,
            seed=(seed * training.seeds + draw) * len(learning) + fold,
            learning_rate=training.learning_rate,
            weight_decay=training.weight_decay,
            dropout=training.dropout,
            steps=every * training.epochs,
        )
        for draw in range(training.seeds)
        for fold in range(len(learning))
    ]
    return members, Schedule(batch, every, training.patience)


def watcher(budget: Budget, networks: int, schedule: Schedule) -> Callable[[int, int], bool]:
    """Reports each epoch and says whether time is left."""

    def watch(step: int, steps: int) -> bool:
        if step % schedule.every == 0:
            words = f"epoch {step // schedule.every}/{steps // schedule.every}"
            words += f" · {networks} networks in one batch"
            budget.report(Progress(step / steps, words))
        return not budget.spent

    return watch


def scores(outputs: torch.Tensor, scale: TargetScale | None) -> np.ndarray:
    """Probabilities, or values in the target's unit, of each member; (P, rows, K) float64."""
    if scale is None:
        return outputs.softmax(dim=2).double().numpy()
    return scale.restore(outputs.numpy())


def out_of_fold_scores(
    trained: Trained,
    folds: Sequence[int],
    validation: Sequence[np.ndarray],
    scale: TargetScale | None,
    task: Task,
) -> np.ndarray:
    """Each training row's mean score over the members that did not learn from it."""
    total = np.zeros((sum(len(rows) for rows in validation), task.outputs))
    for fold, outputs in zip(folds, trained.outputs, strict=True):
        own = None if scale is None else scale.take([fold])
        total[validation[fold]] += scores(outputs.unsqueeze(0), own)[0]
    return total / (len(folds) / len(validation))


def describe(learner: NetworkLearner, members: Sequence[Member], trained: Trained) -> Account:
    """What was trained, in words."""
    size = sum(array[0].numel() for array in trained.parameters.values())
    training = learner.training
    chosen = (
        f"{len(members)} networks of {size:,} parameters, learning rate "
        f"{training.learning_rate:g}, weight decay {training.weight_decay:g}, dropout "
        f"{training.dropout:g}, weights of epoch {np.median(trained.kept) + 1:.0f}"
        f" of {training.epochs}"
    )
    return Account(configurations=1, fits=len(members), chosen=chosen)
