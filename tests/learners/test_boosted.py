"""Promises that every boosting library keeps."""

import time
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from tree_tables import ask_graph, far_off, graph_bytes, shells

from fathometer.errors import MissingPackageError, OutOfTimeError
from fathometer.learners.boosted import Boosting, need
from fathometer.learners.cat_boost import CatBoost
from fathometer.learners.contract import Budget, Progress
from fathometer.learners.light_gbm import LightGBM
from fathometer.learners.xg_boost import XGBoost
from fathometer.table.kind import Kind
from fathometer.table.metric import METRICS
from fathometer.table.split import Split
from fathometer.table.table import Table, column_from
from fathometer.table.task import Task, TaskKind

BOOSTERS = (
    LightGBM(rounds=25, learning_rate=0.2),
    XGBoost(rounds=25, learning_rate=0.2, depth=4),
    CatBoost(rounds=25, learning_rate=0.2, depth=4),
)
every_booster = pytest.mark.parametrize("booster", BOOSTERS, ids=lambda booster: booster.name)


@every_booster
@pytest.mark.parametrize("classes", [0, 2, 4])
def test_graph_answers_as_the_library_does(booster: Boosting, classes: int) -> None:
    table, task, split = shells(400, classes=classes)
    model = booster.fit(table, task, split)
    for rows in (table, far_off(table.rows(split.lockbox)), table.rows(split.lockbox[:1])):
        expected = model.predict(rows).scores
        assert_allclose(ask_graph(model, rows), expected, rtol=1e-6, atol=1e-6)


@every_booster
@pytest.mark.parametrize("classes", [0, 2, 4])
def test_more_is_learned_than_a_constant_knows(booster: Boosting, classes: int) -> None:
    table, task, split = shells(600, classes=classes)
    model = booster.fit(table, task, split)
    truth = task.encode(table[task.target])
    score = METRICS["log_loss" if classes else "rmse"].score
    constant = np.log(classes) if classes else truth.std()
    assert score(truth[split.train], model.out_of_fold) < 0.85 * constant
    unseen = model.predict(table.rows(split.lockbox)).scores
    assert score(truth[split.lockbox], unseen) < 0.85 * constant


@every_booster
def test_same_seed_gives_the_same_bytes_on_one_thread_and_two(booster: Boosting) -> None:
    table, task, split = shells(300, classes=3)
    one, two = (replace(booster, threads=n).fit(table, task, split) for n in (1, 2))
    assert graph_bytes(one) == graph_bytes(two)
    assert_array_equal(one.out_of_fold, two.out_of_fold)


@every_booster
def test_lockbox_rows_teach_nothing(booster: Boosting) -> None:
    table, task, split = shells(300, classes=2)
    swapped = np.arange(len(table))
    swapped[split.lockbox] = np.random.default_rng(1).permutation(split.lockbox)
    models = [booster.fit(rows, task, split) for rows in (table, table.rows(swapped))]
    assert graph_bytes(models[0]) == graph_bytes(models[1])


@every_booster
def test_own_target_has_no_say_in_own_out_of_fold_scores(booster: Boosting) -> None:
    table, task, split = shells(300, classes=0)
    fold = split.folds[0]
    swapped = np.arange(len(table))
    swapped[fold] = np.random.default_rng(1).permutation(fold)
    answers = table.rows(swapped)[task.target]
    others = tuple(column for column in table if column.name != task.target)
    shuffled = replace(table, columns=(*others, answers))
    # So few rounds that every fold keeps them all: how many rounds the others would keep depends
    # on what they learn, and they learn from this fold.
    short = replace(booster, rounds=3)
    models = [short.fit(rows, task, split) for rows in (table, shuffled)]
    places = split.places(fold)
    assert_allclose(models[0].out_of_fold[places], models[1].out_of_fold[places], rtol=1e-12)


@every_booster
def test_few_rows_are_enough_to_answer(booster: Boosting) -> None:
    table, task, split = shells(12, classes=2)
    model = booster.fit(table, task, split)
    assert_allclose(ask_graph(model, table), model.predict(table).scores, atol=1e-6)
    assert_allclose(model.out_of_fold.sum(axis=1), 1.0)


@every_booster
def test_time_that_is_up_stops_early_with_a_model(booster: Boosting) -> None:
    table, task, split = shells(300, classes=2)
    told: list[Progress] = []
    endless = replace(booster, rounds=100_000, patience=100_000, learning_rate=1e-4)
    start = time.monotonic()
    model = endless.fit(table, task, split, budget=Budget(start + 1.5, told.append))
    assert time.monotonic() - start < 15.0
    assert np.isfinite(model.out_of_fold).all()
    assert told
    assert all(0.0 <= progress.done <= 1.0 for progress in told)


@every_booster
def test_no_time_at_all_is_said(booster: Boosting) -> None:
    table, task, split = shells(50, classes=2)
    with pytest.raises(OutOfTimeError):
        booster.fit(table, task, split, budget=Budget(time.monotonic() - 1.0))


@every_booster
def test_library_keeps_quiet(booster: Boosting, capfd: pytest.CaptureFixture[str]) -> None:
    table, task, split = shells(60, classes=2)
    booster.fit(table, task, split)
    assert capfd.readouterr() == ("", "")


@every_booster
def test_model_takes_every_column_but_the_target(booster: Boosting) -> None:
    table, task, split = shells(60, classes=2)
    model = booster.fit(table, task, split)
    assert [spec.name for spec in model.columns] == ["size", "weight", "shade", "when"]
    assert model.account.fits == len(split.folds)


def test_absent_package_is_named_with_the_line_to_type() -> None:
    with pytest.raises(MissingPackageError) as raised:
        need("no_such_booster", "NoSuchBooster")
    assert raised.value.try_next == "pip install no_such_booster"


@every_booster
def test_a_fold_starts_from_its_own_rows_and_not_from_the_mean_of_all(booster: Boosting) -> None:
    rng, block = np.random.default_rng(0), np.arange(300) // 60
    values = np.where(block == 4, 100.0, 0.0) + rng.normal(size=300)
    size = column_from("size", Kind.NUMBER, rng.normal(size=300))
    table = Table((size, column_from("value", Kind.NUMBER, values)))
    folds = tuple(np.flatnonzero(block == fold) for fold in range(5))
    split = Split(np.arange(300), np.arange(0), folds, 0)
    model = booster.fit(table, Task(TaskKind.REGRESS, "value", "rmse"), split)
    # All that the last fold learns from is about 0.
    assert abs(model.out_of_fold[folds[4]].mean()) < 1.0
    expected = model.predict(table).scores
    assert_allclose(ask_graph(model, table), expected, rtol=1e-6, atol=1e-5)
