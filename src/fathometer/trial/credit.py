"""The two corners that no contestant stands in: a network on engineered features, and a classical
learner on the features that a network learned. Scored out of fold; the lockbox is not asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from typing import Literal

import numpy as np

from fathometer.errors import LearnerError, OutOfTimeError
from fathometer.features.learned import NetworkInputs
from fathometer.features.roads import Road, fit_recipe
from fathometer.learners.boosted import boosted_out_of_fold
from fathometer.learners.contract import Budget, Learner, LearnsFeatures
from fathometer.learners.light_gbm import LightGBM
from fathometer.learners.linear import Logistic, Ridge
from fathometer.learners.network import (
    ModernNetwork,
    PlainNetwork,
    RetrievalNetwork,
    Training,
    train_on,
)
from fathometer.learners.own_network import OwnNetwork
from fathometer.learners.tuned import cross_tuned
from fathometer.table.metric import METRICS
from fathometer.table.split import Split
from fathometer.table.table import Table
from fathometer.table.task import Task, TaskKind
from fathometer.trial.best import best_trial
from fathometer.trial.contest import Contest
from fathometer.trial.encore import names_of
from fathometer.trial.event import Event
from fathometer.trial.side_fit import LeftOut, Scored, Side, SideFit, fit_beside
from fathometer.trial.trial import Trial

Place = tuple[Literal["engineered", "learned"], Literal["classical", "network"]]
CREDIT = "credit"
FITTED: tuple[Place, ...] = (("engineered", "network"), ("learned", "classical"))
ROUNDS, RATE, PATIENCE = 150, 0.12, 20
MANY_CLASSES_ROUNDS, MANY_CLASSES_RATE = 40, 0.2  # a tree a class and round
MANY_CLASSES = 4
MOST_TREE_CLASSES = 10  # with more, the trees on learned features are left out
PENALTIES = (1e-1, 1e-3)
ITERATIONS = 40  # of the linear model, whose inputs were made for one
TIME_SHARE = 0.5  # of what is left when both are begun; the rest is for learning curves
# The engineered features of all folds together, in bytes; beyond it the corner stays empty.
MOST_BYTES = 2_000_000_000


@dataclass(frozen=True, eq=False)
class Corners:
    """What stands in each of the four corners, or why they are not there."""

    scored: Mapping[Place, Scored] = field(default_factory=dict)  # all four, or none
    missing: str = ""
    is_of_first_fits: bool = False  # where there are longer ones as well


def corners(contest: Contest, learners: Sequence[Learner], trials: Sequence[Trial]) -> Corners:
    """Fill the corners within the contest's time; what is in its store is not fitted again."""
    longer = names_of(contest.longer)
    first = [trial for trial in trials if trial.scorecard.name not in longer]
    pairs = [pair for pair in (_best(contest, trials), _best(contest, first)) if pair]
    if not pairs:
        return Corners(missing="only one family has a finished contestant")
    if contest.terms.stopped():
        return Corners(missing="the run was stopped")
    # Where the best had unlike rows, or cost too much to fit again, the first fits stand here; once
    # their corners are in the store, they stay.
    even = [pair for pair in pairs if _is_even(contest, pair)]
    usable = [pair for pair in even if _is_stored(contest, pair)]
    usable += [pair for pair in even if _is_affordable(contest, pair)]
    if not usable:
        return Corners(missing="the time did not suffice for two more fits")
    traditional, deep = map(_own, usable[0])
    entered = {learner.name: learner for learner in learners}
    if deep[0] not in entered:
        return Corners(missing=f"{deep[0]} is a finished file that does not tell its features")
    found: dict[Place, Scored] = {
        ("engineered", "classical"): traditional,
        ("learned", "network"): deep,
    }
    network = entered[deep[0]]
    split = contest.split_of(network.name)
    fits: dict[Place, Callable[[Budget], Scored]] = {
        ("engineered", "network"): partial(
            on_engineered, contest.table, contest.task, split, _training(network)
        ),
        ("learned", "classical"): partial(_on_deep, contest, network, split),
    }
    for number, (place, fit) in enumerate(fits.items()):
        words = _words(place)
        side: Side = "deep" if place[1] == "network" else "traditional"
        one = SideFit(CREDIT, _stored_as(place, network.name), words, side, number, len(fits))
        scored = fit_beside(contest, one, fit)
        if isinstance(scored, LeftOut):
            return Corners(missing=scored.why)
        found[place] = scored
    contest.watch(Event("progress", CREDIT, "both", 1.0))
    is_first = len(first) < len(trials) and all(one in first for one in usable[0])
    return Corners(found, is_of_first_fits=is_first)


def _words(place: Place) -> str:
    return f"{place[1]} on {place[0]} features"


def _stored_as(place: Place, network: str) -> str:
    """The name of a corner in the store: beside another network it is another corner."""
    return f"{CREDIT}: {_words(place)}, beside {network}"


def _is_stored(contest: Contest, pair: Sequence[Trial]) -> bool:
    """Whether the other two corners of this pair have been fitted."""
    deep = pair[1].scorecard.name
    names = {_stored_as(place, deep) for place in FITTED}
    return names <= set(contest.store.names())


def _best(contest: Contest, trials: Sequence[Trial]) -> tuple[Trial, ...]:
    """The best traditional and the best deep contestant; nothing where one is absent."""
    metric = METRICS[contest.task.metric]
    found = [best_trial(trials, metric, family) for family in ("traditional", "deep")]
    return () if None in found else tuple(one for one in found if one is not None)


def _is_even(contest: Contest, pair: Sequence[Trial]) -> bool:
    """Whether both learned from the same rows and took all their steps."""
    if any(each.scorecard.is_shortened for each in pair):
        return False
    one, other = (contest.split_of(each.scorecard.name).teaching for each in pair)
    return np.array_equal(one, other)


def _is_affordable(contest: Contest, pair: Sequence[Trial]) -> bool:
    """Whether the other two corners, which take about as long, leave time for curves."""
    if contest.terms.deadline is None:
        return True
    bills = [one.scorecard.bill for one in pair]
    cost = sum(bill.train_seconds for bill in bills if bill is not None)
    return cost <= TIME_SHARE * (contest.terms.deadline - time.monotonic())


def _own(trial: Trial) -> Scored:
    # The other corners' probabilities are not corrected, so these are not either.
    assert trial.uncorrected is not None  # as `best_trial` chooses
    return trial.scorecard.name, trial.uncorrected


def _training(network: Learner) -> Training:
    """Epochs and seeds of a network for tables; those of pictures and texts are not comparable."""
    if isinstance(network, PlainNetwork | ModernNetwork | RetrievalNetwork | OwnNetwork):
        return network.training
    return Training()


def _on_deep(contest: Contest, learner: Learner, split: Split, budget: Budget) -> Scored:
    """A classical learner on the best network's features; a run that goes on trains it again.

    Raises:
        LearnerError: if its networks do not tell their features.
    """
    model = contest.models.get(learner.name)
    if model is None:
        model = learner.fit(contest.table, contest.task, split, budget=budget)
    features: tuple[np.ndarray, ...] = ()
    if isinstance(model, LearnsFeatures):
        features = model.learned_features(contest.table.rows(contest.split.train))
    if not features:
        raise LearnerError(f"{learner.name} does not tell its features.")
    return on_learned(features, learner.name, contest.table, contest.task, split, budget=budget)


def on_engineered(
    table: Table, task: Task, split: Split, training: Training, budget: Budget
) -> Scored:
    """A perceptron on the products' road: its name and out-of-fold scores (train rows, outputs).

    Raises:
        LearnerError: if the features of all folds do not fit into `MOST_BYTES`.
    """
    learner = PlainNetwork(training=training, seed=split.seed)
    first = _engineered(table, task, split, 0)
    folds = len(split.folds)
    if first.nbytes * folds > MOST_BYTES:
        taken, most = first.nbytes * folds / 1e9, MOST_BYTES / 1e9
        raise LearnerError(f"its features take {taken:.1f} GB of memory, more than {most:g} GB.")
    numbers = [first, *[_engineered(table, task, split, fold) for fold in range(1, folds)]]
    width = max(matrix.shape[1] for matrix in numbers)  # folds may know different words
    stacked = np.zeros((folds, len(split.train), width), dtype=np.float32)
    for place, matrix in enumerate(numbers):
        stacked[place, :, : matrix.shape[1]] = matrix
    none = np.zeros((folds, len(split.train), 0))
    encoded = NetworkInputs(stacked, none.astype(np.float32), none.astype(np.int64))
    from fathometer.networks.network import Shape

    target = task.encode(table[task.target])[split.train]
    shape = Shape(width, 0, (), task.outputs)
    trained = train_on(learner, encoded, shape, target, task, split, budget)
    if trained.account.is_shortened:
        raise OutOfTimeError("the time did not suffice for all its steps")
    return f"{learner.name} on {width:,} engineered features", trained.out_of_fold


def on_learned(
    features: tuple[np.ndarray, ...],
    name: str,
    table: Table,
    task: Task,
    split: Split,
    *,
    budget: Budget,
) -> Scored:
    """The better of boosted trees and a linear model on a network's features.

    Args:
        features: what each fold's network makes of the train rows, (train rows, width) each.
        name: of the network.
    """  # fmt: skip
    from threadpoolctl import threadpool_limits

    truth = task.encode(table[task.target])

    def matrices(fold: int) -> tuple[np.ndarray, np.ndarray]:
        learn, validation = (split.places(rows) for rows in split.fold_rows(fold))
        return features[fold][learn], features[fold][validation]

    many = task.outputs > MANY_CLASSES
    rounds, rate = (MANY_CLASSES_ROUNDS, MANY_CLASSES_RATE) if many else (ROUNDS, RATE)
    booster = LightGBM(rounds, rate, PATIENCE, seed=split.seed)
    model = Ridge(PENALTIES) if task.kind is TaskKind.REGRESS else Logistic(PENALTIES, ITERATIONS)
    with threadpool_limits(1, user_api="blas"):  # narrow products, as in `Contest`
        linear, _ = cross_tuned(model.search(task), matrices, truth, task, split, budget=budget)
    found = {"a linear model": linear}
    if task.outputs <= MOST_TREE_CLASSES and find_spec("lightgbm") is not None:
        found["boosted trees"] = boosted_out_of_fold(
            booster, matrices, truth, task, split, budget=budget
        )
    metric = METRICS[task.metric]
    best = min(found, key=lambda one: metric.loss(truth[split.train], found[one]))
    return f"{best} on the features of {name}", found[best]


def _engineered(table: Table, task: Task, split: Split, fold: int) -> np.ndarray:
    """The train rows on the products' road of a fold, (train rows, columns) float32.

    Its learning rows as a learner sees them: their target statistics are out of fold."""
    learn, validation = split.fold_rows(fold)
    fitted = fit_recipe(Road.PRODUCTS, table, task, learn, seed=split.seed)
    matrix = np.zeros((len(split.train), fitted.training.shape[1]), dtype=np.float32)
    matrix[split.places(learn)] = fitted.training
    matrix[split.places(validation)] = fitted.recipe.matrix(table.rows(validation))
    return matrix
