"""N-grams of words or characters: their vocabulary, counts as a sparse matrix, and the twin.

The vocabulary grows order by order: an n-gram is counted only where its first n - 1 tokens and its
last one are frequent enough themselves (Agrawal & Srikant 1994), so that one table lookup turns
a place in an (n-1)-gram and the next token into a place in an n-gram. Knows nothing of weights."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

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
# Tokens that are worked on at once: 8 MB as int64. The memory of larger arrays is given back to the
# system and taken again each time: a third of all time at 6 million characters in one go.
PLACES_AT_ONCE = 1 << 20
# Bytes of text that candidates are sought in; of more, every so many texts. Words take 30 bytes
# of memory for each while they are counted, characters 150.
VOCABULARY_BYTES = {Unit.WORDS: 256 << 20, Unit.CHARACTERS: 64 << 20}


@dataclass(frozen=True, eq=False)
class Level:
    """The n-grams of one order that are known, as continuations of those one token shorter."""

    keys: np.ndarray  # (nodes,) int64 ascending: place of the shorter one · alphabet + last token
    size: int  # keys are below it

    def places(self, keys: np.ndarray) -> np.ndarray:
        """(keys,) int32 place of each key, -1 for those unknown; `size` stands for no n-gram."""
        if self.size <= LARGEST_DIRECT:
            return np.asarray(self._direct[keys])
        found = pc.index_in(pa.array(keys), pa.array(self.keys))
        return np.asarray(pc.fill_null(found, -1).to_numpy(zero_copy_only=False), dtype=np.int32)

    @cached_property
    def _direct(self) -> np.ndarray:
        direct = np.full(self.size + 1, -1, dtype=np.int32)
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
        recoded = [known.get(token, -1) for token in tokens.alphabet]
        codes = np.array([*recoded, -1], dtype=np.int32)[tokens.codes]
        nodes, blocks = codes.copy(), []
        for order, (level, features) in enumerate(self._trie):
            if order:
                nodes = _advance(nodes, codes, order, len(self.alphabet), level)
            if len(self.grams[order]):
                blocks.append(_count_pairs(tokens, features, nodes, len(self.grams[order])))
        return _beside(blocks, len(tokens.ends))

    @cached_property
    def _trie(self) -> tuple[tuple[Level, np.ndarray], ...]:
        """Of each order its level, and the feature of each node: -1 where it only leads on."""
        size = len(self.alphabet)
        paths = [grams[:, 0].astype(np.int64) for grams in self.grams]
        levels: list[tuple[Level, np.ndarray]] = []
        for order, grams in enumerate(self.grams):
            if order == 0:
                level = Level(np.arange(size), size)
            else:
                longer = [
                    paths[n] * size + self.grams[n][:, order] for n in range(order, len(self.grams))
                ]
                keys = np.unique(np.concatenate(longer))
                level = Level(keys, len(levels[-1][0].keys) * size)
                paths[order:] = [np.searchsorted(keys, own) for own in longer]
            features = np.full(len(level.keys) + 1, -1, dtype=np.int32)  # the last: no node
            features[paths[order]] = np.arange(len(grams), dtype=np.int32)
            levels.append((level, features))
        return tuple(levels)

    def write(self, graph: Graph, *, presence: bool = False) -> str:
        """The twin: float (rows, width) counts, or 1 where there is any."""
        codes = write_tokens(graph, self.column, self.missing, self.unit, self.alphabet)
        sizes = [grams.size for grams in self.grams]
        lengths = [n for n, grams in enumerate(self.grams, 1) if len(grams)]
        # Without weights its mode IDF is 1 where the count is not 0.
        return graph.add(
            "TfIdfVectorizer",
            codes,
            mode="IDF" if presence else "TF",
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


def _keys(nodes: np.ndarray, codes: np.ndarray, order: int, width: int, none: int) -> np.ndarray:
    """The keys of n-grams of `order` + 1 tokens, `none` where there is none.

    nodes: at some places, the n-gram of `order` tokens that begins there, -1 for none; codes: from
    the first of these places on, one at least a place `order` further on."""
    following = codes[order : order + len(nodes)]
    keys = nodes.astype(np.int64)
    keys *= width
    keys += following
    keys[(nodes | following) < 0] = none  # the sign bit of either
    return keys


def _cuts(places: int, size: int = 0) -> Iterator[slice]:
    """Parts short enough to stay in the processor's cache, where memory is also taken anew for
    nothing; longer where for each of them a table of `size` counts is added up."""
    step = max(PLACES_AT_ONCE, size // 2)
    return (slice(start, min(start + step, places)) for start in range(0, places, step))


def _advance(
    nodes: np.ndarray, codes: np.ndarray, order: int, width: int, level: Level
) -> np.ndarray:
    """From the n-grams of `order` tokens at all places to those one longer, in place."""
    nodes = nodes[: len(codes) - order]
    for part in _cuts(len(nodes)):
        keys = _keys(nodes[part], codes[part.start :], order, width, level.size)
        nodes[part] = level.places(keys)
    return nodes


def _count_pairs(tokens: Tokens, features: np.ndarray, nodes: np.ndarray, width: int) -> csr_array:
    """How often each feature stands in each text, as a sparse matrix.

    features: of each node, -1 for none; nodes: at each place, -1 for none."""
    from scipy.sparse import csr_array

    rows = len(tokens.ends)
    parts, sizes, first = [], np.zeros(rows, dtype=np.int64), 0
    while first < rows:
        start = int(tokens.ends[first - 1]) + 1 if first else 0
        last = max(first + 1, int(np.searchsorted(tokens.ends, start + PLACES_AT_ONCE)))
        found = features[nodes[start : int(tokens.ends[last - 1]) + 1]]
        row = np.repeat(
            np.arange(last - first, dtype=np.int64) * width,
            np.diff(tokens.ends[first:last], prepend=start - 1),
        )[: len(found)]
        keys = (row + found)[found >= 0]
        keys.sort()
        distinct = np.ones(len(keys), dtype=bool)
        np.not_equal(keys[1:], keys[:-1], out=distinct[1:])
        where = np.flatnonzero(distinct)
        keys, begins = keys[where], np.arange(last - first + 1, dtype=np.int64) * width
        sizes[first:last] = np.diff(np.searchsorted(keys, begins))
        keys -= np.repeat(begins[:-1], sizes[first:last])
        counts = np.diff(where, append=len(distinct)).astype(np.float32)
        parts.append((counts, keys.astype(np.int32)))
        first = last
    ends = np.concatenate([[0], np.cumsum(sizes)])
    index = np.int32 if ends[-1] < 1 << 31 else np.int64
    none = (np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.int32))
    counts, found = (np.concatenate(each) for each in zip(none, *parts, strict=True))
    return csr_array((counts, found.astype(index, copy=False), ends.astype(index)), (rows, width))


def _beside(blocks: list[csr_array], rows: int) -> csr_array:
    from scipy.sparse import csr_array, hstack

    if not blocks:
        return csr_array((rows, 0), dtype=np.float32)
    return blocks[0] if len(blocks) == 1 else hstack(blocks, format="csr")


def fit_ngrams(
    column: Column,
    *,
    unit: Unit,
    orders: tuple[int, int],
    least_rows: int,
    among: np.ndarray | None = None,
) -> tuple[Ngrams, csr_array] | None:
    """All n-grams of these orders that stand in `least_rows` texts, with their counts here.

    None where there is none.

    among: (learning rows,) which rows to sample where the texts are too long to be looked at all;
    else all are sampled."""
    step = _step(column, unit)
    rows = np.arange(len(column.values)) if among is None else among
    sample = column if step == 1 else column.take(rows[::step])
    tokens = tokens_of(sample, unit)
    alphabet, grown, counts = _grow(tokens, orders, least_rows)
    if not sum(map(len, grown)):
        return None
    ngrams = Ngrams(column.name, unit, alphabet, grown, column.spec.missing)
    if step > 1:
        counts = ngrams.counts(Table((column,)))
    texts = np.bincount(counts.indices, minlength=ngrams.width)
    frequent = np.flatnonzero(texts >= least_rows)
    if not len(frequent):
        return None
    return ngrams.chosen(frequent), columns_of(counts, frequent)


Counted = tuple[Ngrams, "csr_array"] | None
# What was counted of a column, as long as the column lives: every fold of every learner of a
# comparison asks for the same, and counting 25,000 reviews takes seconds.
_COUNTED: WeakKeyDictionary[Column, dict[tuple[Unit, tuple[int, int], int, bytes], Counted]] = (
    WeakKeyDictionary()
)


def counted_ngrams(
    column: Column,
    *,
    unit: Unit,
    orders: tuple[int, int],
    least_rows: int,
    among: np.ndarray | None = None,
) -> Counted:
    """`fit_ngrams`, but counted once for a column, or where a sample is taken once for its rows."""
    known = _COUNTED.setdefault(column, {})
    sampled = among is not None and _step(column, unit) > 1
    own = np.asarray(among, dtype=np.int64).tobytes() if sampled else b""
    key = (unit, orders, least_rows, hashlib.sha256(own).digest())
    if key not in known:
        known[key] = fit_ngrams(
            column, unit=unit, orders=orders, least_rows=least_rows, among=among
        )
    return known[key]


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


def _step(column: Column, unit: Unit) -> int:
    """A vocabulary is chosen from every so many texts: 1 unless they are very long together."""
    size = int(pc.sum(pc.binary_length(column.values)).as_py() or 0)
    return -(-size // VOCABULARY_BYTES[unit]) or 1


def _grow(
    tokens: Tokens, orders: tuple[int, int], least: int
) -> tuple[tuple[str, ...], tuple[np.ndarray, ...], csr_array]:
    """The frequent tokens, of each order up to the longest the n-grams that occur `least` times,
    (n-grams, n) each, and their counts. None of the orders below the shortest wanted.

    Tokens stand in the order of their strings, and so do n-grams: which column is which, and which
    of equally frequent ones is kept, owes nothing to texts that do not hold them."""
    held = np.bincount(tokens.codes + 1, minlength=len(tokens.alphabet) + 1)[1:]
    kept = sorted(np.flatnonzero(held >= least).tolist(), key=tokens.alphabet.__getitem__)
    alphabet = tuple(tokens.alphabet[token] for token in kept)
    place = np.full(len(held) + 1, -1, dtype=np.int32)
    place[kept] = np.arange(len(kept))
    codes = place[tokens.codes]
    nodes, grams = codes.copy(), np.arange(len(kept), dtype=np.int32)[:, None]
    grown, blocks = [], []
    for order in range(orders[1]):
        if order:
            level, nodes = _frequent(nodes, codes, order, (len(grams), len(kept)), least)
            shorter, last = np.divmod(level.keys, max(len(kept), 1))
            grams = np.column_stack([grams[shorter], last.astype(np.int32)])
        wanted = order + 1 >= orders[0]
        grown.append(grams if wanted else grams[:0])
        if wanted:
            every = np.arange(len(grams) + 1, dtype=np.int32)
            every[-1] = -1
            blocks.append(_count_pairs(tokens, every, nodes, len(grams)))
    return alphabet, tuple(grown), _beside(blocks, len(tokens.ends))


def _frequent(
    nodes: np.ndarray, codes: np.ndarray, order: int, shape: tuple[int, int], least: int
) -> tuple[Level, np.ndarray]:
    """The n-grams of `order` + 1 tokens that occur `least` times, and which begins at each place.

    shape: how many n-grams of `order` tokens, and how many tokens, there are."""
    size = shape[0] * shape[1]
    shorter = nodes[: len(codes) - order]
    if size > LARGEST_DIRECT:
        keys = pa.array(_keys(shorter, codes, order, shape[1], size)).dictionary_encode()
        distinct, places = np.asarray(keys.dictionary), np.asarray(keys.indices)
        held = np.bincount(places, minlength=len(distinct))
        kept = np.flatnonzero((held >= least) & (distinct < size))
        kept = kept[np.argsort(distinct[kept])]
        place = np.full(len(distinct), -1, dtype=np.int32)
        place[kept] = np.arange(len(kept))
        return Level(distinct[kept], size), place[places]
    held = np.zeros(size + 1, dtype=np.int64)
    for part in _cuts(len(shorter), size):
        keys = _keys(shorter[part], codes[part.start :], order, shape[1], size)
        held += np.bincount(keys, minlength=size + 1)
    level = Level(np.flatnonzero(held[:size] >= least), size)
    return level, _advance(nodes, codes, order, shape[1], level)
