"""A backbone trained elsewhere, kept as it is, and a penalised linear head on its features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from fathometer.errors import BackboneError, LearnerError
from fathometer.features.recipe import Recipe, Step
from fathometer.features.roads import FittedRecipe, Road, feature_specs, fit_recipe
from fathometer.graph import Graph
from fathometer.learners.contract import (
    UNLIMITED,
    Account,
    Budget,
    Family,
    Prediction,
    Progress,
)
from fathometer.learners.frozen_features import KINDS, features_of, fit_step
from fathometer.learners.linear import PENALTIES, Logistic, Ridge
from fathometer.learners.tuned import RecipeModel, Search, fit_tuned, no_reading
from fathometer.networks.backbone.contract import Backbone
from fathometer.table.kind import ColumnSpec
from fathometer.table.split import Split
from fathometer.table.table import Table
from fathometer.table.task import Task, TaskKind

READING_SHARE = 0.8  # of the progress that is reported; the head is fitted in the rest


@dataclass(frozen=True)
class FrozenBackbone:
    """A linear head on a backbone's features, and on the engineered ones of all other columns.

    Nothing of the backbone is fitted, so its features are worked out once for all folds; the scale
    that they are brought to and the head are fitted on each fold's learning rows, and the head's
    penalty is chosen for each fold by the others (`learners/tuned`)."""

    backbone: Backbone
    penalties: tuple[float, ...] = PENALTIES
    iterations: int = 100  # of a logistic head
    family: ClassVar[Family] = Family.DEEP

    @property
    def name(self) -> str:
        return f"frozen {self.backbone.name}"

    def columns(self, table: Table, task: Task) -> tuple[ColumnSpec, ...]:
        """The columns that the backbone reads.

        Raises:
            BackboneError: if the table has none.
        """
        kind = KINDS[self.backbone.reads]
        found = tuple(spec for spec in feature_specs(table, task) if spec.kind is kind)
        if not found:
            raise BackboneError(
                f"{self.backbone.name} reads {self.backbone.reads.value}, but {table.name} has no "
                f"column of {self.backbone.reads.value} to learn from.",
                details=", ".join(f"{column.name}: {column.kind.value}" for column in table)[:300]
                + f"\n--kind says which column holds {self.backbone.reads.value}",
                try_next=f"--kind COLUMN={kind.value}",
            )
        return found

    def fit(
        self, table: Table, task: Task, split: Split, *, budget: Budget = UNLIMITED
    ) -> FrozenModel:
        """Read every training row once, then fit the head.

        Raises:
            BackboneError: if the table has no column that the backbone reads.
            OutOfTimeError: if the time does not suffice.
        """
        read = self.columns(table, task)
        self._read_once(table, read, split, budget)

        def prepare(rows: np.ndarray) -> FittedRecipe:
            return _recipe(self.backbone, read, table, task, split, rows)

        def report(progress: Progress) -> None:
            done = READING_SHARE + (1 - READING_SHARE) * progress.done
            budget.report(replace(progress, done=done))

        from threadpoolctl import threadpool_limits

        own_budget = replace(budget, report=report)
        head = self._head(task)  # loads the libraries whose threads are limited
        # Threads that share the many small products of a fit wait for each other: 2,048 features of
        # 640 pictures, 10 classes, took 54 s of processor time on two busy cores, on one 2.8 s.
        with threadpool_limits(1, user_api="blas"):
            fitted = fit_tuned(head, table, task, split, budget=own_budget, prepare=prepare)
        account = replace(fitted.account, chosen=f"{self.words}; {fitted.account.chosen}")
        own = replace(fitted, account=account, family=Family.DEEP)
        return FrozenModel(own, self.backbone, read, len(split.folds))

    @property
    def words(self) -> str:
        """The backbone in words: its size and its licence."""
        backbone = self.backbone
        return (
            f"as it was trained elsewhere, {backbone.parameters:,} parameters, "
            f"licence {backbone.licence}"
        )

    def _head(self, task: Task) -> Search[float]:
        """The linear learners' own search; hundreds of features are nothing that a person reads."""
        if task.kind is TaskKind.REGRESS:
            search = Ridge(self.penalties).search(task)
        else:
            search = Logistic(self.penalties, self.iterations).search(task)
        return replace(search, reading=no_reading)

    def _read_once(
        self, table: Table, read: Sequence[ColumnSpec], split: Split, budget: Budget
    ) -> None:
        """Work out and remember the features of all training rows."""
        for place, spec in enumerate(read):

            def report(progress: Progress, place: int = place) -> None:
                done = READING_SHARE * (place + progress.done) / len(read)
                budget.report(replace(progress, done=done))

            column = table[spec.name].take(split.train)
            features_of(self.backbone, column, replace(budget, report=report))


def _recipe(
    backbone: Backbone,
    read: Sequence[ColumnSpec],
    table: Table,
    task: Task,
    split: Split,
    rows: np.ndarray,
) -> FittedRecipe:
    """The backbone's columns, and all others on the linear learners' road, fitted on these rows."""
    names = [spec.name for spec in read]
    training = Table(tuple(table[name] for name in names)).rows(rows)
    steps: list[Step] = [fit_step(backbone, training[name]) for name in names]
    parts = [step.matrix(training) for step in steps]
    rest = table.without(names)
    if feature_specs(rest, task):
        try:
            others = fit_recipe(Road.PRODUCTS, rest, task, rows, seed=split.seed)
        except LearnerError:  # on these rows the other columns say nothing at all
            return FittedRecipe(Recipe(tuple(steps)), np.concatenate(parts, axis=1))
        steps += others.recipe.steps
        parts.append(others.training)
    return FittedRecipe(Recipe(tuple(steps)), np.concatenate(parts, axis=1, dtype=np.float32))


@dataclass(frozen=True, eq=False)
class FrozenModel:
    """The head's model, which tells what the backbone sees."""

    fitted: RecipeModel
    backbone: Backbone
    read: tuple[ColumnSpec, ...]
    folds: int

    @property
    def family(self) -> Family:
        return self.fitted.family

    @property
    def task(self) -> Task:
        return self.fitted.task

    @property
    def columns(self) -> tuple[ColumnSpec, ...]:
        return self.fitted.columns

    @property
    def out_of_fold(self) -> np.ndarray:
        return self.fitted.out_of_fold

    @property
    def account(self) -> Account:
        return self.fitted.account

    def predict(self, table: Table) -> Prediction:
        return self.fitted.predict(table)

    def write(self, graph: Graph) -> str:
        return self.fitted.write(graph)

    def learned_features(self, table: Table) -> tuple[np.ndarray, ...]:
        """The backbone's features as they are, (rows, width) float32, the same for every fold."""
        parts = [features_of(self.backbone, table[spec.name]) for spec in self.read]
        return (np.concatenate(parts, axis=1),) * self.folds
