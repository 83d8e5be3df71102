"""Texts on the dense roads: the n-grams that tell most about the target, and plain measures.

Trees take counts, which are whole numbers: their thresholds cannot fall on different sides of a
rounding here and in the graph. Products take the same n-grams weighted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc

from fathometer.features.ngram_weights import NgramBlock, Weighting
from fathometer.features.ngrams import Ngrams, columns_of, counted_ngrams
from fathometer.features.text import write_without
from fathometer.features.text_tokens import (
    SHORT_BYTES,
    Unit,
    characters_help,
    write_characters,
)
from fathometer.graph import Element, Graph, write_counts, write_lookup
from fathometer.table.table import Column, Table

if TYPE_CHECKING:
    from scipy.sparse import csr_array

ORDERS = {Unit.WORDS: (1, 2), Unit.CHARACTERS: (2, 4)}
LEAST_ROWS = 3  # of the learning rows that hold an n-gram which gets a column
# Of all rows, learning or not. Never more than `LEAST_ROWS`: else rows that are judged on would
# bring in n-grams that the learning rows alone do not.
CANDIDATE_ROWS = {Unit.WORDS: 2, Unit.CHARACTERS: 3}
# With more classes the n-grams that tell most are many of a few classes, and those that most texts
# hold do better: ridge classifier on 500 columns of banking77 (77 classes), accuracy 0.754 with the
# most frequent words, 0.717 with the most telling, 0.668 with characters among them; the other way
# round on tweeteval_emotion (4 classes): 0.641, 0.662, 0.655, LightGBM on 400 columns 0.609 with
# characters among them and 0.481 without.
MOST_CLASSES = 10


@dataclass(frozen=True, eq=False)
class NgramCounts:
    """One column an n-gram: how often the text holds it."""

    ngrams: Ngrams

    @property
    def column(self) -> str:
        return self.ngrams.column

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"{self.column}: {name}" for name in self.ngrams.names)

    def matrix(self, table: Table) -> np.ndarray:
        return np.asarray(self.ngrams.counts(table).toarray())

    def write(self, graph: Graph) -> str:
        return self.ngrams.write(graph)


@dataclass(frozen=True, eq=False)
class NgramWeights:
    """One column an n-gram: √count times the n-gram's weight, rows scaled to length 1."""

    block: NgramBlock

    @property
    def column(self) -> str:
        return self.block.ngrams.column

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"{self.column}: {name}" for name in self.block.ngrams.names)

    def matrix(self, table: Table) -> np.ndarray:
        return np.asarray(self.block.weighted(self.block.ngrams.counts(table)).toarray())

    def write(self, graph: Graph) -> str:
        roots = graph.add("Sqrt", self.block.ngrams.write(graph))
        weighted = graph.add("Mul", roots, graph.constant(self.block.weights))
        length = graph.add("ReduceL2", weighted, graph.constant(np.array([1])), keepdims=1)
        return graph.add(
            "Div", weighted, graph.add("Max", length, graph.constant(np.float32(1e-6)))
        )


MEASURED = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789", "!", "?"
MEASURES = ("capitals", "digits", "exclamation marks", "question marks", "characters")


@dataclass(frozen=True)
class TextMeasures:
    """How long a text is, and how many capitals (A to Z), digits and marks it holds."""

    column: str
    missing: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"{self.column}: {name}" for name in MEASURES)

    def matrix(self, table: Table) -> np.ndarray:
        texts = pc.fill_null(table[self.column].values, "")
        counts = [pc.count_substring_regex(texts, f"[{letters}]") for letters in MEASURED]
        counts.append(pc.utf8_length(texts))
        return np.column_stack([np.asarray(count, dtype=np.float32) for count in counts])

    def write(self, graph: Graph) -> str:
        raw = write_without(graph, graph.input(self.column, Element.STRING), self.missing)
        places = {letter: place for place, group in enumerate(MEASURED) for letter in group}
        other = len(MEASURED)
        numbers = {**places, "": other + 1}  # the last fills short texts up
        codes = write_lookup(graph, write_characters(graph, raw), numbers, other)
        counts = write_counts(graph, codes, range(other + 1))
        # The last column becomes all characters, without the two blanks around the text.
        sums = np.eye(other + 1, dtype=np.float32)
        sums[:, other] = 1
        borders = np.zeros(other + 1, dtype=np.float32)
        borders[other] = 2
        whole = graph.add("MatMul", counts, graph.constant(sums))
        return graph.add("Sub", whole, graph.constant(borders))


def fit_telling_ngrams(
    column: Column, rows: np.ndarray, shown: np.ndarray, *, most: int
) -> list[tuple[Ngrams, csr_array, np.ndarray]]:
    """The n-grams that tell most about the target on these rows, at most so many together.

    Where characters help, half of the columns are theirs. Of many classes (`MOST_CLASSES`), the
    words that most rows hold.

    Args:
        shown: (rows, targets) of these rows, a 0/1 column a class or standardised values.

    Returns:
        Of words, and of characters: the n-grams, their counts in these rows, and how many of the
        rows hold each.
    """
    many = shown.shape[1] > MOST_CLASSES
    units = [Unit.WORDS]
    if characters_help([column.take(rows).values], 0 if many else SHORT_BYTES):
        units.append(Unit.CHARACTERS)
    found = []
    for unit in units:
        candidates = counted_ngrams(
            column,
            unit=unit,
            orders=ORDERS[unit],
            least_rows=CANDIDATE_ROWS[unit],
            among=rows,
        )
        if candidates is None:
            continue
        ngrams, counts = candidates
        own = counts[rows]
        texts = np.bincount(own.indices, minlength=own.shape[1])
        telling = texts if many else associations(own, shown)
        kept = np.flatnonzero(texts >= LEAST_ROWS)
        order = kept[np.argsort(-telling[kept], kind="stable")][: most // len(units)]
        chosen = np.sort(order)
        if len(chosen):
            found.append((ngrams.chosen(chosen), columns_of(own, chosen), texts[chosen]))
    return found


def associations(counts: csr_array, shown: np.ndarray) -> np.ndarray:
    """(columns,) how much each column's presence tells about the targets.

    The sum over targets of the squared difference between the mean target of the rows that hold it
    and of all rows, in units of its standard error: chi-square for 0/1 columns, rows · correlation²
    for values."""
    rows = len(shown)
    present = counts.copy()
    present.data = np.ones_like(present.data, dtype=np.float64)
    texts = np.bincount(counts.indices, minlength=counts.shape[1])
    centred = shown - shown.mean(axis=0)
    spread = np.maximum(centred.var(axis=0), 1e-12)
    sums = present.T @ centred  # (columns, targets)
    share = np.maximum(texts * (1 - texts / rows), 1e-12)[:, None]
    return np.asarray((sums**2 / (share * spread)).sum(axis=1))


def weighted_step(ngrams: Ngrams, texts: np.ndarray, rows: int) -> NgramWeights:
    """The n-grams weighted by 1 + log((1 + rows) / (1 + texts)) as `features/ngram_blocks` does."""
    rarity = 1 + np.log((1 + rows) / (1 + texts))
    return NgramWeights(NgramBlock(ngrams, rarity.astype(np.float32), Weighting.TF_IDF))
