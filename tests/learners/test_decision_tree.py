"""A decision tree that can be read."""

import time
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.tree import DecisionTreeClassifier
from tree_tables import ask_graph, far_off, shells, thirds

from fathometer.errors import OutOfTimeError
from fathometer.learners.contract import Budget
from fathometer.learners.decision_tree import (
    DecisionTree,
    breaking_penalties,
    one_standard_error,
    standing_for,
)
from fathometer.table.kind import Kind
from fathometer.table.table import Table, column_from
from fathometer.table.task import Task, TaskKind


@pytest.mark.parametrize("classes", [0, 2, 4])
def test_graph_answers_as_the_tree_does(classes: int) -> None:
    table, task, split = shells(500, classes=classes)
    model = DecisionTree().fit(table, task, split)
    for rows in (table, far_off(table)):
        expected = model.predict(rows).scores
        assert_allclose(ask_graph(model, rows), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("penalty", [1e-4, 1e-3, 4e-3, 2e-2, 1.0])
def test_breaking_penalties_prune_as_scikit_learn_does(penalty: float) -> None:
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(500, 4))
    target = (matrix[:, 0] * matrix[:, 1] + rng.normal(size=500) > 0).astype(np.int64)
    full = DecisionTreeClassifier(random_state=0).fit(matrix, target)
    pruned = DecisionTreeClassifier(random_state=0, ccp_alpha=penalty).fit(matrix, target)
    answering = standing_for(full.tree_, breaking_penalties(full.tree_), penalty)
    assert len(np.unique(answering[full.apply(matrix)])) == pruned.get_n_leaves()
    value = full.tree_.value[answering[full.apply(matrix)], 0, 1]
    assert_allclose(value, pruned.predict_proba(matrix)[:, 1])


def test_simplest_tree_within_one_standard_error_is_taken() -> None:
    losses = np.array([[1.0, 0.5, 0.6, 2.0], [1.2, 0.7, 0.7, 2.0], [1.1, 0.6, 0.65, 2.0]])
    assert one_standard_error(losses) == 2


def test_rules_are_few_and_say_raw_values() -> None:
    rng = np.random.default_rng(0)
    age = rng.integers(0, 80, 600).astype(np.float64)
    table = Table(
        (
            column_from("age", Kind.NUMBER, age),
            column_from("old", Kind.CATEGORY, np.where(age > 40, "yes", "no").astype(object)),
        )
    )
    task = Task(TaskKind.CLASSIFY, "old", "accuracy", ("no", "yes"))
    model = DecisionTree().fit(table, task, thirds(600))
    lines = model.account.reading.splitlines()
    assert model.account.reads_as == "2 rules"
    assert lines[0] == "if age ≤ 40.5:"
    assert lines[1].startswith("    no, 100% of ")
    assert lines[2:] == ["else:", lines[3]]


def test_level_of_a_category_reads_as_itself() -> None:
    colour = np.array(["red", "blue", "grey"], dtype=object)[np.arange(300) % 3]
    table = Table(
        (
            column_from("colour", Kind.CATEGORY, colour),
            column_from("price", Kind.NUMBER, np.where(colour == "red", 9.0, 4.0)),
        )
    )
    task = Task(TaskKind.REGRESS, "price", "rmse")
    reading = DecisionTree().fit(table, task, thirds(300)).account.reading
    assert reading.splitlines() == [
        "if colour = red:",
        f"    9 ({(colour[thirds(300).train] == 'red').sum()} rows)",
        "else:",
        f"    4 ({(colour[thirds(300).train] != 'red').sum()} rows)",
    ]


def test_tree_never_has_more_leaves_than_can_be_read() -> None:
    table, task, split = shells(2_000, classes=0)
    model = DecisionTree(most_leaves=12).fit(table, task, split)
    assert model.estimator.get_n_leaves() <= 12
    assert model.account.reading.count("rows") == model.estimator.get_n_leaves()


def test_noise_is_answered_with_one_rule() -> None:
    table, task, split = shells(1_000, classes=0)
    noise = np.random.default_rng(5).permutation(len(table))
    shuffled = replace(table, columns=(*table.columns[:-1], table[task.target].take(noise)))
    assert DecisionTree().fit(shuffled, task, split).account.reads_as == "1 rule"


def test_no_class_is_called_impossible() -> None:
    table, task, split = shells(200, classes=2)
    model = DecisionTree().fit(table, task, split)
    assert model.predict(table).scores.min() >= 1.0 / (len(split.train) + 2) - 1e-12
    assert_allclose(model.predict(table).scores.sum(axis=1), 1.0)


def test_no_time_at_all_is_said() -> None:
    table, task, split = shells(60, classes=2)
    with pytest.raises(OutOfTimeError):
        DecisionTree().fit(table, task, split, budget=Budget(time.monotonic() - 1.0))


def test_a_fold_of_one_class_has_no_say_in_how_far_the_tree_is_pruned() -> None:
    areas = np.array([[-0.90, -0.88, -0.85, -0.80, -0.70, -0.50]] * 4)
    silent = np.full((1, 6), np.nan)
    assert one_standard_error(np.concatenate([areas, silent])) == one_standard_error(areas) == 0
    assert one_standard_error(np.concatenate([silent, silent])) == 5


def test_every_tree_that_is_grown_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    table, task, split = shells(200, classes=2)
    grown = []
    fit = DecisionTreeClassifier.fit
    monkeypatch.setattr(DecisionTreeClassifier, "fit", lambda *a: grown.append(1) or fit(*a))
    assert DecisionTree().fit(table, task, split).account.fits == len(grown)


@pytest.mark.parametrize("first", [3_000_007.0, 0.0, 0.001, 1e12])
def test_a_rule_can_be_followed(first: float) -> None:
    step = 1e-5 if first == 0.001 else 1.0
    people = first + step * np.random.default_rng(0).integers(0, 60, 600)
    many = people > first + 30 * step
    table = Table(
        (
            column_from("people", Kind.NUMBER, people),
            column_from("many", Kind.CATEGORY, np.where(many, "yes", "no").astype(object)),
        )
    )
    task = Task(TaskKind.CLASSIFY, "many", "accuracy", ("no", "yes"))
    line = DecisionTree().fit(table, task, thirds(600)).account.reading.splitlines()[0]
    said = line.removeprefix("if people ≤ ").removesuffix(":")
    assert ((people > float(said)) == many).all()
    assert len(said) <= 15
