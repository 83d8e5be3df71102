"""Fewer rows that teach: no learner looks at the others, and every training row is scored."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from fathometer.learners.cat_boost import CatBoost
from fathometer.learners.constant import Constant
from fathometer.learners.decision_tree import DecisionTree
from fathometer.learners.light_gbm import LightGBM
from fathometer.learners.linear import ElasticNet, Logistic, Ridge
from fathometer.learners.naive_bayes import NaiveBayes
from fathometer.learners.neighbours import Neighbours
from fathometer.learners.network import ModernNetwork, PlainNetwork, Training
from fathometer.learners.random_forest import ExtraTrees, RandomForest
from fathometer.learners.xg_boost import XGBoost
from fathometer.table.kind import Kind
from fathometer.table.metric import METRICS
from fathometer.table.table import Table, column_from
from fathometer.table.task import Task, TaskKind

BRIEF = Training(epochs=2, least_steps=4, patience=2)
FITTED = [
    Constant(),
    Ridge((1e-2,)),
    ElasticNet((1e-2,)),
    DecisionTree(),
    LightGBM(rounds=12),
    LightGBM(rounds=12, configurations=3),
    CatBoost(rounds=12),
    XGBoost(rounds=12),
    RandomForest(trees=8),
    RandomForest(trees=8, configurations=3),
    ExtraTrees(trees=8),
    Neighbours((5,)),
    PlainNetwork(width=16, training=BRIEF),
    ModernNetwork(training=BRIEF),
]
CLASSIFIERS = [Logistic((1e-2,), iterations=20), NaiveBayes((1.0,))]


def _scored(learner, setting, limited):
    """Out-of-fold scores, and the answers of the model of all folds to the lockbox."""
    model = learner.fit(setting.table, setting.task, limited)
    return model.out_of_fold, model.predict(setting.table.rows(setting.split.lockbox)).scores


def _with_other_targets(table: Table, task: Task, rows: np.ndarray, shift: float) -> Table:
    """The table with this added to the targets of these rows."""
    values = task.encode(table[task.target]).astype(np.float64)
    values[rows] += shift
    column = table[task.target]
    changed = replace(column, values=pa.array(values).cast(column.values.type))
    return replace(table, columns=tuple(changed if c is column else c for c in table))


@pytest.mark.parametrize("learner", FITTED, ids=lambda one: f"{one.name}")
def test_targets_that_do_not_teach_reach_no_answer(learner, fares):
    """They are moved a million away: a mean, a scale or a tree that saw them would show it.

    Rounds and settings may change, since every fold's are chosen by the rows that the others
    validate; so the answers need not be the same."""
    limited = fares.split.limited(1 / 4)
    silent = np.setdiff1d(fares.split.train, limited.teaching)
    moved = replace(fares, table=_with_other_targets(fares.table, fares.task, silent, 1e6))
    out_of_fold, answers = _scored(learner, moved, limited)
    assert out_of_fold.shape == (len(fares.split.train), 1)
    reach = fares.truth[fares.split.train].max()
    assert np.abs(out_of_fold).max() < 10 * reach
    assert np.abs(answers).max() < 10 * reach


@pytest.mark.parametrize("learner", [Constant(), Ridge((1e-2,)), Neighbours((5,))], ids=repr)
def test_a_learner_that_chooses_nothing_answers_the_same(learner, fares):
    limited = fares.split.limited(1 / 4)
    silent = np.setdiff1d(fares.split.train, limited.teaching)
    moved = replace(fares, table=_with_other_targets(fares.table, fares.task, silent, 1e6))
    for one, other in zip(
        _scored(learner, fares, limited), _scored(learner, moved, limited), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def _noise(rows: int = 400) -> tuple[Table, Task, np.ndarray]:
    """Columns that say nothing about the class, and many of them: a leak would show at once."""
    random = np.random.default_rng(0)
    columns = [
        column_from(f"x{place}", Kind.NUMBER, random.normal(size=rows)) for place in range(8)
    ]
    truth = random.integers(0, 2, rows)
    names = [f"level {place}" for place in random.integers(0, 60, rows)]
    columns += [column_from("level", Kind.CATEGORY, names)]
    columns += [column_from("y", Kind.CATEGORY, ["no" if t == 0 else "yes" for t in truth])]
    task = Task(TaskKind.CLASSIFY, "y", "roc_auc", ("no", "yes"))
    return Table(tuple(columns), "noise"), task, truth


@pytest.mark.parametrize("learner", [*FITTED[3:], *CLASSIFIERS], ids=lambda one: f"{one.name}")
def test_noise_stays_noise_out_of_fold(learner):
    from fathometer.table.divide import divide

    table, task, truth = _noise()
    split = divide(table, task)
    limited = split.limited(1 / 2, classes=truth[split.train])
    model = learner.fit(table, task, limited)
    area = METRICS["roc_auc"].score(truth[split.train], model.out_of_fold)
    # The standard error of an area of 0.5 on 320 rows is 0.032; twelve learners ask.
    assert abs(area - 0.5) < 0.13
    # A planted leak: answers of a model that learned from the rows themselves pass this bar.
    leaked = model.predict(table.rows(limited.teaching)).scores
    if learner.name in ("LightGBM", "random forest", "extra trees"):
        assert METRICS["roc_auc"].score(truth[limited.teaching], leaked) > 0.63
