"""What past learning curves teach about forecasts: how they go on, and how far off that is.

From the cases of `past_curves` come the usual shape of a curve, how much of today's gap and of its
fitted change lasts, and the errors that intervals are read from: conformal prediction (Vovk et al.
2005), each error in its own expected spread (Papadopoulos et al. 2011). Every data set counts the
same."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Literal

import numpy as np

from fathometer.verdict.extrapolate import Carried, PairPoints, Prior
from fathometer.verdict.past_curves import DOUBLINGS, Case, shipped

LEVELS = 40  # quantiles kept of the errors' distribution
COVERED = 0.90
Z90 = 1.644854
# A family is named where its probability of being ahead is at least this.
SURE = 0.85
PULL = 0.05  # of what the cases say
# By how many spreads more than expected the family behind may fall; at 1 the gap's mean error at
# eight times the rows is 1.41 points, at 2 it is 1.32, without a limit 1.32.
MOST_SPREADS = 2.0
PRIORS = tuple(
    Prior(*values)
    for values in itertools.product(
        (0.2, 0.3, 0.45), (0.09, 0.12), (0.03, 0.06), (1.0, 1.5), (0.03, 0.06)
    )
)
Errors = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Expected:
    """Forecasts in points, (factors, 3) each: value, low and high of the 90 % interval."""

    traditional: np.ndarray
    deep: np.ndarray
    gap: np.ndarray
    deep_ahead: np.ndarray  # (factors,) probability


@dataclass(frozen=True)
class Learned:
    """What past curves teach. Tables have a row for each of `DOUBLINGS`."""

    prior: Prior
    gap_kept: tuple[float, ...]  # the part of today's gap that lasts
    change_kept: tuple[float, ...]  # the part of its fitted change that comes true
    quality_errors: tuple[tuple[float, ...], ...]  # quantiles of |error| in expected spreads
    gap_errors: tuple[tuple[float, ...], ...]

    def expected(self, points: PairPoints, factors: np.ndarray, errors: Errors) -> Expected:
        """What is expected at these factors, at least 1.

        Args:
            errors: standard errors of both qualities and of the gap today, in points: of the rows
                that they were measured on, which past errors do not hold.
        """
        doublings = np.log2(factors)
        curves = points.carried(factors, self.prior)
        losses, gap = self.losses_at(points, doublings, curves)
        reach = self._reach(doublings, self.quality_errors)
        lines = [
            _banded(loss, _spread(curve), reach, own)
            for loss, curve, own in zip(losses, curves, errors[:2], strict=True)
        ]
        spread = gap_spread(curves)
        line = _banded(gap, spread, self._reach(doublings, self.gap_errors), errors[2])
        ahead = self._deep_ahead(gap, spread, doublings, errors[2])
        return Expected(lines[0], lines[1], line, ahead)

    def losses_at(
        self, points: PairPoints, doublings: np.ndarray, curves: tuple[Carried, Carried]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Both families' losses, (2, doublings), and the gap between them, (doublings,).

        The two curves are moved apart or together until they differ by the gap, the less certain
        one further: what is learned of the gap is learned of them as well. None rises above today:
        more rows do no harm."""
        gap = self.gap_at(points, doublings, curves)
        today = points.traditional[-1], points.deep[-1]
        traditional, deep = (now - own.falls for now, own in zip(today, curves, strict=True))
        loose = [_spread(curve) ** 2 for curve in curves]
        share = loose[0] / (loose[0] + loose[1])
        traditional = np.minimum(traditional + share * (gap - (traditional - deep)), today[0])
        deep = np.minimum(traditional - gap, today[1])
        return np.stack([deep + gap, deep]), gap

    def gap_at(
        self, points: PairPoints, doublings: np.ndarray, curves: tuple[Carried, Carried]
    ) -> np.ndarray:
        """The gap expected after so many doublings; (doublings,).

        It closes no further than the family behind can plausibly fall: flat curves far apart stay
        so, however quickly gaps usually close."""
        today = points.gap[-1]
        change = curves[1].falls - curves[0].falls
        kept, changed = (
            _between(doublings, np.array(values), start)
            for values, start in ((self.gap_kept, 1.0), (self.change_kept, self.change_kept[0]))
        )
        gap = kept * today + changed * change
        behind = curves[0] if today > 0 else curves[1]
        most = np.maximum(behind.falls + MOST_SPREADS * _spread(behind), 0.0)
        closing = np.sign(today) * (today - gap)
        return np.asarray(today - np.sign(today) * np.minimum(closing, most))

    def ahead(self, deep_ahead: float) -> Literal["deep", "traditional", "undecided"]:
        """Which family a probability names."""
        if deep_ahead >= SURE:
            return "deep"
        return "traditional" if deep_ahead <= 1 - SURE else "undecided"

    def _reach(self, doublings: np.ndarray, errors: tuple[tuple[float, ...], ...]) -> np.ndarray:
        """How many spreads hold 90 % of past errors; (doublings,)."""
        held = np.array([np.interp(COVERED, _levels(), row) for row in errors])
        return _between(doublings, held, held[0])

    def _deep_ahead(
        self, gap: np.ndarray, spread: np.ndarray, doublings: np.ndarray, error: float
    ) -> np.ndarray:
        """The share of past errors, either sign, that would leave deep ahead."""
        from scipy.special import ndtr

        table = np.array(self.gap_errors)
        sizes = np.stack([_between(doublings, level, level[0]) for level in table.T], axis=1)
        errors = np.concatenate([sizes, -sizes], axis=1) * spread[:, None]
        return np.asarray(ndtr((gap[:, None] + errors) / max(error, 1e-9)).mean(axis=1))

    def as_json(self) -> dict[str, object]:
        """Plain JSON values, rounded to what they are known to."""
        return asdict(self)


def _levels() -> np.ndarray:
    return (np.arange(LEVELS) + 0.5) / LEVELS


def _between(doublings: np.ndarray, values: np.ndarray, start: float) -> np.ndarray:
    """A table's values between its rows; `start` is the value at no doubling."""
    known = np.concatenate([[0.0], DOUBLINGS])
    return np.asarray(np.interp(doublings, known, np.concatenate([[start], values])))


def _spread(curve: Carried) -> np.ndarray:
    """How far off a quality is expected to be; (factors,)."""
    return np.asarray(np.hypot(curve.spreads, curve.present_spread))


def gap_spread(curves: tuple[Carried, Carried]) -> np.ndarray:
    """How far off the gap is expected to be, before it is compared with the past; (factors,)."""
    return np.asarray(np.hypot(_spread(curves[0]), _spread(curves[1])))


def _banded(value: np.ndarray, spread: np.ndarray, reach: np.ndarray, error: float) -> np.ndarray:
    """Value, low and high; what the curve leaves open and what sampling does add as squares."""
    half = np.hypot(reach * spread, Z90 * error)
    return np.stack([value, value - half, value + half], axis=1)


@dataclass(frozen=True, eq=False)
class Study:
    """Cases, and how each would be carried on under every prior that is tried."""

    cases: tuple[Case, ...]
    carried: Mapping[Prior, tuple[tuple[Carried, Carried], ...]]

    @staticmethod
    def of(known: Sequence[Case]) -> Study:
        """Carry every case on under every prior: 0.1 ms each on one core."""
        factors = 2.0**DOUBLINGS
        carried = {
            prior: tuple(case.points.carried(factors, prior) for case in known) for prior in PRIORS
        }
        return Study(tuple(known), carried)

    def without(self, source: str) -> Study:
        """The same without a data set."""
        kept = [place for place, case in enumerate(self.cases) if case.source != source]
        return Study(
            tuple(self.cases[place] for place in kept),
            {prior: tuple(own[place] for place in kept) for prior, own in self.carried.items()},
        )


def learn(study: Study) -> Learned:
    """Learn from cases: the prior that errs least, then the gap's change, then the errors."""
    known, each = study.cases, source_weights(study.cases)
    prior = min(PRIORS, key=lambda one: _quality_loss(known, study.carried[one], each))
    carried = study.carried[prior]
    kept, changed = _gap_weights(known, carried, each)
    plain = Learned(prior, kept, changed, (), ())
    qualities, gaps = _errors(known, carried, plain)
    return Learned(
        prior,
        kept,
        changed,
        tuple(_quantiles(row, np.concatenate([each, each])) for row in qualities.T),
        tuple(_quantiles(row, each) for row in gaps.T),
    )


def source_weights(known: Sequence[Case]) -> np.ndarray:
    """(cases,) weights under which every data set counts the same."""
    _, place, counts = np.unique(
        [case.source for case in known], return_inverse=True, return_counts=True
    )
    return np.asarray(1.0 / counts[place])


def _quality_loss(
    known: Sequence[Case], carried: Sequence[tuple[Carried, Carried]], each: np.ndarray
) -> float:
    """The mean error of both families' quality, larger ones at more doublings counting less."""
    errors = np.stack(
        [np.abs(_quality_misses(*pair)).mean(axis=0) for pair in zip(known, carried, strict=True)]
    )
    there = np.isfinite(errors)
    weights = each[:, None] * there / DOUBLINGS
    return float((weights * np.where(there, errors, 0.0)).sum() / weights.sum())


def _quality_misses(case: Case, curves: tuple[Carried, Carried]) -> np.ndarray:
    """(families, doublings) what came, less what was expected."""
    losses = (case.points.traditional, case.points.deep)
    came = (case.traditional, case.deep)
    return np.stack(
        [after - (own[-1] - c.falls) for after, own, c in zip(came, losses, curves, strict=True)]
    )


def _gap_weights(
    known: Sequence[Case], carried: Sequence[tuple[Carried, Carried]], each: np.ndarray
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """For every number of doublings, the parts of today's gap and of its fitted change that last.

    Least squares, each case in its own expected spread, drawn a little towards a gap that stays."""
    today = np.array([case.points.gap[-1] for case in known])
    spread = np.array([gap_spread(own) for case, own in zip(known, carried, strict=True)])
    change = np.array([own[1].falls - own[0].falls for own in carried])
    came = np.array([case.gap for case in known])
    kept, changed = [], []
    for place in range(len(DOUBLINGS)):
        there = np.isfinite(came[:, place])
        weight = each[there] / spread[there, place] ** 2
        causes = np.stack([today[there], change[there, place]], axis=1)
        square = (causes * weight[:, None]).T @ causes
        pull = PULL * np.diag(np.diag(square))
        aim = (causes * weight[:, None]).T @ came[there, place] + pull @ np.array([1.0, 0.0])
        found = np.linalg.solve(square + pull, aim)
        kept.append(round(float(found[0]), 4))
        changed.append(round(float(found[1]), 4))
    return tuple(kept), tuple(changed)


def _errors(
    known: Sequence[Case], carried: Sequence[tuple[Carried, Carried]], plain: Learned
) -> tuple[np.ndarray, np.ndarray]:
    """Errors in expected spreads: (2 cases, doublings) of qualities, (cases, doublings) of gaps."""
    qualities: list[list[np.ndarray]] = [[], []]
    gaps = []
    for case, curves in zip(known, carried, strict=True):
        losses, gap = plain.losses_at(case.points, DOUBLINGS.astype(float), curves)
        for family, came in enumerate((case.traditional, case.deep)):
            qualities[family].append(np.abs(came - losses[family]) / _spread(curves[family]))
        gaps.append(np.abs(case.gap - gap) / gap_spread(curves))
    return np.array(qualities[0] + qualities[1]), np.array(gaps)


def _quantiles(values: np.ndarray, weights: np.ndarray) -> tuple[float, ...]:
    """The weighted quantiles at `_levels`, of what is not NaN."""
    there = np.isfinite(values)
    order = np.argsort(values[there])
    ascending, share = values[there][order], weights[there][order]
    places = (np.cumsum(share) - share / 2) / share.sum()
    return tuple(round(float(each), 4) for each in np.interp(_levels(), places, ascending))


@cache
def learned() -> Learned:
    """What was learned from the curves that ship in the package."""
    return learned_from(shipped()["learned"])


def learned_from(values: Mapping[str, Any]) -> Learned:
    """The lesson whose `as_json` this was."""
    kept, changed = (tuple(values[name]) for name in ("gap_kept", "change_kept"))
    quality, gap = (
        tuple(tuple(row) for row in values[name]) for name in ("quality_errors", "gap_errors")
    )
    return Learned(Prior(**values["prior"]), kept, changed, quality, gap)
