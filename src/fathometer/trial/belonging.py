"""Rows that belong together or follow each other in time, where a random split lets one row be
answered from its neighbour in another part."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fathometer.table.divide import cut_moments
from fathometer.table.kind import Kind
from fathometer.table.metric import METRICS
from fathometer.table.table import Column, Table
from fathometer.table.task import Task, TaskKind
from fathometer.table.together import time_values
from fathometer.trial.quick import (
    FEW_ROWS,
    FOLDS,
    Sample,
    answers,
    crossed,
    enough_rows,
    value_codes,
)
from fathometer.trial.suspicion import (
    Suspicion,
    figure,
    is_named_like_key,
    is_whole,
    name_words,
    option,
)

NUMERAL = r"^[\d.,]+$"
TIME_WORDS = {"year", "date", "day", "week", "month", "time", "timestamp", "step", "period"}
ALIKE = 0.1  # correlation of the target within groups
SURE = 5.0  # standard errors, for groups by their target
NOTICED = 2.0  # standard errors, for a loss that grows under an honest split
NOTICED_COUNT = 3.0
WORSE_GROUP = 0.02  # by which share the loss must grow
WORSE_TIME = 0.10
FEWEST = 50  # rows of the past and of the future
FEW_ROWS_DRAWS = 6  # of folds, averaged, up to FEW_ROWS: a single draw of few rows is too noisy
MOST_CANDIDATES = 2
MOST_CLASSES = 20  # whose frequency is compared between groups


def groups(training: Table, task: Task, random: np.random.Generator, seed: int) -> list[Suspicion]:
    """Columns whose repeated values share the target, and where knowing them flatters the score."""
    columns = [each for each in training if each.name != task.target and _may_group(each)]
    if not columns:
        return []
    truth = _standard(task.encode(training[task.target]), task)
    candidates = []
    for column in columns:
        alike, errors = _alikeness(value_codes(column)[0], truth)
        if alike >= ALIKE and errors >= SURE:
            candidates.append((alike, column))
    candidates.sort(key=lambda candidate: -candidate[0])
    found = [
        _under_groups(*_whole_groups(training, task, column, random), column.name, seed)
        for _, column in candidates[:MOST_CANDIDATES]
    ]
    return [suspicion for suspicion in found if suspicion is not None]


def _may_group(column: Column) -> bool:
    """Whether values name things of which new ones will come: customers, tickets, patients."""
    is_key = is_named_like_key(column.name)
    if column.kind is Kind.NUMBER:
        may_name = is_key and is_whole(column)
    elif column.kind is Kind.CATEGORY:  # measured values with a unit or a range are no names
        may_name = is_key or _share_like(column, NUMERAL) < 0.5
    else:
        may_name = column.kind in (Kind.IDENTIFIER, Kind.TEXT)
    if not may_name:
        return False
    counts = value_codes(column)[1]
    counts = counts[counts > 0]
    rows = int(counts.sum())
    if len(counts) < 20 or counts.max() > rows / 10 or (counts - 1).sum() < rows / 10:
        return False
    # The share of values that occur once is the chance that the next value is new (Good, 1953).
    is_open = (counts == 1).sum() > rows / 10
    return is_key or bool(is_open) or _share_like(column, r"\d") > 0.9


def _share_like(column: Column, pattern: str) -> float:
    """The share of a column's different values in which a pattern is found."""
    values = pc.unique(column.values).drop_null()
    if not len(values):
        return 0.0
    return float(pc.mean(pc.match_substring_regex(values, pattern)).as_py())


def _standard(truth: np.ndarray, task: Task) -> np.ndarray:
    """(rows, outputs) the target or its class flags, centred, with a mean square of 1 a row."""
    flags = truth[:, None].astype(float)
    if task.kind is TaskKind.CLASSIFY:
        commonest = np.argsort(-np.bincount(truth), kind="stable")[:MOST_CLASSES]
        flags = (flags == commonest).astype(float)
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


def _whole_groups(
    training: Table, task: Task, column: Column, random: np.random.Generator
) -> tuple[Sample, np.ndarray]:
    """A sample of whole groups, since a sample of rows would part most, and (rows,) its groups."""
    codes = value_codes(column)[0]
    units = np.where(codes >= 0, codes, codes.max() + 1 + np.arange(len(codes)))
    order = random.permutation(int(units.max()) + 1)[units]
    rows = np.sort(np.argsort(order, kind="stable")[: enough_rows(training)])
    return Sample.of(training.rows(rows), task), np.unique(units[rows], return_inverse=True)[1]


def _under_groups(sample: Sample, units: np.ndarray, name: str, seed: int) -> Suspicion | None:
    """What a split that keeps groups (rows,) whole shows, if it is clearly worse."""
    everyone = np.arange(len(units))
    draws = FEW_ROWS_DRAWS if len(units) <= FEW_ROWS else 1
    apart, mixed = (crossed(sample, by, seed, draws=draws) for by in (units, everyone))
    losses = sample.losses(mixed, everyone)
    extra = sample.losses(apart, everyone) - losses
    error = float(np.sqrt((np.bincount(units, weights=extra) ** 2).sum()))
    is_clear = extra.sum() > NOTICED * error and extra.mean() > WORSE_GROUP * losses.mean()
    flattered, honest = sample.score(mixed, everyone), sample.score(apart, everyone)
    metric = METRICS[sample.task.metric]
    if not is_clear or not metric.better(flattered, honest):
        return None
    sharing = int((np.bincount(units)[units] > 1).sum())
    words = (
        f"{sharing:,} of {len(units):,} rows share their {name} with another row, and their "
        f"answers are alike: with no {name} on both sides a quick model has {metric.label} "
        f"{figure(honest)} instead of {figure(flattered)}. If new rows bring new values, type "
        f"--group {option(name)}."
    )
    return Suspicion("group", name, words, flattered, honest)


def times(sample: Sample, seed: int) -> list[Suspicion]:
    """A time order in which the future is harder to tell than a random split shows."""
    candidates = [column for column in sample.table if _may_be_time(column, sample.task)]
    candidates.sort(key=lambda column: column.kind is not Kind.DATE)
    if not candidates:
        return []
    mixed = crossed(sample, np.arange(len(sample.truth)), seed, draws=1)  # as the forecast is one
    for column in candidates[:MOST_CANDIDATES]:
        found = _under_time(sample, column, mixed, seed)
        if found is not None:
            return [found]
    return []


def _may_be_time(column: Column, task: Task) -> bool:
    """A date, or numbers that count the rows or are named like a time, and grow along them."""
    if column.name == task.target:
        return False
    if column.kind is Kind.DATE:
        return len(np.unique(column.numbers)) >= FOLDS
    moments = _moments(column)
    return len(np.unique(moments)) >= FOLDS and bool((np.diff(moments) >= 0).all())


def _moments(column: Column) -> np.ndarray:
    """(rows,) numbers that may order rows in time; empty for other columns."""
    if not column.missing:
        if column.kind is Kind.NUMBER and name_words(column.name) & TIME_WORDS:
            return column.numbers
        if column.kind is Kind.IDENTIFIER and _share_like(column, r"^\d{1,15}$") == 1.0:
            return np.asarray(pc.cast(column.values, pa.float64()).to_numpy(zero_copy_only=False))
    return np.zeros(0)


def _forecast(
    sample: Sample, moment: str, early: np.ndarray, late: np.ndarray, seed: int
) -> np.ndarray:
    """Scores of the late rows (rows, outputs), learned from the early ones; with or without the
    time as a feature, whichever is better: trees carry the chance of the last days on for ever."""
    timeless = sample.features([name for name in sample.names if name != moment])
    both = [answers(sample, matrix, early, late, seed) for matrix in (sample.matrix, timeless)]
    return min(both, key=lambda scores: float(sample.losses(scores, late).mean()))


def _under_time(sample: Sample, column: Column, mixed: np.ndarray, seed: int) -> Suspicion | None:
    """What learning from the past alone shows on the latest rows, if it is clearly worse.

    mixed: (rows, outputs) scores of boosters that learned from rows of all times."""
    moments = time_values(sample.table, column.name)
    cut = cut_moments(moments, [1 - 1 / FOLDS])[0]
    late, early = np.flatnonzero(moments >= cut), np.flatnonzero(moments < cut)
    if min(len(late), len(early)) < FEWEST:
        return None
    late = late[np.argsort(moments[late], kind="stable")]
    forecast = _forecast(sample, column.name, early, late, seed)
    losses = sample.losses(mixed[late], late)
    extra = sample.losses(forecast, late) - losses
    # Neighbours in time err alike, so the error is that of ten blocks, not of all rows.
    blocks = np.array([part.mean() for part in np.array_split(extra, 10)])
    error = float(blocks.std(ddof=1)) / len(blocks) ** 0.5
    # A count of rows is seldom a time, so it has to show more.
    noticed = NOTICED if column.kind is not Kind.IDENTIFIER else NOTICED_COUNT
    is_clear = extra.mean() > noticed * error and extra.mean() > WORSE_TIME * losses.mean()
    flattered, honest = sample.score(mixed[late], late), sample.score(forecast, late)
    metric = METRICS[sample.task.metric]
    if not is_clear or not metric.better(flattered, honest):
        return None
    words = (
        f"A random split flatters: on the latest {len(late):,} rows by {column.name}, a quick "
        f"model that learned from rows of all times has {metric.label} {figure(flattered)}, one "
        f"that learned from the past alone {figure(honest)}. If you will predict the future, type "
        f"--time {option(column.name)}."
    )
    return Suspicion("time", column.name, words, flattered, honest)
