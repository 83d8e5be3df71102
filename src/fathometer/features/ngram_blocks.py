"""The sparse road: n-grams of every text column, weighted, beside the dense columns of a table.

What stands how often in which text is counted once for all rows of a table; which n-grams a fold
knows and what they weigh is fitted on that fold's learning rows alone. The candidates are all
n-grams that occur `least_rows` times anywhere, so every n-gram that a fold may choose is among
them, and its choice is the same as if it had counted its own rows only. This does not hold for
columns of more than `ngrams.VOCABULARY_BYTES`: there candidates are sought in a sample of the rows
that `count_texts` is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from fathometer.errors import LearnerError
from fathometer.features.ngram_weights import NgramBlock, Weighting
from fathometer.features.ngrams import Ngrams, columns_of, counted_ngrams
from fathometer.features.recipe import Recipe
from fathometer.features.roads import Road, feature_specs, fit_recipe
from fathometer.features.text_tokens import Unit
from fathometer.graph import Element, Graph
from fathometer.table.kind import Kind
from fathometer.table.table import Table
from fathometer.table.task import Task

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@dataclass(frozen=True)
class BlockPlan:
    """Which n-grams of a text column are sought."""

    unit: Unit
    orders: tuple[int, int]  # shortest and longest
    most: int  # n-grams kept: those that most texts hold
    least_rows: int = 2
    weighting: Weighting = Weighting.TF_IDF


@dataclass(frozen=True, eq=False)
class SparseRoad:
    """Blocks of n-grams, and the road of sparse products of all other columns."""

    blocks: tuple[NgramBlock, ...]
    dense: Recipe | None
    dense_scale: np.float32  # so that a row of the dense columns is about as long as one of a block

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of every column."""
        ngrams = [f"{b.ngrams.column}: {name!r}" for b in self.blocks for name in b.ngrams.names]
        return (*ngrams, *(self.dense.names if self.dense else ()))

    @property
    def widths(self) -> tuple[int, ...]:
        """Columns of each block, the dense ones last."""
        dense = (len(self.dense.names),) if self.dense else ()
        return (*(block.ngrams.width for block in self.blocks), *dense)

    def matrix(self, table: Table) -> csr_array:
        """(rows, columns) float32."""
        blocks = [block.weighted(block.ngrams.counts(table)) for block in self.blocks]
        return self.joined(blocks, table)

    def joined(self, blocks: Sequence[csr_array], table: Table) -> csr_array:
        """Weighted blocks beside the dense columns of the same rows."""
        from scipy.sparse import csr_array, hstack

        parts = list(blocks)
        if self.dense is not None:
            parts.append(csr_array(self.dense.matrix(table) * self.dense_scale))
        return parts[0] if len(parts) == 1 else hstack(parts, format="csr")

    def write(self, graph: Graph, weights: np.ndarray) -> str:
        """The twin of `matrix(table) · weights`, double (rows, margins)."""
        parts = np.split(weights, np.cumsum(self.widths)[:-1])
        found = [
            graph.cast(block.write(graph, own), Element.DOUBLE)
            for block, own in zip(self.blocks, parts, strict=False)
        ]
        if self.dense is not None:
            wide = graph.cast(self.dense.write(graph), Element.DOUBLE)
            own = parts[-1].astype(np.float64) * float(self.dense_scale)
            found.append(graph.add("MatMul", wide, graph.constant(own)))
        return found[0] if len(found) == 1 else graph.add("Sum", *found)

    @property
    def text_columns(self) -> int:
        """Columns of the matrix that are n-grams: the first ones."""
        return sum(block.ngrams.width for block in self.blocks)


@dataclass(frozen=True, eq=False)
class FittedRoad:
    """A sparse road, and the matrix of its learning rows as the learner must see them."""

    road: SparseRoad
    training: csr_array
    _counted: tuple[tuple[csr_array, np.ndarray], ...]  # all rows' counts, and the columns kept


@dataclass(frozen=True, eq=False)
class CountedTable:
    """The n-grams of a table's texts, counted once for all its rows."""

    table: Table
    task: Task
    seed: int
    found: tuple[tuple[BlockPlan, Ngrams, csr_array], ...]

    def fit(self, rows: np.ndarray, plans: Sequence[BlockPlan]) -> FittedRoad:
        """Choose and weigh n-grams, and fit the dense columns, on these rows of the table alone.

        Raises:
            LearnerError: if no n-gram is left.
        """
        blocks, counted, weighted = [], [], []
        for plan, candidates, counts in self.found:
            if plan not in plans:
                continue
            texts = np.bincount(counts[rows].indices, minlength=candidates.width)
            columns = most_frequent(texts, plan.least_rows, plan.most)
            if not len(columns):
                continue
            rarity = 1 + np.log((1 + len(rows)) / (1 + texts[columns]))
            block = NgramBlock(
                candidates.chosen(columns), rarity.astype(np.float32), plan.weighting
            )
            blocks.append(block)
            counted.append((counts, columns))
            weighted.append(block.weighted(columns_of(counts[rows], columns)))
        if not blocks:
            raise LearnerError("no n-gram stands in two texts, so there is nothing to learn from.")
        dense, scale = self._dense(rows)
        road = SparseRoad(tuple(blocks), dense[0] if dense else None, scale)
        if dense:
            from scipy.sparse import csr_array, hstack

            weighted = [hstack([*weighted, csr_array(dense[1] * scale)], format="csr")]
        elif len(weighted) > 1:
            weighted = [road.joined(weighted, self.table)]
        return FittedRoad(road, weighted[0], tuple(counted))

    def matrix(self, fitted: FittedRoad, rows: np.ndarray) -> csr_array:
        """What `fitted.road` makes of these rows, from the counts that are there."""
        blocks = [
            block.weighted(columns_of(counts[rows], columns))
            for block, (counts, columns) in zip(fitted.road.blocks, fitted._counted, strict=True)
        ]
        return fitted.road.joined(blocks, self.table.rows(rows))

    def _dense(self, rows: np.ndarray) -> tuple[tuple[Recipe, np.ndarray] | None, np.float32]:
        texts = [column.name for column in self.table.of_kind(Kind.TEXT)]
        others = self.table.without([name for name in texts if name != self.task.target])
        if not feature_specs(others, self.task):
            return None, np.float32(1)
        try:
            found = fit_recipe(Road.SPARSE_PRODUCTS, others, self.task, rows, seed=self.seed)
        except LearnerError:  # a column that is missing or the same in all of these rows
            return None, np.float32(1)
        scale = np.float32(1 / np.sqrt(found.training.shape[1]))
        return (found.recipe, found.training), scale


def most_frequent(texts: np.ndarray, least: int, most: int) -> np.ndarray:
    """Columns, ascending, that at least so many texts hold; at most so many, the most frequent."""
    kept = np.flatnonzero(texts >= least)
    if len(kept) > most:
        kept = np.sort(kept[np.argsort(-texts[kept], kind="stable")[:most]])
    return kept


def count_texts(
    table: Table,
    task: Task,
    plans: Sequence[BlockPlan],
    *,
    seed: int = 0,
    among: np.ndarray | None = None,
) -> CountedTable:
    """Count the n-grams of all text columns.

    among: (rows to learn from,) whose texts alone are sampled for candidates where all are too
    long together.

    Raises:
        LearnerError: if the table has no text column, or no two texts have an n-gram in common.
    """
    specs = [spec for spec in feature_specs(table, task) if spec.kind is Kind.TEXT]
    if not specs:
        raise LearnerError(f"{table.name} has no column of text.")
    found = []
    for spec in specs:
        for plan in plans:
            fitted = counted_ngrams(
                table[spec.name],
                unit=plan.unit,
                orders=plan.orders,
                least_rows=plan.least_rows,
                among=among,
            )
            if fitted is not None:
                found.append((plan, *fitted))
    return CountedTable(table, task, seed, tuple(found))
