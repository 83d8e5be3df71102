"""Short texts → weighted word counts.

Words are runs of letters, marks, digits and apostrophes, A to Z in lower case. Both sides split
with RE2 and the same character classes, here through Arrow, in the graph with onnxruntime's
Tokenizer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fathometer.graph import Element, Graph, write_counts, write_lookup, write_split
from fathometer.table.table import Column, Table

WORD = r"[\pL\pM\pN']+"
BREAK = r"[^\pL\pM\pN']+"
# onnxruntime lower-cases by the machine's locale, and fails where that is not installed; the C
# locale is everywhere and touches ASCII alone.
LOCALE = "C"
LEAST_ROWS = 3  # that hold a word, else it is not counted


def words_of(column: Column) -> tuple[pa.Array, np.ndarray]:
    """All words of all rows in order, and the row each stands in."""
    lowered = pc.ascii_lower(pc.fill_null(column.values, ""))
    if isinstance(lowered, pa.ChunkedArray):
        lowered = lowered.combine_chunks()
    lists = pc.split_pattern_regex(lowered, BREAK)
    words, rows = pc.list_flatten(lists), pc.list_parent_indices(lists)
    kept = pc.not_equal(words, "")
    return words.filter(kept), np.asarray(rows.filter(kept), dtype=np.int64)


@dataclass(frozen=True)
class WordCounts:
    """One column a word: how often the text holds it. Whole numbers, so a tree's thresholds cannot
    fall on different sides of a rounding here and in the graph."""

    column: str
    words: tuple[str, ...]
    missing: tuple[str, ...] = ()  # texts that count as empty; in a table they are already

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"{self.column}: {word}" for word in self.words)

    def matrix(self, table: Table) -> np.ndarray:
        found, rows = words_of(table[self.column])
        places = pc.fill_null(pc.index_in(found, pa.array(self.words)), -1).to_numpy()
        known = places >= 0
        counts = np.zeros((len(table), len(self.words)), dtype=np.float32)
        np.add.at(counts, (rows[known], places[known]), 1.0)
        return counts

    def write(self, graph: Graph) -> str:
        raw = write_without(graph, graph.input(self.column, Element.STRING), self.missing)
        return write_counts(graph, write_split(graph, write_lowered(graph, raw), WORD), self.words)


@dataclass(frozen=True, eq=False)
class WordWeights:
    """One column a word: log(1 + count) times the word's weight, rows scaled to length 1."""

    counts: WordCounts
    weights: np.ndarray  # (words,) float32

    @property
    def names(self) -> tuple[str, ...]:
        return self.counts.names

    def matrix(self, table: Table) -> np.ndarray:
        weighted = np.log1p(self.counts.matrix(table)) * self.weights
        length = np.sqrt((weighted**2).sum(axis=1, keepdims=True))
        return np.asarray(weighted / np.maximum(length, np.float32(1e-6)))

    def write(self, graph: Graph) -> str:
        counts = self.counts.write(graph)
        logs = graph.add("Log", graph.add("Add", counts, graph.constant(np.float32(1))))
        weighted = graph.add("Mul", logs, graph.constant(self.weights))
        length = graph.add("ReduceL2", weighted, graph.constant(np.array([1])), keepdims=1)
        return graph.add(
            "Div", weighted, graph.add("Max", length, graph.constant(np.float32(1e-6)))
        )


def write_lowered(graph: Graph, raw: str) -> str:
    """Texts, strings (rows,), with A to Z in lower case."""
    flat = graph.add("Reshape", raw, graph.constant(np.array([-1])))
    return graph.add(
        "StringNormalizer", flat, case_change_action="LOWER", locale=LOCALE, is_case_sensitive=1
    )


def write_without(graph: Graph, raw: str, missing: tuple[str, ...]) -> str:
    """The raw strings, empty where they are exactly one of `missing`."""
    if not missing:
        return raw
    found = write_lookup(graph, raw, dict.fromkeys(missing, 1), 0)
    return graph.add("Where", graph.cast(found, Element.BOOL), graph.constant([""]), raw)


def fit_word_weights(column: Column, *, most: int) -> WordWeights | None:
    """The words that most training rows hold, weighted by inverse row frequency.

    None where no word stands in `LEAST_ROWS` rows. Weight: 1 + log((1 + rows) / (1 + rows with the
    word)), scikit-learn's smoothed form."""
    found, rows = words_of(column)
    if not len(found):
        return None
    encoded = found.dictionary_encode()
    codes = np.asarray(encoded.indices, dtype=np.int64)
    pairs = np.unique(codes * (len(column.values) + 1) + rows) // (len(column.values) + 1)
    frequency = np.bincount(pairs, minlength=len(encoded.dictionary))
    chosen = np.flatnonzero(frequency >= LEAST_ROWS)
    chosen = chosen[np.argsort(-frequency[chosen], kind="stable")][:most]
    if not len(chosen):
        return None
    words = encoded.dictionary.take(pa.array(chosen)).to_pylist()
    order = np.argsort(words)
    weights = 1 + np.log((1 + len(column.values)) / (1 + frequency[chosen[order]]))
    counts = WordCounts(column.name, tuple(words[i] for i in order), column.spec.missing)
    return WordWeights(counts, weights.astype(np.float32))
