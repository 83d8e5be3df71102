"""How good forecasts of more rows are, on data sets that they learned nothing from.

    python benchmarks/forecast.py [--write]

Every data set of the store (`verdict/past_curves.json`) is judged by what the others teach: its
curves are cut at each point from the third on, carried on, and compared with how they went on, by
the same code that forecasts for a user. Beside it two simple ways: today's leader and today's
quality stay; two separate power laws. Prints; with --write puts the tables into
benchmarks/results/forecast.md. Takes a few seconds."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: one core, on a busy machine too

import numpy as np

from fathometer.trial.measure import machine, versions
from fathometer.verdict.past_curves import DOUBLINGS, Case, cases, past_curves, shipped
from fathometer.verdict.past_lessons import SURE, Learned, Study, learn

RESULTS = Path(__file__).parent / "results" / "forecast.md"
FEWEST = 3  # points of a curve that is judged
SURELY = 2.0  # standard errors by which the gap that came must differ from 0 to have a winner
# What we aim for, by doublings: mean error of a quality in points, share of winners right.
GOALS = {1: (0.75, 0.93), 2: (1.25, 0.91)}


@dataclass(frozen=True, eq=False)
class Judged:
    """Forecasts of many cases beside what came; the first axis is cases, the second doublings."""

    sources: np.ndarray  # (cases,)
    metrics: np.ndarray
    rows: np.ndarray  # (cases,) today
    came: np.ndarray  # (cases, doublings, 3): losses of both families, and the gap
    expected: np.ndarray
    low: np.ndarray
    high: np.ndarray
    today: np.ndarray  # (cases, 3)
    separate: np.ndarray  # (cases, doublings, 3): two power laws
    deep_ahead: np.ndarray  # (cases, doublings)
    gap_errors: np.ndarray  # (cases, doublings)

    def some(self, chosen: np.ndarray) -> Judged:
        """These cases alone."""
        return Judged(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))


def judge(known: Sequence[Case]) -> Judged:
    """Forecast every data set's cases by what all others teach."""
    study, parts = Study.of(known), []
    for source in sorted({case.source for case in known}):
        lesson = learn(study.without(source))
        own = [case for case in known if case.source == source]
        parts.append(forecasts([case for case in own if len(case.points.rows) >= FEWEST], lesson))
    return Judged(
        *(np.concatenate([getattr(part, name) for part in parts])
          for name in Judged.__dataclass_fields__)
    )  # fmt: skip


def forecasts(known: Sequence[Case], lesson: Learned) -> Judged:
    """The forecasts of these cases by one lesson."""
    factors = 2.0**DOUBLINGS
    # The rows that judge are the same today and later, so their sampling error is not asked for.
    found = [lesson.expected(case.points, factors, (0.0, 0.0, 0.0)) for case in known]
    banded = np.array([[one.traditional, one.deep, one.gap] for one in found])
    banded = np.moveaxis(banded, 1, 2)  # (cases, doublings, quantity, value/low/high)
    points = [case.points for case in known]
    return Judged(
        np.array([case.source for case in known]),
        np.array([case.metric for case in known]),
        np.array([one.rows[-1] for one in points]),
        np.array([np.stack([c.traditional, c.deep, c.gap], axis=1) for c in known]),
        banded[..., 0],
        banded[..., 1],
        banded[..., 2],
        np.array([[one.traditional[-1], one.deep[-1], one.gap[-1]] for one in points]),
        np.array([power_laws(one.rows, one.traditional, one.deep) for one in points]),
        np.array([one.deep_ahead for one in found]),
        np.array([case.gap_errors for case in known]),
    )


def power_laws(rows: np.ndarray, *families: np.ndarray) -> np.ndarray:
    """Each family's least squares of floor + step · rows^-exponent, and the gap; (doublings, 3)."""
    ahead = []
    for losses in families:
        best = (math.inf, np.zeros(len(DOUBLINGS)))
        for exponent in np.linspace(0.05, 2.0, 40):
            shape = np.stack([np.ones(len(rows)), (rows / rows[-1]) ** -exponent], axis=1)
            weights, *_ = np.linalg.lstsq(shape, losses, rcond=None)
            if weights[0] < 0:  # no floor below 0
                weights = np.array([0.0, (shape[:, 1] @ losses) / (shape[:, 1] @ shape[:, 1])])
            misfit = float(((shape @ weights - losses) ** 2).sum())
            if misfit < best[0]:
                best = (misfit, weights[0] + weights[1] * 2.0 ** (-exponent * DOUBLINGS))
        ahead.append(best[1])
    return np.stack([*ahead, ahead[0] - ahead[1]], axis=1)


def mean_error(values: np.ndarray, came: np.ndarray) -> float:
    return float(np.nanmean(np.abs(values - came)))


def median_error(values: np.ndarray, came: np.ndarray) -> float:
    return float(np.nanmedian(np.abs(values - came)))


def covered(judged: Judged, place: int, quantities: Sequence[int]) -> float:
    came = judged.came[:, place, quantities]
    there = np.isfinite(came)
    low, high = judged.low[:, place, quantities], judged.high[:, place, quantities]
    inside = (low <= came) & (came <= high)
    return float(inside[there].mean())


@dataclass(frozen=True)
class Winners:
    """How often the family that came to be clearly ahead was named."""

    clear: int  # cases in which one came to be clearly ahead
    decided: float  # the share of them in which the forecast named a family
    right: float  # of those
    stays: float  # of the same, today's leader
    all_right: float  # of all clear cases, the forecast's more probable family
    all_stays: float
    all_separate: float


def winners(judged: Judged, place: int) -> Winners:
    came, error = judged.came[:, place, 2], judged.gap_errors[:, place]
    clear = np.isfinite(came) & (np.abs(came) > SURELY * error)
    deep = came[clear] > 0
    chance = judged.deep_ahead[clear, place]
    decided = (chance >= SURE) | (chance <= 1 - SURE)
    stays = (judged.today[clear, 2] > 0) == deep
    right = (chance > 0.5) == deep
    separate = (judged.separate[clear, place, 2] > 0) == deep
    return Winners(
        int(clear.sum()),
        float(decided.mean()),
        float(right[decided].mean()),
        float(stays[decided].mean()),
        float(right.mean()),
        float(stays.mean()),
        float(separate.mean()),
    )


def tables(judged: Judged) -> list[str]:
    """The tables of the results."""
    lines = [
        "| rows | cases | quality: error | goal | quality stays | power law | gap: error | "
        "gap stays | two power laws | quality covered | gap covered |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for place, doublings in enumerate(DOUBLINGS):
        came = judged.came[:, place]
        goal = f"{GOALS[doublings][0]:.2f}" if doublings in GOALS else "–"
        cells = [
            f"{2**doublings}×",
            f"{int(np.isfinite(came[:, 2]).sum())}",
            f"**{mean_error(judged.expected[:, place, :2], came[:, :2]):.2f}** "
            f"({median_error(judged.expected[:, place, :2], came[:, :2]):.2f})",
            goal,
            f"{mean_error(judged.today[:, :2], came[:, :2]):.2f}",
            f"{mean_error(judged.separate[:, place, :2], came[:, :2]):.2f}",
            f"**{mean_error(judged.expected[:, place, 2], came[:, 2]):.2f}** "
            f"({median_error(judged.expected[:, place, 2], came[:, 2]):.2f})",
            f"{mean_error(judged.today[:, 2], came[:, 2]):.2f}",
            f"{mean_error(judged.separate[:, place, 2], came[:, 2]):.2f}",
            f"{covered(judged, place, (0, 1)):.0%}",
            f"{covered(judged, place, (2,)):.0%}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def reached(judged: Judged) -> str:
    """What of the goals is reached, in a sentence."""
    told = []
    for place, doublings in enumerate(DOUBLINGS):
        if doublings not in GOALS:
            continue
        came = judged.came[:, place, :2]
        error = mean_error(judged.expected[:, place, :2], came)
        stays = mean_error(judged.today[:, :2], came)
        verdict = "reached" if error <= GOALS[doublings][0] else "not reached"
        told.append(
            f"at {2**doublings}× the goal of {GOALS[doublings][0]:.2f} points is {verdict} "
            f"({error:.2f}, which is {1 - error / stays:.0%} below that nothing changes)"
        )
    errors = np.isin(judged.metrics, ("rmse", "mae")).mean()
    return (
        f"Quality: {'; '.join(told)}. The goals were set on published curves of error rates, five "
        f"draws of the rows each; here {errors:.0%} of the cases are of RMSE or MAE, whose points "
        "are hundredths of what the best constant errs, today's rows are as few as "
        f"{judged.rows.min():.0f}, and the rows were drawn once."
    )


def winner_table(judged: Judged) -> list[str]:
    lines = [
        "| rows | clear cases | named | right of those | goal | leader stays, of those | "
        "right of all | leader stays, of all | two power laws, of all |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for place, doublings in enumerate(DOUBLINGS):
        found = winners(judged, place)
        goal = f"{GOALS[doublings][1]:.0%}" if doublings in GOALS else "–"
        lines.append(
            f"| {2**doublings}× | {found.clear} | {found.decided:.0%} | **{found.right:.1%}** | "
            f"{goal} | {found.stays:.1%} | {found.all_right:.1%} | {found.all_stays:.1%} | "
            f"{found.all_separate:.1%} |"
        )
    return lines


def by(judged: Judged, names: np.ndarray, title: str) -> list[str]:
    """Errors and coverage at twice the rows, for every value of a column."""
    lines = [
        f"| {title} | cases | quality: error, 2× | 4× | gap: error, 2× | 4× | "
        "gap covered, 2× | 4× |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name in np.unique(names):
        part = judged.some(names == name)
        cells = [f"{name}", f"{len(part.rows)}"]
        for quantities in ((0, 1), (2,)):
            for place in (0, 1):
                came = part.came[:, place, quantities]
                known = np.isfinite(came).any()
                error = mean_error(part.expected[:, place, quantities], came) if known else math.nan
                cells.append(f"{error:.2f}" if known else "–")
        for place in (0, 1):
            known = np.isfinite(part.came[:, place, 2]).any()
            cells.append(f"{covered(part, place, (2,)):.0%}" if known else "–")
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def report(judged: Judged) -> str:
    curves = past_curves()
    sources, questions = {c.source for c in curves}, {(c.source, c.question) for c in curves}
    size = np.digitize(judged.rows, (500, 2000))
    sizes = np.array(["fewer than 500", "500 to 2,000", "2,000 and more"])[size]
    lines = [
        "# Forecasts of more rows, on data sets left out of the store",
        "",
        "`python benchmarks/forecast.py --write`, on the curves of "
        "`src/fathometer/verdict/past_curves.json`: "
        f"{len(curves)} curves (a question and a metric each) of "
        f"{len(sources)} data sets, {len(questions)} questions; LightGBM and a linear model "
        "against the modern network, effort quick, 5 folds, one draw of the rows. Every data set "
        "is judged by what the others teach. A case is a curve cut at its third point or later; "
        f"{len(judged.rows)} cases.",
        "",
        "Errors are mean (median) absolute errors in points: hundredths of a share (1 − AUC, error "
        "rate) or of what the best constant errs (RMSE, MAE). The family's quality that came is "
        "that of its best learner then, which need not be today's best. Covered: the share that "
        "lies within the 90 % interval (aim 85 to 95 %).",
        "",
        *tables(judged),
        "",
        reached(judged),
        "",
        "The winner, where one family came to lead by more than two standard errors. Named: the "
        f"forecast is at least {SURE:.0%} sure; else it says undecided. That level was chosen "
        "on these cases.",
        "",
        *winner_table(judged),
        "",
        *by(judged, judged.metrics, "metric"),
        "",
        *by(judged, sizes, "rows today"),
        "",
        *by(judged, judged.sources, "data set"),
        "",
        f"On: {' · '.join(machine().values())}; numpy {versions()['numpy']}. Store made with: "
        + ", ".join(f"{name} {version}" for name, version in shipped()["versions"].items())
        + ".",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    text = report(judge(cases(past_curves())))
    print(text)
    if options.write:
        RESULTS.write_text(text)


if __name__ == "__main__":
    main()
