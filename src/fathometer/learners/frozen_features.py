"""What a backbone makes of the rows of a column, remembered and brought to a common scale.

Folds, learning curves and predictions ask for the same rows again and again, and a row's features
depend on that row alone: each is worked out once as long as the backbone is in use."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from threading import RLock
from weakref import WeakKeyDictionary

import numpy as np

from fathometer.errors import BackboneError, OutOfTimeError
from fathometer.features.number import CLIP
from fathometer.features.pictures.fitted import LEAST_DEVIATION, write_scaled
from fathometer.features.pictures.measured import picture_hashes
from fathometer.features.pictures.resized import write_pixels
from fathometer.features.remembered import RememberedRows
from fathometer.features.text import write_without
from fathometer.graph import Element, Graph
from fathometer.learners.contract import UNLIMITED, Budget, Progress
from fathometer.networks.backbone.contract import Backbone, Reads
from fathometer.table.kind import ColumnSpec, Kind
from fathometer.table.table import Column, Table

KINDS = {Reads.PICTURES: Kind.IMAGE, Reads.TEXTS: Kind.TEXT}
ROWS_AT_ONCE = 512  # between two looks at the clock


@dataclass(frozen=True, eq=False)
class BackboneStep:
    """A backbone's features of one column in standard deviations from their mean."""

    backbone: Backbone
    spec: ColumnSpec
    mean: np.ndarray  # (width,) float64
    deviation: np.ndarray  # (width,) float64

    @property
    def names(self) -> tuple[str, ...]:
        called = f"{self.spec.name}: {self.backbone.name}"
        return tuple(f"{called} {place + 1}" for place in range(len(self.mean)))

    def matrix(self, table: Table) -> np.ndarray:
        found = features_of(self.backbone, table[self.spec.name])
        matrix = np.empty(found.shape, dtype=np.float32)
        for first in range(0, len(found), ROWS_AT_ONCE):  # in double some rows at a time
            some = (found[first : first + ROWS_AT_ONCE] - self.mean) / self.deviation
            matrix[first : first + ROWS_AT_ONCE] = np.clip(some, -CLIP, CLIP)
        return matrix

    def write(self, graph: Graph) -> str:
        found = graph.cast(write_features(graph, self.backbone, self.spec), Element.DOUBLE)
        return write_scaled(graph, found, self.mean, self.deviation)


def fit_step(backbone: Backbone, column: Column) -> BackboneStep:
    """Mean and deviation of each feature over these rows."""
    found = features_of(backbone, column)
    mean = found.mean(axis=0, dtype=np.float64)
    deviation = found.std(axis=0, dtype=np.float64)
    least = LEAST_DEVIATION * float(np.sqrt((deviation**2).mean())) or 1.0
    return BackboneStep(backbone, column.spec, mean, np.maximum(deviation, least))


def write_features(graph: Graph, backbone: Backbone, spec: ColumnSpec) -> str:
    """The backbone from a raw column; a float tensor (rows, width)."""
    if backbone.reads is Reads.TEXTS:
        raw = graph.input(spec.name, Element.STRING)
        return backbone.write(graph, write_without(graph, raw, spec.missing), None)
    from fathometer.networks.raw.encoder import PictureShape

    size = spec.size
    shape = PictureShape(size.channels, size.height, size.width)
    return backbone.write(graph, write_pixels(graph, spec), shape)


def features_of(backbone: Backbone, column: Column, budget: Budget = UNLIMITED) -> np.ndarray:
    """(rows, width) float32: what the backbone makes of a column.

    Raises:
        OutOfTimeError: if the budget ends, or clearly will, before all rows are worked out.
    """
    with _LOCK:
        known = _REMEMBERED.setdefault(backbone, {}).setdefault(column.spec, RememberedRows())
        keys = _keys(backbone, column)
        if not keys:
            return np.zeros((0, backbone.width), dtype=np.float32)
        if new := known.unknown(keys):
            known.add([*new], _worked_out(backbone, column, np.array([*new.values()]), budget))
        return known.rows(keys)


# Of the process, but each only as long as its backbone is in use.
_REMEMBERED: WeakKeyDictionary[Backbone, dict[ColumnSpec, RememberedRows]] = WeakKeyDictionary()
_LOCK = RLock()


def _keys(backbone: Backbone, column: Column) -> Sequence[Hashable]:
    """What tells each row from others."""
    if backbone.reads is Reads.PICTURES:
        return picture_hashes(column)
    # As short as a picture's: a text of a million characters is not kept for it.
    return [hashlib.sha256(text.encode(errors="replace")).digest() for text in column.strings]


def _worked_out(backbone: Backbone, column: Column, rows: np.ndarray, budget: Budget) -> np.ndarray:
    """Features of these rows of a column, in their order."""
    started, parts = time.monotonic(), []
    for first in range(0, len(rows), ROWS_AT_ONCE):
        if budget.spent or _is_hopeless(budget, started, first / len(rows)):
            raise OutOfTimeError(
                f"{backbone.name} would not have read {len(rows):,} {backbone.reads.value} in the "
                f"time that is left; it read {first:,}."
            )
        own = column.take(rows[first : first + ROWS_AT_ONCE])
        values = own.pixels if backbone.reads is Reads.PICTURES else own.strings
        parts.append(_finite(backbone, backbone.features(values)))
        done = min(first + ROWS_AT_ONCE, len(rows))
        words = f"{done:,} of {len(rows):,} {backbone.reads.value} read"
        budget.report(Progress(done / len(rows), words))
    return np.concatenate(parts)


def _finite(backbone: Backbone, found: np.ndarray) -> np.ndarray:
    """Features of some rows, after a look at them.

    Raises:
        BackboneError: if not all are finite: the weights are, but what is made of them overflows.
    """
    if not np.isfinite(found).all():
        rows = int((~np.isfinite(found)).any(axis=1).sum())
        raise BackboneError(
            f"{backbone.name} makes values that are not finite of {rows:,} of {len(found):,} "
            f"{backbone.reads.value}: its weights are damaged, or were trained in another type."
        )
    return found


def _is_hopeless(budget: Budget, started: float, done: float) -> bool:
    """Whether the rest will take longer than there is time, going by what was done."""
    if budget.deadline is None or not done:
        return False
    now = time.monotonic()
    return now + (now - started) * (1 - done) / done > budget.deadline
