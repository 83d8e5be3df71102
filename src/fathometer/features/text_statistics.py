"""What the texts of a column are like: how many, how long, in which scripts and languages, with
what in them.

For the reader of a report; nothing is learned from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fathometer.features.languages import Languages, languages_of
from fathometer.features.scripts import NAMES, NO_LETTER, scripts_of
from fathometer.features.text_tokens import Unit, tokens_of
from fathometer.table.table import Column

QUANTILES = (0.05, 0.5, 0.95)
LEAST_SHARE = 0.005  # of the letters; scripts with less are not told
MOST_TEXTS = 20_000  # beyond it every so many texts are looked at
HTML = r"</?[A-Za-z][^<>]*>|&(?:[A-Za-z]+|#[0-9]+);"
ADDRESS = r"(?i)\b(?:https?://|www\.)[^\s]+"
# Pictographs and flags; not the signs that older scripts and mathematics share with them.
EMOJI = r"[\x{1F1E6}-\x{1F1FF}\x{1F300}-\x{1FAFF}\x{2600}-\x{27BF}]"


@dataclass(frozen=True)
class TextStatistics:
    """Of one column of texts; quantiles are those of `QUANTILES`, over the texts that are there."""

    column: str
    texts: int  # rows
    empty: int  # rows without a text
    characters: tuple[float, float, float]
    words: tuple[float, float, float]
    longest: int  # characters
    distinct_words: int  # of the texts looked at
    scripts: tuple[tuple[str, float], ...]  # share of the letters, largest first
    languages: Languages  # guessed, from a sample of its own
    html: float  # share of the texts with a tag or an entity
    addresses: float  # share of the texts with an address of the web
    emoji: float  # share of the texts with one
    looked_at: int  # texts that all but `texts` and `empty` are measured on

    def sentences(self) -> tuple[str, ...]:
        """The same in words, without what is not there."""
        there = self.texts - self.empty
        found = [f"{self.texts:,} texts, {self.empty:,} of them empty."]
        if not there:
            return tuple(found)
        low, middle, high = self.words
        found.append(
            f"Half of them have at most {middle:,.0f} words; 90 % have {low:,.0f} to {high:,.0f}. "
            f"The longest has {self.longest:,} characters."
        )
        found.append(f"{self.distinct_words:,} different words.")
        if self.scripts:
            shares = ", ".join(f"{name} {share:.0%}" for name, share in self.scripts)
            found.append(f"Scripts: {shares}.")
        found.extend(self.languages.sentences())
        for share, what in (
            (self.html, "HTML"),
            (self.addresses, "web addresses"),
            (self.emoji, "emoji"),
        ):
            if share > 0:
                shown = f"{share:.1%}" if share >= 0.001 else "less than 0.1 %"
                found.append(f"{what[:1].upper()}{what[1:]} in {shown} of the texts.")
        if self.looked_at < there:
            found.append(f"Measured on {self.looked_at:,} of them.")
        return tuple(found)


def text_statistics(column: Column) -> TextStatistics:
    """Describe a column of texts."""
    filled = pc.fill_null(column.values, "")
    kept = filled.filter(pc.not_equal(filled, ""))
    empty = len(filled) - len(kept)
    step = -(-len(kept) // MOST_TEXTS) or 1
    seen = kept.take(pa.array(np.arange(0, len(kept), step)))
    if not len(seen):
        none, nothing = (0.0, 0.0, 0.0), Languages((), (), 0, 0)
        return TextStatistics(
            column.name, len(filled), empty, none, none, 0, 0, (), nothing, 0.0, 0.0, 0.0, 0
        )
    sample = Column(column.spec, seen)
    tokens = tokens_of(sample, Unit.WORDS)
    words = np.diff(tokens.ends, prepend=-1) - 1
    characters = np.asarray(pc.utf8_length(seen))
    return TextStatistics(
        column.name,
        len(filled),
        empty,
        _quantiles(characters),
        _quantiles(words),
        int(pc.max(pc.utf8_length(kept)).as_py()),
        len(tokens.alphabet),
        _scripts(sample),
        languages_of(Column(column.spec, kept)),
        _share(seen, HTML),
        _share(seen, ADDRESS),
        _share(seen, EMOJI),
        len(seen),
    )


def _quantiles(values: np.ndarray) -> tuple[float, float, float]:
    low, middle, high = np.quantile(values, QUANTILES)
    return float(low), float(middle), float(high)


def _share(texts: pa.Array, pattern: str) -> float:
    return float(pc.mean(pc.match_substring_regex(texts, pattern)).as_py())


def _scripts(column: Column) -> tuple[tuple[str, float], ...]:
    """Shares of the letters, counted over the different characters there are."""
    tokens = tokens_of(column, Unit.CHARACTERS)
    counts = np.bincount(tokens.codes + 1, minlength=len(tokens.alphabet) + 1)[1:]
    scripts = scripts_of(tokens.alphabet)
    is_letter = scripts != NO_LETTER
    letters = np.bincount(scripts[is_letter], counts[is_letter], minlength=len(NAMES))
    if not letters.any():
        return ()
    shares = (letters / letters.sum()).tolist()
    pairs = zip(NAMES, shares, strict=True)
    told = [(name, share) for name, share in pairs if share >= LEAST_SHARE]
    return tuple(sorted(told, key=lambda pair: -pair[1]))
