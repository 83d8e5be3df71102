"""One doubt about a score, in words: the `Suspicion`, and how it writes names and figures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from fathometer.table.table import Column

KEY_WORDS = {"id", "ids", "idx", "key", "uuid", "guid", "no", "nr", "number"}


@dataclass(frozen=True)
class Suspicion:
    """One doubt: the sentence to show, and the two scores (in the task's metric) where measured."""

    what: Literal["too good", "group", "time", "identifier", "duplicates"]
    columns: tuple[str, ...]
    words: str
    random_score: float | None = None  # as a random split shows it
    honest_score: float | None = None  # as it is once rows that belong together are kept apart

    @property
    def column(self) -> str | None:
        """The column it is about, the foremost of several."""
        return self.columns[0] if self.columns else None

    def __str__(self) -> str:
        return self.words


def name_words(name: str) -> set[str]:
    """The words of a name in snake_case, camelCase or plain."""
    return set(re.findall(r"[a-z]+", re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name).lower()))


def is_whole(column: Column) -> bool:
    numbers = column.numbers[~np.isnan(column.numbers)]
    return bool((numbers == np.floor(numbers)).all())


def figure(score: float) -> str:
    return (
        f"{score:.3f}"
        if abs(score) < 10
        else f"{score:,.4g}"
        if abs(score) < 1e4
        else f"{score:,.0f}"
    )


def option(name: str) -> str:
    return f'"{name}"' if " " in name else name


def listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
