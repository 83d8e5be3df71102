"""The matrix that trees compare: columns named by what they are, so that equal ones are one."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from fathometer.graph import Element, Graph, write_counts
from fathometer.modelfile.lookups import Lookups


@dataclass(frozen=True, eq=False)
class Centred:
    """Columns float32(x - centre) of doubles x, and what stands for a missing one."""

    source: str  # the tensor of x in the old graph
    centre: np.ndarray  # (columns,) float64
    fill: np.ndarray  # (columns,) float64: NaN, or what a missing number counts as

    @property
    def width(self) -> int:
        return len(self.centre)


@dataclass(frozen=True, eq=False)
class Said:
    """Columns that say something of a category's level."""

    column: str
    table: np.ndarray  # (codes, columns) float32

    @property
    def width(self) -> int:
        return int(self.table.shape[1])


@dataclass(frozen=True, eq=False)
class Counted:
    """Columns that count words."""

    source: str  # the tensor of the words in the old graph
    words: tuple[str, ...]

    @property
    def width(self) -> int:
        return len(self.words)


@dataclass(frozen=True, eq=False)
class Ready:
    """Columns of a tensor of the old graph, taken as they are."""

    source: str
    width: int
    is_double: bool  # else float


Part = Centred | Said | Counted | Ready


class Matrix:
    """Columns as they are asked for; `write` puts them side by side in double."""

    def __init__(self, graph: Graph, lookups: Lookups, renamed: dict[str, str]) -> None:
        self._graph = graph
        self._lookups = lookups
        self._renamed = renamed
        self._numbers: dict[tuple[Hashable, ...], int] = {}  # from what a column is to its number
        self._wide: dict[str, int] = {}  # double tensors and their columns
        self._narrow: dict[str, int] = {}  # float tensors and their columns
        self._said: dict[str, list[np.ndarray]] = {}
        self._words: dict[str, list[str]] = {}

    def place(self, part: Part, at: int) -> int:
        """The number of a part's column, new if nobody has asked for it before."""
        key: tuple[Hashable, ...]
        if isinstance(part, Said):
            values = part.table[:, at]
            key = ("said", part.column, values.tobytes())
            if key not in self._numbers:
                self._said.setdefault(part.column, []).append(values)
        elif isinstance(part, Counted):
            key = ("words", part.source, part.words[at])
            if key not in self._numbers:
                self._words.setdefault(part.source, []).append(part.words[at])
        elif isinstance(part, Centred) or part.is_double:
            self._wide[part.source] = part.width
            key = ("wide", part.source, at)
        else:
            self._narrow[part.source] = part.width
            key = ("narrow", part.source, at)
        return self._numbers.setdefault(key, len(self._numbers))

    def write(self) -> tuple[str, np.ndarray]:
        """The double tensor (rows, columns), and where in it each numbered column stands."""
        graph, end = self._graph, 0
        place: dict[tuple[Hashable, ...], int] = {}
        wide: list[str] = []
        narrow: list[str] = []
        for tensor, width in self._wide.items():
            wide.append(self._renamed[tensor])
            place.update({("wide", tensor, at): end + at for at in range(width)})
            end += width
        for columns in self._alike():
            most = max(len(self._said[column]) for column in columns)
            narrow.append(self._write_said(columns, most))
            for column in columns:
                for at, values in enumerate(self._said[column]):
                    place["said", column, values.tobytes()] = end + at
                end += most
        for tokens, words in self._words.items():
            narrow.append(write_counts(self._graph, self._renamed[tokens], words))
            place.update({("words", tokens, word): end + at for at, word in enumerate(words)})
            end += len(words)
        for tensor, width in self._narrow.items():
            narrow.append(self._renamed[tensor])
            place.update({("narrow", tensor, at): end + at for at in range(width)})
            end += width
        if narrow:
            wide.append(graph.cast(graph.concat(narrow), Element.DOUBLE))
        return graph.concat(wide), np.array([place[key] for key in self._numbers], dtype=np.int64)

    def _alike(self) -> list[list[str]]:
        """Category columns grouped by width, so that padding at most doubles a table."""
        groups: dict[int, list[str]] = {}
        for column, found in self._said.items():
            groups.setdefault((len(found) - 1).bit_length(), []).append(column)
        return [groups[size] for size in sorted(groups)]

    def _write_said(self, columns: Sequence[str], most: int) -> str:
        tables = []
        for column in columns:
            table = np.stack(self._said[column], axis=1)
            tables.append(np.pad(table, ((0, 0), (0, most - table.shape[1]))))
        places = self._lookups.codes(columns, [len(table) for table in tables])
        found = self._graph.add("Gather", self._graph.constant(np.concatenate(tables)), places)
        # The width is written out, since -1 cannot be worked out where there are no rows.
        shape = self._graph.constant(np.array([0, most * len(columns)]))
        return self._graph.add("Reshape", found, shape)
