"""The raw road: columns as encoders take them, and the same in a graph.

Pictures stay pixels and texts become codes of tokens; all other columns together take the learned
road. Nothing about the target is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from fathometer.errors import LearnerError
from fathometer.features.learned import LearnedRoad, fit_learned_road
from fathometer.features.pictures.resized import write_pixels
from fathometer.features.roads import feature_specs
from fathometer.features.tokens import TextCodes
from fathometer.graph import Element, Graph
from fathometer.table.kind import ColumnSpec, Kind
from fathometer.table.table import Column, Table
from fathometer.table.task import Task


class RawStep(Protocol):
    """One raw column, or all that are neither pictures nor texts."""

    def values(self, table: Table, fold: int) -> np.ndarray:
        """What the encoder of one fold's network takes, (rows, ...)."""
        ...

    def write(self, graph: Graph, fold: int) -> str:
        """The twin of `values`; pictures have their channels first, as float."""
        ...


@dataclass(frozen=True)
class PictureStep:
    """A column of pictures."""

    spec: ColumnSpec

    def values(self, table: Table, fold: int) -> np.ndarray:
        """(rows, height, width, channels) uint8; a copy, since the stored bytes are read only."""
        return np.array(table[self.spec.name].pixels)

    def write(self, graph: Graph, fold: int) -> str:
        return write_pixels(graph, self.spec)


@dataclass(frozen=True, eq=False)
class TextStep:
    """A column of texts; the same codes for all folds, whose encoders know what they have seen."""

    name: str
    cut: TextCodes

    def values(self, table: Table, fold: int) -> np.ndarray:
        """(rows, tokens) int64."""
        return self.cut.codes(table)

    def write(self, graph: Graph, fold: int) -> str:
        return self.cut.write(graph)


@dataclass(frozen=True, eq=False)
class TableStep:
    """All other columns: numbers, flags, and codes of categories last."""

    road: LearnedRoad

    def values(self, table: Table, fold: int) -> np.ndarray:
        """(rows, numbers + flags + categories) float32; codes are small enough to be exact."""
        found = self.road.inputs(table)
        parts = (found.numbers[fold], found.flags[fold], found.codes[fold])
        return np.concatenate(parts, axis=1, dtype=np.float32)

    def write(self, graph: Graph, fold: int) -> str:
        found = self.road.write(graph)
        codes = None if found.codes is None else graph.cast(found.codes, Element.FLOAT)
        parts = [each for each in (found.numbers, found.flags, codes) if each is not None]
        own = graph.add("Gather", graph.concat(parts, 2), graph.constant(np.array([fold])), axis=0)
        return graph.add("Squeeze", own, graph.constant(np.array([0])))


def fit_raw_road(
    table: Table,
    task: Task,
    folds: Sequence[np.ndarray],
    *,
    pictures: bool,
    cut: Callable[[Column], TextCodes] | None,
) -> tuple[RawStep, ...]:
    """The steps of a table's columns, fitted on each fold's learning rows.

    Which tokens, columns and levels exist is read from all folds together (names, not values).

    Args:
        pictures: whether columns of pictures are taken; else they are left out.
        cut: fits the codes of a text column; None: texts are counted words among the rest.

    Raises:
        LearnerError: if there is no column of pictures or texts to take.
    """
    features = feature_specs(table, task)
    steps: list[RawStep] = [PictureStep(s) for s in features if pictures and s.kind is Kind.IMAGE]
    training = table.rows(np.unique(np.concatenate(folds)))
    texts = [spec.name for spec in features if cut is not None and spec.kind is Kind.TEXT]
    if cut is not None:
        steps += [TextStep(name, cut(training[name])) for name in texts]
    if not steps:
        wanted = [kind for kind, own in (("pictures", pictures), ("texts", cut)) if own]
        raise LearnerError(f"{table.name} has no column of {' or '.join(wanted)}.")
    left_out = [s.name for s in features if s.kind is Kind.IMAGE]
    rest = table.without([*left_out, *texts])
    if feature_specs(rest, task):
        steps.append(TableStep(fit_learned_road(rest, task, folds)))
    return tuple(steps)
