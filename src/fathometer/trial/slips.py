"""About how many values of a numeric target are gross slips: a lost sign, a decimal point, a code.

A slip lies apart: not merely at the end of the errors' tail, but beyond a gap in it. So each row's
error out of fold is counted in the usual errors of rows with like answers, and only where the best
of both families err alike. Tails, however heavy, thin out towards their end; where they thicken
again, a second kind of error begins. Swapped rows lie within the tail and cannot be told so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FEWEST = 500  # rows, so that twenty windows of like answers have some
LIKE = 0.05  # of all rows, those with the nearest answers, tell what error is usual
FEWEST_LIKE = 100  # rows: their median is known within a fifth
MAD = 1.4826  # median absolute errors in a standard deviation, of a normal distribution
FLOOR = 1e-3  # of the median error of all rows; windows without any error would make all else far
START = 3.0  # standard deviations; the gap is sought beyond
WIDTH, STEP = 0.35, 0.05  # of log errors: a window, a fifth of a decade or so, and how it moves
# How much thicker it gets beyond the gap, in standard errors. With it `benchmarks/slips.py` notices
# 2 % of values times ten or without their sign in 9 of 10 targets, counted within 0.6 and 1.3 of
# what they are, 0.5 % times ten in 4 of 5, exchanged values never; and none of 5 clean targets.
CLEAR = 2.7
FEWEST_SLIPS, LEAST, MOST = 10, 0.0025, 0.1  # rows, and shares: fewer are chance, more are no slips


@dataclass(frozen=True)
class Slips:
    """How many values lie apart, and the farthest of them."""

    count: int
    rows: int  # of all
    row: int  # of the farthest, among all
    value: float
    expected: float

    def words(self, target: str, *, is_numbered: bool) -> str:
        """The finding in a sentence; is_numbered: whether the row's number is that in the file."""
        where = f"row {self.row + 1:,} has" if is_numbered else "one is"
        expected = float(f"{self.expected:.2g}")  # in two digits, not in powers of ten
        return (
            f"about {self.count:,} of {self.rows:,} values of {target} look wrong, or are rare "
            f"events that no column tells of (for example {where} {self.value:,.10g}, where both "
            f"families expect about {expected:,.10g}): they lie apart from all other errors."
        )


def find_slips(truth: np.ndarray, answers: Sequence[np.ndarray]) -> Slips | None:
    """Count gross errors of a target; None where no errors lie apart, or the rows are few.

    Args:
        truth: values (rows,). answers: out of fold (rows,), of the best of each family.
    """
    if len(truth) < FEWEST or not np.isfinite([truth, *answers]).all():
        return None
    far = _least([_in_usual_errors(truth, each) for each in answers])
    gap = _gap(np.log(far[far > START]))
    if gap is None:
        return None
    slipped = np.flatnonzero(far > gap)
    if not max(FEWEST_SLIPS, LEAST * len(truth)) <= len(slipped) <= MOST * len(truth):
        return None
    row = int(far.argmax())
    expected = float(np.median([each[row] for each in answers]))
    return Slips(len(slipped), len(truth), row, float(truth[row]), expected)


def _in_usual_errors(truth: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """Each row's error in standard deviations, by the median error of rows with like answers."""
    errors, rows = truth - answers, len(truth)
    order = np.argsort(answers, kind="stable")
    sizes = np.abs(errors)[order]
    half = max(FEWEST_LIKE, round(LIKE * rows)) // 2
    centres = np.arange(0, rows, max(1, half // 2))
    medians = [np.median(sizes[max(0, centre - half) : centre + half]) for centre in centres]
    usual = np.empty(rows)
    usual[order] = np.interp(np.arange(rows), centres, medians)
    usual = MAD * np.maximum(usual, FLOOR * np.median(sizes))
    far = np.zeros(rows)  # where no error is usual, none is told
    np.divide(errors, usual, out=far, where=usual > 0)
    return far


def _least(far: Sequence[np.ndarray]) -> np.ndarray:
    """The smallest of the errors' sizes in each row, 0 where they are not all to one side."""
    stacked = np.array(far)
    is_alike = (stacked > 0).all(axis=0) | (stacked < 0).all(axis=0)
    return np.where(is_alike, np.abs(stacked).min(axis=0), 0.0)


def _gap(logs: np.ndarray) -> float | None:
    """Where the tail is thinnest before it clearly thickens again; None where it does not."""
    if len(logs) < FEWEST_SLIPS:
        return None
    logs = np.sort(logs)
    centres = np.arange(logs[0] + WIDTH, logs[-1] + WIDTH, STEP)
    ends = (np.searchsorted(logs, centres + side * WIDTH / 2) for side in (1, -1))
    held = np.subtract(*ends).astype(np.float64)
    apart = round(WIDTH / STEP)  # windows that share no row
    thickest = np.maximum.accumulate(held[::-1])[::-1]
    later = np.append(thickest[apart:], np.zeros(min(apart, len(held))))
    clear = (later - held) / np.sqrt(np.maximum(later + held, 1.0))
    best = int(clear.argmax())
    return float(np.exp(centres[best])) if clear[best] >= CLEAR else None
