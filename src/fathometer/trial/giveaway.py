"""Columns that give the answer away: alone, or added up; and keys that are taken for features.

Each is judged on training rows that its rule did not see."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from fathometer.table.kind import Kind
from fathometer.table.metric import METRICS, r2
from fathometer.table.table import STORAGE, Column
from fathometer.table.task import TaskKind
from fathometer.trial.quick import Sample, answers, skill, value_codes
from fathometer.trial.suspicion import Suspicion, figure, is_named_like_key, is_whole, option
from fathometer.wording import listed

# A skill is 0 for guessing and 1 for knowing: 2 AUC - 1, R², or accuracy above the commonest class.
# Thresholds were set on eighteen public tables, where only known giveaways exceed them.
# A date that answers well alone is a drift in time, which `belonging` looks for.
SINGLE_KINDS = (Kind.NUMBER, Kind.BOOLEAN, Kind.CATEGORY)
PERFECT = 0.98
STRONG = 0.8  # enough to be told if all the other columns together leave twice the error
EXACT_SUM = 0.9999  # R² of the best linear combination
PART = 0.02  # weight from which a column is part of the sum, all columns having a spread of 1
BINS = 64


def too_good(sample: Sample, seed: int) -> list[Suspicion]:
    """Columns that alone, or a few added up, answer better than anything should."""
    added = _sum_of(sample)
    if added is not None:
        return [added]
    half = np.random.default_rng(seed).permutation(len(sample.truth))
    learn, ask = np.sort(half[: len(half) // 2]), np.sort(half[len(half) // 2 :])
    found = []
    for column in sample.table.of_kind(*SINGLE_KINDS):
        if column.name == sample.task.target:
            continue
        scores = _alone(sample, column, learn, ask)
        gap = 1 - skill(sample, scores, ask)
        if gap <= 1 - STRONG:
            rest = sample.features([name for name in sample.names if name != column.name])
            others = answers(sample, rest, learn, ask, seed)
            if gap <= 1 - PERFECT or 1 - skill(sample, others, ask) >= 2 * gap:
                found.append(_giveaway(sample, column, (scores, others), ask))
    return found


def _alone(sample: Sample, column: Column, learn: np.ndarray, ask: np.ndarray) -> np.ndarray:
    """Scores (rows asked, outputs) from the mean target of each value or bin of one column."""
    if STORAGE[column.kind] == pa.float64():
        seen = column.numbers[learn]
        seen = seen[~np.isnan(seen)]
        shares = np.linspace(0, 1, BINS + 1)[1:-1]
        edges = np.unique(np.quantile(seen, shares)) if len(seen) else np.zeros(0)
        codes = np.searchsorted(edges, column.numbers, side="right") + 1
        codes[np.isnan(column.numbers)] = 0
    else:
        codes = value_codes(column)[0] + 1
    truth = sample.truth[:, None].astype(float)
    if sample.task.kind is TaskKind.CLASSIFY:
        truth = np.eye(sample.task.outputs)[sample.truth]
    sums = np.zeros((codes.max() + 1, truth.shape[1]))
    np.add.at(sums, codes[learn], truth[learn])
    counts = np.bincount(codes[learn], minlength=len(sums))[:, None]
    return np.asarray(((sums + truth[learn].mean(axis=0)) / (counts + 1))[codes[ask]])


def _giveaway(
    sample: Sample, column: Column, scores: tuple[np.ndarray, np.ndarray], ask: np.ndarray
) -> Suspicion:
    with_it, without = (sample.score(each, ask) for each in scores)
    label = METRICS[sample.task.metric].label
    return Suspicion(
        "too good",
        column.name,
        f"{column.name} alone reaches {label} {figure(with_it)}, all other columns together "
        f"{figure(without)}: if it is known only after {sample.task.target}, leave it out with "
        f"--ignore {option(column.name)}.",
        with_it,
        without,
    )


def _sum_of(sample: Sample) -> Suspicion | None:
    """A number to predict that other columns add up to, such as a total beside its parts."""
    numbers = [
        column
        for column in sample.table.of_kind(Kind.NUMBER)
        if column.name != sample.task.target and not column.missing and _can_add(column.numbers)
    ]
    spread = float(sample.truth.std())
    # With many columns for the rows there are, some sum always fits.
    fits = 0 < len(numbers) * 10 < len(sample.truth) and spread > 0
    if sample.task.kind is not TaskKind.REGRESS or not fits:
        return None
    matrix = np.column_stack([column.numbers for column in numbers])
    matrix = (matrix - matrix.mean(axis=0)) / matrix.std(axis=0)
    truth = (sample.truth - sample.truth.mean()) / spread
    weights = np.linalg.lstsq(matrix, truth, rcond=None)[0]
    if r2(truth, (matrix @ weights)[:, None]) < EXACT_SUM:
        return None
    names = [numbers[k].name for k in np.argsort(-np.abs(weights)) if abs(weights[k]) > PART]
    options = ",".join(option(name) for name in names)
    words = (
        f"{sample.task.target} is, row by row, a weighted sum of {listed(names)}: if they are "
        f"known only after it, leave them out with --ignore {options}."
    )
    return Suspicion("too good", names[0], words, further=tuple(names[1:]))


def _can_add(numbers: np.ndarray) -> bool:
    """Whether they vary, and by amounts whose squares are still numbers."""
    with np.errstate(over="ignore", invalid="ignore"):
        spread = numbers.std()
    return bool(np.isfinite(spread) and spread > 0)


def keys(sample: Sample) -> list[Suspicion]:
    """Numbers that are named like a key and nearly all differ, and yet are learned from."""
    found = []
    for column in sample.table.of_kind(Kind.NUMBER):
        different = len(np.unique(column.numbers))
        is_key = is_named_like_key(column.name) and is_whole(column)
        if column.name != sample.task.target and is_key and different > 0.9 * len(sample.truth):
            percent = 100 * different / len(sample.truth)
            words = (
                f"{column.name} is named like a key and {percent:.0f} % of its values differ, yet "
                f"it is learned from as a number: --ignore {option(column.name)} leaves it out."
            )
            found.append(Suspicion("identifier", column.name, words))
    return found
