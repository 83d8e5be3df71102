"""How words are spelled: the codes of their character n-grams, here and in a graph.

What a word means shows in its letters: "cards" is like "card", and a word that no training row
holds is still spelled of pieces that some do. A piece is 3 or 4 characters in a row of "<word>".
Knows words, not texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fathometer.graph import Graph, write_lookup, write_slice, write_split

SIZES = (3, 4)  # characters of a piece; with 5 as well nothing was gained on tweets and questions
LONGEST_READ = 20  # characters of a word that are read, the mark before it not counted
LONGEST_WORD = 64  # characters; longer ones (addresses, noise) are not spelled at all
START, END = "<", ">"  # no token holds them
MOST_CHARACTERS = 2000  # 2000^4 fits 63 bits
LEAST_WORDS = 2  # distinct words that must hold a piece
READ = LONGEST_READ + 2  # characters with the marks
PIECES = sum(READ - size + 1 for size in SIZES)  # columns of a word's pieces


@dataclass(frozen=True, eq=False)
class Spelling:
    """The known characters and pieces; the k-th piece of all sizes has the code `first` + k."""

    characters: tuple[str, ...]  # the k-th counts as k + 1 in a key, others as 0
    keys: tuple[np.ndarray, ...]  # of each size, (pieces,) int64 ascending
    first: int

    @property
    def count(self) -> int:
        """How many pieces are known."""
        return sum(len(own) for own in self.keys)

    @property
    def _radix(self) -> int:
        return len(self.characters) + 1

    def codes(self, words: Sequence[str]) -> np.ndarray:
        """(words, PIECES) int32, 0 where there is no known piece."""
        read = _read(words)
        known = np.array([ord(each) for each in self.characters], dtype=np.uint32)
        places = np.minimum(np.searchsorted(known, read), len(known) - 1)
        is_known = known[places] == read
        found = _grams(np.where(is_known, places + 1, 0), self._radix)
        parts, first = [], self.first
        for own, keys in zip(found, self.keys, strict=True):
            at = np.minimum(np.searchsorted(keys, own), max(0, len(keys) - 1))
            hit = keys[at] == own if len(keys) else np.zeros_like(own, dtype=bool)
            parts.append(np.where(hit, at + first, 0))
            first += len(keys)
        return np.concatenate(parts, axis=1, dtype=np.int32)

    def write(self, graph: Graph, words: str, shape: tuple[int, int]) -> str:
        """The twin of `codes`: from strings (rows, words), "" for none, to int64 (rows, shape).

        shape: words of a row, and PIECES; the result has their product as its width."""
        is_short = graph.add("RegexFullMatch", words, pattern=f".{{1,{LONGEST_WORD}}}")
        kept = graph.add("Where", is_short, words, graph.constant([""]))
        marked = graph.add("StringConcat", graph.constant([START]), kept)
        filled = graph.add("StringConcat", marked, graph.constant([END + " " * READ]))
        letters = write_split(graph, filled)
        places = {character: place + 1 for place, character in enumerate(self.characters)}
        numbers = write_lookup(graph, write_slice(graph, letters, 0, READ, axis=2), places, 0)
        parts, first = [], self.first
        for size, keys in zip(SIZES, self.keys, strict=True):
            if len(keys):
                parts.append(self._write_pieces(graph, numbers, size, keys, first))
            else:
                read = write_slice(graph, numbers, 0, READ - size + 1, axis=2)
                parts.append(_zeros_like(graph, read))
            first += len(keys)
        flat = graph.constant(np.array([0, shape[0] * shape[1]]))
        return graph.add("Reshape", graph.concat(parts, axis=2), flat)

    def _write_pieces(
        self, graph: Graph, numbers: str, size: int, keys: np.ndarray, first: int
    ) -> str:
        key = write_slice(graph, numbers, 0, READ - size + 1, axis=2)
        for place in range(1, size):
            scaled = graph.add("Mul", key, graph.constant(np.int64(self._radix)))
            digit = write_slice(graph, numbers, place, READ - size + 1 + place, axis=2)
            key = graph.add("Add", scaled, digit)
        return graph.add(
            "LabelEncoder",
            key,
            domain="ai.onnx.ml",
            keys_int64s=keys.tolist(),
            values_int64s=list(range(first, first + len(keys))),
            default_int64=0,
        )


def fit_spelling(words: Sequence[str], *, most: int, first: int) -> Spelling:
    """The pieces that most of these distinct words hold, at most `most` of them.

    first: the code of the first piece."""
    read = _read(words)
    letters, counts = np.unique(read[read > 0], return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MOST_CHARACTERS]
    # Both marks are known where there is no word as well: then the list is never empty.
    known = np.union1d(letters[order], [ord(START), ord(END)]).astype(np.uint32)
    characters = tuple(chr(each) for each in known)
    places = np.minimum(np.searchsorted(known, read), len(known) - 1)
    numbers = np.where(known[places] == read, places + 1, 0)
    found = []
    for size, own in zip(SIZES, _grams(numbers, len(characters) + 1), strict=True):
        rows, across = np.nonzero(own)
        keys, places = np.unique(own[rows, across], return_inverse=True)
        held = np.bincount(np.unique(places * len(read) + rows) // len(read))
        whole = held >= LEAST_WORDS
        found += [(-n, size, key) for key, n in zip(keys[whole], held[whole], strict=True)]
    chosen = sorted(found)[:most]
    of_size = tuple(
        np.sort(np.array([key for _, own, key in chosen if own == size], dtype=np.int64))
        for size in SIZES
    )
    return Spelling(characters, of_size, first)


def _read(words: Sequence[str]) -> np.ndarray:
    """(words, READ) uint32 code points of "<word>", 0 after its end; none of longer words."""
    kept = [word if len(word) <= LONGEST_WORD else "" for word in words]
    marked = [f"{START}{word}{END}"[:READ] for word in kept]
    return np.array(marked, dtype=f"U{READ}").view(np.uint32).reshape(len(marked), READ)


def _grams(numbers: np.ndarray, base: int) -> list[np.ndarray]:
    """Of each size (words, READ - size + 1) int64 keys; 0 where a character is not known.

    A key with a digit 0 would be that of a shorter piece in another size, so sizes stay apart;
    within a size it is no known piece's."""
    found = []
    for size in SIZES:
        width = READ - size + 1
        key = np.zeros((len(numbers), width), dtype=np.int64)
        whole = np.ones(key.shape, dtype=bool)
        for place in range(size):
            digit = numbers[:, place : place + width]
            key = key * base + digit
            whole &= digit > 0
        found.append(np.where(whole, key, 0))
    return found


def _zeros_like(graph: Graph, numbers: str) -> str:
    return graph.add("Mul", numbers, graph.constant(np.int64(0)))
