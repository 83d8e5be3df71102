"""Columns that give the answer away: alone, or added up; and keys that are taken for features.

Each is judged on training rows that its rule did not see."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from fathometer.table.kind import FEATURE_KINDS, Kind
from fathometer.table.metric import METRICS, r2
from fathometer.table.table import STORAGE, Column
from fathometer.table.task import TaskKind
from fathometer.trial.quick import Sample, answers, skill, value_codes
from fathometer.trial.suspicion import (
    KEY_WORDS,
    Suspicion,
    figure,
    is_whole,
    listed,
    name_words,
    option,
)

# Set on eighteen public tables, where only known giveaways exceed them.
# A skill is 0 for guessing and 1 for knowing: 2 AUC - 1, R², or accuracy above the commonest class.
# Thresholds were set on eighteen public tables, where only known giveaways exceed them.
PERFECT = 0.98
STRONG = 0.8  # enough to be told if all the other columns together leave twice the error
EXACT_SUM = 0.9999  # R² of the best linear combination
BINS = 64


def too_good(sample: Sample, seed: int) -> list[Suspicion]:
    """Columns that alone, or a few added up, answer better than anything should."""
    added = _sum_of(sample)
    if added is not None:
        return [added]
    half = np.random.default_rng(seed).permutation(len(sample.truth))
    learn, ask = np.sort(half[: len(half) // 2]), np.sort(half[len(half) // 2 :])
    found = []
    for column in sample.table.of_kind(*FEATURE_KINDS):
        if column.name == sample.task.target or column.kind is Kind.TEXT:
            continue
        scores = _alone(sample, column, learn, ask)
        skill = skill(sample, scores, ask)
        if skill >= STRONG:
            others = _others(sample, column.name, learn, ask, seed)
            rest = skill(sample, others, ask)
            if skill >= PERFECT or 1 - rest >= 2 * (1 - skill):
                found.append(_giveaway(sample, column, (scores, others), ask))
    return found


def _alone(sample: Sample, column: Column, learn: np.ndarray, ask: np.ndarray) -> np.ndarray:
    """Scores (rows asked, outputs) from the mean target of each value or bin of one column."""
    if STORAGE[column.kind] == pa.float64():
        edges = np.unique(np.nanquantile(column.numbers[learn], np.linspace(0, 1, BINS + 1)[1:-1]))
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


def _others(sample: Sample, name: str, learn: np.ndarray, ask: np.ndarray, seed: int) -> np.ndarray:
    """Scores of the quick booster without one column."""
    kept = np.array([other != name for other in sample.names], dtype=bool)
    matrix = sample.matrix[:, kept] if kept.any() else np.zeros((len(sample.truth), 1))
    return answers(sample, matrix, learn, ask, seed)


def _giveaway(
    sample: Sample, column: Column, scores: tuple[np.ndarray, np.ndarray], ask: np.ndarray
) -> Suspicion:
    with_it, without = (sample.score(each, ask) for each in scores)
    label = METRICS[sample.task.metric].label
    return Suspicion(
        "too good",
        (column.name,),
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
        if column.name != sample.task.target and not column.missing
    ]
    if sample.task.kind is not TaskKind.REGRESS or not numbers:
        return None
    matrix = np.column_stack([column.numbers for column in numbers])
    spread = matrix.std(axis=0)
    kept = np.flatnonzero(spread > 0)
    if len(kept) * 10 > len(matrix):
        return None
    matrix = (matrix[:, kept] - matrix[:, kept].mean(axis=0)) / spread[kept]
    truth = (sample.truth - sample.truth.mean()) / sample.truth.std()
    weights = np.linalg.lstsq(matrix, truth, rcond=None)[0]
    if r2(truth, (matrix @ weights)[:, None]) < EXACT_SUM:
        return None
    parts = [kept[k] for k in np.argsort(-np.abs(weights)) if abs(weights[k]) > 0.02]
    names = [numbers[part].name for part in parts]
    return Suspicion(
        "too good",
        tuple(names),
        f"{sample.task.target} is, row by row, a weighted sum of {listed(names)}: if they are known "
        f"only after it, leave them out with --ignore {','.join(option(name) for name in names)}.",
    )


def keys(sample: Sample) -> list[Suspicion]:
    """Numbers that are named like a key and nearly all differ, and yet are learned from."""
    found = []
    for column in sample.table.of_kind(Kind.NUMBER):
        different = len(np.unique(column.numbers))
        is_key = name_words(column.name) & KEY_WORDS and is_whole(column)
        if column.name != sample.task.target and is_key and different > 0.9 * len(sample.truth):
            words = (
                f"{column.name} is named like a key and {100 * different / len(sample.truth):.0f} % of "
                f"its values differ, yet it is learned from as a number: --ignore "
                f"{option(column.name)} leaves it out."
            )
            found.append(Suspicion("identifier", (column.name,), words))
    return found
