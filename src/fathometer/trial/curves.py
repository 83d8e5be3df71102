"""What fewer rows would have come to: the learning curves of the best contestant of each family.

The two learners are fitted again, unchanged, on nested parts of the training rows and scored out of
fold on all of them, so that every point of both curves is judged by the same rows and the lockbox
stays closed. Knows learners and rows; what the curves say is read in `verdict`."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fathometer.errors import OutOfTimeError
from fathometer.learners.contract import Budget, Learner
from fathometer.table.metric import METRICS
from fathometer.table.split import Split
from fathometer.table.task import TaskKind
from fathometer.trial.best import best_trial
from fathometer.trial.contest import Contest
from fathometer.trial.event import Event
from fathometer.trial.pace import Terms
from fathometer.trial.side_fit import LeftOut, Scored, Side, SideFit, fit_beside
from fathometer.trial.trial import Trial
from fathometer.wording import listed

CURVES = "learning curves"
# Of the rows that teach. A sixteenth as well would forecast no better: on 149 cut curves of 23 data
# sets it errs 1.17 points at twice the rows and 2.24 at four times, without it 1.18 and 2.26.
SHARES = (1 / 8, 1 / 4, 1 / 2)
FEWEST_ROWS = 100
ROWS_A_CLASS = 10  # on average, and of the second most frequent class
# A network takes a least number of steps, and every fit scores all rows: a part of the rows costs
# more than its share. On 24 questions of 23 data sets, 800 to 12,800 rows, LightGBM and the modern
# network on the three parts took 0.9 to 2.0 times the processor time of their fits on the whole,
# median 1.5.
FIXED_COST = 0.2
# Of --minutes, where it is given: the two are a sixth of the dozen that are fitted before.
TIME_SHARE = 0.2


@dataclass(frozen=True, eq=False)
class CurvePoint:
    """The answers of a learner that learned from so many rows."""

    rows: float  # that a fold's model learned from, mean over the folds
    out_of_fold: np.ndarray  # (train rows, outputs) scores


@dataclass(frozen=True, eq=False)
class LearningCurve:
    """One contestant at growing numbers of rows; the last point is the contestant itself."""

    name: str
    family: Side
    points: tuple[CurvePoint, ...]

    @property
    def rows(self) -> np.ndarray:
        """(points,) learning rows, ascending."""
        return np.array([point.rows for point in self.points])


@dataclass(frozen=True, eq=False)
class CurvePair:
    """Both families' curves at the same numbers of rows, or why there is none.

    `seconds` is what the fits beside the contestants' own took; on resume, this time."""

    curves: tuple[LearningCurve, ...] = ()  # traditional and deep, or none
    seconds: float = 0.0
    missing: str = ""

    def of(self, family: Side) -> LearningCurve:
        """The family's curve."""
        return next(curve for curve in self.curves if curve.family == family)


def learning_curves(
    contest: Contest,
    learners: Sequence[Learner],
    trials: Sequence[Trial],
    *,
    times: np.ndarray | None = None,
) -> CurvePair:
    """Draw both curves within the contest's time; what is in its store is not drawn again.

    With a time budget the largest parts that fit are drawn, none where there is no time. A fit that
    was cut short by the clock or the user is no point of a curve and is dropped.

    Args:
        times: of the table's rows, shape (rows,), where time orders the folds.
    """
    entered = {learner.name: learner for learner in learners}
    # A challenger from elsewhere is a finished file: it cannot learn from fewer rows.
    own = [trial for trial in trials if trial.scorecard.name in entered]
    metric = METRICS[contest.task.metric]
    best = [best_trial(own, metric, family) for family in ("traditional", "deep")]
    pair = [(entered[each.scorecard.name], each) for each in best if each is not None]
    if len(pair) < 2:
        return CurvePair(missing="only one family has a finished contestant that can learn again")
    if contest.terms.stopped():
        return CurvePair(missing="the run was stopped")
    cut = [each.scorecard.name for _, each in pair if each.scorecard.is_shortened]
    if cut:
        return CurvePair(missing=f"the time did not suffice for all steps of {listed(cut)}")
    usable = dict(_usable(contest, times))
    if not usable:
        rows = len(contest.split.train)
        return CurvePair(missing=f"{rows:,} rows to learn from are too few to learn from parts")
    started = time.monotonic()
    shares = _affordable(contest, tuple(usable), [each for _, each in pair])
    points: dict[float, list[CurvePoint]] = {}
    missing = "the time did not suffice for a part of the rows"
    for number, share in enumerate(shares):
        drawn = [
            _point(contest, learner, usable[share], share, (2 * number + place, 2 * len(shares)))
            for place, (learner, _) in enumerate(pair)
        ]
        whole = [point for point in drawn if isinstance(point, CurvePoint)]
        if len(whole) == len(drawn):
            points[share] = whole
        missing = next((one.why for one in drawn if isinstance(one, LeftOut)), missing)
    contest.watch(Event("progress", CURVES, "both", 1.0))
    seconds = time.monotonic() - started
    if not points:
        return CurvePair(seconds=seconds, missing=missing)
    return CurvePair(
        tuple(_curve(contest, each, points, place) for place, (_, each) in enumerate(pair)), seconds
    )


def keeping_time(terms: Terms) -> Terms:
    """The terms with the curves' share of the time kept from longer fits."""
    if terms.deadline is None:
        return terms
    return replace(terms, kept=TIME_SHARE * max(0.0, terms.deadline - time.monotonic()))


def _usable(contest: Contest, times: np.ndarray | None) -> Iterator[tuple[float, Split]]:
    """The shares that leave enough rows, and the splits they make."""
    task, split = contest.task, contest.split
    truth = task.encode(contest.table[task.target])
    classes = truth[split.train] if task.kind is TaskKind.CLASSIFY else None
    groups = None if contest.groups is None else contest.groups[split.train]
    own_times = None if times is None else times[split.train]
    before = 0
    for share in SHARES:
        # Of the rows that first fits learn from, which may be fewer than all.
        part = share * len((contest.first or split).teaching) / len(split.train)
        limited = split.limited(part, classes=classes, groups=groups, times=own_times)
        rows = len(limited.teaching)
        # A few large groups may leave two shares the same rows.
        if _is_enough(truth[limited.teaching], task.classes, limited) and rows > 1.4 * before:
            yield share, limited
            before = rows


def _is_enough(taught: np.ndarray, classes: Sequence[str], split: Split) -> bool:
    """Whether so few rows still teach something in every fold."""
    learning = [len(split.fold_rows(fold)[0]) for fold in range(len(split.folds))]
    if len(taught) < FEWEST_ROWS or min(learning) < FEWEST_ROWS / 2:
        return False
    if not classes:
        return True
    counts = np.sort(np.bincount(taught, minlength=len(classes)))[::-1]
    return len(taught) >= ROWS_A_CLASS * int((counts > 0).sum()) and counts[1] >= ROWS_A_CLASS


def _affordable(
    contest: Contest, shares: tuple[float, ...], best: Sequence[Trial]
) -> tuple[float, ...]:
    """The largest shares whose fits about fit into the time that is left, ascending."""
    if contest.terms.deadline is None:
        return shares
    bills = [trial.scorecard.bill for trial in best]
    whole = sum(bill.train_seconds for bill in bills if bill is not None)
    left = contest.terms.deadline - time.monotonic()
    chosen = []
    for share in reversed(shares):
        cost = whole * (share + FIXED_COST)
        if cost <= left:
            chosen.append(share)
            left -= cost
    return tuple(reversed(chosen))


def _point(
    contest: Contest, learner: Learner, split: Split, share: float, turn: tuple[int, int]
) -> CurvePoint | LeftOut:
    """One learner on a part of the rows."""
    name = f"{learner.name} on 1/{round(1 / share)} of the rows"
    words = f"{learner.name} on {len(split.teaching):,} rows"
    side: Side = "deep" if learner.family.value == "deep" else "traditional"

    def fit(budget: Budget) -> Scored:
        model = learner.fit(contest.table, contest.task, split, budget=budget)
        if model.account.is_shortened:
            raise OutOfTimeError("the time did not suffice for all its steps")
        return "", model.out_of_fold

    scored = fit_beside(contest, SideFit(CURVES, name, words, side, *turn), fit)
    if isinstance(scored, LeftOut):
        return scored
    return CurvePoint(_learning_rows(split), scored[1])


def _curve(
    contest: Contest, best: Trial, points: Mapping[float, list[CurvePoint]], place: int
) -> LearningCurve:
    # Parts are scored as the learner answers, so the whole is as well.
    assert best.uncorrected is not None  # as `best_trial` chooses
    split = contest.split_of(best.scorecard.name)
    own = CurvePoint(_learning_rows(split), best.uncorrected)
    family: Side = "deep" if best.scorecard.family == "deep" else "traditional"
    smaller = tuple(points[share][place] for share in sorted(points))
    return LearningCurve(best.scorecard.name, family, (*smaller, own))


def _learning_rows(split: Split) -> float:
    """Rows that a fold's model learns from, mean over the folds."""
    return float(np.mean([len(split.fold_rows(fold)[0]) for fold in range(len(split.folds))]))
