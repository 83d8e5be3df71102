"""Numbers with their nouns and lists of names, as every sentence of ours writes them.

Knows words alone, so that every package may import it."""

from __future__ import annotations

from collections.abc import Sequence


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: "1 row", "1,309 rows", "2 classes".

    plural: of a noun that does not only take an s."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def listed(words: Sequence[str]) -> str:
    """Words in a sentence: "a, b and c"; nothing where there are none."""
    *first, last = words or ("",)
    return f"{', '.join(first)} and {last}" if first else last
