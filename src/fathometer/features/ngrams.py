"""N-grams of words or characters: their vocabulary, counts as a sparse matrix, and the twin.

The vocabulary grows order by order: an n-gram is counted only where its first n - 1 tokens and its
last one are frequent enough themselves (Agrawal & Srikant 1994), so that one table lookup turns
a place in an (n-1)-gram and the next token into a place in an n-gram. Knows nothing of weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fathometer.features.text_tokens import Tokens, Unit, tokens_of, write_tokens
from fathometer.graph import Graph
from fathometer.table.table import Column, Table

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# Places of a table that is looked up directly, 128 MB; larger ones are hashed.
LARGEST_DIRECT = 1 << 25
# Bytes of text that are counted at once; about 20 bytes of memory for each and each order.
SLICE_BYTES = 16 << 20
# Bytes of text that a vocabulary is chosen from; of more, every so many texts.
VOCABULARY_BYTES = 48 << 20


@dataclass(frozen=True, eq=False)
class Level:
    """The n-grams of one order that are known, as continuations of those one token shorter."""

    keys: np.ndarray  # (nodes,) int64 ascending: place of the shorter one · alphabet + last token
    size: int  # keys are below it

    def places(self, keys: np.ndarray) -> np.ndarray:
        """(keys,) int32 place of each key, -1 for those unknown."""
        if self.size <= LARGEST_DIRECT:
            return np.asarray(self._direct[keys])
        found = pc.index_in(pa.array(keys), pa.array(self.keys))
        return np.asarray(pc.fill_null(found, -1).to_numpy(zero_copy_only=False), dtype=np.int32)

    @cached_property
    def _direct(self) -> np.ndarray:
        direct = np.full(self.size, -1, dtype=np.int32)
        direct[self.keys] = np.arange(len(self.keys), dtype=np.int32)
        return direct


@dataclass(frozen=True, eq=False)
class Ngrams:
    """A column for each n-gram of a vocabulary: how often the text holds it."""

    column: str
    unit: Unit
    alphabet: tuple[str, ...]  # the tokens that n-grams are made of
    grams: tuple[np.ndarray, ...]  # of each order n (n-grams, n) int32 places in the alphabet
    missing: tuple[str, ...] = ()  # texts that count as empty; in a table they are already

    @property
    def width(self) -> int:
        """Columns."""
        return sum(map(len, self.grams))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of each column: the n-gram itself."""
        between = " " if self.unit is Unit.WORDS else ""
        return tuple(
            between.join(self.alphabet[place] for place in gram)
            for grams in self.grams
            for gram in grams.tolist()
        )

    def chosen(self, columns: np.ndarray) -> Ngrams:
        """The n-grams of these columns, ascending, and the tokens that they need."""
        ends = np.cumsum([0, *map(len, self.grams)])
        kept = [
            grams[columns[(columns >= start) & (columns < end)] - start]
            for grams, start, end in zip(self.grams, ends, ends[1:], strict=False)
        ]
        used = np.unique(np.concatenate([grams.ravel() for grams in kept]))
        place = np.zeros(len(self.alphabet), dtype=np.int32)
        place[used] = np.arange(len(used))
        return Ngrams(
            self.column,
            self.unit,
            tuple(self.alphabet[token] for token in used),
            tuple(place[grams] for grams in kept),
            self.missing,
        )

    def counts(self, table: Table) -> csr_array:
        """(rows, width) float32 whole numbers."""
        from scipy.sparse import csr_array, vstack

        column = table[self.column]
        parts = []
        for rows in _slices(column):
            tokens = tokens_of(column.take(rows), self.unit)
            parts.append(self._count(tokens))
        return vstack(parts, format="csr") if parts else csr_array((0, self.width), dtype="f4")

    def _count(self, tokens: Tokens) -> csr_array:
        known = {token: place for place, token in enumerate(self.alphabet)}
        recoded = np.array([known.get(token, -1) for token in tokens.alphabet] + [-1])
        codes = recoded.astype(np.int32)[tokens.codes]
        at = np.flatnonzero(codes >= 0).astype(np.int32)
        nodes = codes[at]
        blocks = []
        for order, (level, features) in enumerate(self._trie):
            if order:
                following = codes[at + order]
                alive = following >= 0
                at, nodes = at[alive], nodes[alive].astype(np.int64) * len(self.alphabet)
                nodes = level.places(nodes + following[alive])
                alive = nodes >= 0
                at, nodes = at[alive], nodes[alive]
            if len(self.grams[order]):
                found = features[nodes]
                counted = found >= 0
                rows = tokens.rows[at[counted]]
                shape = (len(tokens.ends), len(self.grams[order]))
                blocks.append(_count_pairs(rows, found[counted], shape))
        return _beside(blocks, len(tokens.ends))

    @cached_property
    def _trie(self) -> tuple[tuple[Level, np.ndarray], ...]:
        """Of each order its level, and the feature of each node: -1 where it only leads on."""
        size = len(self.alphabet)
        paths = [grams[:, 0].astype(np.int64) for grams in self.grams]
        levels = []
        for order, grams in enumerate(self.grams):
            if order == 0:
                level = Level(np.arange(size), size)
            else:
                longer = [
                    paths[n] * size + self.grams[n][:, order]
                    for n in range(order, len(self.grams))
                ]
                keys = np.unique(np.concatenate(longer))
                level = Level(keys, len(levels[-1][0].keys) * size)
                paths[order:] = [np.searchsorted(keys, own) for own in longer]
            features = np.full(len(level.keys), -1, dtype=np.int32)
            features[paths[order]] = np.arange(len(grams), dtype=np.int32)
            levels.append((level, features))
        return tuple(levels)

    def write(self, graph: Graph) -> str:
        """The twin: float (rows, width) counts."""
        codes = write_tokens(graph, self.column, self.missing, self.unit, self.alphabet)
        sizes = [grams.size for grams in self.grams]
        lengths = [n for n, grams in enumerate(self.grams, 1) if len(grams)]
        return graph.add(
            "TfIdfVectorizer",
            codes,
            mode="TF",
            min_gram_length=lengths[0],
            max_gram_length=lengths[-1],
            max_skip_count=0,
            ngram_counts=[sum(sizes[:n]) for n in range(lengths[-1])],
            ngram_indexes=list(range(self.width)),
            pool_int64s=np.concatenate([grams.ravel() for grams in self.grams]).tolist(),
        )


def _slices(column: Column) -> Iterator[np.ndarray]:
    """Row numbers, cut where `SLICE_BYTES` of text are together."""
    sizes = pc.fill_null(pc.binary_length(column.values), 0).to_numpy(zero_copy_only=False)
    part = np.cumsum(sizes, dtype=np.int64) // SLICE_BYTES
    rows = np.arange(len(sizes))
    if len(rows):
        yield from np.split(rows, np.flatnonzero(np.diff(part)) + 1)


def _count_pairs(rows: np.ndarray, features: np.ndarray, shape: tuple[int, int]) -> csr_array:
    """How often each pair of row and feature stands there, as a sparse matrix."""
    from scipy.sparse import csr_array

    keys = rows.astype(np.int64) * shape[1] + features
    keys.sort()
    first = np.ones(len(keys), dtype=bool)
    np.not_equal(keys[1:], keys[:-1], out=first[1:])
    where = np.flatnonzero(first)
    counts = np.diff(where, append=len(keys)).astype(np.float32)
    row, feature = np.divmod(keys[where], shape[1])
    ends = np.searchsorted(row, np.arange(shape[0] + 1))
    return csr_array((counts, feature.astype(np.int32), ends.astype(np.int32)), shape=shape)


def _beside(blocks: list[csr_array], rows: int) -> csr_array:
    from scipy.sparse import csr_array, hstack

    if not blocks:
        return csr_array((rows, 0), dtype=np.float32)
    return blocks[0] if len(blocks) == 1 else hstack(blocks, format="csr")


def fit_ngrams(
    column: Column, *, unit: Unit, orders: tuple[int, int], least_rows: int
) -> tuple[Ngrams, csr_array] | None:
    """All n-grams of these orders that stand in `least_rows` texts, with their counts here.

    None where there is none."""
    tokens = tokens_of(_sample(column), unit)
    grown = _grow(tokens, orders, least_rows)
    if not sum(map(len, grown)):
        return None
    ngrams = Ngrams(column.name, unit, tokens.alphabet, grown, column.spec.missing)
    ngrams = ngrams.chosen(np.arange(ngrams.width))
    counts = ngrams.counts(Table((column,)))
    texts = np.bincount(counts.indices, minlength=ngrams.width)
    frequent = np.flatnonzero(texts >= least_rows)
    if not len(frequent):
        return None
    return ngrams.chosen(frequent), columns_of(counts, frequent)


def columns_of(matrix: csr_array, columns: np.ndarray) -> csr_array:
    """These ascending columns of a sparse matrix whose rows are sorted."""
    from scipy.sparse import csr_array

    place = np.full(matrix.shape[1], -1, dtype=np.int32)
    place[columns] = np.arange(len(columns), dtype=np.int32)
    found = place[matrix.indices]
    kept = found >= 0
    before = np.zeros(len(kept) + 1, dtype=np.int32)
    np.cumsum(kept, out=before[1:])
    shape = (matrix.shape[0], len(columns))
    return csr_array((matrix.data[kept], found[kept], before[matrix.indptr]), shape=shape)


def _sample(column: Column) -> Column:
    """The column, or every so many of its texts where it is very long."""
    size = int(pc.sum(pc.binary_length(column.values)).as_py() or 0)
    step = -(-size // VOCABULARY_BYTES) or 1
    return column if step == 1 else column.take(np.arange(0, len(column.values), step))


def _grow(tokens: Tokens, orders: tuple[int, int], least: int) -> tuple[np.ndarray, ...]:
    """Of each order up to the longest the n-grams that occur `least` times, (n-grams, n) each.

    None of the orders below the shortest wanted."""
    held = np.bincount(tokens.codes[tokens.codes >= 0], minlength=len(tokens.alphabet))
    kept = np.flatnonzero(held >= least)
    place = np.full(len(held) + 1, -1, dtype=np.int32)
    place[kept] = np.arange(len(kept))
    codes = place[tokens.codes]
    at = np.flatnonzero(codes >= 0).astype(np.int32)
    nodes = codes[at]
    grams = np.asarray(kept, dtype=np.int32)[:, None]
    grown = [grams if orders[0] == 1 else grams[:0]]
    for order in range(1, orders[1]):
        following = codes[at + order]
        alive = following >= 0
        at = at[alive]
        keys = nodes[alive].astype(np.int64) * len(kept) + following[alive]
        level = _frequent_keys(keys, len(grams) * len(kept), least)
        nodes = level.places(keys)
        alive = nodes >= 0
        at, nodes = at[alive], nodes[alive]
        shorter, last = np.divmod(level.keys, max(len(kept), 1))
        grams = np.column_stack([grams[shorter], kept[last]]).astype(np.int32)
        grown.append(grams if order + 1 >= orders[0] else grams[:0])
    return tuple(grown)


def _frequent_keys(keys: np.ndarray, size: int, least: int) -> Level:
    if size <= LARGEST_DIRECT:
        return Level(np.flatnonzero(np.bincount(keys, minlength=size) >= least), size)
    ordered = np.sort(keys)
    where = np.flatnonzero(np.diff(ordered, prepend=-1))
    held = np.diff(where, append=len(ordered))
    return Level(ordered[where[held >= least]], size)
