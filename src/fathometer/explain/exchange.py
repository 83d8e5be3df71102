"""The raw inputs of a model file with the values of some columns exchanged among the rows.

Works on what `modelfile/feeds` makes, so that numbers, categories, dates, texts and pictures are
all exchanged alike. Knows neither truth nor metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fathometer.modelfile.load import ModelFile
from fathometer.modelfile.picture_list import PictureList

Feeds = Mapping[str, Any]  # from a column to (rows, 1), pictures, or a list of pictures


def rows_of(feeds: Feeds, rows: np.ndarray) -> dict[str, Any]:
    """These rows of every column, in this order."""
    return {name: _taken(values, rows) for name, values in feeds.items()}


def _taken(values: Any, rows: np.ndarray) -> Any:
    if isinstance(values, PictureList):
        return replace(values, pictures=[values.pictures[row] for row in rows])
    return values[rows]


@dataclass(frozen=True, eq=False)
class Exchange:
    """A model file and the rows that it is asked, as they are and with columns exchanged."""

    file: ModelFile
    feeds: Feeds
    known: np.ndarray  # (rows, outputs) its answers to the rows as they are

    @staticmethod
    def of(file: ModelFile, feeds: Feeds) -> Exchange:
        """The file's answers to the rows as they are, asked in the same way as the others: so an
        input that it does not look at changes no bit of any answer."""
        return Exchange(file, feeds, file.scores(feeds))

    def scores(self, names: Sequence[str], order: np.ndarray) -> np.ndarray:
        """The answers where row n has the values of row `order[n]` in these columns."""
        if set(names) == set(self.feeds):
            return np.asarray(self.known[order])  # whole rows change places, and so do the answers
        changed = {name: _taken(self.feeds[name], order) for name in names}
        return self.file.scores({**self.feeds, **changed})
