"""The engineered road: which steps prepare which kind of column, for trees and for products.

A road is chosen by how a learner reads its matrix. Trees compare one column with a threshold, so
they take raw values and one number for many levels; linear models, distances and densities add
columns up, so they take scaled values and a column a level."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from fathometer.errors import LearnerError
from fathometer.features import category, cross_search, number, text_dense
from fathometer.features.pictures import road as pictures
from fathometer.features.recipe import Recipe, Step
from fathometer.table.kind import FEATURE_KINDS, ColumnSpec, Kind
from fathometer.table.table import Table
from fathometer.table.task import Task, TaskKind


class Road(Enum):
    """How a learner reads its matrix."""

    TREES = "trees"
    PRODUCTS = "products"
    SPARSE_PRODUCTS = "products in sparse rows"  # as the others, with few columns for a picture


@dataclass(frozen=True)
class Limits:
    """How far a road spreads a column out."""

    one_hot_levels: int  # up to here a category gets a column a level, beyond it statistics
    ngrams: int  # columns for one text column


LIMITS = {
    Road.TREES: Limits(one_hot_levels=8, ngrams=400),
    Road.PRODUCTS: Limits(one_hot_levels=64, ngrams=500),
    Road.SPARSE_PRODUCTS: Limits(one_hot_levels=64, ngrams=500),
}
PICTURE_ROADS = {
    Road.TREES: pictures.fit_for_trees,
    Road.PRODUCTS: pictures.fit_for_products,
    Road.SPARSE_PRODUCTS: pictures.fit_for_sparse_products,
}
# With more classes than this, a mean per class and level is noise; frequent levels get columns.
MOST_TARGET_MEANS = 10
# Least rows of a level that gets a column of its own on the products' road.
LEAST_ROWS = 3


@dataclass(frozen=True, eq=False)
class FittedRecipe:
    """A recipe, and the matrix of its training rows as the learner must see them."""

    recipe: Recipe
    training: np.ndarray  # (rows, columns) float32; target statistics are out of fold here


def feature_specs(table: Table, task: Task) -> tuple[ColumnSpec, ...]:
    """The columns that a learner may use: every feature kind but the target."""
    return tuple(c.spec for c in table.of_kind(*FEATURE_KINDS) if c.name != task.target)


def fit_recipe(
    road: Road,
    table: Table,
    task: Task,
    rows: np.ndarray,
    *,
    seed: int = 0,
    crosses: bool = False,
) -> FittedRecipe:
    """Fit every step of a road on these rows alone.

    crosses: whether crosses of columns are sought and added (`features/crosses`).

    Raises:
        LearnerError: if the table has no column to learn from.
    """
    training = table.rows(rows)
    features = feature_specs(table, task)
    pieces: list[tuple[Step, np.ndarray]] = []
    numbers = number.fit_numbers(training, features, cyclic=road is not Road.TREES)
    if numbers is not None:
        fit = number.fit_centred if road is Road.TREES else number.fit_scaled
        step: Step = fit(numbers, training)
        pieces.append((step, step.matrix(training)))
    targets = target_columns(training, task)
    for spec in features:
        if spec.kind is Kind.CATEGORY:
            pieces += _category_steps(road, training, spec.name, targets, seed)
        elif spec.kind is Kind.TEXT:
            pieces += _text_steps(road, table, task, spec, rows)
        elif spec.kind is Kind.IMAGE:
            seen = PICTURE_ROADS[road](training, spec, seed=seed)
            pieces += [(step, step.matrix(training)) for step in seen]
    pieces = [(step, matrix) for step, matrix in pieces if matrix.shape[1]]
    if not pieces:
        raise LearnerError(
            f"no column of {table.name} is left to learn from.",
            details="columns: "
            + ", ".join(f"{c.name} ({c.kind.value})" for c in table)[:400]
            + "\na column that was left out can be declared",
            try_next="--kind COLUMN=category",
        )
    if crosses:
        truth = task.encode(training[task.target])
        lessons = cross_search.Lessons(training, truth, len(task.classes), targets, seed)
        pieces += cross_search.fit_crosses(pieces, lessons)
    return FittedRecipe(
        Recipe(tuple(step for step, _ in pieces)),
        np.concatenate([matrix for _, matrix in pieces], axis=1, dtype=np.float32),
    )


def target_columns(training: Table, task: Task) -> dict[str, np.ndarray]:
    """What statistics of a level are means of: the standardised target, or a 0/1 column a class."""
    truth = task.encode(training[task.target])
    if task.kind is TaskKind.REGRESS:
        spread = truth.std() or 1.0
        return {task.target: (truth - truth.mean()) / spread}
    shown = range(1, 2) if task.outputs == 2 else range(task.outputs)
    if len(shown) > MOST_TARGET_MEANS:
        return {}
    return {f"{task.target} = {task.classes[c]}": (truth == c).astype(np.float64) for c in shown}


def _text_steps(
    road: Road, table: Table, task: Task, spec: ColumnSpec, rows: np.ndarray
) -> list[tuple[Step, np.ndarray]]:
    """The n-grams of a text column that tell most about the target, and on trees its measures.

    Takes the whole table, whose texts are counted once, and learns from these rows alone."""
    truth = task.encode(table[task.target])[rows]
    shown = np.eye(task.outputs)[truth] if task.kind is TaskKind.CLASSIFY else truth[:, None]
    steps: list[tuple[Step, np.ndarray]] = []
    found = text_dense.fit_telling_ngrams(table[spec.name], rows, shown, most=LIMITS[road].ngrams)
    for ngrams, counts, texts in found:
        if road is Road.TREES:
            steps.append((text_dense.NgramCounts(ngrams), counts.toarray()))
        else:
            weighted = text_dense.weighted_step(ngrams, texts, len(rows))
            steps.append((weighted, weighted.block.weighted(counts).toarray()))
    if road is Road.TREES:
        measures = text_dense.TextMeasures(spec.name, spec.missing)
        steps.append((measures, measures.matrix(table.rows(rows))))
    return steps


def _category_steps(
    road: Road, training: Table, name: str, targets: dict[str, np.ndarray], seed: int
) -> list[tuple[Step, np.ndarray]]:
    column = training[name]
    limit = LIMITS[road].one_hot_levels
    # One level more than the limit shows whether there are more.
    few = category.frequent_levels(column, most=limit + 1)
    steps: list[tuple[Step, np.ndarray]] = []
    if len(few) <= limit or road is not Road.TREES or not targets:
        most = limit if targets else max(limit, 32)
        least = 1 if len(few) <= limit else LEAST_ROWS
        one_hot = category.OneHot(
            name, category.frequent_levels(column, most=most, least_rows=least)
        )
        steps.append((one_hot, one_hot.matrix(training)))
    if len(few) > limit and targets:
        steps.append(category.fit_target_statistics(column, targets, seed))
    return steps
