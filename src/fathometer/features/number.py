"""Numbers, booleans and dates as numbers: a raw block, and two ways to prepare it.

`Numbers` gathers raw values in double precision; `CentredNumbers` prepares them for trees and
`ScaledNumbers` for linear models and distances. The networks' own way is in `features/learned`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fathometer.features import calendar
from fathometer.graph import Element, Graph
from fathometer.table.kind import LARGEST_NUMBER, ColumnSpec, Kind
from fathometer.table.table import Table

# Standardised values are cut here, so that one outlier cannot dominate a product.
CLIP = 8.0


@dataclass(frozen=True)
class Numbers:
    """Raw numbers, booleans and calendar parts side by side in double, NaN where missing.

    A table's own numbers are without sentinels; the graph takes them out of the raw ones."""

    columns: tuple[ColumnSpec, ...]
    dates: tuple[calendar.CalendarParts, ...]

    @property
    def names(self) -> tuple[str, ...]:
        parts_names = tuple(name for parts in self.dates for name in parts.names)
        return tuple(spec.name for spec in self.columns) + parts_names

    def values(self, table: Table) -> np.ndarray:
        """Shape (rows, len(names)) float64."""
        blocks = [table[spec.name].numbers[:, None] for spec in self.columns]
        blocks += [parts.values(table[parts.spec.name]) for parts in self.dates]
        raw = np.concatenate(blocks, axis=1)
        return np.where(np.abs(raw) > LARGEST_NUMBER, np.nan, raw)

    def write(self, graph: Graph) -> str:
        """The same as a double tensor."""
        blocks = [graph.input(spec.name, Element.DOUBLE) for spec in self.columns]
        blocks += [parts.write(graph) for parts in self.dates]
        raw = graph.concat(blocks)
        largest = graph.constant(np.float64(LARGEST_NUMBER))
        gone = graph.add("Greater", graph.add("Abs", raw), largest)
        for sentinels in self._sentinels():
            gone = graph.add("Or", gone, graph.add("Equal", raw, graph.constant(sentinels)))
        return graph.add("Where", gone, graph.constant(np.float64(np.nan)), raw)

    def _sentinels(self) -> np.ndarray:
        """(most of any column, len(names)) float64; NaN, which equals nothing, where fewer."""
        of_columns = [spec.missing_numbers for spec in self.columns]
        found = np.full((max(map(len, of_columns), default=0), len(self.names)), np.nan)
        for place, numbers in enumerate(of_columns):
            found[: len(numbers), place] = numbers
        return found


def fit_numbers(table: Table, features: tuple[ColumnSpec, ...], *, cyclic: bool) -> Numbers | None:
    """The number block of a training table, or None where it has no numbers and no dates."""
    columns = tuple(s for s in features if s.kind in (Kind.NUMBER, Kind.BOOLEAN))
    dates = tuple(
        calendar.fit_calendar(table[spec.name], cyclic=cyclic)
        for spec in features
        if spec.kind is Kind.DATE
    )
    return Numbers(columns, dates) if columns or dates else None


@dataclass(frozen=True, eq=False)
class CentredNumbers:
    """Numbers for trees: centred in double, so that float32 keeps what tells large values apart.

    NaN passes through where `fill` is NaN: where the training rows had missing values."""

    numbers: Numbers
    centre: np.ndarray  # (columns,) float64: medians
    fill: np.ndarray  # (columns,) float64, after centring

    @property
    def names(self) -> tuple[str, ...]:
        return self.numbers.names

    def matrix(self, table: Table) -> np.ndarray:
        centred = self.numbers.values(table) - self.centre
        return np.where(np.isnan(centred), self.fill, centred).astype(np.float32)

    def write(self, graph: Graph) -> str:
        centred = graph.add("Sub", self.numbers.write(graph), graph.constant(self.centre))
        missing = graph.add("IsNaN", centred)
        filled = graph.add("Where", missing, graph.constant(self.fill), centred)
        return graph.cast(filled, Element.FLOAT)


def fit_centred(numbers: Numbers, table: Table) -> CentredNumbers:
    """Medians of these rows; missing values pass through only in columns that have some here."""
    values = numbers.values(table)
    centre = column_medians(values)
    return CentredNumbers(numbers, centre, np.where(np.isnan(values).any(axis=0), np.nan, 0.0))


@dataclass(frozen=True, eq=False)
class ScaledNumbers:
    """Numbers in standard deviations from the mean, missing ones at the mean and marked as such."""

    numbers: Numbers
    mean: np.ndarray  # (columns,) float64
    deviation: np.ndarray  # (columns,) float64, 1 where the column is constant
    marked: np.ndarray  # places of columns that had missing values in training

    @property
    def names(self) -> tuple[str, ...]:
        names = self.numbers.names
        return names + tuple(f"{names[place]} is missing" for place in self.marked)

    def matrix(self, table: Table) -> np.ndarray:
        values = self.numbers.values(table)
        missing = np.isnan(values)
        scaled = np.where(missing, 0.0, (values - self.mean) / self.deviation)
        joined = np.concatenate([np.clip(scaled, -CLIP, CLIP), missing[:, self.marked]], axis=1)
        return joined.astype(np.float32)

    def write(self, graph: Graph) -> str:
        values = self.numbers.write(graph)
        missing = graph.add("IsNaN", values)
        centred = graph.add("Sub", values, graph.constant(self.mean))
        scaled = graph.add("Div", centred, graph.constant(self.deviation))
        filled = graph.add("Where", missing, graph.constant(np.float64(0)), scaled)
        low, high = graph.constant(np.float64(-CLIP)), graph.constant(np.float64(CLIP))
        clipped = graph.cast(graph.add("Clip", filled, low, high), Element.FLOAT)
        if not len(self.marked):
            return clipped
        marks = graph.add("Gather", missing, graph.constant(self.marked), axis=1)
        return graph.concat([clipped, graph.cast(marks, Element.FLOAT)])


def fit_scaled(numbers: Numbers, table: Table) -> ScaledNumbers:
    """Means and standard deviations of these rows, missing values left out."""
    values = numbers.values(table)
    missing = np.isnan(values)
    count = np.maximum((~missing).sum(axis=0), 1)
    mean = np.where(missing, 0.0, values).sum(axis=0) / count
    square = np.where(missing, 0.0, (values - mean) ** 2).sum(axis=0) / count
    deviation = np.sqrt(square)
    deviation = np.where(deviation > 1e-12 * np.maximum(np.abs(mean), 1e-30), deviation, 1.0)
    return ScaledNumbers(numbers, mean, deviation, np.flatnonzero(missing.any(axis=0)))


def column_medians(values: np.ndarray) -> np.ndarray:
    """(columns,) medians without the missing values; 0 where all are missing."""
    empty = np.isnan(values).all(axis=0)
    return np.where(empty, 0.0, np.nanmedian(np.where(empty, 0.0, values), axis=0))
