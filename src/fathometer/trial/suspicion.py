"""One doubt about a score, in words: the `Suspicion`, and how it writes figures and options."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np

from fathometer.table.table import Column

KEY_WORDS = {"id", "ids", "idx", "key", "uuid", "guid", "no", "nr", "number"}


@dataclass(frozen=True)
class Suspicion:
    """One doubt: the sentence to show, and the two scores (in the task's metric) where measured."""

    what: Literal["too good", "group", "time", "identifier", "duplicates"]
    column: str | None
    words: str
    random_score: float | None = None  # as a random split shows it
    honest_score: float | None = None  # as it is once rows that belong together are kept apart
    further: tuple[str, ...] = ()  # more columns that it is about

    def __str__(self) -> str:
        return self.words


def name_words(name: str) -> set[str]:
    """The words of a name in snake_case, camelCase or plain."""
    return set(re.findall(r"[a-z]+", re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name).lower()))


def is_named_like_key(name: str) -> bool:
    """Whether a name speaks of a key: customer_id, orderNo, userid."""
    return bool(name_words(name) & KEY_WORDS) or name.lower().endswith("id")


def is_whole(column: Column) -> bool:
    """Whether all numbers of a number column are whole."""
    numbers = column.numbers[~np.isnan(column.numbers)]
    return bool((numbers == np.floor(numbers)).all())


def figure(score: float) -> str:
    """A score with three decimals or four digits."""
    if abs(score) < 10:
        return f"{score:.3f}"
    return f"{score:,.4g}" if abs(score) < 1e4 else f"{score:,.0f}"


def option(name: str) -> str:
    """A column's name as it is typed after an option."""
    return f'"{name}"' if " " in name else name
