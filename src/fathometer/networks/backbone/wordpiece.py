"""Texts → pieces of words, as BERT cuts them: Python's side, and the rules that its twin shares.

A text is cleaned, its accents and capitals are folded, words are split at blanks and around
punctuation and ideographs; then each word is cut into the longest pieces of the vocabulary that
spell it, from its start on (Wu et al., arXiv 1609.08144; Devlin et al., arXiv 1810.04805). All of
this but the last step is done to one character at a time, which is why a graph can do it too; that
is `wordpiece_graph`.

Two things differ from the library `tokenizers`. Of a text only the first `READ_AT_ONCE` characters
are read for each `TOKENS_AT_ONCE` tokens that are wanted, and names of special tokens in a text
("[SEP]") are text. Of 20,000 real texts (questions, film reviews, short messages, tweets, reviews
of clothes) and 12,000 sentences in English and German none was cut otherwise, with 30,522 pieces,
cased or not, up to 126 tokens; of 20,000 of random characters 2 to 3 % were, by punctuation that
its version 0.23 does not know to be such and Python 3.11 does."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property

# RE2 repeats up to 1,000 times. Reviews, tweets and questions in English have 4 to 5 characters a
# token, blanks counted.
READ_AT_ONCE, TOKENS_AT_ONCE = 1000, 128
# What `tokenizers` 0.23 counts as ideographs; BERT's own code begins the sixth block at 2B820.
IDEOGRAPHS = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B920, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)
BLANK_CONTROLS = "\t\n\r"  # control characters that are blanks
OTHER_BLANKS = "\v\f\x85"  # those that are where a text is not cleaned
REPLACEMENT = "\ufffd"
REMOVED = ("Cc", "Cf", "Co")  # categories; characters that no version of Unicode knows stay


@dataclass(frozen=True, slots=True)
class Letter:
    """A character as the vocabulary knows it; one that stands alone is a word of its own."""

    character: str
    is_alone: bool = False


BLANK = Letter(" ", is_alone=True)


@dataclass(frozen=True)
class Folding:
    """What is done to a character before words are looked up."""

    cleans: bool = True  # control characters are dropped
    spaces_ideographs: bool = True  # each is a word
    strips_accents: bool = True
    lowers: bool = True

    def letters(self, character: str) -> tuple[Letter, ...]:
        """What a character becomes: nothing, a blank, or mostly one letter.

        A Hangul syllable without its accents becomes the two or three letters it is made of."""
        if self._is_blank(character):
            return (BLANK,)
        kind = unicodedata.category(character)
        if self.cleans and (kind in REMOVED or character in ("\0", REPLACEMENT)):
            return ()
        alone = self.spaces_ideographs and _is_ideograph(character)
        parts = character
        if self.strips_accents:
            apart = unicodedata.normalize("NFD", character)
            parts = "".join(each for each in apart if unicodedata.category(each) != "Mn")
        if self.lowers:
            parts = "".join(each.lower() for each in parts)
        return tuple(Letter(each, alone or _is_punctuation(each)) for each in parts)

    def _is_blank(self, character: str) -> bool:
        if character in BLANK_CONTROLS or unicodedata.category(character)[0] == "Z":
            return True
        return not self.cleans and character in OTHER_BLANKS


@cache
def assigned_letters(folding: Folding) -> Mapping[str, tuple[Letter, ...]]:
    """What every character that Unicode knows becomes; 0.6 s."""
    return {
        character: folding.letters(character)
        for character in map(chr, range(0x110000))
        if unicodedata.category(character) not in ("Cn", "Cs")
    }


class _Translation(dict[int, str]):
    """`Folding` as a table for `str.translate`, filled as characters turn up."""

    def __init__(self, folding: Folding) -> None:
        super().__init__()
        self.folding = folding

    def __missing__(self, point: int) -> str:
        self[point] = "".join(
            f" {each.character} " if each.is_alone else each.character
            for each in self.folding.letters(chr(point))
        )
        return self[point]


@dataclass(frozen=True)
class WordPiece:
    """A vocabulary of pieces and how texts are cut into them."""

    digest: str
    pieces: Mapping[str, int] = field(repr=False, compare=False)  # to their ids
    unknown: int  # the id of a word that cannot be spelled
    ends: tuple[int, int] | None = None  # the ids before and after every text
    folding: Folding = Folding()
    prefix: str = "##"  # of a piece that goes on
    longest_word: int = 100  # characters; longer ones are unknown

    @cached_property
    def longest_piece(self) -> int:
        """Characters of the longest piece, its prefix not counted, that a word can hold."""
        most = max(len(each.removeprefix(self.prefix)) for each in self.pieces)
        return max(1, min(most, self.longest_word))

    def cut(
        self, texts: Sequence[str], most: int, *, drops_unknown: bool = False
    ) -> list[list[int]]:
        """The ids of each text's first pieces, at most so many, those of `ends` not among them.

        drops_unknown: whether words that cannot be spelled are left out."""
        translation = _Translation(self.folding)
        known: dict[str, list[int]] = {}
        found = []
        for text in texts:
            ids: list[int] = []
            for word in text[: characters_read(most)].translate(translation).split(" "):
                if word not in known:
                    spelled = self._spell(word)
                    known[word] = [] if drops_unknown and spelled == [self.unknown] else spelled
                ids += known[word]
                if len(ids) >= most:
                    break
            found.append(ids[:most])
        return found

    def _spell(self, word: str) -> list[int]:
        """The ids of a word's pieces, the longest first from its start on."""
        if len(word) > self.longest_word:
            return [self.unknown]
        ids: list[int] = []
        start = 0
        while start < len(word):
            prefix = self.prefix if start else ""
            for end in range(min(len(word), start + self.longest_piece), start, -1):
                piece = self.pieces.get(prefix + word[start:end])
                if piece is not None:
                    ids.append(piece)
                    break
            else:
                return [self.unknown]
            start = end
        return ids


def characters_read(most: int) -> int:
    """How many characters of a text are read where so many tokens are wanted."""
    return READ_AT_ONCE * -(-most // TOKENS_AT_ONCE)


def digest_of(pieces: Mapping[str, int], rules: Sequence[object]) -> str:
    """SHA-256 of a vocabulary and the rules it is used by."""
    stated = json.dumps([sorted(pieces.items()), [str(each) for each in rules]])
    return hashlib.sha256(stated.encode()).hexdigest()


def _is_ideograph(character: str) -> bool:
    point = ord(character)
    return any(first <= point <= last for first, last in IDEOGRAPHS)


def _is_punctuation(character: str) -> bool:
    """Unicode's punctuation, and every ASCII sign that is no letter or digit."""
    if character.isascii():
        return character.isprintable() and not character.isalnum()
    return unicodedata.category(character)[0] == "P"
