"""Which languages the texts of a column seem to be written in: a guess, for the reader of a report.

Where one language alone writes a script, the script says it. Elsewhere the function words of a text
and its letters speak for languages, and a text is left open unless one of them stands clearly
ahead: "not recognised" is better than a language that nobody in the column speaks. Nothing is
learned from a guess."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow.compute as pc

from fathometer.features.function_words import MARKS
from fathometer.features.scripts import NAMES as SCRIPTS
from fathometer.features.scripts import NO_LETTER, scripts_of
from fathometer.features.text_tokens import Tokens, Unit, tokens_of
from fathometer.table.table import Column
from fathometer.wording import listed

# A share of one half is then known to 2 in 100. Drawn by chance, since rows may take turns.
MOST_TEXTS = 3_000
MOST_CHARACTERS = 200  # of a text are read: about 35 words of English, where 10 suffice
SEED = 0
LEAST_TOLD = 0.01  # of the texts; a language with less is as often a slip as a language
MIXED = 0.1  # of the texts; from two such languages on the column is called mixed
# Scripts that one language writes, or one of them nearly all of what is written.
DECIDED = {
    "Greek": "Greek",
    "Hebrew": "Hebrew",
    "Bengali": "Bengali",
    "Gurmukhi": "Punjabi",
    "Gujarati": "Gujarati",
    "Odia": "Odia",
    "Tamil": "Tamil",
    "Telugu": "Telugu",
    "Kannada": "Kannada",
    "Malayalam": "Malayalam",
    "Sinhala": "Sinhala",
    "Thai": "Thai",
    "Lao": "Lao",
    "Khmer": "Khmer",
    "Burmese": "Burmese",
    "Han (Chinese characters)": "Chinese",
    "Hiragana and Katakana (Japanese)": "Japanese",
    "Hangul (Korean)": "Korean",
    "Georgian": "Georgian",
    "Armenian": "Armenian",
}
HAN, KANA = "Han (Chinese characters)", "Hiragana and Katakana (Japanese)"
# Japanese has half its letters in kana; a Chinese text may hold one の.
KANA_SHARE = 0.1
# Brands and addresses are Latin in texts of every script, so another one decides earlier.
DECIDING_SHARE = 1 / 4
LEAST_LETTERS = 2  # of a script that decides: 很好 is a review, Ω a unit
# 東京都 is Chinese or Japanese. A Chinese sentence has more letters, a Japanese one has kana.
EITHER_LETTERS = 8
# What no language is told by: tags, entities, addresses, @names and #topics. Apostrophes part
# words here, so that "l'homme" holds an article.
NOISE = (
    r"</?[A-Za-z][^<>]*>|&(?:[A-Za-z]+|#[0-9]+);|(?i:\b(?:https?://|www\.)[^\s]+)"
    r"|[@#][A-Za-z0-9_]+|['’`]"
)

# The limits below were set on texts in English and German and on the messages of programs in forty
# languages: fewer than 1 text in 200 is then taken for another listed language.
LEAST_WORDS = 3  # of a text
LEAST_KNOWN = 2  # different words of it that the language's list holds
KNOWN_SHARE = 0.1  # the same, of its words
LEAD = 2  # marks more than any other language has
# For the marks that speak for the other one alone: of every four that part two languages, three.
LEAD_RATIO = 3
# A language that is clear in this share of the texts is expected in the others: its relatives are
# then believed only where they are clear, and a text that leans to it needs no lead over them.
EXPECTED_SHARE = 0.05
EXPECTED_KNOWN = 0.2


@dataclass(frozen=True)
class Languages:
    """What is guessed of one column of texts."""

    shares: tuple[tuple[str, float], ...]  # of the texts, largest first, from `LEAST_TOLD` on
    mixed: tuple[str, ...]  # languages, or else scripts, of `MIXED` of the texts each; none or two
    texts: int  # that were looked at
    of: int  # texts there are

    def sentences(self) -> tuple[str, ...]:
        """The same in words."""
        if not self.texts:
            return ()
        rest = 1 - sum(share for _, share in self.shares)
        told = [*self.shares, *([("short or not recognised", rest)] if rest >= 0.005 else [])]
        names = ", ".join(f"{name} {share:.0%}" for name, share in told)
        looked = f" from {self.texts:,} texts" if self.texts < self.of else ""
        found = [f"Languages, guessed{looked}: {names}."]
        if self.mixed:
            found.append(f"Mixed: {listed(self.mixed)}, each in {MIXED:.0%} of the texts or more.")
        return tuple(found)


def languages_of(column: Column) -> Languages:
    """Guess the languages of a column from a sample of its texts, none of which is empty."""
    rows = np.arange(len(column.values))
    if len(rows) > MOST_TEXTS:
        draw = np.random.default_rng(SEED).choice(len(rows), MOST_TEXTS, replace=False)
        rows = np.sort(draw)
    guesses, scripts = guessed(column.take(rows))
    shares = _shares(guesses)
    told = tuple((name, share) for name, share in shares if share >= LEAST_TOLD)
    mixed = _mixed(shares) or _mixed(_shares(scripts))
    return Languages(told, mixed, len(rows), len(column.values))


def _shares(names: Sequence[str]) -> list[tuple[str, float]]:
    """How often each name stands there, "" left out; the most frequent first."""
    counts = Counter(name for name in names if name)
    return [(name, count / len(names)) for name, count in counts.most_common()]


def _mixed(shares: list[tuple[str, float]]) -> tuple[str, ...]:
    frequent = tuple(name for name, share in shares if share >= MIXED)
    return frequent if len(frequent) > 1 else ()


def guessed(column: Column) -> tuple[list[str], list[str]]:
    """The language and the script of each text; "" where they are not known.

    The script is the one that says the language, or else that of most letters. Han and kana count
    as one, which Japanese mixes."""
    texts = _cleaned(column)
    words, characters = tokens_of(texts, Unit.WORDS), tokens_of(texts, Unit.CHARACTERS)
    letters = _letters(characters)
    deciding = _deciding(letters)
    by_script = [DECIDED[SCRIPTS[place]] if place >= 0 else "" for place in deciding]
    by_marks = [(*MARKS, "")[place] for place in _told_by_marks(words, characters)]
    languages = [one or other for one, other in zip(by_script, by_marks, strict=True)]
    main = np.where(letters.any(axis=1), letters.argmax(axis=1), len(SCRIPTS))
    main = np.where(deciding >= 0, deciding, main)
    main[main == SCRIPTS.index(KANA)] = SCRIPTS.index(HAN)
    return languages, [(*SCRIPTS, "")[place] for place in main]


def _cleaned(column: Column) -> Column:
    """The beginnings of the texts without what no language is told by."""
    begun = pc.utf8_slice_codeunits(column.values, 0, MOST_CHARACTERS)
    # Small letters with their accents in one piece, as `MARKS` has them.
    whole = pc.utf8_normalize(pc.utf8_lower(begun), "NFC")
    return Column(column.spec, pc.replace_substring_regex(whole, NOISE, " "))


def _letters(characters: Tokens) -> np.ndarray:
    """(texts, scripts) how many letters of each script a text has."""
    scripts = np.append(scripts_of(characters.alphabet), NO_LETTER)[characters.codes]
    rows, is_letter = _rows(characters), scripts != NO_LETTER
    cells = rows[is_letter] * len(SCRIPTS) + scripts[is_letter]
    size = len(characters.ends) * len(SCRIPTS)
    return np.bincount(cells, minlength=size).reshape(-1, len(SCRIPTS))


def _rows(tokens: Tokens) -> np.ndarray:
    """The text that each token stands in."""
    return np.repeat(np.arange(len(tokens.ends)), np.diff(tokens.ends, prepend=-1))


def _deciding(letters: np.ndarray) -> np.ndarray:
    """(texts,) places in `SCRIPTS` of those that say a text's language, -1 where none does.

    letters (texts, scripts) how many a text has."""
    han, kana = SCRIPTS.index(HAN), SCRIPTS.index(KANA)
    east = letters[:, han] + letters[:, kana]
    is_kana = letters[:, kana] > KANA_SHARE * east
    counts = np.zeros_like(letters)
    for script in DECIDED:
        counts[:, SCRIPTS.index(script)] = letters[:, SCRIPTS.index(script)]
    counts[:, han], counts[:, kana] = np.where(is_kana, 0, east), np.where(is_kana, east, 0)
    most = counts.max(axis=1)
    enough = (most >= LEAST_LETTERS) & (most >= DECIDING_SHARE * letters.sum(axis=1))
    if is_kana.sum() >= EXPECTED_SHARE * len(letters):
        enough &= (counts[:, han] == 0) | (most >= EITHER_LETTERS)
    return np.where(enough, counts.argmax(axis=1), -1)


def _told_by_marks(words: Tokens, characters: Tokens) -> np.ndarray:
    """(texts,) places in `MARKS` of the languages that words and letters speak for, -1 for none."""
    known_words, known_letters, speaks = _marks()
    in_words = _held(words, known_words)
    held = np.concatenate([in_words, _held(characters, known_letters)], axis=1)
    counts, known = held @ speaks, in_words @ speaks[: len(known_words)]
    total = (np.diff(words.ends, prepend=-1) - 1)[:, None]
    enough = (known >= LEAST_KNOWN) & (known >= KNOWN_SHARE * total) & (total >= LEAST_WORDS)
    places = _clear(held, counts, speaks, enough)
    frequency = np.bincount(places[places >= 0], minlength=len(MARKS))
    expected = frequency >= EXPECTED_SHARE * len(places)
    if expected.any():
        enough &= expected & (known >= EXPECTED_KNOWN * total)
        places = np.where(places < 0, _leaning(counts, expected, enough), places)
    return places


@cache
def _marks() -> tuple[tuple[str, ...], tuple[str, ...], np.ndarray]:
    """All words, all letters, and (words + letters, languages) 1 where a mark is a language's."""
    words = sorted({word for marks in MARKS.values() for word in marks.words.split()})
    letters = sorted({letter for marks in MARKS.values() for letter in marks.letters})
    speaks = [
        [*(word in own for word in words), *(letter in marks.letters for letter in letters)]
        for marks, own in ((marks, set(marks.words.split())) for marks in MARKS.values())
    ]
    return tuple(words), tuple(letters), np.array(speaks, dtype=np.float32).T


def _held(tokens: Tokens, known: Sequence[str]) -> np.ndarray:
    """(texts, known) float32, 1 where a text holds the token, however often."""
    places = {token: place for place, token in enumerate(known)}
    of_code = np.array([*(places.get(token, -1) for token in tokens.alphabet), -1])
    columns = of_code[tokens.codes]
    is_known = columns >= 0
    held = np.zeros((len(tokens.ends), len(known)), dtype=np.float32)
    held[_rows(tokens)[is_known], columns[is_known]] = 1
    return held


def _clear(
    held: np.ndarray, counts: np.ndarray, speaks: np.ndarray, enough: np.ndarray
) -> np.ndarray:
    """(texts,) the language that stands clearly ahead of every other one, -1 where none does.

    held (texts, marks), counts and enough (texts, languages), speaks (marks, languages). Marks
    that two languages share part them no more than unknown words do, so those of one of the two
    alone are compared."""
    best = counts.argmax(axis=1)
    rows = np.arange(len(best))
    shared = (held * speaks.T[best]) @ speaks
    alone, against = counts[rows, best][:, None] - shared, counts - shared
    ahead = (alone - against >= LEAD) & (alone >= LEAD_RATIO * against)
    ahead[rows, best] = enough[rows, best]
    return np.where(ahead.all(axis=1), best, -1)


def _leaning(counts: np.ndarray, expected: np.ndarray, enough: np.ndarray) -> np.ndarray:
    """(texts,) the expected language that has most marks, -1 where another expected one has as
    many, or any one more."""
    own = np.where(expected, counts, -1)
    best = own.argmax(axis=1)
    rows = np.arange(len(best))
    first, second = own[rows, best], np.sort(own, axis=1)[:, -2]
    leads = (first > second) & (first >= counts.max(axis=1)) & enough[rows, best]
    return np.where(leads, best, -1)
