"""Which crosses of columns are worth having: asked of a quick booster, on the training rows alone.

The booster first says which columns are strong; these are crossed with one another; then it says
which of the crosses it gains most with beside the plain columns. It sees neither the rows that
choose nor those that judge, so whether crosses help at all is for the folds to say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import combinations

import numpy as np

from fathometer.features.category import OneHot, TargetStatistics, frequent_levels
from fathometer.features.crosses import (
    Cells,
    LevelCells,
    Operation,
    ValueCells,
    fit_level_relative,
    fit_number_crosses,
    fit_pair_statistics,
)
from fathometer.features.number import CentredNumbers, Numbers
from fathometer.features.recipe import Step
from fathometer.table.table import Table

STRONGEST_NUMBERS = 7  # crossed with one another
STRONGEST_CELLS = 4  # categories, and numbers of few values, likewise
MOST_VALUES = 32  # of a number that counts as levels too
MOST_LEVELS = 128  # of a crossed category, the most frequent
KEPT = 18
ROWS = 6_000  # that the quick booster sees
TREES = 50

Piece = tuple[Step, np.ndarray]


@dataclass(frozen=True, eq=False)
class Lessons:
    """Training rows, and what is asked of them."""

    table: Table
    truth: np.ndarray  # (rows,) int64 class places, or float64 values
    classes: int  # 0: values are asked
    targets: dict[str, np.ndarray]  # what level statistics are means of
    seed: int

    def some(self, rows: np.ndarray) -> Lessons:
        """These of the rows."""
        targets = {name: column[rows] for name, column in self.targets.items()}
        return Lessons(self.table.rows(rows), self.truth[rows], self.classes, targets, self.seed)


@dataclass(frozen=True, eq=False)
class _Cross:
    """Some crosses of one sort: `fit(lessons, kept)` makes those of its columns that are kept."""

    columns: int
    fit: Callable[[Lessons, np.ndarray], Piece]
    whole: bool = False  # kept with all its columns or not at all


def fit_crosses(plain: Sequence[Piece], lessons: Lessons) -> list[Piece]:
    """The crosses that are worth most beside the plain steps, fitted on all lessons."""
    random = np.random.default_rng(lessons.seed)
    rows = np.sort(random.permutation(len(lessons.truth))[:ROWS])
    few = lessons.some(rows)
    matrix = np.concatenate([part[rows] for _, part in plain], axis=1)
    sorts = _sorts(plain, gains(matrix, few), lessons)
    if not sorts:
        return []
    tried = [sort.fit(few, np.arange(sort.columns))[1] for sort in sorts]
    gained = gains(np.concatenate([matrix, *tried], axis=1), few)[matrix.shape[1] :]
    parts = np.split(gained, np.cumsum([part.shape[1] for part in tried])[:-1])
    worth = [
        np.full(1, part.sum()) if sort.whole else part
        for sort, part in zip(sorts, parts, strict=True)
    ]
    strongest = np.sort(np.concatenate(worth))[::-1][:KEPT]
    if not len(strongest):  # so few rows that no cross has a column
        return []
    least = max(0.0, float(strongest[-1]))
    chosen = [np.flatnonzero((part >= least) & (part > 0.0)) for part in worth]
    return [
        sort.fit(lessons, np.arange(sort.columns) if sort.whole else kept)
        for sort, kept in zip(sorts, chosen, strict=True)
        if len(kept)
    ]


def _sorts(plain: Sequence[Piece], gained: np.ndarray, lessons: Lessons) -> list[_Cross]:
    """Every cross of the strongest columns.

    gained: (columns,) of the plain steps' columns."""
    numbers, worth = None, np.zeros(0)
    cells: list[tuple[float, Cells]] = []
    start = 0
    of_category: dict[str, float] = {}
    for step, part in plain:
        own = gained[start : start + part.shape[1]]
        start += part.shape[1]
        if isinstance(step, CentredNumbers):
            numbers, worth = step.numbers, own
        elif isinstance(step, OneHot | TargetStatistics):
            of_category[step.column] = of_category.get(step.column, 0.0) + float(own.sum())
    for name, strength in of_category.items():
        levels = frequent_levels(lessons.table[name], most=MOST_LEVELS)
        cells.append((strength, LevelCells(name, levels)))
    if numbers is not None:
        cells += _few_valued(numbers, worth, lessons.table)
    strongest = [
        cell for strength, cell in sorted(cells, key=lambda pair: -pair[0]) if strength > 0
    ]
    strongest = strongest[:STRONGEST_CELLS]
    sorts: list[_Cross] = []
    if numbers is not None:
        order = np.argsort(-worth, kind="stable")[:STRONGEST_NUMBERS]
        order = np.sort(order[worth[order] > 0])
        sorts += [_numbers_crossed(numbers, op, order) for op in Operation if len(order) > 1]
        sorts += [_relative(cell, numbers, order) for cell in strongest if len(order)]
    if lessons.targets:
        sorts += [_pair(one, other) for one, other in combinations(strongest, 2)]
    return sorts


def _few_valued(numbers: Numbers, worth: np.ndarray, table: Table) -> list[tuple[float, Cells]]:
    found: list[tuple[float, Cells]] = []
    for place, column in enumerate(numbers.values(table).T):
        values = np.unique(column[~np.isnan(column)])
        if 2 <= len(values) <= MOST_VALUES:
            found.append((float(worth[place]), ValueCells(numbers, place, values)))
    return found


def _numbers_crossed(numbers: Numbers, operation: Operation, order: np.ndarray) -> _Cross:
    pairs = list(combinations(order.tolist(), 2))
    if operation is Operation.RATIO:
        pairs += [(other, one) for one, other in pairs]
    left, right = np.array(pairs, dtype=np.int64).T

    def fit(lessons: Lessons, kept: np.ndarray) -> Piece:
        return fit_number_crosses(numbers, operation, left[kept], right[kept], lessons.table)

    return _Cross(len(pairs), fit)


def _relative(cells: Cells, numbers: Numbers, order: np.ndarray) -> _Cross:
    if isinstance(cells, ValueCells):
        order = order[order != cells.place]

    def fit(lessons: Lessons, kept: np.ndarray) -> Piece:
        return fit_level_relative(cells, numbers, order[kept], lessons.table)

    return _Cross(len(order), fit)


def _pair(left: Cells, right: Cells) -> _Cross:
    def fit(lessons: Lessons, kept: np.ndarray) -> Piece:
        return fit_pair_statistics(left, right, lessons.table, lessons.targets, lessons.seed)

    return _Cross(1, fit, whole=True)


def gains(matrix: np.ndarray, lessons: Lessons) -> np.ndarray:
    """(columns,) float64: how much a quick booster lowers its loss with each column.

    Of LightGBM, or of scikit-learn's extra trees where it is absent."""
    if find_spec("lightgbm") is None:
        from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

        kind = ExtraTreesClassifier if lessons.classes else ExtraTreesRegressor
        trees = kind(TREES, min_samples_leaf=5, max_features=0.4, random_state=lessons.seed)
        found = trees.fit(matrix, lessons.truth).feature_importances_
        return np.asarray(found, dtype=np.float64)
    import lightgbm

    objective = {0: "regression", 2: "binary"}.get(lessons.classes, "multiclass")
    settings = {
        "objective": objective,
        "num_class": lessons.classes if lessons.classes > 2 else 1,
        "learning_rate": 0.1,
        "num_leaves": 31,
        "max_bin": 63,
        "feature_fraction": 0.5,  # so that of two alike both are seen
        "lambda_l2": 1.0,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "feature_pre_filter": False,
        "seed": lessons.seed,
        "verbosity": -1,
    }
    rounds = max(10, TREES // max(1, lessons.classes // 2))
    learn = lightgbm.Dataset(matrix, lessons.truth.astype(np.float64), params=settings)
    booster = lightgbm.train(settings, learn, rounds)
    return np.asarray(booster.feature_importance("gain"), dtype=np.float64)
