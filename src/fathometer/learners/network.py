"""The deep learners: networks that take raw values by the learned road.

All settings, folds and seeds of a learner train side by side as one population; the model is the
weighted mean of their answers, written as one graph of batched products."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np

from fathometer.errors import LearnerError, OutOfTimeError
from fathometer.features.learned import NetworkInputs, fit_learned_road
from fathometer.features.roads import feature_specs
from fathometer.learners.contract import UNLIMITED, Account, Budget, Family, Progress
from fathometer.learners.mixture import cross_mixed
from fathometer.learners.network_lessons import Scales, fit_scales, make_lessons, network_shape
from fathometer.learners.network_model import Group, NetworkModel, scores
from fathometer.learners.portfolio import entries
from fathometer.learners.timekeeper import Timekeeper, shortened
from fathometer.table.split import Split
from fathometer.table.table import Table
from fathometer.table.task import Task, TaskKind

if TYPE_CHECKING:
    from fathometer.networks.network import Network, Shape
    from fathometer.population.member import Graduate, Member, Schedule
    from fathometer.population.train import Standing

# Settings are compared where the learning rate has fallen to 0 (`population.block.pace`): a third
# of them goes on from 1/7 of the schedule, half of those from 3/7.
HALVING = ((1 / 7, 1 / 3), (3 / 7, 1 / 2))
MOST_GROUPS = 3  # settings with a say in the answer; more cost time at every prediction
# To compare a row that is asked about with one that is remembered: once for the file's answers and
# once for the model's, which they must equal. kddcup99_10pct, 98,805 rows with five times 8,192, on
# two cores of an AMD EPYC: about 100 s.
SECONDS_A_PAIR = 2.5e-8


@dataclass(frozen=True)
class Setting:
    """All that is chosen about a network and its training."""

    network: Network
    learning_rate: float
    weight_decay: float
    dropout: float
    label_smoothing: float = 0.0
    is_logarithmic: bool = False  # learns ln(1 + value); for values that are never negative


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
    """A deep learner that says what to try; how it is trained is common to all."""

    @property
    def name(self) -> str: ...
    @property
    def training(self) -> Training: ...
    @property
    def seed(self) -> int: ...

    def settings(self, shape: Shape, *, has_logarithm: bool) -> Sequence[Setting]:
        """What to try on inputs of this shape; the first ones are the safest.

        has_logarithm: whether the target may be learned by its logarithm."""
        ...

    def fit(
        self, table: Table, task: Task, split: Split, *, budget: Budget = UNLIMITED
    ) -> NetworkModel:
        """Train one network for each setting, fold and seed; halve the settings, mix the rest.

        Raises:
            LearnerError: if the table has no column to learn from.
            OutOfTimeError: if the time is up before the first step.
        """
        return fit_population(self, table, task, split, budget)


@dataclass(frozen=True)
class PlainNetwork(NetworkLearner):
    """A multilayer perceptron with textbook settings: what most people call a neural network."""

    width: int = 256
    depth: int = 2
    training: Training = Training()
    seed: int = 0
    name: str = "perceptron"
    family: ClassVar[Family] = Family.DEEP

    def settings(self, shape: Shape, *, has_logarithm: bool) -> Sequence[Setting]:
        """The one setting there is.

        Its numbers, and those of the modern network's first setting, were chosen on 9 development
        tables of at most 20,000 rows by out-of-fold scores, with test scores in view: on those
        tables the networks may look slightly better than on others."""
        from fathometer.networks.perceptron import Perceptron

        return [Setting(Perceptron(shape, self.width, self.depth), 2e-3, 1e-2, 0.1)]


@dataclass(frozen=True)
class ModernNetwork(NetworkLearner):
    """Today's networks for tables, searched: the portfolio's first settings, then sampled ones."""

    configurations: int = 1
    training: Training = Training()
    seed: int = 0
    name: str = "modern network"
    family: ClassVar[Family] = Family.DEEP

    def settings(self, shape: Shape, *, has_logarithm: bool) -> Sequence[Setting]:
        """So many settings as there are configurations."""
        chosen = entries(self.configurations, self.seed, has_logarithm=has_logarithm)
        return [
            Setting(
                entry.network(shape),
                entry.learning_rate,
                entry.weight_decay,
                entry.dropout,
                is_logarithmic=entry.is_logarithmic,
            )
            for entry in chosen
        ]


@dataclass(frozen=True)
class RetrievalNetwork(NetworkLearner):
    """A network that answers from the learning rows that are most like the one asked about."""

    training: Training = Training()
    seed: int = 0
    name: str = "retrieval network"
    family: ClassVar[Family] = Family.DEEP

    def settings(self, shape: Shape, *, has_logarithm: bool) -> Sequence[Setting]:
        """The one setting there is."""
        from fathometer.networks.retrieval import Retrieval

        return [Setting(Retrieval(shape), 1e-2, 1e-4, 0.1)]

    def fit(
        self, table: Table, task: Task, split: Split, *, budget: Budget = UNLIMITED
    ) -> NetworkModel:
        """As every network learner's, in the time that its answers to the lockbox leave.

        Raises:
            LearnerError: if the table has no column to learn from.
            OutOfTimeError: if most of the time would go into those answers.
        """
        own = leaving_answers(self.name, split, budget)
        model = fit_population(self, table, task, split, own)
        if not own.spent:
            return model
        return replace(model, account=replace(model.account, is_shortened=True))


def leaving_answers(name: str, split: Split, budget: Budget) -> Budget:
    """A retrieval network's budget without the time that answering the lockbox will take.

    Raises:
        OutOfTimeError: if that is more than half of it.
    """
    from fathometer.population.block import MOST_REMEMBERED

    if budget.deadline is None:
        return budget
    learning = (len(split.fold_rows(fold)[0]) for fold in range(len(split.folds)))
    remembered = sum(min(MOST_REMEMBERED, rows) for rows in learning)
    seconds = SECONDS_A_PAIR * len(split.lockbox) * remembered
    if budget.deadline - time.monotonic() < 2 * seconds:
        raise OutOfTimeError(
            f"too little time was left for {name}: comparing the lockbox's "
            f"{len(split.lockbox):,} rows with those it remembers takes {math.ceil(seconds)} s."
        )
    return replace(budget, deadline=budget.deadline - seconds)


def open_torch() -> None:
    """Import what training needs, so that the first network does not pay for all of them."""
    import fathometer.population.train  # noqa: F401


def fit_population(
    learner: NetworkLearner, table: Table, task: Task, split: Split, budget: Budget
) -> NetworkModel:
    """Train the learner's networks for every setting, fold and seed as one population."""
    own_rows = [split.fold_rows(fold)[0] for fold in range(len(split.folds))]
    road = fit_learned_road(table, task, own_rows)
    encoded = road.inputs(table.rows(split.train))
    shape = network_shape(road, encoded, task)
    target = task.encode(table[task.target])[split.train]
    trained = train_on(learner, encoded, shape, target, task, split, budget)
    columns = feature_specs(table, task)
    return NetworkModel(task, columns, trained.out_of_fold, trained.account, road, trained.groups)


@dataclass(frozen=True, eq=False)
class Trained:
    """What training a learner's networks on encoded rows leaves."""

    out_of_fold: np.ndarray  # (train rows, outputs) scores
    groups: tuple[Group, ...]
    account: Account


def train_on(
    learner: NetworkLearner,
    encoded: NetworkInputs,
    shape: Shape,
    target: np.ndarray,
    task: Task,
    split: Split,
    budget: Budget,
) -> Trained:
    """Train the learner's networks on the rows of `split.train`, encoded for every fold.

    target: (train rows,) encoded.

    Raises:
        LearnerError: if networks cannot answer this task.
        OutOfTimeError: if the time is up before the first step.
    """
    import torch

    from fathometer.population.train import train

    if task.kind not in (TaskKind.CLASSIFY, TaskKind.REGRESS):
        raise LearnerError(f"{learner.name} cannot answer a task of the kind {task.kind.value}.")
    if budget.spent:
        raise OutOfTimeError(f"no time was left for {learner.name}.")
    own_rows = [split.fold_rows(fold) for fold in range(len(split.folds))]
    places = [split.places(learning) for learning, _ in own_rows]
    validation = [split.places(validated) for _, validated in own_rows]
    scales = fit_scales(target, places) if task.kind is TaskKind.REGRESS else None
    lessons = make_lessons(encoded, target, scales, places, validation)
    has_logarithm = scales is not None and scales.logarithm is not None
    settings = learner.settings(shape, has_logarithm=has_logarithm)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    lessons, training = lessons.to(device), learner.training
    # A search is not shortened: its settings are halved where the rate has fallen to 0.
    keeper = Timekeeper(budget, is_watching=len(settings) == 1)
    while True:
        members, schedule = plan(settings, training, learner.seed, places)
        graduates = train(
            lessons,
            members,
            schedule,
            goes_on=keeper.goes_on,
            report=keeper.telling(reporter(budget, members)),
            checkpoint=budget.checkpoint,
        )
        if keeper.fitting is None:
            break
        training = shortened(learner.training, keeper.fitting)
        keeper = Timekeeper(budget, is_watching=False)
    cohorts = [list(own) for _, own in groupby(graduates, key=lambda g: g.member.setting)]
    each = [out_of_fold_scores(own, validation, scales, task) for own in cohorts]
    out_of_fold, weights = each[0], np.ones(1)
    if len(cohorts) > 1:
        stacked = np.stack(each)
        out_of_fold, weights = cross_mixed(stacked, target, task, split, most=MOST_GROUPS)
    groups = tuple(
        make_group(own, float(weight), scales)
        for own, weight in zip(cohorts, weights, strict=True)
        if weight
    )
    account = describe(cohorts, weights, training)
    is_shortened = training != learner.training
    return Trained(out_of_fold, groups, replace(account, is_shortened=is_shortened))


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
            is_logarithmic=setting.is_logarithmic,
            steps=every * training.epochs,
        )
        for setting in settings
        for draw in range(training.seeds)
        for fold in range(len(learning))
    ]
    rungs = tuple(Rung(*rung) for rung in HALVING) if len(settings) > 2 else ()
    return members, Schedule(batch, every, training.patience, rungs)


def reporter(budget: Budget, members: Sequence[Member]) -> Callable[[Standing], None]:
    """Tells after each validation how far the population has come."""
    settings = len({member.setting for member in members})

    def report(standing: Standing) -> None:
        words = f"{standing.training} of {standing.members} networks in one batch"
        if settings > 1:
            words = f"{settings} settings · round {standing.rung}/{standing.rungs} · " + words
        budget.report(Progress(standing.done, words, standing.losses))

    return report


def out_of_fold_scores(
    graduates: Sequence[Graduate],
    validation: Sequence[np.ndarray],
    scales: Scales | None,
    task: Task,
) -> np.ndarray:
    """Each training row's mean score over the members that did not learn from it."""
    total = np.zeros((sum(len(rows) for rows in validation), task.outputs))
    for graduate in graduates:
        fold, logarithmic = graduate.member.fold, graduate.member.is_logarithmic
        own = None if scales is None else scales.of(logarithmic=logarithmic).take([fold])
        total[validation[fold]] += scores(graduate.outputs.unsqueeze(0), own)[0]
    return total / (len(graduates) / len(validation))


def make_group(graduates: Sequence[Graduate], weight: float, scales: Scales | None) -> Group:
    """The members of one setting, stacked."""
    folds = tuple(graduate.member.fold for graduate in graduates)
    own = [graduate.parameters for graduate in graduates]
    first = graduates[0].member
    scale = None if scales is None else scales.of(logarithmic=first.is_logarithmic)
    return Group(
        first.network,
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
    trained = cohort[0].parameters.keys() - member.network.fixed
    size = sum(cohort[0].parameters[name].numel() for name in trained)
    kept = np.median([graduate.kept for graduate in cohort]) + 1
    return (
        f"{len(cohort)} networks of {size:,} parameters, learning rate {member.learning_rate:g}, "
        f"weight decay {member.weight_decay:g}, dropout {member.dropout:g}, "
        f"{'logarithm of the target, ' if member.is_logarithmic else ''}weights of epoch "
        f"{kept:.0f} of {training.epochs}"
    )
