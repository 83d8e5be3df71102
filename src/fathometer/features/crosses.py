"""Crosses of columns for trees: what two columns say together and neither says alone.

Differences, products and ratios of numbers, numbers against the mean of their level, and the
target's mean by pairs of levels (the idea of TabPrep, Tschalzev et al., 2025). Trees find these by
themselves only with many splits. Which are worth keeping is asked in `cross_search`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import numpy as np

from fathometer.features import category
from fathometer.features.category import KnownLevels, level_statistics
from fathometer.features.number import Numbers, column_medians
from fathometer.graph import Element, Graph
from fathometer.table.kind import LARGEST_NUMBER
from fathometer.table.table import Table


class Operation(Enum):
    """How two numbers are crossed."""

    DIFFERENCE = "-"
    PRODUCT = "*"
    RATIO = "/"


ONNX_OPERATOR = {Operation.DIFFERENCE: "Sub", Operation.PRODUCT: "Mul", Operation.RATIO: "Div"}


@dataclass(frozen=True, eq=False)
class Prepared:
    """Crossed numbers made ready for trees, as `CentredNumbers` does with plain ones."""

    centre: np.ndarray  # (columns,) float64
    fill: np.ndarray  # (columns,) float64: NaN where the training rows had missing values

    def matrix(self, values: np.ndarray) -> np.ndarray:
        """(rows, columns) float64 → float32."""
        centred = np.where(np.abs(values) > LARGEST_NUMBER, np.nan, values) - self.centre
        return np.where(np.isnan(centred), self.fill, centred).astype(np.float32)

    def write(self, graph: Graph, values: str) -> str:
        """The same of a double tensor."""
        largest = graph.constant(np.float64(LARGEST_NUMBER))
        gone = graph.add("Greater", graph.add("Abs", values), largest)
        bounded = graph.add("Where", gone, graph.constant(np.float64(np.nan)), values)
        centred = graph.add("Sub", bounded, graph.constant(self.centre))
        filled = graph.add("Where", graph.add("IsNaN", centred), graph.constant(self.fill), centred)
        return graph.cast(filled, Element.FLOAT)


def fit_prepared(values: np.ndarray) -> Prepared:
    """Medians of the training rows' values (rows, columns)."""
    bounded = np.where(np.abs(values) > LARGEST_NUMBER, np.nan, values)
    fill = np.where(np.isnan(bounded).any(axis=0), np.nan, 0.0)
    return Prepared(column_medians(bounded), fill)


@dataclass(frozen=True, eq=False)
class NumberCrosses:
    """One operation on pairs of numbers, in double; a ratio to zero is missing."""

    numbers: Numbers
    operation: Operation
    left: np.ndarray  # (pairs,) int64 places in `numbers`
    right: np.ndarray
    prepared: Prepared

    @property
    def names(self) -> tuple[str, ...]:
        names = self.numbers.names
        return tuple(
            f"{names[one]} {self.operation.value} {names[other]}"
            for one, other in zip(self.left, self.right, strict=True)
        )

    def matrix(self, table: Table) -> np.ndarray:
        values = self.numbers.values(table)
        return self.prepared.matrix(crossed(values, self.operation, self.left, self.right))

    def write(self, graph: Graph) -> str:
        values = self.numbers.write(graph)
        left, right = (
            graph.add("Gather", values, graph.constant(places), axis=1)
            for places in (self.left, self.right)
        )
        if self.operation is Operation.RATIO:
            zero = graph.add("Equal", right, graph.constant(np.float64(0)))
            right = graph.add("Where", zero, graph.constant(np.float64(np.nan)), right)
        return self.prepared.write(graph, graph.add(ONNX_OPERATOR[self.operation], left, right))


def crossed(
    values: np.ndarray, operation: Operation, left: np.ndarray, right: np.ndarray
) -> np.ndarray:
    """(rows, pairs) float64 of the numbers (rows, columns)."""
    one, other = values[:, left], values[:, right]
    if operation is Operation.DIFFERENCE:
        return np.asarray(one - other)
    if operation is Operation.PRODUCT:
        return np.asarray(one * other)
    with np.errstate(over="ignore"):  # beyond LARGEST_NUMBER is missing all the same
        return np.asarray(one / np.where(other == 0.0, np.nan, other))


def fit_number_crosses(
    numbers: Numbers, operation: Operation, left: np.ndarray, right: np.ndarray, training: Table
) -> tuple[NumberCrosses, np.ndarray]:
    """The step, and its matrix of the training rows."""
    values = crossed(numbers.values(training), operation, left, right)
    prepared = fit_prepared(values)
    return NumberCrosses(numbers, operation, left, right, prepared), prepared.matrix(values)


class Cells(Protocol):
    """A column as whole numbers: the place of its level, or `len` where it is none of them."""

    @property
    def name(self) -> str: ...

    def __len__(self) -> int: ...

    def places(self, table: Table) -> np.ndarray:
        """(rows,) int64."""
        ...

    def write(self, graph: Graph) -> str:
        """The same as an int64 tensor (rows, 1)."""
        ...


@dataclass(frozen=True)
class LevelCells:
    """The frequent levels of a category."""

    name: str
    levels: KnownLevels

    def __len__(self) -> int:
        return len(self.levels)

    def places(self, table: Table) -> np.ndarray:
        return category.places(table[self.name], self.levels)

    def write(self, graph: Graph) -> str:
        return category.write_places(graph, self.name, self.levels)


@dataclass(frozen=True, eq=False)
class ValueCells:
    """The few values of a number."""

    numbers: Numbers
    place: int
    values: np.ndarray  # (values,) float64, sorted

    @property
    def name(self) -> str:
        return self.numbers.names[self.place]

    def __len__(self) -> int:
        return len(self.values)

    def places(self, table: Table) -> np.ndarray:
        column = self.numbers.values(table)[:, self.place]
        found = np.searchsorted(self.values, column)
        known = self.values[np.minimum(found, len(self) - 1)] == column
        return np.where(known, found, len(self))

    def write(self, graph: Graph) -> str:
        place = graph.constant(np.array([self.place]))
        column = graph.add("Gather", self.numbers.write(graph), place, axis=1)
        hits = graph.cast(graph.add("Equal", column, graph.constant(self.values)), Element.INT64)
        steps = graph.add("Mul", hits, graph.constant(np.arange(len(self)) - len(self)))
        total = graph.add("ReduceSum", steps, graph.constant(np.array([1])), keepdims=1)
        return graph.add("Add", total, graph.constant(np.int64(len(self))))


@dataclass(frozen=True, eq=False)
class PairStatistics:
    """The target's mean, and the frequency, of every pair of two columns' cells."""

    left: Cells
    right: Cells
    values: np.ndarray  # (pairs of cells, columns) float32
    targets: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        pair = f"{self.left.name} & {self.right.name}"
        return (*(f"{pair}: mean of {target}" for target in self.targets), f"{pair}: frequency")

    def matrix(self, table: Table) -> np.ndarray:
        return np.asarray(self.values[pair_places(self.left, self.right, table)])

    def write(self, graph: Graph) -> str:
        width = graph.constant(np.int64(len(self.right) + 1))
        rows = graph.add("Mul", self.left.write(graph), width)
        found = graph.add("Add", rows, self.right.write(graph))
        taken = graph.add("Gather", graph.constant(self.values), found)  # (rows, 1, columns)
        return graph.add("Squeeze", taken, graph.constant(np.array([1])))


def pair_places(left: Cells, right: Cells, table: Table) -> np.ndarray:
    """(rows,) int64 place of each row's pair of cells."""
    return np.asarray(left.places(table) * (len(right) + 1) + right.places(table))


def fit_pair_statistics(
    left: Cells, right: Cells, training: Table, targets: dict[str, np.ndarray], seed: int
) -> tuple[PairStatistics, np.ndarray]:
    """The step, and its matrix of the training rows, in which no row's own target counts.

    targets: from what each is called to (rows,) float64."""
    found = pair_places(left, right, training)
    pairs = (len(left) + 1) * (len(right) + 1)
    truth = np.stack(list(targets.values()), axis=1)
    values, matrix = level_statistics(found, pairs - 1, truth, seed)
    return PairStatistics(left, right, values, tuple(targets)), matrix


@dataclass(frozen=True, eq=False)
class LevelRelative:
    """Numbers less the mean of their row's level; less the mean of all where it is unseen."""

    cells: Cells
    numbers: Numbers
    chosen: np.ndarray  # (columns,) int64 places in `numbers`
    means: np.ndarray  # (cells + 1, columns) float64
    prepared: Prepared

    @property
    def names(self) -> tuple[str, ...]:
        names = self.numbers.names
        return tuple(f"{names[place]} within {self.cells.name}" for place in self.chosen)

    def matrix(self, table: Table) -> np.ndarray:
        values = self.numbers.values(table)[:, self.chosen]
        return self.prepared.matrix(values - self.means[self.cells.places(table)])

    def write(self, graph: Graph) -> str:
        values = self.numbers.write(graph)
        taken = graph.add("Gather", values, graph.constant(self.chosen), axis=1)
        rows = graph.add("Gather", graph.constant(self.means), self.cells.write(graph))
        means = graph.add("Squeeze", rows, graph.constant(np.array([1])))
        return self.prepared.write(graph, graph.add("Sub", taken, means))


def fit_level_relative(
    cells: Cells, numbers: Numbers, chosen: np.ndarray, training: Table
) -> tuple[LevelRelative, np.ndarray]:
    """The step, and its matrix of the training rows."""
    values, found = numbers.values(training)[:, chosen], cells.places(training)
    means = level_means(values, found, len(cells))
    relative = values - means[found]
    prepared = fit_prepared(relative)
    return LevelRelative(cells, numbers, chosen, means, prepared), prepared.matrix(relative)


def level_means(values: np.ndarray, found: np.ndarray, levels: int) -> np.ndarray:
    """(levels + 1, columns) float64 means by level of values (rows, columns).

    A level without values has the mean of all."""
    known = ~np.isnan(values)
    filled = np.where(known, values, 0.0)
    sums = np.zeros((levels + 1, values.shape[1]))
    counts = np.zeros_like(sums)
    np.add.at(sums, found, filled)
    np.add.at(counts, found, known)
    overall = filled.sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), overall)
