"""The learning curves that ship in the package, and the cases that they make.

They are our own learners' on open data (`benchmarks/curve_store.py`), as numbers in
`past_curves.json`. Cut at each of its points, a curve is a case: what was known there, and how it
really went on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from fathometer.verdict.extrapolate import PairPoints

STORE = "past_curves.json"
DOUBLINGS = np.arange(1, 5)  # of the rows, at which past curves are compared
MOST_POINTS = 4  # of a curve: as many as a comparison draws
FEWEST_POINTS = 2
DEEP = "modern network"


@dataclass(frozen=True, eq=False)
class PastCurve:
    """The learners' curves on one question, as they are shipped; losses in points."""

    source: str  # the data set
    question: str
    metric: str
    rows: np.ndarray  # (points,) that a fold learned from
    losses: Mapping[str, np.ndarray]
    steps: Mapping[str, np.ndarray]
    apart: Mapping[str, np.ndarray]  # standard errors of the difference from the network


@dataclass(frozen=True, eq=False)
class Case:
    """A past curve cut at a point, and what came after; NaN where the curve ends before."""

    source: str
    metric: str
    points: PairPoints
    traditional: np.ndarray  # (doublings,) loss of the best traditional learner there
    deep: np.ndarray
    gap_errors: np.ndarray  # (doublings,) standard error of the gap there

    @property
    def gap(self) -> np.ndarray:
        """(doublings,) by how much deep came to be better."""
        return np.asarray(self.traditional - self.deep)


def cases(curves: Sequence[PastCurve], *, fewest: int = FEWEST_POINTS) -> tuple[Case, ...]:
    """Every curve cut at each of its points but the last, if so many points lie before."""
    return tuple(case for curve in curves for case in _cut(curve, fewest))


def _cut(curve: PastCurve, fewest: int) -> Iterator[Case]:
    traditional = [name for name in curve.losses if name != DEEP]
    deep = curve.losses[DEEP]
    best = np.min([curve.losses[name] for name in traditional], axis=0)
    for place in range(fewest - 1, len(curve.rows) - 1):
        seen = slice(max(0, place - MOST_POINTS + 1), place + 1)
        # The best today, whose curve a comparison would draw; another may be the best later.
        name = min(traditional, key=lambda each: float(curve.losses[each][place]))
        points = PairPoints(
            curve.rows[seen],
            curve.losses[name][seen],
            deep[seen],
            curve.steps[name][seen],
            curve.steps[DEEP][seen],
        )
        after = [_after(each, place) for each in (best, deep, curve.apart[name])]
        yield Case(curve.source, curve.metric, points, *after)


def _after(values: np.ndarray, place: int) -> np.ndarray:
    """(doublings,) the values at later points."""
    later = np.full(len(DOUBLINGS), np.nan)
    found = values[place + 1 : place + 1 + len(DOUBLINGS)]
    later[: len(found)] = found
    return later


@cache
def past_curves() -> tuple[PastCurve, ...]:
    """The curves that ship in the package."""
    return tuple(past_curve_from(each) for each in shipped()["curves"])


@cache
def shipped() -> dict[str, Any]:
    """The store as it ships: curves, what was learned from them, and how it was made."""
    content = (files("fathometer") / "verdict" / STORE).read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(content)
    return found


def past_curve_from(values: Mapping[str, Any]) -> PastCurve:
    """A curve from its JSON values."""
    named = {
        name: {who: np.array(each) for who, each in values[name].items()}
        for name in ("losses", "steps", "apart")
    }
    source, question, metric = (str(values[name]) for name in ("source", "question", "metric"))
    losses, steps, apart = (named[name] for name in ("losses", "steps", "apart"))
    return PastCurve(source, question, metric, np.array(values["rows"]), losses, steps, apart)
