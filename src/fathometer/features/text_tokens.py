"""Texts → tokens as whole numbers: words, or characters.

A graph splits with onnxruntime's Tokenizer, here numpy does the same on the bytes of an Arrow
column, without a step of Python for a token. Both sides fold case alike: A to Z always, other
letters where a word is written small, capitalised or in capitals throughout. Knows nothing of
n-grams."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fathometer.features.text import WORD, write_lowered, write_without
from fathometer.graph import Element, Graph, write_lookup, write_split
from fathometer.table.table import Column

MARK = 0x80  # bytes from here on are parts of characters beyond ASCII
LEAD = 0xC0  # bytes from here on begin one


class Unit(Enum):
    """What a token is."""

    WORDS = "words"
    CHARACTERS = "characters"


@dataclass(frozen=True, eq=False)
class Tokens:
    """The tokens of all texts in order; after each text stands a -1.

    So n-grams never reach from one text into the next: they would hold a -1."""

    codes: np.ndarray  # (tokens + rows,) int32 places in `alphabet`
    ends: np.ndarray  # (rows,) int64 where each text's -1 stands
    alphabet: tuple[str, ...]  # distinct, folded


def tokens_of(column: Column, unit: Unit) -> Tokens:
    """All tokens of a column's texts; a missing text is an empty one."""
    return TOKENISERS[unit](pc.fill_null(column.values, ""))


def _words(texts: pa.Array) -> Tokens:
    lowered, starts = _bytes_of(pc.ascii_lower(texts))
    is_word = _word_bytes(lowered)
    # Where a word begins, and where one ends; a new text is a new word.
    begins, closes = is_word.copy(), is_word.copy()
    begins[1:] &= ~is_word[:-1]
    closes[:-1] &= ~is_word[1:]
    edges = starts[1:-1][(starts[1:-1] > 0) & (starts[1:-1] < len(lowered))]
    begins[edges], closes[edges - 1] = is_word[edges], is_word[edges - 1]
    first = np.flatnonzero(begins)
    offsets = np.zeros(len(first) + 1, dtype=np.int32)
    np.cumsum(np.flatnonzero(closes) - first + 1, out=offsets[1:])
    kept = lowered[is_word]
    found = pa.StringArray.from_buffers(len(first), pa.py_buffer(offsets), pa.py_buffer(kept))
    encoded = found.dictionary_encode()
    folded, place = _folded_words(encoded.dictionary)
    codes = np.asarray(encoded.indices, dtype=np.int32)
    return _separated(place[codes] if len(codes) else codes, _before(first, starts[1:]), folded)


def _before(where: np.ndarray, places: np.ndarray) -> np.ndarray:
    """How many of the ascending `where` stand before each of these places."""
    return np.searchsorted(where, places)


def _word_bytes(content: np.ndarray) -> np.ndarray:
    """Which bytes belong to words; (bytes,) bool."""
    ascii_words = np.zeros(256, dtype=bool)
    ascii_words[[ord(letter) for letter in "abcdefghijklmnopqrstuvwxyz0123456789'"]] = True
    flags: np.ndarray = ascii_words[content]
    places, points = _beyond_ascii(content)
    if len(places):
        distinct, inverse = np.unique(points, return_inverse=True)
        letters = pa.array([chr(point) for point in distinct])
        in_word = np.asarray(pc.match_substring_regex(letters, WORD).to_numpy(zero_copy_only=False))
        inside = in_word[inverse]
        sizes = _sizes(content[places])
        for byte in range(4):
            held = inside & (sizes > byte)
            flags[places[held] + byte] = True
    return flags


def _sizes(leads: np.ndarray) -> np.ndarray:
    """Bytes of the characters that these bytes begin."""
    return 2 + (leads >= 0xE0).astype(np.int64) + (leads >= 0xF0)


def _beyond_ascii(content: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where characters beyond ASCII begin, and their code points."""
    places = np.flatnonzero(content >= LEAD)
    leads = content[places].astype(np.int32)
    sizes = _sizes(leads)
    points = leads & np.array([0, 0, 0x1F, 0x0F, 0x07])[sizes]
    for byte in range(1, 4):
        held = sizes > byte
        points[held] = points[held] << 6 | content[places[held] + byte] & 0x3F
    return places, points


def _folded_words(words: pa.Array) -> tuple[tuple[str, ...], np.ndarray]:
    """The different words once folded, and the place of each word among them."""
    names = words.to_pylist()
    beyond = np.flatnonzero(~np.asarray(pc.string_is_ascii(words)))
    if not len(beyond):
        return tuple(names), np.arange(len(names), dtype=np.int32)
    for place in beyond.tolist():
        names[place] = _folded_word(names[place])
    return _distinct(names)


def _folded_word(word: str) -> str:
    """A word in small letters, if it is one of the three ways of writing that a file knows."""
    small = word.lower()
    return small if small != word and word in _written(small) else word


def _written(small: str) -> tuple[str, ...]:
    """The ways of writing a folded word, A to Z already small; itself first."""
    if small.isascii() or small.lower() != small:
        return (small,)
    capitals = (_ascii_small(small[:1].upper() + small[1:]), _ascii_small(small.upper()))
    return tuple(dict.fromkeys((small, *(word for word in capitals if word.lower() == small))))


def _ascii_small(text: str) -> str:
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)


def _characters(texts: pa.Array) -> Tokens:
    """A blank, the text's characters, a blank."""
    content, starts = _bytes_of(texts)
    begins = content < MARK
    begins |= content >= LEAD
    points = content[begins].astype(np.int32)
    places, beyond = _beyond_ascii(content)
    where = np.flatnonzero(begins)
    points[_before(where, places)] = beyond
    present = np.flatnonzero(np.bincount(points))
    folded, place = _distinct([" ", *(_folded_character(chr(point)) for point in present)])
    lookup = np.zeros(int(present.max(initial=0)) + 1, dtype=np.int32)
    lookup[present] = place[1:]
    ends = _before(where, starts[1:])
    sizes = np.diff(ends, prepend=0)
    codes = np.full(len(points) + 3 * len(ends), -1, dtype=np.int32)
    first = np.concatenate([[0], np.cumsum(sizes + 3)])
    codes[first[:-1]] = codes[first[1:] - 2] = 0
    shift = 3 * np.arange(len(ends)) + 1
    codes[np.arange(len(points)) + np.repeat(shift, sizes)] = lookup[points]
    return Tokens(codes, first[1:] - 1, folded)


def _folded_character(letter: str) -> str:
    """A small letter for a capital, a blank for any white space."""
    small = letter.lower()
    return " " if letter.isspace() else small if len(small) == 1 else letter


TOKENISERS: dict[Unit, Callable[[pa.Array], Tokens]] = {
    Unit.WORDS: _words,
    Unit.CHARACTERS: _characters,
}


def _bytes_of(texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """All texts' bytes one after another, and (rows + 1,) where each begins."""
    _, offsets, content = texts.buffers()
    if not len(texts):
        return np.zeros(0, dtype=np.uint8), np.zeros(1, dtype=np.int64)
    starts = np.frombuffer(offsets, dtype=np.int32)[texts.offset :][: len(texts) + 1]
    held = np.frombuffer(content, dtype=np.uint8) if content else np.zeros(0, dtype=np.uint8)
    return held[starts[0] : starts[-1]], (starts - starts[0]).astype(np.int64)


def _distinct(words: list[str]) -> tuple[tuple[str, ...], np.ndarray]:
    """The different words in order of appearance, and the place of each among them."""
    places = {word: place for place, word in enumerate(dict.fromkeys(words))}
    return tuple(places), np.array([places[word] for word in words], dtype=np.int32)


def _separated(codes: np.ndarray, ends: np.ndarray, alphabet: tuple[str, ...]) -> Tokens:
    """Tokens with a -1 after each text; `ends` counts the tokens up to each text's end."""
    apart = np.full(len(codes) + len(ends), -1, dtype=np.int32)
    where = np.arange(len(codes)) + np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0))
    apart[where] = codes
    return Tokens(apart, ends + np.arange(len(ends)), alphabet)


def write_tokens(
    graph: Graph, column: str, missing: tuple[str, ...], unit: Unit, alphabet: tuple[str, ...]
) -> str:
    """The twin: int64 (rows, longest text) places in `alphabet`, -1 for all other tokens."""
    raw = write_without(graph, graph.input(column, Element.STRING), missing)
    if unit is Unit.WORDS:
        split = write_split(graph, write_lowered(graph, raw), WORD)
        numbers = {way: place for place, word in enumerate(alphabet) for way in _written(word)}
    else:
        split = write_characters(graph, raw)
        places = {letter: place for place, letter in enumerate(alphabet)}
        folds = _character_folds()
        numbers = {letter: place for letter, place in places.items() if letter not in folds}
        numbers |= {way: places[to] for way, to in folds.items() if to in places}
    return write_lookup(graph, split, numbers, -1)


def write_characters(graph: Graph, raw: str) -> str:
    """A blank, each text's characters and a blank, string (rows, longest text), "" to fill up."""
    flat = graph.add("Reshape", raw, graph.constant(np.array([-1])))
    blank = graph.constant([" "])
    bordered = graph.add("StringConcat", graph.add("StringConcat", blank, flat), blank)
    return write_split(graph, bordered)


@cache
def _character_folds() -> dict[str, str]:
    """Every character that folding changes, and into what: 1,433 of them in Unicode 14.

    No letter beyond these has capitals."""
    folds = {}
    for point in range(0x1F000):
        letter = chr(point)
        if not 0xD800 <= point <= 0xDFFF and (folded := _folded_character(letter)) != letter:
            folds[letter] = folded
    return folds


# A text of a script without blanks has one every so many bytes at most; English every 5 to 6.
BYTES_A_BLANK = 30
SHORT_BYTES = 8 << 20  # of text to learn from, up to which characters are counted as well


def characters_help(texts: Sequence[pa.Array], most_bytes: int) -> bool:
    """Whether n-grams of characters are worth their cost: for few or short texts, or where blanks
    do not part the words (Chinese, Japanese, Thai). Looks at sizes and blanks alone."""
    size = sum(pc.sum(pc.binary_length(each)).as_py() or 0 for each in texts)
    blanks = sum(pc.sum(pc.count_substring(each, " ")).as_py() or 0 for each in texts)
    return bool(size <= most_bytes or blanks * BYTES_A_BLANK < size)
