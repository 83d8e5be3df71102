"""Steps over what is measured of pictures: coarsened, standardised, or in principal components.

What trees compare stays in whole numbers (see `regions`), and in few different ones: LightGBM on
8,000 pictures of Fashion-MNIST, 248 columns, 30 rounds, took 1.8 s and had 0.878 of 5,000 others
right where components had some 24 values and measures 32; 4.7 s and 0.871 with all values."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

import numpy as np

from fathometer.features.number import CLIP
from fathometer.features.pictures.measured import Measure, answers, picture_hashes, write_measure
from fathometer.graph import Element, Graph
from fathometer.table.table import Column, Table

# Of a feature, at least this part of the root mean square deviation of all: features that are
# hardly ever different from their mean would count for as much as all others.
LEAST_DEVIATION = 0.25
# Principal components are found on so many of the training rows, drawn by seed.
COMPONENT_ROWS = 8_000
FINE = 1 << 12  # a component's weights are whole numbers out of this
SPREAD = 6  # standard deviations that nearly all of a component's values lie within
MEASURE_STEP = 8  # values of a measure that trees see as one
REMEMBERED_FITS = 48
CHUNK = 2_048  # rows held in double


def _by_rows(
    function: Callable[[np.ndarray], np.ndarray], found: np.ndarray, width: int
) -> np.ndarray:
    """(rows, width) float32: a function of doubles, some rows at a time, which saves memory."""
    made = np.empty((len(found), width), dtype=np.float32)
    for start in range(0, len(found), CHUNK):
        made[start : start + CHUNK] = function(found[start : start + CHUNK].astype(np.float64))
    return made


@dataclass(frozen=True)
class Measured:
    """A measure's whole numbers in steps of `MEASURE_STEP`, for trees."""

    measure: Measure

    @property
    def names(self) -> tuple[str, ...]:
        return self.measure.names

    def matrix(self, table: Table) -> np.ndarray:
        found = answers(self.measure, table[self.measure.spec.name])
        return (found // MEASURE_STEP).astype(np.float32)

    def write(self, graph: Graph) -> str:
        found = write_measure(graph, self.measure)
        coarse = graph.add("Floor", graph.add("Div", found, graph.constant(float(MEASURE_STEP))))
        return graph.cast(coarse, Element.FLOAT)


@dataclass(frozen=True, eq=False)
class Standardised:
    """A measure in standard deviations from its mean, for products."""

    measure: Measure
    mean: np.ndarray  # (columns,) float64
    deviation: np.ndarray  # (columns,) float64

    @property
    def names(self) -> tuple[str, ...]:
        return self.measure.names

    def matrix(self, table: Table) -> np.ndarray:
        found = answers(self.measure, table[self.measure.spec.name])

        def scaled(rows: np.ndarray) -> np.ndarray:
            return np.asarray(np.clip((rows - self.mean) / self.deviation, -CLIP, CLIP))

        return _by_rows(scaled, found, len(self.mean))

    def write(self, graph: Graph) -> str:
        found = write_measure(graph, self.measure)
        return write_scaled(graph, found, self.mean, self.deviation)


def write_scaled(graph: Graph, tensor: str, mean: np.ndarray, deviation: np.ndarray) -> str:
    """A double tensor (rows, columns) in standard deviations from the mean, cut at `CLIP`; float.

    mean, deviation: (columns,) float64."""
    centred = graph.add("Sub", tensor, graph.constant(mean))
    scaled = graph.add("Div", centred, graph.constant(deviation))
    clipped = graph.add("Clip", scaled, graph.constant(-CLIP), graph.constant(CLIP))
    return graph.cast(clipped, Element.FLOAT)


def fit_standardised(measure: Measure, column: Column) -> Standardised:
    """Mean and deviation of each of the measure's numbers over these pictures."""
    found = answers(measure, column)
    total = found.sum(axis=0, dtype=np.int64)
    squares = np.zeros(found.shape[1], dtype=np.int64)
    for start in range(0, len(found), CHUNK):
        squares += (found[start : start + CHUNK].astype(np.int64) ** 2).sum(axis=0)
    deviation = np.sqrt(len(found) * squares - total**2) / len(found)
    least = LEAST_DEVIATION * np.sqrt((deviation**2).mean()) or 1.0
    return Standardised(measure, total / len(found), np.maximum(deviation, least))


@dataclass(frozen=True, eq=False)
class Components:
    """Principal components of a measure, the widest first, in whole numbers."""

    measure: Measure
    weights: np.ndarray  # (columns, components) float32, whole numbers up to `FINE`
    centre: np.ndarray  # (components,) float64, whole numbers
    unit: np.ndarray  # (components,) float64, powers of two, which divide without rounding

    @property
    def names(self) -> tuple[str, ...]:
        called = f"{self.measure.spec.name}: component of {self.measure.called}"
        return tuple(f"{called} {place + 1}" for place in range(len(self.centre)))

    def matrix(self, table: Table) -> np.ndarray:
        found = answers(self.measure, table[self.measure.spec.name])
        weights = self.weights.astype(np.float64)

        def placed(rows: np.ndarray) -> np.ndarray:
            return np.asarray(np.floor((rows @ weights - self.centre) / self.unit))

        return _by_rows(placed, found, len(self.centre))

    def write(self, graph: Graph) -> str:
        weights = graph.cast(graph.constant(self.weights), Element.DOUBLE)
        found = graph.add("MatMul", write_measure(graph, self.measure), weights)
        centred = graph.add("Sub", found, graph.constant(self.centre))
        coarse = graph.add("Div", centred, graph.constant(self.unit))
        return graph.cast(graph.add("Floor", coarse), Element.FLOAT)


@dataclass(frozen=True, eq=False)
class Weighed:
    """Components with one factor for all, for products: their proportions stay."""

    components: Components
    factor: np.ndarray  # (components,) float64

    @property
    def names(self) -> tuple[str, ...]:
        return self.components.names

    def matrix(self, table: Table) -> np.ndarray:
        placed = self.components.matrix(table).astype(np.float64)
        return np.asarray(placed * self.factor, dtype=np.float32)

    def write(self, graph: Graph) -> str:
        placed = graph.cast(self.components.write(graph), Element.DOUBLE)
        weighed = graph.add("Mul", placed, graph.constant(self.factor))
        return graph.cast(weighed, Element.FLOAT)


def fit_weighed(components: Components, table: Table, *, variance: float) -> Weighed:
    """The factor that gives these pictures' components, together, this variance."""
    own = components.matrix(table) * components.unit
    spread = float(own.var(axis=0).sum())
    factor = float(np.sqrt(variance / spread)) if spread > 0 else 1.0
    return Weighed(components, factor * components.unit)


_FITS: OrderedDict[bytes, Components] = OrderedDict()  # of the process: learners share folds
_LOCK = Lock()


def fit_components(
    measure: Measure, column: Column, *, most: int, levels: int, seed: int
) -> Components:
    """The widest components of these pictures, at most `most`, each in about so many levels;
    remembered by the pictures' content."""
    asked = f"{measure!r} {most} {levels} {seed}".encode()
    key = hashlib.sha256(asked + b"".join(picture_hashes(column))).digest()
    with _LOCK:
        if key not in _FITS:
            _FITS[key] = _fit_components(measure, column, most, levels, seed)
            if len(_FITS) > REMEMBERED_FITS:
                _FITS.popitem(last=False)
        _FITS.move_to_end(key)
        return _FITS[key]


def _fit_components(
    measure: Measure, column: Column, most: int, levels: int, seed: int
) -> Components:
    import scipy.linalg

    found = answers(measure, column)
    if len(found) > COMPONENT_ROWS:
        chosen = np.random.default_rng(seed).choice(len(found), COMPONENT_ROWS, replace=False)
        found = found[np.sort(chosen)]
    wide = found.astype(np.float64)
    mean = wide.mean(axis=0)
    covariance = wide.T @ wide / len(wide) - np.outer(mean, mean)
    width = len(mean)
    kept = min(most, width, max(1, len(found) - 1))
    variances, axes = scipy.linalg.eigh(covariance, subset_by_index=[width - kept, width - 1])
    axes = axes[:, ::-1]
    # An axis may point either way; its largest weight is made positive.
    largest = np.abs(axes).argmax(axis=0)
    axes = axes * np.sign(axes[largest, np.arange(kept)])
    weights = np.rint(axes * FINE)
    deviations = FINE * np.sqrt(np.maximum(variances[::-1], 0.0))
    unit = np.exp2(np.rint(np.log2(np.maximum(deviations * SPREAD / levels, 1.0))))
    return Components(measure, weights.astype(np.float32), np.rint(mean @ weights), unit)
