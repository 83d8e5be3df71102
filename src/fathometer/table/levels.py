"""The different values of a string column, so that long columns are judged by their few values.

Blanks around values are dropped here, and words that stand for a missing value become missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# What people and programs write where there is no value. "Na" is not among them: it is sodium.
MISSING_WORDS = (
    *("", "?", "-", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NAN", "NaT"),
    *("null", "NULL", "Null", "none", "None", "NONE"),
)


@dataclass(frozen=True, eq=False)
class Levels:
    """A string column as its different values, without missing ones.

    `values` (levels,) strings; `places` (rows,) int32 into them, null where missing; `counts`
    (levels,) rows of each; `missing_words` says which words counted as missing, and how often;
    `stripped` counts the rows whose value lost blanks around it."""

    values: pa.StringArray
    places: pa.Int32Array
    counts: np.ndarray
    missing_words: dict[str, int]
    stripped: int

    @property
    def rows(self) -> int:
        """Rows that are not missing."""
        return int(self.counts.sum())

    def spread(self, per_level: pa.Array | np.ndarray) -> pa.Array:
        """One value a level → one value a row, null where missing."""
        return pa.array(per_level).take(self.places)

    def mean(self, per_level: pa.Array) -> float:
        """The mean over rows of a number known for each level."""
        numbers = np.asarray(per_level.to_numpy(zero_copy_only=False), dtype=np.float64)
        return float((numbers * self.counts).sum() / max(1, self.rows))

    def rows_of(self, chosen: np.ndarray) -> np.ndarray:
        """(rows,) bool: whether the level of each row is chosen (levels,) bool."""
        found = pc.fill_null(self.spread(np.asarray(chosen, dtype=bool)), False)
        return np.asarray(found.to_numpy(zero_copy_only=False))


def find_levels(values: pa.Array, missing: Sequence[str] | None = None) -> Levels:
    """The levels of a column of strings, in order of first appearance.

    missing: exactly what counts as missing besides empty; without it, `MISSING_WORDS`."""
    coded = pc.dictionary_encode(values)
    written = pc.utf8_trim_whitespace(coded.dictionary)
    words = ["", *missing] if missing is not None else list(MISSING_WORDS)
    if missing is None and pc.any(pc.equal(written, "+")).as_py():
        words.remove("-")  # a sign there, not a gap
    is_missing = pc.is_in(written, pa.array(words, pa.string()))
    raw_counts = _counts(coded.indices, len(written))
    missing_words = _tally(written, is_missing, raw_counts)
    is_stripped = pc.and_not(pc.not_equal(written, coded.dictionary), is_missing)
    stripped = int(raw_counts[is_stripped.to_numpy(zero_copy_only=False)].sum())
    again = pc.dictionary_encode(pc.if_else(is_missing, None, written))
    places = again.indices.take(coded.indices)
    counts = _counts(places, len(again.dictionary))
    return Levels(again.dictionary, places, counts, missing_words, stripped)


def _counts(places: pa.Array, levels: int) -> np.ndarray:
    known = places.drop_null().to_numpy(zero_copy_only=False)
    return np.bincount(known, minlength=levels)


def _tally(written: pa.Array, is_missing: pa.Array, counts: np.ndarray) -> dict[str, int]:
    tally: dict[str, int] = {}
    for place in np.flatnonzero(is_missing.to_numpy(zero_copy_only=False)):
        word = str(written[int(place)])
        if word:  # an empty field needs no explanation
            tally[word] = tally.get(word, 0) + int(counts[place])
    return tally
