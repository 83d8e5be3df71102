"""Boosted trees whatever the library: one model a fold, and the mean of their margins shipped.

A library's file says how it grows trees and how they are read (`Boosting`, `Booster`); the folds,
the early stopping, the averaging and the ONNX graph are here."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from types import ModuleType
from typing import ClassVar, Protocol

import numpy as np

from fathometer.errors import MissingPackageError, OutOfTimeError
from fathometer.features.recipe import Recipe
from fathometer.features.roads import Road, feature_specs, fit_recipe
from fathometer.graph import Graph
from fathometer.learners.contract import Account, Budget, Family, Prediction
from fathometer.learners.crossfit import Watch, choose_rounds, grow_side_by_side
from fathometer.learners.forest import Forest
from fathometer.learners.link import Link, fit_link
from fathometer.table.kind import ColumnSpec
from fathometer.table.split import Split
from fathometer.table.table import Table
from fathometer.table.task import Task


@dataclass(frozen=True, eq=False)
class Lesson:
    """What one fold's booster is given: rows to learn from, rows to watch its loss on."""

    learn: np.ndarray  # (rows, features) float32, NaN where missing
    learn_target: np.ndarray  # (rows,) float64: class places, or standardised values
    watch: np.ndarray  # (rows, features) float32
    watch_target: np.ndarray  # (rows,) float64
    classes: int  # 0: values are asked
    seed: int


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
    """One fold after its lesson."""

    recipe: Recipe
    booster: Booster
    watched: np.ndarray  # the validation rows' matrix


def fit_boosted(
    boosting: Boosting, table: Table, task: Task, split: Split, *, budget: Budget
) -> BoostedModel:
    """Grow one booster a fold, choose the rounds crosswise, and average.

    Raises:
        OutOfTimeError: if the time was up before the first round.
    """
    if budget.spent:
        raise OutOfTimeError("No time is left to boost trees: not one round could be grown.")
    encoded = task.encode(table[task.target])
    link = fit_link(task, encoded[split.train])
    grown = grow_side_by_side(
        lambda fold, watch: _grow_fold(boosting, table, link, split, fold, watch),
        len(split.folds),
        rounds=boosting.rounds,
        patience=boosting.patience,
        threads=boosting.threads,
        budget=budget,
    )
    rounds = choose_rounds([losses for _, losses in grown])
    members = tuple(
        FoldMember(fold.recipe, fold.booster, kept)
        for (fold, _), kept in zip(grown, rounds, strict=True)
    )
    out_of_fold = np.empty((len(split.train), task.outputs))
    for (fold, _), kept, rows in zip(grown, rounds, split.folds, strict=True):
        answers = link.answers(fold.booster.margins(fold.watched, kept))
        out_of_fold[split.places(rows)] = answers
    account = Account(1, len(members), _in_words(boosting, rounds))
    return BoostedModel(feature_specs(table, task), link, members, out_of_fold, account)


def _grow_fold(
    boosting: Boosting, table: Table, link: Link, split: Split, fold: int, watch: Watch
) -> _Grown:
    learn, validation = split.fold_rows(fold)
    fitted = fit_recipe(Road.TREES, table, link.task, learn, seed=boosting.seed)
    watched = fitted.recipe.matrix(table.rows(validation))
    target = link.target(link.task.encode(table[link.task.target]))
    lesson = Lesson(
        learn=fitted.training,
        learn_target=target[learn],
        watch=watched,
        watch_target=target[validation],
        classes=len(link.task.classes),
        seed=boosting.seed + fold,
    )
    return _Grown(fitted.recipe, boosting.grow(lesson, watch), watched)


def _in_words(boosting: Boosting, rounds: tuple[int, ...]) -> str:
    counted = ", ".join(str(kept) for kept in rounds)
    return f"{counted} rounds (one model a fold), learning rate {boosting.learning_rate:g}"


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
