"""Categories → numbers: one column a level, or what the training rows say about each level.

Missing counts as a level of its own where the training rows had missing values; a level that was
not seen in training is all zeros, or the prior."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from fathometer.graph import Element, Graph, write_lookup
from fathometer.table.table import Column, Table

# Weight of the prior in a level's mean, in rows: a level seen ten times is believed half.
PRIOR_ROWS = 10.0
INNER_FOLDS = 5


@dataclass(frozen=True)
class KnownLevels:
    """The levels of a category that have a place, sorted, and what is written for missing.

    Among the levels the empty string stands for a missing value."""

    names: tuple[str, ...]
    missing: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)


def frequent_levels(column: Column, *, most: int, least_rows: int = 1) -> KnownLevels:
    """The most frequent levels, at most `most`, each with at least `least_rows` rows."""
    levels, codes = _different(column)
    counts = np.bincount(codes, minlength=len(levels)).tolist()
    kept = [place for place, count in enumerate(counts) if count >= least_rows]
    kept.sort(key=lambda place: (-counts[place], levels[place]))
    return KnownLevels(tuple(sorted(levels[place] for place in kept[:most])), column.spec.missing)


def _different(column: Column) -> tuple[list[str], np.ndarray]:
    """The different values, empty for missing, and (rows,) which each row holds.

    By Arrow, since an array of numpy's own strings makes every row as wide as the longest."""
    coded = pc.dictionary_encode(pc.fill_null(column.values, ""))
    return coded.dictionary.to_pylist(), np.asarray(coded.indices)


def places(column: Column, levels: KnownLevels) -> np.ndarray:
    """(rows,) int64 place of each value among the levels; len(levels) where it is none of them."""
    known = {level: place for place, level in enumerate(levels.names)}
    names, codes = _different(column)
    found = np.array([known.get(name, len(levels)) for name in names], dtype=np.int64)
    return np.asarray(found[codes])


def write_places(graph: Graph, name: str, levels: KnownLevels) -> str:
    """The same as an int64 tensor (rows, 1), from the raw string, where "?" may still stand."""
    known = {level: place for place, level in enumerate(levels.names)}
    if "" in known:  # else missing has the place of the unseen, which every other string has
        known = {**dict.fromkeys(levels.missing, known[""]), **known}
    return write_lookup(graph, graph.input(name, Element.STRING), known, len(levels))


@dataclass(frozen=True)
class OneHot:
    """One 0/1 column for each level of one category column."""

    column: str
    levels: KnownLevels

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"{self.column} = {level or '(missing)'}" for level in self.levels.names)

    def matrix(self, table: Table) -> np.ndarray:
        found = places(table[self.column], self.levels)
        return np.asarray(found[:, None] == np.arange(len(self.levels)), dtype=np.float32)

    def write(self, graph: Graph) -> str:
        found = write_places(graph, self.column, self.levels)
        hits = graph.add("Equal", found, graph.constant(np.arange(len(self.levels))))
        return graph.cast(hits, Element.FLOAT)


@dataclass(frozen=True, eq=False)
class TargetStatistics:
    """What the training rows say about each level: the target's mean, and the level's frequency.

    `values` has a row a level and a last row for the unseen; a column a class (two classes: one)
    and one for log(1 + rows)."""

    column: str
    levels: KnownLevels
    values: np.ndarray  # (levels + 1, columns) float32
    targets: tuple[str, ...]  # what the mean columns are means of

    @property
    def names(self) -> tuple[str, ...]:
        means = tuple(f"{self.column}: mean of {target}" for target in self.targets)
        return (*means, f"{self.column}: frequency")

    def matrix(self, table: Table) -> np.ndarray:
        return np.asarray(self.values[places(table[self.column], self.levels)])

    def write(self, graph: Graph) -> str:
        found = write_places(graph, self.column, self.levels)
        rows = graph.add("Gather", graph.constant(self.values), found)  # (rows, 1, columns)
        return graph.add("Squeeze", rows, graph.constant(np.array([1])))


def fit_target_statistics(
    column: Column, targets: dict[str, np.ndarray], seed: int
) -> tuple[TargetStatistics, np.ndarray]:
    """Statistics of a training column, and the matrix to train on.

    In that matrix no row's own target counts: each row gets the means of the other inner folds.
    (A level's mean that holds the row's own target tells the learner the answer; micci-barreca
    2001, prokhorenkova 2018.)

    Args:
        targets: from what each is called to (rows,) float64.
    """
    levels = frequent_levels(column, most=len(column.values))
    truth = np.stack(list(targets.values()), axis=1)  # (rows, targets)
    values, training = level_statistics(places(column, levels), len(levels), truth, seed)
    return TargetStatistics(column.name, levels, values, tuple(targets)), training


def level_statistics(
    found: np.ndarray, levels: int, truth: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Means of the target and the log frequency by level, and the training rows' own.

    Args:
        found: (rows,) int64 place of each row's level; `levels` where it has none.
        truth: (rows, targets) float64.

    Returns:
        (levels + 1, targets + 1) float32, and (rows, targets + 1) float32, in which no row's own
        target counts.
    """
    fold = np.random.default_rng(seed).permutation(len(found)) % INNER_FOLDS
    training = np.empty((len(found), truth.shape[1] + 1), dtype=np.float32)
    for inner in range(INNER_FOLDS):
        others, rows = fold != inner, fold == inner
        means = _smoothed_means(found[others], truth[others], levels)
        training[rows, :-1] = means[found[rows]]
    counts = np.bincount(found, minlength=levels + 1)
    frequency = np.log1p(counts).astype(np.float32)
    training[:, -1] = frequency[found]
    means = _smoothed_means(found, truth, levels)
    values = np.concatenate([means, frequency[:, None]], axis=1, dtype=np.float32)
    return values, training


def _smoothed_means(found: np.ndarray, truth: np.ndarray, levels: int) -> np.ndarray:
    """(levels + 1, targets) means of the target by level, drawn towards the mean of all."""
    prior = truth.mean(axis=0) if len(truth) else np.zeros(truth.shape[1])
    counts = np.bincount(found, minlength=levels + 1)[:, None]
    sums = np.stack(
        [np.bincount(found, weights=column, minlength=levels + 1) for column in truth.T], axis=1
    )
    return np.asarray((sums + PRIOR_ROWS * prior) / (counts + PRIOR_ROWS))
