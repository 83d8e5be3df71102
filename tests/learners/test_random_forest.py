"""Forests of voters."""

import time
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from tree_tables import ask_graph, far_off, graph_bytes, shells

from fathometer.errors import OutOfTimeError
from fathometer.learners.contract import Budget
from fathometer.learners.random_forest import ExtraTrees, RandomForest
from fathometer.table.metric import METRICS

Forest = RandomForest | ExtraTrees
FORESTS: tuple[Forest, ...] = (RandomForest(trees=40), ExtraTrees(trees=40))
every_forest = pytest.mark.parametrize("forest", FORESTS, ids=lambda forest: forest.name)


@every_forest
@pytest.mark.parametrize("classes", [0, 2, 4])
def test_graph_answers_as_the_forest_does(forest: Forest, classes: int) -> None:
    table, task, split = shells(300, classes=classes)
    model = forest.fit(table, task, split)
    for rows in (table, far_off(table), table.rows(split.lockbox[:1])):
        expected = model.predict(rows).scores
        assert_allclose(ask_graph(model, rows), expected, rtol=1e-6, atol=1e-6)


@every_forest
@pytest.mark.parametrize("classes", [0, 2, 4])
def test_more_is_learned_than_a_constant_knows(forest: Forest, classes: int) -> None:
    table, task, split = shells(600, classes=classes)
    model = forest.fit(table, task, split)
    truth = task.encode(table[task.target])
    score = METRICS["log_loss" if classes else "rmse"].score
    constant = np.log(classes) if classes else truth.std()
    assert score(truth[split.train], model.out_of_fold) < 0.8 * constant
    unseen = model.predict(table.rows(split.lockbox)).scores
    assert score(truth[split.lockbox], unseen) < 0.8 * constant


@every_forest
def test_same_seed_gives_the_same_bytes_on_one_thread_and_two(forest: Forest) -> None:
    table, task, split = shells(200, classes=3)
    one, two = (replace(forest, threads=n).fit(table, task, split) for n in (1, 2))
    assert graph_bytes(one) == graph_bytes(two)
    assert_array_equal(one.out_of_fold, two.out_of_fold)


@every_forest
def test_time_that_is_up_stops_early_with_a_model(forest: Forest) -> None:
    table, task, split = shells(300, classes=2)
    start = time.monotonic()
    endless = replace(forest, trees=100_000)
    model = endless.fit(table, task, split, budget=Budget(start + 1.0))
    assert time.monotonic() - start < 15.0
    assert_allclose(model.out_of_fold.sum(axis=1), 1.0)


@every_forest
def test_no_time_at_all_is_said(forest: Forest) -> None:
    table, task, split = shells(60, classes=2)
    with pytest.raises(OutOfTimeError):
        forest.fit(table, task, split, budget=Budget(time.monotonic() - 1.0))
