"""What a target column is understood to ask, and how unanswerable questions are refused."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from fathometer.errors import ColumnError, TaskError
from fathometer.table.ask import answerable, ask
from fathometer.table.kind import Kind
from fathometer.table.table import Table, column_from
from fathometer.table.task import TaskKind


def one_column(kind: Kind, values: Sequence[object] | np.ndarray, *, reason: str = "") -> Table:
    return Table((column_from("target", kind, list(values), reason=reason),), "rows.csv")


def repeated(counts: dict[int, int]) -> Table:
    """A number column in which each value occurs so many times."""
    return one_column(
        Kind.NUMBER, np.repeat([float(value) for value in counts], [*counts.values()])
    )


def test_two_numbers_are_a_binary_classification_with_whole_labels():
    task = ask(one_column(Kind.NUMBER, [0.0, 1.0, 1.0, 0.0]), "target")
    assert (task.kind, task.classes, task.metric) == (TaskKind.CLASSIFY, ("0", "1"), "roc_auc")
    assert task.integer_labels
    assert task.reason == "two values, 0 and 1 → binary classification"


def test_classes_of_numbers_are_named_as_they_are_written():
    fractions = one_column(Kind.NUMBER, [1.1, 2.2] * 5)
    assert ask(fractions, "target").classes == ("1.1", "2.2")
    signed = one_column(Kind.NUMBER, [0.0, -0.0, 1.0, 0.0])
    task = ask(signed, "target")
    assert task.classes == ("0", "1")
    assert task.encode(signed["target"]).tolist() == [0, 0, 1, 0]


def test_labels_in_no_order_of_frequency_are_classes():
    land_cover = repeated({1: 3650, 2: 4880, 3: 620, 4: 50, 5: 160, 6: 300, 7: 350})
    task = ask(land_cover, "target")
    assert task.classes == tuple("1234567")
    assert "--kind target=number" in task.reason


def test_equally_frequent_digits_are_classes():
    assert len(ask(repeated({digit: 100 + digit for digit in range(10)}), "target").classes) == 10


@pytest.mark.parametrize(
    "counts",
    [
        {3: 30, 4: 216, 5: 2138, 6: 2836, 7: 1079, 8: 193, 9: 5},  # a taster's grades
        {1: 821, 2: 1549, 3: 2823, 4: 4908, 5: 12540},  # stars of reviews
        dict.fromkeys(range(10, 75), 20),  # many values, far from 0
        {0: 900, 10: 50, 20: 800, 30: 40, 40: 700, 50: 30},  # with gaps
    ],
)
def test_quantities_in_whole_numbers_are_regressed(counts):
    assert ask(repeated(counts), "target").kind is TaskKind.REGRESS


def test_a_declared_number_is_regressed_even_with_two_values():
    task = ask(one_column(Kind.NUMBER, [0.0, 1.0] * 9, reason="declared"), "target")
    assert task.kind is TaskKind.REGRESS


def test_the_user_s_task_goes_before_the_values():
    table = repeated({3: 30, 4: 216, 5: 2138})
    assert ask(table, "target", kind=TaskKind.REGRESS).classes == ()
    assert ask(table, "target", kind=TaskKind.CLASSIFY).classes == ("3", "4", "5")


def test_whole_labels_stand_in_the_order_of_their_numbers():
    task = ask(one_column(Kind.NUMBER, [10.0, 9.0, 2.0] * 10), "target")
    assert task.classes == ("2", "9", "10")
    assert task.encode(one_column(Kind.NUMBER, [9.0, 10.0])["target"]).tolist() == [1, 2]


def test_categories_stand_in_the_order_of_their_letters():
    task = ask(one_column(Kind.CATEGORY, ["yes", "no", "maybe", "no"]), "target")
    assert (task.classes, task.integer_labels) == (("maybe", "no", "yes"), False)
    assert task.metric == "accuracy"


def test_a_skewed_quantity_is_said_to_be_skewed():
    prices = np.random.default_rng(0).lognormal(3, 1, 500).round(2)
    task = ask(one_column(Kind.NUMBER, prices), "target")
    assert "different numbers from" in task.reason
    assert "--metric rmsle" in task.reason


def test_rows_without_a_target_are_dropped_and_counted():
    table = one_column(Kind.NUMBER, [1.5, None, 2.5, float("inf"), 4.0, 7.25])
    known, dropped = answerable(table, ask(table, "target"))
    assert (len(known), dropped) == (4, 2)
    texts = one_column(Kind.CATEGORY, ["a", None, "", "b"])
    assert answerable(texts, ask(texts, "target"))[1] == 2


def test_a_misspelt_target_is_answered_with_the_nearest():
    with pytest.raises(ColumnError, match='nearest is "target"') as caught:
        ask(one_column(Kind.NUMBER, [1.0, 2.0]), "targte")
    assert caught.value.try_next == "--target target"


@pytest.mark.parametrize(
    ("kind", "values", "found"),
    [
        (Kind.NUMBER, [None, None], "no value in any of 2 rows"),
        (Kind.CATEGORY, ["a", "a", None], "one value only"),
        (Kind.CONSTANT, ["a", "a"], "one value only"),
        (Kind.IDENTIFIER, ["x1", "x2", "x3"], "names its rows"),
        (Kind.TEXT, ["a long text", "another one", "and a third"], "3 different of 3"),
        (Kind.DATE, [0.0, 86400.0], "is a date"),
        (Kind.CATEGORY, [f"c{k}" for k in range(1001)], "1,001 different values"),
    ],
)
def test_what_cannot_be_predicted_is_refused_with_what_to_type(kind, values, found):
    with pytest.raises(TaskError, match=found) as caught:
        ask(one_column(kind, values), "target")
    assert caught.value.try_next.startswith("--")


def test_words_cannot_be_regressed():
    with pytest.raises(TaskError, match="only numbers") as caught:
        ask(one_column(Kind.CATEGORY, ["a", "b"]), "target", kind=TaskKind.REGRESS)
    assert caught.value.try_next == "--kind target=number"


@pytest.mark.parametrize("metric", ["rmse", "roc_acu"])
def test_a_metric_that_does_not_score_the_task_is_answered_with_those_that_do(metric):
    with pytest.raises(TaskError, match="roc_auc, log_loss, accuracy") as caught:
        ask(one_column(Kind.NUMBER, [0.0, 1.0]), "target", metric=metric)
    assert caught.value.try_next.startswith("--metric ")
