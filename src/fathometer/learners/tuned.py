"""The common course of learners with one searched setting, on the products' road.

For each fold: recipe and fits on its learning rows, scores on its validation rows; then the clean
choice of `learners/choice`, and one fit on all training rows. A learner brings a `fit_path`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np

from fathometer.errors import OutOfTimeError
from fathometer.features.recipe import Recipe
from fathometer.features.roads import FittedRecipe, Road, feature_specs, fit_recipe
from fathometer.graph import Graph
from fathometer.learners.choice import choose_for_each_fold
from fathometer.learners.contract import (
    UNLIMITED,
    Account,
    Budget,
    Family,
    Prediction,
    Progress,
)
from fathometer.table.kind import ColumnSpec
from fathometer.table.metric import METRICS
from fathometer.table.split import Split
from fathometer.table.table import Table
from fathometer.table.task import Task, TaskKind

Setting = TypeVar("Setting")


class Core(Protocol):
    """A fitted learner on a matrix; knows nothing of columns."""

    def scores(self, matrix: np.ndarray) -> np.ndarray:
        """(rows, outputs) float64 of a (rows, columns) float32 matrix."""
        ...

    def write(self, graph: Graph, matrix: str) -> str:
        """The same in a graph: float probabilities or double values."""
        ...


@dataclass(frozen=True, eq=False)
class RecipeModel:
    """A recipe and a core on its matrix: the Model of every learner with one final fit."""

    task: Task
    columns: tuple[ColumnSpec, ...]
    recipe: Recipe
    core: Core
    out_of_fold: np.ndarray
    account: Account
    family: Family = Family.TRADITIONAL

    def predict(self, table: Table) -> Prediction:
        return Prediction(self.task, self.core.scores(self.recipe.matrix(table)))

    def write(self, graph: Graph) -> str:
        return self.core.write(graph, self.recipe.write(graph))


@dataclass(frozen=True)
class Search(Generic[Setting]):
    """One searched setting: its values, simplest first, and how to fit them all in turn.

    `fit_path(matrix, target, settings)` yields a core for each setting; it may start each from
    the one before."""

    settings: Sequence[Setting]
    fit_path: Callable[[np.ndarray, np.ndarray, Sequence[Setting]], Iterator[Core]]
    describe: Callable[[Setting], str]
    reading: Callable[[Core, Recipe], tuple[str, str]]  # `reads_as` and `reading`
    road: Road = Road.PRODUCTS


class Tuned(Protocol[Setting]):
    """A learner that brings its search; how it is fitted is common to all."""

    def search(self, task: Task) -> Search[Setting]:
        """The settings, and how a model is fitted for each.

        Raises:
            LearnerError: if this learner cannot answer this task.
        """
        ...

    def fit(
        self, table: Table, task: Task, split: Split, *, budget: Budget = UNLIMITED
    ) -> RecipeModel:
        """Search the setting cleanly over the split's folds, then fit all training rows."""
        return fit_tuned(self.search(task), table, task, split, budget=budget)


def fit_tuned(
    search: Search[Setting],
    table: Table,
    task: Task,
    split: Split,
    *,
    budget: Budget,
    prepare: Callable[[np.ndarray], FittedRecipe] | None = None,
) -> RecipeModel:
    """Search one setting cleanly over the split's folds and fit the final model.

    prepare: fits a recipe on these rows alone; by default the search's road."""
    truth = task.encode(table[task.target])

    def on_road(rows: np.ndarray) -> FittedRecipe:
        return fit_recipe(search.road, table, task, rows, seed=split.seed)

    fit = prepare or on_road

    def matrices(fold: int) -> tuple[np.ndarray, np.ndarray]:
        rows, validation = split.fold_rows(fold)
        fitted = fit(rows)
        return fitted.training, fitted.recipe.matrix(table.rows(validation))

    out_of_fold, final = cross_tuned(search, matrices, truth, task, split, budget=budget)
    whole = fit(split.teaching)
    (core,) = search.fit_path(whole.training, truth[split.teaching], [search.settings[final]])
    reads_as, reading = search.reading(core, whole.recipe)
    settings = len(search.settings)
    account = Account(
        settings,
        len(split.folds) * settings + 1,
        search.describe(search.settings[final]),
        reads_as,
        reading,
    )
    return RecipeModel(task, feature_specs(table, task), whole.recipe, core, out_of_fold, account)


def cross_tuned(
    search: Search[Setting],
    matrices: Callable[[int], tuple[np.ndarray, np.ndarray]],
    truth: np.ndarray,
    task: Task,
    split: Split,
    *,
    budget: Budget,
) -> tuple[np.ndarray, int]:
    """Fit every setting in every fold; each fold is scored by the setting the others choose.

    Args:
        matrices: a fold's learning and validation rows, each (rows, columns) float32.
        truth: encoded targets of all rows of the table.

    Returns:
        Out-of-fold scores (train rows, outputs), and the place of the setting for a final fit.
    """
    folds, settings = len(split.folds), len(search.settings)
    losses = np.full((folds, settings), np.inf)
    scores = np.zeros((settings, len(split.train), task.outputs))
    metric = METRICS["log_loss" if task.kind is TaskKind.CLASSIFY else "rmse"]
    for fold in range(folds):
        rows, validation = split.fold_rows(fold)
        learning, matrix = matrices(fold)
        path = search.fit_path(learning, truth[rows], search.settings)
        for place, (setting, core) in enumerate(zip(search.settings, path, strict=True)):
            if budget.spent:
                raise OutOfTimeError(f"time was up after {fold} of {folds} folds.")
            found = core.scores(matrix)
            losses[fold, place] = metric.loss(truth[validation], found)
            scores[place, split.places(validation)] = found
            done = (fold * settings + place + 1) / (folds * settings + 1)
            budget.report(Progress(done, f"{search.describe(setting)}, fold {fold + 1}/{folds}"))
    chosen, final = choose_for_each_fold(losses)
    out_of_fold = np.zeros((len(split.train), task.outputs))
    for fold, place in enumerate(chosen):
        rows = split.places(split.folds[fold])
        out_of_fold[rows] = scores[place, rows]
    return out_of_fold, final


def no_reading(core: Core, recipe: Recipe) -> tuple[str, str]:
    """The reading of a model that a person cannot read."""
    return "", ""
