"""Rows of numbers that are dear to work out, kept by what they were made from.

Folds, learners and predictions ask for the same pictures and texts again and again. Knows neither
what the rows are of nor how long they are worth keeping."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass(eq=False)
class RememberedRows:
    """Rows of one width and type, each under a key of what it was made from."""

    _places: dict[Hashable, int] = field(default_factory=dict)
    _parts: list[np.ndarray] = field(default_factory=list)

    @property
    def size_bytes(self) -> int:
        return sum(part.nbytes for part in self._parts)

    def unknown(self, keys: Sequence[Hashable]) -> dict[Hashable, int]:
        """From each key that has no row yet to its place among these."""
        return {key: place for place, key in enumerate(keys) if key not in self._places}

    def add(self, keys: Sequence[Hashable], rows: np.ndarray) -> None:
        """Keep a row, of (keys, width), for each of these keys, none of which has one yet."""
        count = len(self._places)
        self._places |= {key: count + place for place, key in enumerate(keys)}
        self._parts.append(rows)

    def rows(self, keys: Sequence[Hashable]) -> np.ndarray:
        """(keys, width): the row of each key, of which at least one was ever kept.

        Raises:
            KeyError: if a key has no row.
        """
        if len(self._parts) > 1:
            self._parts = [np.concatenate(self._parts)]
        return np.asarray(self._parts[0][[self._places[key] for key in keys]])
