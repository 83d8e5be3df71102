"""The deep learners: networks that take raw values by the learned road.

All settings, folds and seeds of a learner train side by side as one population; the model is the
weighted mean of their answers, written as one graph of batched products."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np

from fathometer.errors import LearnerError, OutOfTimeError
from fathometer.features.learned import LearnedRoad, NetworkInputs, fit_learned_road
from fathometer.features.roads import feature_specs
from fathometer.learners.contract import UNLIMITED, Account, Budget, Family, Progress
from fathometer.learners.mixture import cross_mixed
from fathometer.learners.network_model import (
    Group,
    NetworkModel,
    TargetScale,
    as_inputs,
    fit_target_scale,
    scores,
)
from fathometer.learners.portfolio import settings_for
from fathometer.table.split import Split
from fathometer.table.table import Table
from fathometer.table.task import Task, TaskKind

if TYPE_CHECKING:
    from fathometer.networks.network import Network, Shape
    from fathometer.population.member import Graduate, Lessons, Member, Schedule
    from fathometer.population.train import Standing

# Settings are compared where the learning rate has fallen to 0 (`population.block.pace`): a third
# of them goes on from 1/7 of the schedule, half of those from 3/7.
HALVING = ((1 / 7, 1 / 3), (3 / 7, 1 / 2))
MOST_GROUPS = 4  # settings with a say in the answer; more cost time at every prediction


@dataclass(frozen=True)
class Setting:
    """All that is chosen about a network and its training."""

    network: Network
    learning_rate: float
    weight_decay: float
    dropout: float
    label_smoothing: float = 0.0


@dataclass(frozen=True)
class Training:
    """How long a population is trained; step budgets, so exactly repeatable."""

    epochs: int = 24  # passes over a fold's learning rows; validated after each
    batch: int = 256
    least_steps: int = 600  # small tables are passed over more often, up to this
    most_steps: int = 4000  # large ones less often: they need fewer passes
    patience: int = 8  # validations before a setting may stop early
    seeds: int = 1  # networks for each fold


class NetworkLearner(Protocol):
    """What the deep learners have in common, for `fit_population`."""

    @property
    def name(self) -> str: ...
    @property
    def training(self) -> Training: ...
    @property
    def seed(self) -> int: ...

    def settings(self, shape: Shape, task: Task) -> Sequence[Setting]:
        """What to try on inputs of this shape; the first ones are the safest."""
        ...


@dataclass(frozen=True)
class PlainNetwork:
    """A multilayer perceptron with textbook settings: what most people call a neural network."""

    width: int = 256
    depth: int = 2
    training: Training = Training()
    seed: int = 0
    name: str = "perceptron"
    family: ClassVar[Family] = Family.DEEP

    def settings(self, shape: Shape, task: Task) -> Sequence[Setting]:
        """The one setting there is.

        Its numbers, and those of the modern network's first setting, were chosen on 9 development
        tables of at most 20,000 rows by out-of-fold scores, with test scores in view: on those
        tables the networks may look slightly better than on others."""
        from fathometer.networks.perceptron import Perceptron

        return [Setting(Perceptron(shape, self.width, self.depth), 2e-3, 1e-2, 0.1)]

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
    """Today's networks for tables, searched: the portfolio's first settings, then sampled ones."""

    configurations: int = 1
    training: Training = Training()
    seed: int = 0
    name: str = "modern network"
    family: ClassVar[Family] = Family.DEEP

    def settings(self, shape: Shape, task: Task) -> Sequence[Setting]:
        """So many settings as there are configurations."""
        rows = settings_for(shape, task, self.configurations, self.seed)
        return [Setting(**row) for row in rows]

    def fit(
        self, table: Table, task: Task, split: Split, *, budget: Budget = UNLIMITED
    ) -> NetworkModel:
        """Train one network for each setting, fold and seed; halve the settings, mix the rest.

        Raises:
            LearnerError: if the table has no column to learn from.
            OutOfTimeError: if the time is up before the first step.
        """
        return fit_population(self, table, task, split, budget)


def fit_population(
    learner: NetworkLearner, table: Table, task: Task, split: Split, budget: Budget
) -> NetworkModel:
    """Train the learner's networks for every setting, fold and seed as one population."""
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
    settings = learner.settings(network_shape(road, encoded, task), task)
    members, schedule = plan(settings, learner.training, learner.seed, places)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    graduates = train(
        lessons.to(device),
        members,
        schedule,
        goes_on=lambda: not budget.spent,
        report=reporter(budget, members, schedule),
        checkpoint=budget.checkpoint,
    )
    cohorts = [list(own) for _, own in groupby(graduates, key=lambda g: g.member.setting)]
    each = [out_of_fold_scores(own, validation, scale, task) for own in cohorts]
    out_of_fold, weights = each[0], np.ones(1)
    if len(cohorts) > 1:
        stacked = np.stack(each)
        out_of_fold, weights = cross_mixed(stacked, target, task, split, most=MOST_GROUPS)
    groups = tuple(
        make_group(own, float(weight), scale)
        for own, weight in zip(cohorts, weights, strict=True)
        if weight
    )
    account = describe(cohorts, weights, learner.training)
    return NetworkModel(task, feature_specs(table, task), out_of_fold, account, road, groups)


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


def plan(
    settings: Sequence[Setting], training: Training, seed: int, learning: Sequence[np.ndarray]
) -> tuple[list[Member], Schedule]:
    """The members, a network for each setting, fold and seed, and how often they are validated."""
    from fathometer.population.member import Member, Rung, Schedule

    rows = max(len(own) for own in learning)
    batch = min(training.batch, max(16, rows // 8))
    least, most = (
        math.ceil(steps / training.epochs) for steps in (training.least_steps, training.most_steps)
    )
    every = min(max(math.ceil(rows / batch), least), most)
    members = [
        Member(
            network=setting.network,
            fold=fold,
            seed=(seed * training.seeds + draw) * len(learning) + fold,
            learning_rate=setting.learning_rate,
            weight_decay=setting.weight_decay,
            dropout=setting.dropout,
            label_smoothing=setting.label_smoothing,
            steps=every * training.epochs,
        )
        for setting in settings
        for draw in range(training.seeds)
        for fold in range(len(learning))
    ]
    rungs = tuple(Rung(*rung) for rung in HALVING) if len(settings) > 2 else ()
    return members, Schedule(batch, every, training.patience, rungs)


def reporter(
    budget: Budget, members: Sequence[Member], schedule: Schedule
) -> Callable[[Standing], None]:
    """Tells after each validation how far the population has come."""
    settings = len({member.setting for member in members})

    def report(standing: Standing) -> None:
        words = f"{standing.training} of {standing.members} networks in one batch"
        if settings > 1:
            words = f"{settings} settings · round {standing.rung}/{standing.rungs} · " + words
        budget.report(Progress(standing.done, words))

    return report


def out_of_fold_scores(
    graduates: Sequence[Graduate],
    validation: Sequence[np.ndarray],
    scale: TargetScale | None,
    task: Task,
) -> np.ndarray:
    """Each training row's mean score over the members that did not learn from it."""
    total = np.zeros((sum(len(rows) for rows in validation), task.outputs))
    for graduate in graduates:
        fold = graduate.member.fold
        own = None if scale is None else scale.take([fold])
        total[validation[fold]] += scores(graduate.outputs.unsqueeze(0), own)[0]
    return total / (len(graduates) / len(validation))


def make_group(graduates: Sequence[Graduate], weight: float, scale: TargetScale | None) -> Group:
    """The members of one setting, stacked."""
    folds = tuple(graduate.member.fold for graduate in graduates)
    own = [graduate.parameters for graduate in graduates]
    return Group(
        graduates[0].member.network,
        {name: np.stack([parameters[name].numpy() for parameters in own]) for name in own[0]},
        folds,
        None if scale is None else scale.take(folds),
        weight,
    )


def describe(
    cohorts: Sequence[Sequence[Graduate]], weights: np.ndarray, training: Training
) -> Account:
    """What was trained and taken, in words."""
    fits = sum(len(cohort) for cohort in cohorts)
    order = [int(place) for place in np.argsort(-weights, kind="stable") if weights[place]]
    words = [in_words(cohorts[place], training) for place in order]
    if len(cohorts) > 1:
        shares = [f"{weights[place]:.0%} {word}" for place, word in zip(order, words, strict=True)]
        words = [f"{fits} networks trained; " + "; ".join(shares)]
    return Account(configurations=len(cohorts), fits=fits, chosen=words[0])


def in_words(cohort: Sequence[Graduate], training: Training) -> str:
    """One setting and what became of it."""
    member = cohort[0].member
    size = sum(tensor.numel() for tensor in cohort[0].parameters.values())
    kept = np.median([graduate.kept for graduate in cohort]) + 1
    return (
        f"{len(cohort)} networks of {size:,} parameters, learning rate {member.learning_rate:g}, "
        f"weight decay {member.weight_decay:g}, dropout {member.dropout:g}, weights of epoch "
        f"{kept:.0f} of {training.epochs}"
    )
