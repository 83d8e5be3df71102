"""Which script a character belongs to. Knows nothing of texts or languages."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# Classes of RE2, by the name that a reader sees. All other scripts are counted together.
SCRIPTS = {
    "Latin": r"\p{Latin}",
    "Cyrillic": r"\p{Cyrillic}",
    "Greek": r"\p{Greek}",
    "Arabic": r"\p{Arabic}",
    "Hebrew": r"\p{Hebrew}",
    "Devanagari": r"\p{Devanagari}",
    "Bengali": r"\p{Bengali}",
    "Gurmukhi": r"\p{Gurmukhi}",
    "Gujarati": r"\p{Gujarati}",
    "Odia": r"\p{Oriya}",
    "Tamil": r"\p{Tamil}",
    "Telugu": r"\p{Telugu}",
    "Kannada": r"\p{Kannada}",
    "Malayalam": r"\p{Malayalam}",
    "Sinhala": r"\p{Sinhala}",
    "Thai": r"\p{Thai}",
    "Lao": r"\p{Lao}",
    "Khmer": r"\p{Khmer}",
    "Burmese": r"\p{Myanmar}",
    "Han (Chinese characters)": r"\p{Han}",
    "Hiragana and Katakana (Japanese)": r"\p{Hiragana}\p{Katakana}",
    "Hangul (Korean)": r"\p{Hangul}",
    "Georgian": r"\p{Georgian}",
    "Armenian": r"\p{Armenian}",
}
OTHER = "other scripts"
NAMES = (*SCRIPTS, OTHER)
NO_LETTER = -1


def scripts_of(characters: Sequence[str]) -> np.ndarray:
    """(characters,) the place of each one's script in `NAMES`; `NO_LETTER` for signs and digits."""
    held = pa.array(characters, pa.string())
    is_letter = np.asarray(pc.match_substring_regex(held, r"\pL"))
    places = np.where(is_letter, NAMES.index(OTHER), NO_LETTER)
    for place, classes in enumerate(SCRIPTS.values()):
        own = np.asarray(pc.match_substring_regex(held, f"[{classes}]"))
        places[own & is_letter] = place
    return places
