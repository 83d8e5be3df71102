"""A quick look: some training rows as plain numbers, and a booster that answers in a moment.

It serves to compare one way of dividing rows, or one set of columns, with another; its answers are
no contestant's, and it knows nothing of what is suspected."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fathometer.table.kind import FEATURE_KINDS, Kind
from fathometer.table.metric import METRICS, accuracy, r2, roc_auc
from fathometer.table.table import STORAGE, Column, Table
from fathometer.table.task import Task, TaskKind

ROWS = 10_000  # looked at, at most
VALUES = 2_000_000  # likewise
FOLDS = 5
TREES = 100
# LightGBM's default of 0.001 lets rare classes blow up: on a table of 23 intrusion classes accuracy
# fell from 0.997 to 0.94 with it.
LEAF_WEIGHT = 0.5
FEW_ROWS = 2_000  # looked at, at least, however wide the table
WORDS = 100  # the commonest words of a text column that the quick booster sees
CHARACTERS = 300  # of each text in which they are looked for
GRID = 4  # cells down and across in which pictures are looked at
PICTURES_AT_ONCE = 256


@dataclass(frozen=True, eq=False)
class Sample:
    """Some training rows as numbers, for the quick booster."""

    table: Table
    task: Task
    truth: np.ndarray  # (rows,) class places or values
    names: tuple[str, ...]  # the column of each feature
    matrix: np.ndarray  # (rows, features) float64

    @classmethod
    def of(cls, table: Table, task: Task, *, sees: bool = False) -> Sample:
        """All rows of a table, whose every row has a target.

        sees: take a coarse look at pictures too, which tells how they were taken more than what
            they show."""
        names, parts = [], []
        for column in table.of_kind(*FEATURE_KINDS):
            if column.name != task.target and (sees or column.kind is not Kind.IMAGE):
                part = _numbers(column)
                names += [column.name] * part.shape[1]
                parts.append(part)
        matrix = np.concatenate(parts, axis=1) if parts else np.zeros((len(table), 1))
        return cls(table, task, task.encode(table[task.target]), tuple(names), matrix)

    def features(self, columns: Collection[str]) -> np.ndarray:
        """The features of these columns (rows, features); one of zeros where there is none."""
        kept = np.array([name in columns for name in self.names], dtype=bool)
        return self.matrix[:, kept] if kept.any() else np.zeros((len(self.truth), 1))

    def losses(self, scores: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """(rows,) log loss, or absolute error, for it is less at the mercy of single rows."""
        if self.task.kind is TaskKind.CLASSIFY:
            chosen = scores[np.arange(len(rows)), self.truth[rows]]
            return np.asarray(-np.log(np.clip(chosen, 0.001, 1.0)))
        return np.asarray(np.abs(scores[:, 0] - self.truth[rows]))

    def score(self, scores: np.ndarray, rows: np.ndarray) -> float:
        """These answers in the task's metric."""
        return METRICS[self.task.metric].score(self.truth[rows], scores)


def enough_rows(table: Table) -> int:
    """How many rows of such a table are looked at: fewer of a wide one."""
    return int(np.clip(VALUES // max(1, len(table.columns)), FEW_ROWS, ROWS))


def skill(sample: Sample, scores: np.ndarray, rows: np.ndarray) -> float:
    """How far the answers are from guessing (0) to knowing (1)."""
    truth = sample.truth[rows]
    if sample.task.kind is TaskKind.REGRESS:
        return r2(truth, scores)
    if sample.task.outputs == 2:
        return 2 * roc_auc(truth, scores) - 1
    usual = float(np.bincount(truth).max() / len(truth))
    return (accuracy(truth, scores) - usual) / max(1e-9, 1 - usual)


def _numbers(column: Column) -> np.ndarray:
    """A column as plain numbers (rows, features): values, codes by frequency, or common words."""
    if STORAGE[column.kind] == pa.float64():
        return np.asarray(column.numbers[:, None])
    if column.kind is Kind.TEXT:
        return _words(column)
    if column.kind is Kind.IMAGE:
        return _looks(column)
    codes, counts = value_codes(column)
    rank = np.empty(len(counts) + 1)
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
    rank[-1] = np.nan
    return np.asarray(rank[codes][:, None])


def value_codes(column: Column) -> tuple[np.ndarray, np.ndarray]:
    """(rows,) int64 code of each value, -1 where missing; (values,) rows of each."""
    coded = pc.dictionary_encode(column.values)
    codes = np.asarray(pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False)).astype(int)
    return codes, np.bincount(codes[codes >= 0], minlength=len(coded.dictionary))


def _looks(column: Column) -> np.ndarray:
    """(rows, features) of pictures: how light each channel is over a coarse grid, how much it
    varies, and how much from one pixel to the next."""
    pixels = column.pixels
    found = []
    for first in range(0, len(pixels), PICTURES_AT_ONCE):
        some = pixels[first : first + PICTURES_AT_ONCE].astype(np.float32)
        cells = [
            cell.mean(axis=(1, 2))
            for band in np.array_split(some, min(GRID, some.shape[1]), axis=1)
            for cell in np.array_split(band, min(GRID, some.shape[2]), axis=2)
        ]
        steps = [np.abs(np.diff(some, axis=axis)).mean(axis=(1, 2)) for axis in (1, 2)]
        found.append(np.concatenate([*cells, some.std(axis=(1, 2)), *steps], axis=1))
    return np.nan_to_num(np.concatenate(found).astype(np.float64))


def _words(column: Column) -> np.ndarray:
    """(rows, words) 1 where one of the commonest words occurs near the beginning."""
    start = pc.utf8_lower(pc.utf8_slice_codeunits(pc.fill_null(column.values, ""), 0, CHARACTERS))
    lists = pc.split_pattern_regex(start, r"\W+")
    rows, words = pc.list_parent_indices(lists), pc.list_flatten(lists)
    tally = pc.value_counts(words)
    common = np.argsort(-tally.field("counts").to_numpy(), kind="stable")[:WORDS]
    places = pc.fill_null(pc.index_in(words, tally.field("values").take(pa.array(common))), -1)
    row, place = rows.to_numpy(), places.to_numpy(zero_copy_only=False)
    flags = np.zeros((len(column.values), len(common)))
    flags[row[place >= 0], place[place >= 0]] = 1.0
    return flags


def answers(
    sample: Sample, matrix: np.ndarray, learn: np.ndarray, ask: np.ndarray, seed: int
) -> np.ndarray:
    """Scores (rows asked, outputs) of a quick booster that learned from other rows."""
    from threadpoolctl import threadpool_limits

    # Fits of milliseconds: threads that wait for each other would take longer than the work.
    with threadpool_limits(1):
        return _answers(sample, matrix, learn, ask, seed)


def _answers(
    sample: Sample, matrix: np.ndarray, learn: np.ndarray, ask: np.ndarray, seed: int
) -> np.ndarray:
    truth = sample.truth[learn]
    if sample.task.kind is TaskKind.REGRESS:
        model = _booster(1, seed, classify=False).fit(matrix[learn], truth)
        return np.asarray(model.predict(matrix[ask]))[:, None]
    present = np.unique(truth)
    scores = np.zeros((len(ask), sample.task.outputs))
    if len(present) == 1:
        scores[:, present[0]] = 1.0
        return scores
    model = _booster(len(present), seed, classify=True).fit(matrix[learn], truth)
    scores[:, present] = model.predict_proba(matrix[ask])
    return scores


def _booster(classes: int, seed: int, *, classify: bool) -> Any:  # neither library has types
    """LightGBM, or scikit-learn's booster where it is absent; fewer trees for many classes."""
    trees = TREES if classes <= 2 else max(TREES // 5, 2 * TREES // classes)
    if find_spec("lightgbm") is None:
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        kind = HistGradientBoostingClassifier if classify else HistGradientBoostingRegressor
        return kind(max_iter=trees, early_stopping=False, random_state=seed)
    from lightgbm import LGBMClassifier, LGBMRegressor

    return (LGBMClassifier if classify else LGBMRegressor)(
        n_estimators=trees,
        num_leaves=31,
        min_child_samples=5,
        min_child_weight=LEAF_WEIGHT,
        subsample_for_bin=ROWS,
        random_state=seed,
        n_jobs=1,
        deterministic=True,
        force_col_wise=True,
        verbose=-1,
    )


def crossed(sample: Sample, units: np.ndarray, seed: int, *, draws: int) -> np.ndarray:
    """Scores (rows, outputs): each row answered by a booster that saw no row of its unit.

    units: (rows,) int64 from 0. draws: of folds; their answers are averaged."""
    rows = np.arange(len(sample.truth))
    scores = np.zeros((len(rows), sample.task.outputs))
    for draw in range(draws):
        fold = _unit_folds(units, np.random.default_rng([seed, draw]))
        for k in range(FOLDS):
            asked = rows[fold == k]
            if len(asked):
                learn = rows[fold != k]
                scores[asked] += answers(sample, sample.matrix, learn, asked, seed + draw)
    return scores / draws


def _unit_folds(units: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """(rows,) fold of each row: whole units in random order, laid end to end and cut evenly."""
    sizes = np.bincount(units)
    order = random.permutation(len(sizes))
    middle = np.empty(len(sizes))
    middle[order] = np.cumsum(sizes[order]) - sizes[order] / 2
    return np.asarray((middle * FOLDS / len(units)).astype(int)[units])
