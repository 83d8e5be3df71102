"""The learned road: raw values made fit for a network, which finds its own features.

Numbers are centred and scaled so that half of them lie within about ±1, categories become places
in an embedding, words become counts whose weights the network learns. All is fitted once for each
fold on that fold's learning rows; the folds stand on a leading axis F, so that a population of
networks, each knowing its own fold, trains and answers in one batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fathometer.errors import LearnerError
from fathometer.features import category, number, text
from fathometer.features.roads import feature_specs
from fathometer.graph import Element, Graph
from fathometer.table.kind import Kind
from fathometer.table.table import Table
from fathometer.table.task import Task

MOST_WORDS = 400
MOST_LEVELS = 2000
LEAST_ROWS = 2  # a level of one row teaches nothing about its next row


@dataclass(frozen=True, eq=False)
class NetworkInputs:
    """What a population takes, for F folds; any of the last axes may be empty."""

    numbers: np.ndarray  # (F, rows, D) float32
    flags: np.ndarray  # (F, rows, Q) float32
    codes: np.ndarray  # (F, rows, C) int64


@dataclass(frozen=True)
class NetworkTensors:
    """The same three in a graph, float, float and int64; None where the last axis is empty."""

    numbers: str | None
    flags: str | None
    codes: str | None


@dataclass(frozen=True, eq=False)
class LearnedRoad:
    """A fitted learned road of F folds."""

    block: number.Numbers | None
    centre: np.ndarray  # (F, columns) float64
    scale: np.ndarray  # (F, columns) float64; values are multiplied by it
    rich: np.ndarray  # places of the columns with more than two values: `numbers`
    plain: np.ndarray  # places of the others: `flags`
    marked: np.ndarray  # places of columns with missing values: a flag each
    categories: tuple[tuple[str, category.KnownLevels], ...]  # name and levels
    remaps: tuple[np.ndarray, ...]  # (F, levels + 1) int64 each: 0 if the fold did not see it
    texts: tuple[text.WordWeights, ...]

    @property
    def number_names(self) -> tuple[str, ...]:
        return tuple(self.block.names[place] for place in self.rich) if self.block else ()

    @property
    def flag_names(self) -> tuple[str, ...]:
        names = self.block.names if self.block else ()
        flags = [names[place] for place in self.plain]
        flags += [f"{names[place]} is missing" for place in self.marked]
        return (*flags, *(name for words in self.texts for name in words.names))

    @property
    def levels(self) -> tuple[int, ...]:
        """Embedding rows of each category; row 0 is for what the fold did not see."""
        return tuple(len(levels) + 1 for _, levels in self.categories)

    def inputs(self, table: Table) -> NetworkInputs:
        """Encode a table for every fold."""
        folds, rows = len(self.centre), len(table)
        scaled = np.zeros((folds, rows, 0))
        missing = np.zeros((rows, 0), dtype=bool)
        if self.block is not None:
            values = self.block.values(table)
            missing = np.isnan(values)
            scaled = (values - self.centre[:, None]) * self.scale[:, None]
            scaled = np.where(missing, 0.0, scaled / np.sqrt(1 + (scaled / 3) ** 2))
        common = [missing[:, self.marked], *(words.matrix(table) for words in self.texts)]
        shared = np.concatenate(common, axis=1, dtype=np.float32)
        repeated = np.broadcast_to(shared, (folds, *shared.shape))
        codes = [
            remap[:, category.places(table[name], levels)]
            for (name, levels), remap in zip(self.categories, self.remaps, strict=True)
        ]
        return NetworkInputs(
            scaled[:, :, self.rich].astype(np.float32),
            np.concatenate([scaled[:, :, self.plain], repeated], axis=2, dtype=np.float32),
            np.stack(codes, axis=2) if codes else np.zeros((folds, rows, 0), dtype=np.int64),
        )

    def write(self, graph: Graph) -> NetworkTensors:
        """The same in a graph, from raw columns."""
        first = graph.constant(np.array([0]))
        numbers: str | None = None
        per_fold: list[str] = []
        common: list[str] = []
        if self.block is not None:
            values = self.block.write(graph)
            missing = graph.add("IsNaN", values)
            scaled = self._write_scaled(graph, graph.add("Unsqueeze", values, first), missing)
            if len(self.rich):
                numbers = graph.add("Gather", scaled, graph.constant(self.rich), axis=2)
            if len(self.plain):
                per_fold = [graph.add("Gather", scaled, graph.constant(self.plain), axis=2)]
            if len(self.marked):
                marks = graph.add("Gather", missing, graph.constant(self.marked), axis=1)
                common.append(graph.cast(marks, Element.FLOAT))
        common += [words.write(graph) for words in self.texts]
        if common:
            joined = graph.add("Unsqueeze", graph.concat(common), first)
            ones = graph.constant(np.ones((len(self.centre), 1, 1), dtype=np.float32))
            per_fold.append(graph.add("Mul", joined, ones))
        codes = [
            graph.add(
                "Gather", graph.constant(remap), category.write_places(graph, name, levels), axis=1
            )
            for (name, levels), remap in zip(self.categories, self.remaps, strict=True)
        ]
        return NetworkTensors(
            numbers,
            graph.concat(per_fold, axis=2) if per_fold else None,
            graph.concat(codes, axis=2) if codes else None,
        )

    def _write_scaled(self, graph: Graph, values: str, missing: str) -> str:
        """(F, rows, columns) float: centred, scaled, softly clipped, 0 where missing."""
        centred = graph.add("Sub", values, graph.constant(self.centre[:, None]))
        scaled = graph.add("Mul", centred, graph.constant(self.scale[:, None]))
        third = graph.add("Div", scaled, graph.constant(3.0))
        root = graph.add(
            "Sqrt", graph.add("Add", graph.add("Mul", third, third), graph.constant(1.0))
        )
        clipped = graph.add("Div", scaled, root)
        return graph.cast(graph.add("Where", missing, graph.constant(0.0), clipped), Element.FLOAT)


def fit_learned_road(table: Table, task: Task, folds: Sequence[np.ndarray]) -> LearnedRoad:
    """Fit on each fold's learning rows; what a fold did not see, its networks do not know.

    Which columns and levels exist is read from all folds together (names, not values, cross over).

    Raises:
        LearnerError: if the table has no column to learn from, or none that repeats anything.
    """
    features = feature_specs(table, task)
    if not features:
        raise LearnerError(f"no column of {table.name} is left to learn from.")
    rows = np.unique(np.concatenate(folds))
    training = table.rows(rows)
    where = [np.searchsorted(rows, fold) for fold in folds]
    block = number.fit_numbers(training, features, cyclic=True)
    values = block.values(training) if block else np.zeros((len(rows), 0))
    scales = [_centre_and_scale(values[fold]) for fold in where]
    two = np.array([len(np.unique(c[~np.isnan(c)][:10_000])) <= 2 for c in values.T], dtype=bool)
    categories, remaps = [], []
    for spec in features:
        if spec.kind is Kind.CATEGORY:
            levels = category.frequent_levels(
                training[spec.name], most=MOST_LEVELS, least_rows=LEAST_ROWS
            )
            if not len(levels):  # each in one row alone
                continue
            found = category.places(training[spec.name], levels)
            categories.append((spec.name, levels))
            remaps.append(np.stack([_remap(found[fold], len(levels)) for fold in where]))
    texts = [
        text.fit_word_weights(training[spec.name], most=MOST_WORDS)
        for spec in features
        if spec.kind is Kind.TEXT
    ]
    known_texts = tuple(words for words in texts if words is not None)
    if block is None and not categories and not known_texts:
        raise LearnerError(
            f"no category or word of {table.name} stands in two of its {len(rows):,} training "
            "rows, so there is nothing to learn from."
        )
    return LearnedRoad(
        block,
        np.stack([centre for centre, _ in scales]),
        np.stack([scale for _, scale in scales]),
        np.flatnonzero(~two),
        np.flatnonzero(two),
        np.flatnonzero(np.isnan(values).any(axis=0)),
        tuple(categories),
        tuple(remaps),
        known_texts,
    )


def _centre_and_scale(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Medians and inverse spreads, (columns,) each (RealMLP's robust scaling, arXiv 2407.04491).

    The spread is that of the middle half; where that is 0, half the range; else the scale is 0."""
    centre = number.column_medians(values)
    known = np.where(np.isnan(values), centre, values)
    low, high = np.quantile(known, [0.25, 0.75], axis=0)
    half_range = (known.max(axis=0) - known.min(axis=0)) / 2
    spread = np.where(high > low, high - low, half_range)
    return centre, np.where(spread > 0, 1 / np.where(spread > 0, spread, 1.0), 0.0)


def _remap(found: np.ndarray, levels: int) -> np.ndarray:
    """(levels + 1,) from a level's place to its embedding row: place + 1 where seen, else 0."""
    seen = np.zeros(levels + 1, dtype=bool)
    seen[found] = True
    remap = np.where(seen, np.arange(1, levels + 2), 0)
    remap[levels] = 0
    return remap
