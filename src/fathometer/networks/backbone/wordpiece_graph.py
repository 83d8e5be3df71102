"""`WordPiece` in a graph: strings → ids of pieces, the same as `WordPiece.cut` gives.

Without loops: characters become codes; from every character at once the longest piece is looked for
in a trie, one step for each character of the longest piece there is. Which of these pieces a text
is cut into follows from where the one before ends. That chain is followed by doubling: with the
character 2^k pieces on known for all k, a character is the start of a piece if the jumps that do
not pass it lead to it. All tensors are int64 (rows, characters) unless said otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fathometer.graph import Element, Graph, write_blank, write_lookup, write_slice
from fathometer.networks.backbone.piece_trie import CONTINUED, DEAD, START, Trie, grow_trie
from fathometer.networks.backbone.wordpiece import (
    BLANK,
    READ_AT_ONCE,
    Letter,
    WordPiece,
    assigned_letters,
    characters_read,
)

# Codes: a blank; a letter that no piece holds; a word of one character that is no piece.
NOTHING, STRANGE, STRANGE_WORD = 0, 1, 2
FIRST = 3
HOLE = -1
END = int(np.iinfo(np.int64).max)
# A word's end and the mark for "no piece fits" must be different characters.
AFTER_TEXT = "  "


@dataclass(frozen=True)
class Ids:
    """Tensors (rows, T): T as in the longest text of the batch."""

    ids: str  # int64, 0 after a text's end
    is_text: str  # bool

    def write_places(self, graph: Graph) -> str:
        """0, 1, 2, ... in each text; after its end its last one's."""
        return _write_rank(graph, self.is_text)

    def write_mean(self, graph: Graph, stream: str) -> str:
        """The mean of each text's own vectors (rows, T, width); 0 for none.

        In double: in float32 the sum over 400 equal vectors was off by 2e-5."""
        held = graph.cast(self.is_text, Element.DOUBLE)
        count = graph.add("ReduceSum", held, _list(graph, 1), keepdims=1)
        count = graph.add("Max", count, graph.constant(np.float64(1)))
        wide = graph.cast(stream, Element.DOUBLE)
        kept = graph.add("Mul", wide, graph.add("Unsqueeze", held, _list(graph, 2)))
        total = graph.add("ReduceSum", kept, _list(graph, 1), keepdims=0)
        return graph.cast(graph.add("Div", total, count), Element.FLOAT)


@dataclass(frozen=True, eq=False)
class WordPieceTwin:
    """The tables that the graph looks things up in, made once."""

    cutter: WordPiece

    @cached_property
    def _folded(self) -> Mapping[str, tuple[Letter, ...]]:
        """What each character becomes: those of Unicode, and what the vocabulary has beyond it."""
        known = assigned_letters(self.cutter.folding)
        own = {character for piece in self.cutter.pieces for character in piece}
        return {**known} | {c: self.cutter.folding.letters(c) for c in sorted(own - known.keys())}

    @cached_property
    def _codes(self) -> dict[Letter, int]:
        """The letters that pieces are spelled with."""
        held = {character for piece in self.cutter.pieces for character in piece}
        found = {letter for letters in self._folded.values() for letter in letters}
        order = sorted(
            (letter for letter in found - {BLANK} if letter.character in held),
            key=lambda letter: (letter.character, letter.is_alone),
        )
        return {BLANK: NOTHING} | {letter: place for place, letter in enumerate(order, FIRST)}

    @cached_property
    def trie(self) -> Trie:
        """The pieces that a word can be cut into."""
        return grow_trie(self._spelled(), FIRST + len(self._codes))

    def _spelled(self) -> Iterable[tuple[int, list[int], int]]:
        cutter = self.cutter
        for piece, own in cutter.pieces.items():
            # "##" alone is a word of one sign twice, so it is cut apart before it is looked up.
            for root, prefix in ((START, ""), (CONTINUED, cutter.prefix)):
                word = piece.removeprefix(prefix)
                if not piece.startswith(prefix) or not 1 <= len(word) <= cutter.longest_word:
                    continue
                letters = [Letter(character) for character in word]
                if all(letter in self._codes for letter in letters):
                    yield root, [self._codes[letter] for letter in letters], own
                alone = Letter(word, is_alone=True)
                if root == START and alone in self._codes:
                    yield root, [self._codes[alone]], own

    @cached_property
    def is_alone(self) -> np.ndarray:
        """(codes,) bool: which codes are words of their own."""
        found = np.zeros(FIRST + len(self._codes), dtype=bool)
        found[STRANGE_WORD] = True
        for letter, code in self._codes.items():
            found[code] = letter.is_alone and code != NOTHING
        return found

    @cached_property
    def _expansions(self) -> dict[str, tuple[int, ...]]:
        """The codes that characters become, but for those that become a strange letter."""
        found: dict[str, tuple[int, ...]] = {"": (NOTHING,)}  # fills rows up
        for character, letters in self._folded.items():
            codes = tuple(self._code(letter) for letter in letters)
            # A strange letter makes its word unknown, whatever stands beside it.
            if codes and (STRANGE not in codes or len(set(codes) - {STRANGE}) > 0):
                found[character] = codes
        return found

    def _code(self, letter: Letter) -> int:
        return self._codes.get(letter, STRANGE_WORD if letter.is_alone else STRANGE)

    @cached_property
    def kept(self) -> str:
        """A regular expression of the characters that become anything."""
        ranges: list[list[int]] = []
        for point in (ord(c) for c, letters in self._folded.items() if not letters):
            if ranges and ranges[-1][1] == point - 1:
                ranges[-1][1] = point
            else:
                ranges.append([point, point])
        listed = "".join(rf"\x{{{first:x}}}-\x{{{last:x}}}" for first, last in ranges)
        return f"[^{listed}]" if ranges else "(?s)."

    def write(self, graph: Graph, texts: str, most: int, *, drops_unknown: bool = False) -> Ids:
        """The ids of texts (rows, 1), with the cutter's `ends` where it has them.

        most: as for `WordPiece.cut`."""
        codes = self._write_codes(graph, _write_beginning(graph, texts, most))
        words = _Words(graph, codes, self)
        is_piece, ids = words.write_pieces()
        if drops_unknown:
            unknown = graph.add("Equal", ids, _whole(graph, self.cutter.unknown))
            is_piece = graph.add("And", is_piece, graph.add("Not", unknown))
        return _write_rows(graph, is_piece, ids, most, self.cutter.ends)

    def _write_codes(self, graph: Graph, texts: str) -> str:
        """Codes of all characters that are left of strings (rows,), `NOTHING` after the last."""
        characters = graph.add(
            "Tokenizer",
            texts,
            domain="com.microsoft",
            mark=0,
            mincharnum=1,
            pad_value="",
            tokenexp=self.kept,
        )
        rows = sorted({(STRANGE,), *self._expansions.values()})
        widest = max(map(len, rows))
        places = {row: place if widest > 1 else row[0] for place, row in enumerate(rows)}
        numbers = {letter: places[row] for letter, row in self._expansions.items()}
        found = write_lookup(graph, characters, numbers, places[(STRANGE,)])
        if widest == 1:
            return found
        table = np.array([row + (HOLE,) * (widest - len(row)) for row in rows])
        return _write_expanded(graph, found, table)


def _write_expanded(graph: Graph, places: str, table: np.ndarray) -> str:
    """The rows of a table put one after another, holes left out; (rows, characters or more)."""
    counts = graph.constant((table != HOLE).sum(axis=1))
    held = graph.add("Gather", counts, places)
    most = graph.add("ReduceMax", held, _list(graph, 0, 1), keepdims=0)
    wide = graph.add("Gather", graph.constant(table), places)
    narrow = graph.add(
        "Slice",
        wide,
        _list(graph, 0),
        graph.add("Reshape", most, _list(graph, 1)),
        _list(graph, 2),
    )
    flat = graph.add("Reshape", narrow, _list(graph, 0, -1))
    is_kept = graph.add("Not", graph.add("Equal", flat, _whole(graph, HOLE)))
    rank = _write_rank(graph, is_kept)
    last = write_slice(graph, _write_positions(graph, flat), -1, END)
    # Holes go where no letter does unless there are none: to the last place, as a blank.
    target = graph.add("Where", is_kept, rank, last)
    values = graph.add("Where", is_kept, flat, _whole(graph, NOTHING))
    return graph.add("ScatterElements", _zeros(graph, flat), target, values, axis=1)


def _write_beginning(graph: Graph, texts: str, most: int) -> str:
    """The first characters of texts (rows, 1), blanks after them; (rows,)."""
    flat = graph.add("Reshape", texts, _list(graph, -1))
    # So that there is a character even where all texts are empty.
    ended = graph.add("StringConcat", flat, graph.constant([" "]))
    parts = graph.add(
        "Tokenizer",
        ended,
        domain="com.microsoft",
        mark=0,
        mincharnum=1,
        pad_value="",
        tokenexp=f"(?s).{{1,{READ_AT_ONCE}}}",
    )
    count = characters_read(most) // READ_AT_ONCE
    first = write_slice(graph, parts, 0, 1)
    if count > 1:
        parts = graph.concat([parts, *[write_blank(graph, first)] * (count - 1)])
        for place in range(1, count):
            first = graph.add("StringConcat", first, write_slice(graph, parts, place, place + 1))
    read = graph.add("Reshape", first, _list(graph, -1))
    return graph.add("StringConcat", read, graph.constant([AFTER_TEXT]))


class _Words:
    """One pass over the codes of a batch; a row ends with two blanks."""

    def __init__(self, graph: Graph, codes: str, twin: WordPieceTwin) -> None:
        self.graph, self.codes, self.twin = graph, codes, twin
        self.positions = _write_positions(graph, codes)
        self.last = write_slice(graph, self.positions, -1, END)  # (rows, 1), also "no piece fits"
        is_blank = graph.add("Equal", codes, _whole(graph, NOTHING))
        is_alone = graph.add("Gather", graph.constant(twin.is_alone), codes)
        is_edge = graph.add("Or", is_blank, is_alone)
        # The last one is a blank: as if one stood before the text.
        before = graph.concat(
            [write_slice(graph, is_edge, -1, END), write_slice(graph, is_edge, 0, -1)]
        )
        touches = graph.add("Or", is_edge, before)
        self.is_start = graph.add("And", touches, graph.add("Not", is_blank))
        self.is_stop = graph.add("Or", self.is_start, is_blank)  # no word goes on here

    def write_pieces(self) -> tuple[str, str]:
        """Where pieces start, bool, and the id of the piece at each start."""
        graph, longest = self.graph, self.twin.cutter.longest_word
        best = self._write_best()
        length = graph.add("Gather", graph.constant(self.twin.trie.length), best)
        fits = graph.add("Greater", length, _whole(graph, 0))
        hop = graph.add("Where", fits, graph.add("Add", self.positions, length), self.last)
        own, after = self._write_bounds()
        jumps = [graph.add("Where", self.is_stop, self.positions, hop)]
        for _ in range((longest - 1).bit_length()):
            jumps.append(graph.add("GatherElements", jumps[-1], jumps[-1], axis=1))
        reached = graph.add("GatherElements", jumps[-1], hop, axis=1)
        size = graph.add("Sub", after, self.positions)
        is_short = graph.add("LessOrEqual", size, _whole(graph, longest))
        is_spelled = graph.add("And", graph.add("Equal", reached, after), is_short)
        is_inner = self._write_inner(hop, own, jumps[:-1], is_spelled)
        ids = graph.add("Gather", graph.constant(self.twin.trie.piece), best)
        fails = graph.add("And", self.is_start, graph.add("Not", is_spelled))
        ids = graph.add("Where", fails, _whole(graph, self.twin.cutter.unknown), ids)
        return graph.add("Or", self.is_start, is_inner), ids

    def _write_best(self) -> str:
        """The trie's state at the end of the longest piece that starts at each character."""
        graph, trie = self.graph, self.twin.trie
        base, owner = graph.constant(trie.base), graph.constant(trie.owner)
        ends_piece = graph.constant(trie.length > 0)
        dead = _whole(graph, DEAD)
        state = graph.add("Where", self.is_start, _whole(graph, START), _whole(graph, CONTINUED))
        best = graph.add("Mul", self.codes, dead)
        filled = graph.concat([self.codes, *[_zeros(graph, self.last)] * trie.depth])
        for step in range(trie.depth):
            code = write_slice(graph, filled, step, step - trie.depth)
            slot = graph.add("Add", graph.add("Gather", base, state), code)
            is_child = graph.add("Equal", graph.add("Gather", owner, slot), state)
            state = graph.add("Where", is_child, slot, dead)
            accepts = graph.add("Gather", ends_piece, state)
            best = graph.add("Where", accepts, state, best)
        return best

    def _write_bounds(self) -> tuple[str, str]:
        """Of each character the start of its word, and where a word from there on has ended."""
        graph = self.graph
        count = graph.add("CumSum", _as_whole(graph, self.is_stop), _whole(graph, 1))
        one = _whole(graph, 1)
        place = graph.add("Sub", count, one)
        # The k-th stop's position at place k; every other character writes what the last one does.
        stops = graph.add(
            "ScatterElements",
            _zeros(graph, self.codes),
            graph.add("Where", self.is_stop, place, self.last),
            graph.add("Where", self.is_stop, self.positions, self.last),
            axis=1,
        )
        own = graph.add("GatherElements", stops, place, axis=1)
        following = graph.add("Min", count, self.last)
        return own, graph.add("GatherElements", stops, following, axis=1)

    def _write_inner(self, hop: str, own: str, jumps: Sequence[str], is_spelled: str) -> str:
        """Where pieces that go on start, bool: hops from the word's start lead there."""
        graph = self.graph
        reached = graph.add("GatherElements", hop, own, axis=1)
        for jump in reversed(jumps):
            further = graph.add("GatherElements", jump, reached, axis=1)
            passes = graph.add("Greater", further, self.positions)
            reached = graph.add("Where", passes, reached, further)
        spelled = graph.add("GatherElements", _as_whole(graph, is_spelled), own, axis=1)
        is_reached = graph.add("Equal", reached, self.positions)
        going_on = graph.add("And", is_reached, graph.cast(spelled, Element.BOOL))
        return graph.add("And", going_on, graph.add("Not", self.is_stop))


def _write_rows(
    graph: Graph, is_piece: str, ids: str, most: int, ends: tuple[int, int] | None
) -> Ids:
    """The pieces moved to the left of each row, `ends` around them."""
    first = 0 if ends is None else 1
    width = most + 2 * first
    found = _as_whole(graph, is_piece)
    count = graph.add("ReduceSum", found, _list(graph, 1), keepdims=1)
    count = graph.add("Min", count, _whole(graph, most))
    rank = graph.add("Add", _write_rank(graph, is_piece), _whole(graph, first))
    fits = graph.add("Less", rank, _whole(graph, most + first))
    # One column more takes what is no piece or beyond the last one, and is cut off again.
    target = graph.add("Where", graph.add("And", is_piece, fits), rank, _whole(graph, width))
    none = graph.add("Mul", count, _whole(graph, 0))
    empty = graph.add("Add", none, graph.constant(np.zeros((1, width + 1), dtype=np.int64)))
    rows = graph.add("ScatterElements", empty, target, ids, axis=1)
    columns = graph.constant(np.arange(width + 1)[None])
    size = graph.add("Add", count, _whole(graph, 2 * first))
    if ends is not None:
        is_end = graph.add("Equal", columns, graph.add("Add", count, _whole(graph, 1)))
        rows = graph.add("Where", is_end, _whole(graph, ends[1]), rows)
        is_first = graph.constant(np.arange(width + 1)[None] == 0)
        rows = graph.add("Where", is_first, _whole(graph, ends[0]), rows)
    is_text = graph.add("Less", columns, size)
    rows = graph.add("Where", is_text, rows, _whole(graph, 0))
    longest = graph.add("ReduceMax", size, _list(graph, 0, 1), keepdims=0)
    longest = graph.add("Max", longest, _whole(graph, 1))
    stop = graph.add("Reshape", longest, _list(graph, 1))
    start, axis = _list(graph, 0), _list(graph, 1)
    return Ids(
        graph.add("Slice", rows, start, stop, axis),
        graph.add("Slice", is_text, start, stop, axis),
    )


def _write_positions(graph: Graph, tensor: str) -> str:
    """0, 1, 2, ... in each row."""
    ones = graph.add("Add", _zeros(graph, tensor), _whole(graph, 1))
    return graph.add("Sub", graph.add("CumSum", ones, _whole(graph, 1)), _whole(graph, 1))


def _write_rank(graph: Graph, flags: str) -> str:
    """How many flags stand before each one that is set."""
    count = graph.add("CumSum", _as_whole(graph, flags), _whole(graph, 1))
    return graph.add("Sub", count, _whole(graph, 1))


def _as_whole(graph: Graph, flags: str) -> str:
    return graph.cast(flags, Element.INT64)


def _zeros(graph: Graph, tensor: str) -> str:
    return graph.add("Mul", tensor, _whole(graph, 0))


def _whole(graph: Graph, number: int) -> str:
    return graph.constant(np.int64(number))


def _list(graph: Graph, *numbers: int) -> str:
    return graph.constant(np.array(numbers, dtype=np.int64))
