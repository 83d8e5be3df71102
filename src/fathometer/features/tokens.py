"""Texts → the codes of their first tokens: what a network on raw text takes.

A token is a run of letters, marks, digits and apostrophes, A to Z in lower case; a letter alone in
scripts that write no blanks between words; or a symbol, "!" or "?" alone. Here Arrow's RE2 finds
them, in the graph onnxruntime's Tokenizer with the same RE2 classes; then both sides cut each text
after `length` tokens, before anything is looked up, so that a long text costs no more than that.

Which tokens have a code is read from all training rows (names, not what they stand for); a network
treats those that its fold's learning rows do not hold as unknown. Knows nothing of networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fathometer.features.text import write_lowered
from fathometer.features.token_spelling import PIECES, Spelling, fit_spelling
from fathometer.graph import Element, Graph, write_blank, write_lookup, write_slice, write_split
from fathometer.table.spoken import UNSPACED
from fathometer.table.table import Column, Table

# Scripts that do not write blanks between words: each of their characters is a token.
_SINGLE = UNSPACED + r"!?\p{So}\p{Sc}"  # symbols: emoji, currencies
# onnxruntime takes the longest match, so a run must not hold what is a token alone, its vowel signs
# and digits neither.
_RUN = "|".join(rf"[^\P{sort}{UNSPACED}]" for sort in "LMN")
TOKEN = rf"[{_SINGLE}]|(?:{_RUN}|')+"
BREAK = rf"[^\pL\pM\pN'{_SINGLE}]+"

PADDING, UNKNOWN, FIRST = 0, 1, 2  # codes; the first known token has the code FIRST
# A token of one training row teaches nothing about other rows; its own vector would only remember
# that row.
LEAST_ROWS = 2
PIECE_SHARE = 0.25  # of the codes, at most, are pieces of words
SPELLED = 8  # unknown words of a text, the first ones, that are spelled
ROWS_AT_ONCE = 4096  # texts tokenised in one go

Unit = Literal["word", "word pair"]


@dataclass(frozen=True, eq=False)
class TextCodes:
    """One text column as codes (rows, columns), fitted.

    Columns: the pieces of the first `SPELLED` unknown words, PIECES of each; then the tokens; then,
    if there are pairs, those of each token with the next. 0 fills up. Codes: `PADDING`, `UNKNOWN`,
    the tokens, the pairs, the pieces."""

    column: str
    tokens: tuple[str, ...]
    pairs: np.ndarray  # (pairs,) int64 ascending: left code * (FIRST + tokens) + right code
    spelling: Spelling
    length: int  # tokens of a text that are read
    missing: tuple[str, ...] = ()  # texts that count as empty; in a table they are already

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Columns of a row, codes there are, codes of pairs, and unknown words that are spelled."""
        blocks = 2 if len(self.pairs) else 1
        columns = SPELLED * PIECES + blocks * self.length
        codes = self._radix + len(self.pairs) + self.spelling.count
        return columns, codes, len(self.pairs), SPELLED

    @property
    def pieces(self) -> np.ndarray:
        """(FIRST + tokens, PIECES) int32: what each token is spelled of; 0 fills up."""
        own = self.spelling.codes(self.tokens)
        return np.concatenate([np.zeros((FIRST, PIECES), dtype=np.int32), own])

    @property
    def _radix(self) -> int:
        return FIRST + len(self.tokens)

    def codes(self, table: Table) -> np.ndarray:
        """(rows, columns) int32."""
        texts = table[self.column].values
        found = np.zeros((len(texts), self.shape[0]), dtype=np.int32)
        for start in range(0, len(texts), ROWS_AT_ONCE):
            self._fill(found[start : start + ROWS_AT_ONCE], texts.slice(start, ROWS_AT_ONCE))
        return found

    def _fill(self, found: np.ndarray, texts: pa.Array) -> None:
        """Write the codes of these texts into zeros."""
        split = split_texts(texts, self.length)
        distinct = split.words.dictionary
        own = pc.fill_null(pc.index_in(distinct, pa.array(self.tokens, pa.string())), -1)
        of_word = np.asarray(own, dtype=np.int64) + FIRST
        of_word[of_word < FIRST] = UNKNOWN
        codes = of_word[split.codes]
        first = SPELLED * PIECES
        found[split.rows, first + split.places] = codes
        self._fill_pieces(found, split, codes)
        if len(self.pairs):
            keys = _pair_keys(found[:, first : first + self.length], self._radix)
            at = np.minimum(np.searchsorted(self.pairs, keys), len(self.pairs) - 1)
            hit = self.pairs[at] == keys
            found[:, first + self.length : -1] = np.where(hit, at + self._radix, PADDING)

    def _fill_pieces(self, found: np.ndarray, split: SplitTexts, codes: np.ndarray) -> None:
        unknown = np.flatnonzero(codes == UNKNOWN)
        rows = split.rows[unknown]
        place = np.arange(len(rows)) - np.searchsorted(rows, rows)
        unknown, rows, place = (each[place < SPELLED] for each in (unknown, rows, place))
        words, which = np.unique(split.codes[unknown], return_inverse=True)
        if not len(words):
            return
        pieces = self.spelling.codes(split.words.dictionary.take(pa.array(words)).to_pylist())
        blocks = found[:, : SPELLED * PIECES].reshape(len(found), SPELLED, PIECES)
        blocks[rows, place] = pieces[which]
        found[:, : SPELLED * PIECES] = blocks.reshape(len(found), -1)

    def write(self, graph: Graph) -> str:
        """The same in a graph, int64; the token columns end with the longest text's."""
        raw = graph.input(self.column, Element.STRING)
        tokens = _write_tokens(graph, raw, self.length, self.missing)
        known = dict(zip(self.tokens, range(FIRST, self._radix), strict=True))
        codes = write_lookup(graph, tokens, {"": PADDING, **known}, UNKNOWN)
        is_unknown = graph.add("Equal", codes, graph.constant(np.int64(UNKNOWN)))
        unknown = graph.cast(is_unknown, Element.FLOAT)
        # Of equal values TopK takes the first: so these are the first unknown words, in order.
        flags, places = graph.add_many(
            "TopK", unknown, graph.constant(np.array([SPELLED])), axis=1, outputs=2
        )
        words = graph.add(
            "Where",
            graph.cast(flags, Element.BOOL),
            graph.add("GatherElements", tokens, places, axis=1),
            graph.constant([""]),
        )
        blocks = [self.spelling.write(graph, words, (SPELLED, PIECES)), codes]
        if len(self.pairs):
            blocks.append(self._write_pairs(graph, codes))
        return graph.concat(blocks)

    def _write_pairs(self, graph: Graph, codes: str) -> str:
        left = graph.add(
            "Mul", write_slice(graph, codes, 0, -1), graph.constant(np.int64(self._radix))
        )
        last = int(np.iinfo(np.int64).max)
        return graph.add(
            "LabelEncoder",
            graph.add("Add", left, write_slice(graph, codes, 1, last)),
            domain="ai.onnx.ml",
            keys_int64s=self.pairs.tolist(),
            values_int64s=list(range(self._radix, self._radix + len(self.pairs))),
            default_int64=PADDING,
        )


@dataclass(frozen=True, eq=False)
class SplitTexts:
    """The tokens of some texts in order."""

    words: pa.DictionaryArray
    rows: np.ndarray  # (tokens,) int64 the text each stands in
    places: np.ndarray  # (tokens,) int64 its place there

    @property
    def codes(self) -> np.ndarray:
        """(tokens,) int64 places in the dictionary of distinct words."""
        return np.asarray(self.words.indices, dtype=np.int64)


def split_texts(texts: pa.Array, length: int) -> SplitTexts:
    """The first `length` tokens of each text."""
    lowered = pc.ascii_lower(pc.fill_null(texts, ""))
    apart = pc.replace_substring_regex(lowered, f"([{_SINGLE}])", r" \1 ")
    lists = pc.split_pattern_regex(apart, BREAK)
    found, rows = pc.list_flatten(lists), pc.list_parent_indices(lists)
    is_token = pc.not_equal(found, "")
    found, rows = found.filter(is_token), np.asarray(rows.filter(is_token), dtype=np.int64)
    places = np.arange(len(rows)) - np.searchsorted(rows, rows)
    kept = places < length
    words = found.filter(pa.array(kept)).dictionary_encode()
    return SplitTexts(words, rows[kept], places[kept])


def fit_tokens(column: Column, *, unit: Unit, length: int, vocabulary: int) -> TextCodes:
    """The tokens and pieces of words, and for "word pair" the pairs, that most texts hold.

    Args:
        column: a text column of the training rows.
        length: tokens of a text that are read, at most.
        vocabulary: codes at most.
    """
    split = split_texts(column.values, length)
    distinct, codes = split.words.dictionary, split.codes
    texts = _texts_with(codes, split.rows)
    pieces = int(vocabulary * PIECE_SHARE)
    chosen = _most_frequent(texts, vocabulary - FIRST - pieces)
    words = distinct.take(pa.array(chosen)).to_pylist()
    order = sorted(range(len(words)), key=words.__getitem__)
    tokens = tuple(words[place] for place in order)
    of_word = np.full(len(distinct), UNKNOWN, dtype=np.int64)
    of_word[chosen[order]] = np.arange(FIRST, FIRST + len(tokens))
    pairs = np.zeros(0, dtype=np.int64)
    left = vocabulary - FIRST - pieces - len(tokens)
    if unit == "word pair" and left > 0:
        pairs = _frequent_pairs(of_word[codes], split.rows, FIRST + len(tokens), left)
    first = FIRST + len(tokens) + len(pairs)
    spelling = fit_spelling(distinct.to_pylist(), most=pieces, first=first)
    longest = max(1, int(split.places.max(initial=0)) + 1)
    return TextCodes(column.name, tokens, pairs, spelling, longest, column.spec.missing)


def _frequent_pairs(codes: np.ndarray, rows: np.ndarray, base: int, most: int) -> np.ndarray:
    """The keys of the neighbours that most texts hold, ascending."""
    together = (codes[:-1] >= FIRST) & (codes[1:] >= FIRST) & (rows[:-1] == rows[1:])
    keys = (codes[:-1] * base + codes[1:])[together]
    unique, places = np.unique(keys, return_inverse=True)
    return np.sort(unique[_most_frequent(_texts_with(places, rows[:-1][together]), most)])


def _texts_with(codes: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """(codes,) how many rows hold each; rows ascend."""
    if not len(codes):
        return np.zeros(0, dtype=np.int64)
    # Sorted, since numpy's `unique` hashes: half the time of fitting went there on film reviews.
    height = int(rows[-1]) + 1
    pairs = np.sort(codes * height + rows)
    is_new = np.concatenate([[True], pairs[1:] != pairs[:-1]])
    return np.bincount(pairs[is_new] // height)


def _most_frequent(frequency: np.ndarray, most: int) -> np.ndarray:
    """The places of the `most` largest that are at least `LEAST_ROWS`."""
    chosen = np.flatnonzero(frequency >= LEAST_ROWS)
    return chosen[np.argsort(-frequency[chosen], kind="stable")][:most]


def _pair_keys(codes: np.ndarray, base: int) -> np.ndarray:
    """(rows, columns - 1) int64: the key of each two neighbours, -1 where one has no code."""
    left, right = codes[:, :-1].astype(np.int64), codes[:, 1:].astype(np.int64)
    return np.where((left >= FIRST) & (right >= FIRST), left * base + right, -1)


def _write_tokens(graph: Graph, raw: str, length: int, missing: Sequence[str]) -> str:
    """Strings (rows, tokens): the first `length`, and `SPELLED` empty ones, so that there are as
    many even where no text has a token."""
    blank = write_blank(graph, raw)
    if missing:
        absent = write_lookup(graph, raw, dict.fromkeys(missing, 1), 0)
        raw = graph.add("Where", graph.cast(absent, Element.BOOL), blank, raw)
    tokens = write_split(graph, write_lowered(graph, raw), TOKEN)
    return graph.concat([write_slice(graph, tokens, 0, length), *[blank] * SPELLED])
