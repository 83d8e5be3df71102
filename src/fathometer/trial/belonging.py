"""Rows that belong together or follow each other in time, where a random split lets one row be
answered from its neighbour in another part."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fathometer.table.divide import cut_moments
from fathometer.table.kind import Kind
from fathometer.table.metric import METRICS
from fathometer.table.table import STORAGE, Column, Table
from fathometer.table.task import Task, TaskKind
from fathometer.table.together import time_values
from fathometer.trial.quick import FOLDS, ROWS, Sample, answers, crossed, value_codes
from fathometer.trial.suspicion import KEY_WORDS, Suspicion, figure, is_whole, name_words, option

TIME_WORDS = {
    "year",
    "date",
    "day",
    "week",
    "month",
    "time",
    "timestamp",
    "step",
    "period",
    "instant",
}
ALIKE = 0.1  # correlation of the target within groups
SURE = 5.0  # standard errors, for groups by their target
NOTICED = 2.0  # standard errors, for a loss that grows under an honest split
WORSE_GROUP = 1.02  # by how much the loss must grow
WORSE_TIME = 1.10
MOST_CANDIDATES = 2


def groups(training: Table, task: Task, random: np.random.Generator, seed: int) -> list[Suspicion]:
    """Columns whose repeated values share the target, and where knowing them flatters the score."""
    truth = _standard(task.encode(training[task.target]), task)
    candidates = []
    for column in training:
        if column.name != task.target and _may_group(column):
            codes = (
                value_codes(column)[0] if STORAGE[column.kind] != pa.float64() else _ranks(column)
            )
            alike, errors = _alikeness(codes, truth)
            if alike >= ALIKE and errors >= SURE:
                candidates.append((alike, column.name, codes))
    candidates.sort(key=lambda candidate: -candidate[0])
    found = [
        _under_groups(training, task, name, codes, random, seed)
        for _, name, codes in candidates[:MOST_CANDIDATES]
    ]
    return [suspicion for suspicion in found if suspicion is not None]


def _ranks(column: Column) -> np.ndarray:
    codes = np.unique(column.numbers, return_inverse=True)[1]
    return np.where(np.isnan(column.numbers), -1, codes)


def _may_group(column: Column) -> bool:
    """Whether values name things of which new ones will come: customers, tickets, patients."""
    is_key = bool(name_words(column.name) & KEY_WORDS)
    if column.kind is Kind.NUMBER:
        if not is_key or not is_whole(column):
            return False
        counts = np.bincount(_ranks(column) + 1)[1:]
    elif column.kind in (Kind.CATEGORY, Kind.IDENTIFIER, Kind.TEXT):
        counts = value_codes(column)[1]
    else:
        return False
    if column.kind is Kind.CATEGORY and not is_key and _share_like(column, r"^[\d.,]+$") > 0.5:
        return False
    counts = counts[counts > 0]
    rows = int(counts.sum())
    if len(counts) < 20 or counts.max() > rows / 10 or (counts - 1).sum() < rows / 10:
        return False
    # The share of values that occur once is the chance that the next value is new (Good, 1953).
    is_open = (counts == 1).sum() > rows / 10
    return is_key or is_open or _share_like(column, r"\d") > 0.9


def _share_like(column: Column, pattern: str) -> float:
    """The share of a column's different values in which a pattern is found."""
    values = pc.unique(column.values).drop_null()
    return float(pc.mean(pc.match_substring_regex(values, pattern)).as_py())


def _standard(truth: np.ndarray, task: Task) -> np.ndarray:
    """(rows, outputs) the target or its class flags, centred, with a mean square of 1 a row."""
    flags = np.eye(task.outputs)[truth] if task.kind is TaskKind.CLASSIFY else truth[:, None]
    centred = flags - flags.mean(axis=0)
    return np.asarray(centred / np.sqrt(max(1e-12, (centred**2).sum(axis=1).mean())))


def _alikeness(codes: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Correlation of the target within groups, and by how many standard errors it exceeds 0.

    It is the mean product over all pairs within a group; by chance these products are
    uncorrelated, so that the standard error is one over the root of their number."""
    truth, codes = truth[codes >= 0], codes[codes >= 0]
    sums = np.zeros((codes.max() + 1, truth.shape[1]))
    np.add.at(sums, codes, truth)
    counts = np.bincount(codes)
    pairs = float((counts * (counts - 1)).sum()) / 2
    products = float((sums**2).sum() - (truth**2).sum()) / 2
    return products / max(1.0, pairs), products / max(1.0, pairs) ** 0.5


def _under_groups(
    training: Table,
    task: Task,
    name: str,
    codes: np.ndarray,
    random: np.random.Generator,
    seed: int,
) -> Suspicion | None:
    units = np.where(codes >= 0, codes, codes.max() + 1 + np.arange(len(codes)))
    order = random.permutation(int(units.max()) + 1)[units]  # whole groups, not rows, are drawn
    rows = np.sort(np.argsort(order, kind="stable")[:ROWS])
    units = np.unique(units[rows], return_inverse=True)[1]
    sample = Sample.of(training.rows(rows), task)
    everyone = np.arange(len(rows))
    apart, mixed = crossed(sample, units, seed), crossed(sample, everyone, seed)
    extra = sample.losses(apart, everyone) - sample.losses(mixed, everyone)
    by_group = np.bincount(units, weights=extra)
    worse = extra.sum() > NOTICED * np.sqrt((by_group**2).sum())
    before = float(sample.losses(mixed, everyone).mean())
    flattered, honest = sample.score(mixed, everyone), sample.score(apart, everyone)
    metric = METRICS[task.metric]
    if (
        not worse
        or before + extra.mean() < WORSE_GROUP * before
        or metric.better(honest, flattered)
    ):
        return None
    sharing = int((np.bincount(units)[units] > 1).sum())
    words = (
        f"{sharing:,} of {len(rows):,} rows share their {name} with another row, and their answers "
        f"are alike: with no {name} on both sides a quick model has {metric.label} "
        f"{figure(honest)} instead of {figure(flattered)}. If new rows bring new values, type "
        f"--group {option(name)}."
    )
    return Suspicion("group", (name,), words, flattered, honest)


def times(sample: Sample, seed: int) -> list[Suspicion]:
    """A time order in which the future is harder to tell than a random split shows."""
    candidates = [column for column in sample.table if _may_be_time(column, sample.task)]
    candidates.sort(key=lambda column: column.kind is not Kind.DATE)
    if not candidates:
        return []
    mixed = crossed(sample, np.arange(len(sample.truth)), seed)
    for column in candidates[:MOST_CANDIDATES]:
        found = _under_time(sample, column, mixed, seed)
        if found is not None:
            return [found]
    return []


def _may_be_time(column: Column, task: Task) -> bool:
    """A date, or whole numbers that are named like a time or a count and grow along the rows."""
    if column.name == task.target:
        return False
    if column.kind is Kind.DATE:
        return len(np.unique(column.numbers)) >= FOLDS
    moments = _moments(column)
    if moments is None or len(np.unique(moments)) < FOLDS or (np.diff(moments) < 0).any():
        return False
    return column.kind is Kind.IDENTIFIER or bool(name_words(column.name) & TIME_WORDS)


def _moments(column: Column) -> np.ndarray | None:
    """Numbers that may order rows in time, none missing; None for other columns."""
    if column.kind in (Kind.NUMBER, Kind.DATE):
        return None if column.missing else column.numbers
    if column.kind is not Kind.IDENTIFIER or column.missing:
        return None
    if not pc.all(pc.match_substring_regex(column.values, r"^\d{1,15}$")).as_py():
        return None
    return np.asarray(pc.cast(column.values, pa.float64()).to_numpy(zero_copy_only=False))


def _under_time(sample: Sample, column: Column, mixed: np.ndarray, seed: int) -> Suspicion | None:
    moments = time_values(sample.table, column.name)
    cut = cut_moments(moments, [1 - 1 / FOLDS])[0]
    late, early = np.flatnonzero(moments >= cut), np.flatnonzero(moments < cut)
    if min(len(late), len(early)) < 50:
        return None
    late = late[np.argsort(moments[late], kind="stable")]
    honest_answers = answers(sample, sample.matrix, early, late, seed)
    extra = sample.losses(honest_answers, late) - sample.losses(mixed[late], late)
    blocks = np.array([part.mean() for part in np.array_split(extra, 10)])  # neighbours err alike
    before = float(sample.losses(mixed[late], late).mean())
    error = float(blocks.std(ddof=1)) / len(blocks) ** 0.5
    metric = METRICS[sample.task.metric]
    flattered, honest = sample.score(mixed[late], late), sample.score(honest_answers, late)
    worse = extra.mean() > NOTICED * error and before + extra.mean() > WORSE_TIME * before
    if not worse or not metric.better(flattered, honest):
        return None
    words = (
        f"A random split flatters: on the latest {len(late):,} rows by {column.name}, a quick model "
        f"that learned from rows of all times has {metric.label} {figure(flattered)}, one that "
        f"learned from the past alone {figure(honest)}. If you will predict the future, type "
        f"--time {option(column.name)}."
    )
    return Suspicion("time", (column.name,), words, flattered, honest)
