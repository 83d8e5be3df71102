"""How many words a text holds, also in scripts that put no blanks between them."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

# Scripts without blanks between words, for a class of a regular expression.
UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
# Characters of these scripts that count as a word: two is about a word of Chinese; of Japanese
# and Thai it is less than one, which only tells texts from names, and those differ by more.
CHARACTERS_A_WORD = 2


def words_in(texts: pa.Array) -> pa.Array:
    """About how many words each text holds, double; blanks at its ends part none."""
    trimmed = pc.utf8_trim_whitespace(texts)
    blanks = pc.count_substring(trimmed, " ")
    unspaced = pc.count_substring_regex(trimmed, f"[{UNSPACED}]")
    return pc.add(pc.add(blanks, 1), pc.divide(pc.cast(unspaced, pa.float64()), CHARACTERS_A_WORD))
