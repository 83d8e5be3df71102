"""Boosted trees whatever the library: one model a fold, and the mean of their margins shipped.

A library's file says how it grows trees and how they are read (`Boosting`, `Booster`); the folds,
the early stopping, the averaging and the ONNX graph are here."""

from __future__ import annotations

import importlib
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from threading import Lock
from types import ModuleType
from typing import Any, ClassVar, Protocol

import numpy as np

from fathometer.errors import MissingPackageError, OutOfTimeError
from fathometer.features.recipe import Recipe
from fathometer.features.roads import Road, feature_specs, fit_recipe
from fathometer.graph import Graph
from fathometer.learners.contract import Account, Budget, Family, Prediction
from fathometer.learners.crossfit import Watch, choose_rounds, grow_side_by_side
from fathometer.learners.forest import Forest
from fathometer.learners.halving import (
    HASTE,
    Job,
    choose,
    final_jobs,
    final_of,
    finalists,
    heat_jobs,
    heat_of,
    losses_elsewhere,
)
from fathometer.learners.link import Link, fit_link
from fathometer.learners.tree_portfolio import in_words, with_crosses
from fathometer.table.kind import ColumnSpec
from fathometer.table.split import Split
from fathometer.table.table import Table
from fathometer.table.task import Task

# A heat of fewer rounds would tell chance from chance; larger steps overshoot.
LEAST_ROUNDS = 20
LARGEST_STEP = 0.25


@dataclass(frozen=True, eq=False)
class Lesson:
    """What one fold's booster is given: rows to learn from, rows to watch its loss on."""

    learn: np.ndarray  # (rows, features) float32, NaN where missing
    learn_target: np.ndarray  # (rows,) float64: class places, or standardised values
    watch: np.ndarray  # (rows, features) float32
    watch_target: np.ndarray  # (rows,) float64
    classes: int  # 0: values are asked
    seed: int


Key = tuple[int, bool]  # fold, with crosses
_Prepared = tuple[Recipe, Lesson]


class Booster(Protocol):
    """Grown trees in their library's own form."""

    def margins(self, matrix: np.ndarray, rounds: int) -> np.ndarray:
        """What the library answers with its first rounds; (rows, margins) float64."""
        ...

    def forest(self, rounds: int) -> Forest:
        """The first rounds as a forest that answers the same."""
        ...


class Boosting(Protocol):
    """A learner that boosts trees: its budget of steps, and how it grows them in one fold."""

    __dataclass_fields__: ClassVar[dict[str, Any]]  # its hyperparameters

    @property
    def rounds(self) -> int: ...
    @property
    def learning_rate(self) -> float: ...
    @property
    def patience(self) -> int: ...
    @property
    def threads(self) -> int: ...
    @property
    def seed(self) -> int: ...
    @property
    def crosses(self) -> bool: ...
    @property
    def configurations(self) -> int: ...

    def grow(self, lesson: Lesson, watch: Watch) -> Booster:
        """Add a round after another, tell `watch` the loss after each, stop when it says so."""
        ...


@dataclass(frozen=True, eq=False)
class FoldMember:
    """One fold's model: its own recipe, its booster and how many rounds of it are kept."""

    recipe: Recipe
    booster: Booster
    rounds: int

    def margins(self, table: Table) -> np.ndarray:
        """(rows, margins) float64."""
        return self.booster.margins(self.recipe.matrix(table), self.rounds)


@dataclass(frozen=True, eq=False)
class BoostedModel:
    """The mean of the fold members' margins, then the link."""

    columns: tuple[ColumnSpec, ...]
    link: Link
    members: tuple[FoldMember, ...]
    out_of_fold: np.ndarray
    account: Account
    family: ClassVar[Family] = Family.TRADITIONAL

    @property
    def task(self) -> Task:
        return self.link.task

    def predict(self, table: Table) -> Prediction:
        """Answer by the boosters themselves, not by the forests that are written."""
        margins = np.mean([member.margins(table) for member in self.members], axis=0)
        return Prediction(self.task, self.link.answers(margins))

    def write(self, graph: Graph) -> str:
        """Every member's recipe and trees, their sum, and the link."""
        share = 1.0 / len(self.members)
        parts = [
            member.booster.forest(member.rounds)
            .scaled(share)
            .write(graph, member.recipe.write(graph))
            for member in self.members
        ]
        total = parts[0] if len(parts) == 1 else graph.add("Sum", *parts)
        return self.link.write(graph, total)


@dataclass(frozen=True, eq=False)
class _Grown:
    """One fold's booster after its lesson."""

    recipe: Recipe
    booster: Booster
    watched: np.ndarray  # the validation rows' matrix


class _Lessons:
    """Each fold's lesson, made when it is first asked for and let go with the last who asks."""

    def __init__(self, make: Callable[[Key], _Prepared], asked: Sequence[Key]) -> None:
        self._make = make
        self._left = Counter(asked)
        self._locks = {key: Lock() for key in self._left}
        self._made: dict[Key, _Prepared] = {}

    def take(self, key: Key) -> _Prepared:
        """The lesson; boosters of one fold that grow side by side share it."""
        with self._locks[key]:
            found = self._made.get(key) or self._make(key)
            self._left[key] -= 1
            if self._left[key]:
                self._made[key] = found
            else:
                self._made.pop(key, None)
            return found


@dataclass(frozen=True, eq=False)
class _Course:
    """What all boosters of one fit share."""

    table: Table
    link: Link
    split: Split
    seed: int

    def curves(
        self, settings: Sequence[Boosting], jobs: Sequence[Job], budget: Budget
    ) -> dict[Job, np.ndarray]:
        """Each job's loss curve."""
        return {job: curve for job, (_, curve) in self.grow(settings, jobs, budget).items()}

    def grow(
        self, settings: Sequence[Boosting], jobs: Sequence[Job], budget: Budget
    ) -> dict[Job, tuple[_Grown, np.ndarray]]:
        """Each job's booster and its loss curve."""
        keys = [(fold, settings[place].crosses) for fold, place in jobs]
        lessons = _Lessons(self._prepare, keys)

        def grow_one(number: int, watch: Watch) -> _Grown:
            recipe, lesson = lessons.take(keys[number])
            booster = settings[jobs[number][1]].grow(lesson, watch)
            return _Grown(recipe, booster, lesson.watch)

        usual = settings[0]
        grown = grow_side_by_side(
            grow_one,
            len(jobs),
            rounds=usual.rounds,
            patience=usual.patience,
            threads=usual.threads,
            budget=budget,
        )
        return dict(zip(jobs, grown, strict=True))

    def _prepare(self, key: Key) -> _Prepared:
        fold, crosses = key
        learn, validation = self.split.fold_rows(fold)
        task = self.link.task
        fitted = fit_recipe(Road.TREES, self.table, task, learn, seed=self.seed, crosses=crosses)
        target = self.link.target(task.encode(self.table[task.target]))
        lesson = Lesson(
            learn=fitted.training,
            learn_target=target[learn],
            watch=fitted.recipe.matrix(self.table.rows(validation)),
            watch_target=target[validation],
            classes=len(task.classes),
            seed=self.seed + fold,
        )
        return fitted.recipe, lesson


def fit_boosted(
    settings: Sequence[Boosting], table: Table, task: Task, split: Split, *, budget: Budget
) -> BoostedModel:
    """Grow a booster a fold, of the configuration and rounds that the other folds choose; average.

    settings: the configurations, the usual one first; one alone is not searched.

    Raises:
        OutOfTimeError: if the time was up before the first round.
    """
    if budget.spent:
        raise OutOfTimeError("No time is left to boost trees: not one round could be grown.")
    encoded = task.encode(table[task.target])
    link = fit_link(task, encoded[split.teaching])
    course = _Course(table, link, split, settings[0].seed)
    folds, fits = len(split.folds), 0
    tried, listed = len(settings), np.ones((folds, len(settings)), dtype=bool)
    if tried > 1:
        started, jobs = time.monotonic(), heat_jobs(folds, tried)
        curves = course.curves(_hasty(settings), jobs, heat_of(budget))
        most = finalists(budget, time.monotonic() - started, tried)
        settings, listed = with_crosses(settings, losses_elsewhere(curves, folds, tried), most)
        budget, fits = final_of(budget), len(jobs)
    grown = course.grow(settings, final_jobs(listed), budget)
    curves = {job: losses for job, (_, losses) in grown.items()}
    chosen = choose(losses_elsewhere(curves, folds, len(settings)), listed)
    rounds = tuple(
        choose_rounds([curves[other, place] for other in range(folds)])[fold]
        for fold, place in enumerate(chosen.tolist())
    )
    picked = [grown[fold, place][0] for fold, place in enumerate(chosen.tolist())]
    out_of_fold = np.empty((len(split.train), task.outputs))
    for fold, kept, rows in zip(picked, rounds, split.folds, strict=True):
        answers = link.answers(fold.booster.margins(fold.watched, kept))
        out_of_fold[split.places(rows)] = answers
    words = _in_words([settings[place] for place in chosen], settings[0], rounds, tried > 1)
    account = Account(tried, fits + len(grown), words)
    members = tuple(
        FoldMember(fold.recipe, fold.booster, kept)
        for fold, kept in zip(picked, rounds, strict=True)
    )
    return BoostedModel(feature_specs(table, task), link, members, out_of_fold, account)


def boosted_out_of_fold(
    setting: Boosting,
    matrices: Callable[[int], tuple[np.ndarray, np.ndarray]],
    truth: np.ndarray,
    task: Task,
    split: Split,
    *,
    budget: Budget,
) -> np.ndarray:
    """Out-of-fold scores (train rows, outputs) of boosters that learn from given matrices.

    Args:
        matrices: a fold's learning and validation rows, each (rows, columns) float32.
        truth: encoded targets of all rows of the table.
    """
    link = fit_link(task, truth[split.teaching])
    target = link.target(truth)

    def grow_one(fold: int, watch: Watch) -> tuple[Booster, np.ndarray]:
        learn, validation = split.fold_rows(fold)
        learned, asked = matrices(fold)
        classes, seed = len(task.classes), setting.seed + fold
        lesson = Lesson(learned, target[learn], asked, target[validation], classes, seed)
        return setting.grow(lesson, watch), asked

    grown = grow_side_by_side(
        grow_one,
        len(split.folds),
        rounds=setting.rounds,
        patience=setting.patience,
        threads=setting.threads,
        budget=budget,
    )
    rounds = choose_rounds([curve for _, curve in grown])
    out_of_fold = np.empty((len(split.train), task.outputs))
    for ((booster, asked), _), kept, rows in zip(grown, rounds, split.folds, strict=True):
        out_of_fold[split.places(rows)] = link.answers(booster.margins(asked, kept))
    return out_of_fold


def _hasty(settings: Sequence[Boosting]) -> tuple[Boosting, ...]:
    """The same in fewer, larger steps, under which configurations keep much of their order."""
    return tuple(
        replace(
            setting,
            rounds=max(LEAST_ROUNDS, setting.rounds // HASTE),
            patience=max(LEAST_ROUNDS // 2, setting.patience // HASTE),
            learning_rate=max(
                setting.learning_rate, min(LARGEST_STEP, HASTE * setting.learning_rate)
            ),
        )
        for setting in settings
    )


def _in_words(
    chosen: Sequence[Boosting], usual: Boosting, rounds: tuple[int, ...], searched: bool
) -> str:
    counted = ", ".join(str(kept) for kept in rounds)
    words = f"{counted} rounds (one model a fold), learning rate {usual.learning_rate:g}"
    if not searched:
        return words
    tally = Counter(in_words(setting, usual) for setting in chosen)
    return "; ".join([*(f"{name} ({count} folds)" for name, count in tally.items()), words])


def need(package: str, name: str) -> ModuleType:
    """Import a booster's package.

    Raises:
        MissingPackageError: if it is not installed; says what to install.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise MissingPackageError(
            f"{name} is not entered: the package {package} is not installed.",
            try_next=f"pip install {'xgboost-cpu' if package == 'xgboost' else package}",
        ) from error
