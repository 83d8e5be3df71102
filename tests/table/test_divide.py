"""What a split promises, on tables drawn at random and on the shapes that are hard to divide."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fathometer.errors import SplitError
from fathometer.table.ask import ask
from fathometer.table.divide import LOCKBOX_ROWS, DivideOptions, divide
from fathometer.table.kind import Kind
from fathometer.table.split import Split
from fathometer.table.table import Table, column_from
from fathometer.table.task import Task, TaskKind
from fathometer.table.together import group_codes, row_codes


def customers(rows: int, seed: int, *, classes: int = 2, values: int = 1000) -> Table:
    """Rows of `values` possible features, of customers with a few rows each, in days."""
    random = np.random.default_rng(seed)
    answers = np.concatenate([np.arange(classes), random.integers(0, classes, rows - classes)])
    return Table(
        (
            column_from("size", Kind.NUMBER, random.integers(0, values, rows).astype(float)),
            column_from("colour", Kind.CATEGORY, random.choice(["red", "blue", None], rows)),
            column_from(
                "customer", Kind.IDENTIFIER, [f"c{k}" for k in random.integers(0, 40, rows)]
            ),
            column_from("day", Kind.DATE, random.integers(0, 30, rows) * 86400.0),
            column_from("answer", Kind.CATEGORY, [f"class {k}" for k in answers]),
            column_from("price", Kind.NUMBER, random.lognormal(0, 1, rows)),
        )
    )


def without(table: Table, *names: str) -> Table:
    return table.without(names)


def task_of(table: Table) -> Task:
    return ask(table, "answer", kind=TaskKind.CLASSIFY)


def sides(split: Split, rows: int) -> np.ndarray:
    """(rows,) -1 for the lockbox, the fold of each row to learn from, -2 for rows not used."""
    side = np.full(rows, -2)
    side[split.lockbox] = -1
    for number, fold in enumerate(split.folds):
        side[fold] = number
    return side


def straddling(codes: np.ndarray, side: np.ndarray) -> int:
    """How many codes occur on more than one side."""
    pairs = np.unique(np.column_stack([codes, side]), axis=0)
    return len(pairs) - len(np.unique(codes))


@settings(max_examples=40, deadline=None)
@given(
    rows=st.integers(12, 300),
    seed=st.integers(0, 9),
    classes=st.integers(2, 5),
    folds=st.integers(2, 7),
)
def test_every_row_has_exactly_one_place(rows, seed, classes, folds):
    table = without(customers(rows, seed, classes=classes), "price")
    split = divide(table, task_of(table), DivideOptions(folds=folds), seed=seed)
    assert np.array_equal(np.sort(np.concatenate([split.train, split.lockbox])), np.arange(rows))
    assert np.array_equal(np.sort(np.concatenate(split.folds)), split.train)
    assert len(split.lockbox)
    assert 2 <= len(split.folds) <= folds
    assert all((np.diff(part) > 0).all() for part in (split.train, split.lockbox, *split.folds))


@pytest.mark.parametrize("seed", range(5))
def test_rows_with_the_same_features_stay_on_one_side(seed):
    table = without(customers(400, seed, values=60), "price", "day", "customer")
    task = task_of(table)
    codes = row_codes(table, task)
    assert len(np.unique(codes)) < 200
    assert straddling(codes, sides(divide(table, task, seed=seed), 400)) == 0


@pytest.mark.parametrize("seed", range(5))
def test_groups_and_copies_both_stay_on_one_side(seed):
    table = without(customers(120, seed, values=400), "price", "day")
    task = task_of(table)
    side = sides(divide(table, task, DivideOptions(group="customer"), seed=seed), 120)
    groups = np.unique(table["customer"].strings, return_inverse=True)[1]
    assert straddling(groups, side) == 0
    assert straddling(row_codes(table, task), side) == 0


@pytest.mark.parametrize("seed", range(5))
def test_the_past_teaches_and_the_future_judges(seed):
    table = without(customers(300, seed), "price")
    split = divide(table, task_of(table), DivideOptions(time="day"), seed=seed)
    days = table["day"].numbers
    parts = [*split.folds, split.lockbox]
    for earlier, later in itertools.pairwise(parts):
        assert days[earlier].max() < days[later].min()
    assert 0.1 < len(split.lockbox) / 300 < 0.3


def test_the_same_seed_gives_the_same_split_and_another_seed_another():
    table = without(customers(200, 0), "price")
    one, same, other = (divide(table, task_of(table), seed=seed) for seed in (1, 1, 2))
    assert all(map(np.array_equal, one.folds, same.folds))
    assert np.array_equal(one.lockbox, same.lockbox)
    assert not np.array_equal(one.lockbox, other.lockbox)


def test_every_class_is_in_every_fold_and_in_the_share_it_has():
    answers = np.repeat([0.0, 1.0, 2.0], [850, 140, 10])
    size = np.arange(1000.0)
    table = Table(
        (column_from("size", Kind.NUMBER, size), column_from("answer", Kind.NUMBER, answers))
    )
    split = divide(table, task_of(table))
    assert np.bincount(answers[split.lockbox].astype(int)).tolist() == [170, 28, 2]
    assert all(len(np.unique(answers[fold])) == 3 for fold in split.folds)


def test_a_number_is_stratified_by_its_range():
    table = without(customers(2000, 0), "answer")
    split = divide(table, ask(table, "price"))
    prices = table["price"].numbers
    medians = [np.median(prices[part]) for part in (*split.folds, split.lockbox)]
    assert max(medians) - min(medians) < 0.15


def test_a_class_of_one_or_two_rows_is_only_learned():
    answers = ["usual"] * 60 + ["other"] * 37 + ["pair"] * 2 + ["single"]
    table = Table(
        (
            column_from("size", Kind.NUMBER, np.arange(100.0)),
            column_from("answer", Kind.CATEGORY, answers),
        )
    )
    for seed in range(5):
        split = divide(table, task_of(table), seed=seed)
        assert split.lockbox.max() < 97
        assert "2 rare classes not in the lockbox" in split.how


def test_the_lockbox_is_capped():
    size = np.arange(120_000.0)
    table = Table(
        (column_from("size", Kind.NUMBER, size), column_from("price", Kind.NUMBER, size % 977))
    )
    split = divide(table, ask(table, "price"))
    assert abs(len(split.lockbox) - LOCKBOX_ROWS) < 20
    assert "lockbox capped at 20,000 rows" in split.how


def test_capped_training_rows_keep_every_class_and_say_so():
    table = without(customers(2000, 0, classes=5), "price", "customer", "day")
    split = divide(table, task_of(table), DivideOptions(max_train=300))
    assert len(split.train) == 300
    assert f"300 of {2000 - len(split.lockbox):,} rows to learn, drawn" in split.how
    latest = without(customers(2000, 0), "price")
    kept = divide(latest, task_of(latest), DivideOptions(time="day", max_train=300))
    days = latest["day"].numbers
    unused = np.flatnonzero(sides(kept, 2000) == -2)
    assert days[unused].max() <= days[kept.train].min()


def test_a_lockbox_of_the_user_s_own_is_taken_as_it_is():
    table = without(customers(200, 0, values=20), "price", "customer", "day")
    own = np.arange(150, 200)
    split = divide(table, task_of(table), lockbox_rows=own)
    assert np.array_equal(split.lockbox, own)
    assert "lockbox as given" in split.how
    assert "rows to learn also occur in it" in split.how


def test_few_combinations_are_not_taken_for_copies():
    table = without(customers(500, 0, values=4), "price", "customer", "day")
    split = divide(table, task_of(table))
    assert 90 <= len(split.lockbox) <= 110
    assert "not kept together" in split.how


def test_missing_values_repeat_each_other_but_rows_without_a_group_do_not():
    rows = 40
    table = Table(
        (
            column_from("size", Kind.NUMBER, [None, None] + [float(k) for k in range(rows - 2)]),
            column_from("family", Kind.CATEGORY, [None] * 20 + ["a", "b", "c", "d"] * 5),
            column_from("answer", Kind.NUMBER, [0.0, 1.0] * 20),
        )
    )
    assert len(np.unique(row_codes(without(table, "family"), task_of(table)))) == rows - 1
    split = divide(table, task_of(table), DivideOptions(group="family"))
    assert len(np.unique(sides(split, rows)[:20])) > 2


@pytest.mark.parametrize(
    ("options", "rows", "found"),
    [
        (DivideOptions(), 9, "9 rows with a target"),
        (DivideOptions(group="one"), 40, "1 group of 40 rows; at least 4"),
        (DivideOptions(time="one"), 40, "cannot be ordered in time"),
        (DivideOptions(time="day", group="customer"), 40, "contradict"),
    ],
)
def test_what_cannot_be_divided_is_refused_with_what_to_type(options, rows, found):
    table = without(customers(rows, 0), "price")
    constant = column_from("one", Kind.CONSTANT, ["same"] * rows)
    table = Table((*table.columns, constant))
    with pytest.raises(SplitError, match=found) as caught:
        divide(table, task_of(table), options)
    assert caught.value.try_next.startswith("--") or not caught.value.try_next
    assert caught.value.try_next or caught.value.details or rows < 10


@pytest.mark.parametrize("count", [4, 5, 7])
def test_of_few_groups_two_judge_and_two_teach(count):
    table = customers(200, 3)
    sites = column_from("site", Kind.CATEGORY, [f"s{k % count}" for k in range(200)])
    table = Table((*table.columns, sites))
    for seed in range(5):
        split = divide(table, task_of(table), DivideOptions(group="site"), seed=seed)
        groups = group_codes(table, "site")
        assert len(np.unique(groups[split.lockbox])) >= 2
        assert len(np.unique(groups[split.train])) >= 2
        assert not set(groups[split.lockbox]) & set(groups[split.train])


def test_groups_that_repeated_rows_link_into_one_are_refused():
    random = np.random.default_rng(1)
    table = Table(
        (
            column_from("dose", Kind.NUMBER, random.integers(0, 40, 200).astype(float)),
            column_from("patient", Kind.IDENTIFIER, [f"p{row % 20}" for row in range(200)]),
            column_from("answer", Kind.CATEGORY, random.choice(["a", "b"], 200).tolist()),
        )
    )
    task = task_of(table)
    with pytest.raises(SplitError, match=r'"patient" shares a row .* all are linked') as caught:
        divide(table, task, DivideOptions(group="patient"))
    assert "without --group" in caught.value.details
    assert len(divide(table, task).lockbox)


def test_rows_without_a_target_are_refused():
    table = customers(40, 0)
    task = ask(table, "price")
    gaps = column_from("price", Kind.NUMBER, [None, *table["price"].numbers[1:]])
    with pytest.raises(SplitError, match="1 of 40 rows have no value"):
        divide(Table((*table.columns[:-1], gaps)), task)
