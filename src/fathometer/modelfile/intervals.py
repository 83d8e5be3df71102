"""Intervals and sets that hold the truth as often as they say: conformal prediction, in a file.

Calibrated on out-of-fold answers, each given by a model that had not learned from its row, as CV+
and the jackknife+ do (Barber et al. 2021, Annals of Statistics 49:1; Romano et al. 2020 for sets).
For rows exchangeable with the training rows the stated coverage then holds on average over rows;
CV+ proves twice the stated miss rate as its worst case, and in practice the stated one is met. A
shipped model that averages its folds, or learned from all rows, errs rather less than each fold
did, so its intervals are rather too wide than too narrow. Where rows follow in time or come from
new groups, coverage is what the lockbox measured.

- Values: an interval from the residuals' quantiles, among rows of about the same answer, so that it
  is wide where errors are large (Mondrian bins).
- Classes: the set of all classes whose probability reaches what rows of that class mostly reach, so
  that every class is covered as often as stated, rare ones too (label-conditional, Vovk 2012). Of
  classes too rare for that, all rows count as one class.

Needs numpy alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from fathometer.errors import Fault, ModelFileError, OptionError

LEVELS = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.975, 0.99)
FEWEST = 20  # rows of a class of its own
BIN_ROWS = 400  # of residuals: twice as many as both ends of 0.99 need
MOST_BINS = 5
# A tree's few answers are not the same in every fold, so bins between them would sort its answers
# into the wrong ones: ten bins of a tree of 11 leaves held the truth in 0.83 of 1,300 rows
# (wine_quality) where 0.90 was stated, one bin in 0.89.
ANSWERS_A_BIN = 50
DIGITS = 6


@dataclass(frozen=True)
class Intervals:
    """What a file needs to know to give intervals: plain lists, as they stand in its metadata.

    `first` and `second` have a row for each of `levels`: for classes (second empty), the least
    probability at which a class is in the set; for values, what to add to an answer for the lower
    and the upper end, in each bin between `edges`. None: these rows were too few for that level."""

    rows: int  # out-of-fold answers that it rests on
    levels: tuple[float, ...]
    edges: tuple[float, ...]
    first: tuple[tuple[float | None, ...], ...]
    second: tuple[tuple[float | None, ...], ...] = ()
    # What the lockbox said: stated coverage, share of rows in which it held, its 95 % interval.
    checked: tuple[float, float, float, float] | None = None

    def hold(self, scores: np.ndarray, coverage: float) -> np.ndarray:
        """Sets (rows, classes) bool, or lower and upper ends (rows, 2), of these scores.

        Raises:
            OptionError: if the file does not hold this coverage.
        """
        return self.ends(scores, coverage) if self.second else self.sets(scores, coverage)

    def as_json(self) -> dict[str, object]:
        """As plain JSON values."""
        return {
            "rows": self.rows,
            "levels": list(self.levels),
            "edges": list(self.edges),
            "first": [list(row) for row in self.first],
            "second": [list(row) for row in self.second],
        }

    def place(self, coverage: float) -> int:
        """The row of this coverage.

        Raises:
            OptionError: if the file does not hold this coverage.
        """
        for place, level in enumerate(self.levels):
            if math.isclose(level, coverage, abs_tol=1e-9):
                ends = (*self.first[place], *(self.second[place] if self.second else ()))
                if self.second and None in ends:
                    raise OptionError(
                        f"{self.rows:,} rows to learn are too few for intervals of {coverage:g}.",
                        try_next=f"--interval {self._largest():g}",
                    )
                return place
        nearest = min(self.levels, key=lambda level: abs(level - coverage))
        raise OptionError(
            f"a coverage of {coverage:g} was asked for; the file holds "
            f"{', '.join(f'{level:g}' for level in self.levels)}.",
            try_next=f"--interval {nearest:g}",
        )

    def _largest(self) -> float:
        known = [
            level
            for level, low, high in zip(self.levels, self.first, self.second, strict=True)
            if None not in (*low, *high)
        ]
        return known[-1] if known else self.levels[0]

    def sets(self, scores: np.ndarray, coverage: float) -> np.ndarray:
        """(rows, classes) bool: which classes are in each row's set; never none.

        Args:
            scores: probabilities (rows, classes).
        """
        least = [0.0 if each is None else each for each in self.first[self.place(coverage)]]
        found = scores >= np.array(least)
        found[np.arange(len(scores)), scores.argmax(axis=1)] = True
        return np.asarray(found)

    def ends(self, scores: np.ndarray, coverage: float) -> np.ndarray:
        """(rows, 2) float64: lower and upper end of each row's interval.

        Args:
            scores: values (rows, 1).
        """
        place = self.place(coverage)
        values = scores[:, 0]
        bins = np.searchsorted(np.array(self.edges), values)
        added = [np.array(side[place], dtype=np.float64) for side in (self.first, self.second)]
        return np.column_stack([values + side[bins] for side in added])


def set_thresholds(truth: np.ndarray, scores: np.ndarray) -> Intervals:
    """The sets' thresholds from out-of-fold probabilities.

    Args:
        truth: class places (rows,). scores: probabilities (rows, classes).
    """
    classes = scores.shape[1]
    # The most probable class is in every set, so it counts as reaching anything.
    is_said = scores.argmax(axis=1) == truth
    reached = np.where(is_said, 1.0, scores[np.arange(len(truth)), truth])
    counts = np.bincount(truth, minlength=classes)
    rare = counts < FEWEST
    pooled = np.sort(reached[rare[truth]])
    own = [pooled if rare[k] else np.sort(reached[truth == k]) for k in range(classes)]
    first = tuple(tuple(_least(each, level) for each in own) for level in LEVELS)
    return Intervals(len(truth), LEVELS, (), first)


def _least(ascending: np.ndarray, level: float) -> float | None:
    """What all but a share of 1 - level reach; None where so few rows cannot tell."""
    place = math.floor((len(ascending) + 1) * (1 - level) + 1e-9)
    if place < 1:
        return None
    # Rounded down, so that the file's float32 never falls below by rounding.
    return _rounded(float(ascending[place - 1]) * (1 - 1e-6))


def residual_quantiles(truth: np.ndarray, scores: np.ndarray) -> Intervals:
    """The intervals' ends from out-of-fold values.

    Args:
        truth: (rows,). scores: (rows, 1).
    """
    values, residuals = scores[:, 0], truth - scores[:, 0]
    answers = len(np.unique(np.round(values, 9)))
    fitting = min(len(values) // BIN_ROWS, answers // ANSWERS_A_BIN, MOST_BINS)
    bins = max(1, fitting)
    edges = np.unique(np.quantile(values, np.arange(1, bins) / bins))
    place = np.searchsorted(edges, values)
    own = [np.sort(residuals[place == each]) for each in range(len(edges) + 1)]
    low = tuple(tuple(_end(each, (1 - level) / 2) for each in own) for level in LEVELS)
    high = tuple(tuple(_end(each, (1 + level) / 2) for each in own) for level in LEVELS)
    # Edges are not rounded: at six digits all answers of 1.7e9 ± 1000 would lie in one bin.
    return Intervals(len(values), LEVELS, tuple(edges.tolist()), low, high)


def _end(ascending: np.ndarray, share: float) -> float | None:
    """The residual below which this share of all such rows lies, at the safe side of the sample."""
    wanted = (len(ascending) + 1) * share
    place = math.floor(wanted + 1e-9) if share < 0.5 else math.ceil(wanted - 1e-9)
    if not 1 <= place <= len(ascending):
        return None
    return _rounded(float(ascending[place - 1]))


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def intervals_from_json(values: Mapping[str, object], classes: int) -> Intervals | None:
    """The intervals in a file's metadata; None where it holds none.

    Args:
        classes: of the task; 0 for values.

    Raises:
        ModelFileError: if they are not what `as_json` writes.
    """
    if not values:
        return None
    try:
        levels, edges = (_numbers(values[name]) for name in ("levels", "edges"))
        first, second = (_rows(values[name]) for name in ("first", "second"))
        width = classes or len(edges) + 1
        expected = [width] * len(levels)
        if [len(row) for row in first] != expected or [len(row) for row in second] != (
            [] if classes else expected
        ):
            raise ValueError("a row of another length than the classes or bins")
        if list(edges) != sorted(edges):
            raise ValueError("edges that do not ascend")
        rows, checked = int(cast("int", values["rows"])), _checked(values.get("lockbox"))
        return Intervals(rows, levels, edges, first, second, checked)
    except (KeyError, OverflowError, TypeError, ValueError) as error:
        raise ModelFileError(Fault.METADATA, f"its intervals cannot be read: {error}") from error


def _checked(values: object) -> tuple[float, float, float, float] | None:
    if values is None:
        return None
    said = cast("Mapping[str, object]", values)
    stated, held, low, high = _numbers([said[name] for name in ("stated", "held", "low", "high")])
    return stated, held, low, high


def _numbers(values: object) -> tuple[float, ...]:
    found = tuple(float(cast("float", value)) for value in cast("Sequence[object]", values))
    if not all(math.isfinite(value) for value in found):
        raise ValueError("a number that is not finite")
    return found


def _rows(values: object) -> tuple[tuple[float | None, ...], ...]:
    return tuple(
        tuple(None if each is None else _numbers([each])[0] for each in cast("list[object]", row))
        for row in cast("list[object]", values)
    )
