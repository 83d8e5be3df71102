"""What is measured of a picture without fitting anything, and remembered while it is needed.

A measure's graph is its definition: `answers` runs that very graph in onnxruntime. Folds and
learners ask for the same pictures again and again, so answers are kept by the picture's content."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import RLock
from typing import Protocol
from weakref import WeakKeyDictionary

import numpy as np

from fathometer.features.pictures.resized import write_pixels
from fathometer.features.remembered import RememberedRows
from fathometer.graph import Element, Graph
from fathometer.runtime import cores, open_session
from fathometer.table.kind import ColumnSpec
from fathometer.table.table import Column

LARGEST = 255  # of a measure's whole numbers
CHUNK = 64  # pictures a call: what is worked out in between stays within a core's cache
THREADS = 2
MOST_BYTES = 512 << 20  # of remembered answers, all measures together


class Measure(Hashable, Protocol):
    """Whole numbers from 0 to `LARGEST` of each picture; equal measures answer alike."""

    @property
    def spec(self) -> ColumnSpec: ...
    @property
    def names(self) -> tuple[str, ...]: ...
    @property
    def called(self) -> str:
        """What its numbers are of."""
        ...

    def measure(self, graph: Graph, pixels: str) -> str:
        """Write it over pixels as `write_pixels` gives them; a double tensor (rows, names)."""
        ...


def write_measure(graph: Graph, measure: Measure) -> str:
    """A measure from raw pictures: a double tensor (rows, names)."""
    return measure.measure(graph, write_pixels(graph, measure.spec))


def answers(measure: Measure, column: Column) -> np.ndarray:
    """(rows, names) uint8: what the measure's graph answers on a column's pictures."""
    return _MEMORY.answers(measure, column)


def picture_hashes(column: Column) -> Sequence[bytes]:
    """What tells each picture of a column from others."""
    return _MEMORY.hashes(column)


def _run(measure: Measure, pixels: np.ndarray) -> np.ndarray:
    graph = Graph()
    written = graph.cast(write_measure(graph, measure), Element.UINT8)
    model = graph.finish({"answers": (written, Element.UINT8, len(measure.names))})
    session = open_session(model.SerializeToString())  # as a model file is run

    def run(start: int) -> np.ndarray:
        feeds = {measure.spec.name: pixels[start : start + CHUNK]}
        return np.asarray(session.run(None, feeds)[0])

    with ThreadPoolExecutor(min(THREADS, cores())) as pool:
        return np.concatenate([*pool.map(run, range(0, len(pixels), CHUNK))])


class _Memory:
    """Answers by measure and picture; the measures used longest ago are forgotten first."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._answered: OrderedDict[Hashable, RememberedRows] = OrderedDict()
        self._hashes: WeakKeyDictionary[Column, list[bytes]] = WeakKeyDictionary()

    def hashes(self, column: Column) -> list[bytes]:
        with self._lock:
            if column not in self._hashes:
                found = [hashlib.sha256(picture.data).digest() for picture in column.pixels]
                self._hashes[column] = found
            return self._hashes[column]

    def answers(self, measure: Measure, column: Column) -> np.ndarray:
        if not len(column.values):
            return np.zeros((0, len(measure.names)), dtype=np.uint8)
        with self._lock:  # folds side by side ask for nearly the same pictures
            hashes = self.hashes(column)
            known = self._answered.setdefault(measure, RememberedRows())
            self._answered.move_to_end(measure)
            if new := known.unknown(hashes):
                found = _run(measure, column.pixels[list(new.values())])
                known.add([*new], found)
            rows = known.rows(hashes)
            self._forget()
            return rows

    def _forget(self) -> None:
        while sum(each.size_bytes for each in self._answered.values()) > MOST_BYTES:
            self._answered.popitem(last=False)


_MEMORY = _Memory()  # of the process: folds and learners know nothing of each other
