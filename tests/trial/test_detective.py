"""Planted leaks are found, honest tables stay quiet, and the lockbox stays shut."""

from __future__ import annotations

import numpy as np
import pytest

from fathometer.table.ask import answerable, ask
from fathometer.table.divide import DivideOptions, divide
from fathometer.table.kind import Kind
from fathometer.table.split import Split
from fathometer.table.table import Column, Table, column_from
from fathometer.trial.detective import Suspicion, investigate
from shared_files import shared

ROWS = 2500  # more than those whose folds are drawn several times


def number(name: str, values: np.ndarray) -> Column:
    return column_from(name, Kind.NUMBER, values.astype(float))


def honest(seed: int, *, classes: bool) -> Table:
    """Four features of which two matter, a target with noise, and a date that does not matter."""
    random = np.random.default_rng(seed)
    features = random.normal(size=(ROWS, 4))
    signal = features[:, 0] - features[:, 1] ** 2 + random.normal(size=ROWS)
    answer = np.where(signal > -1, 1.0, 0.0) if classes else signal
    customers = random.integers(0, 400, ROWS)
    return Table(
        (
            *(number(f"x{k}", features[:, k]) for k in range(4)),
            column_from("customer", Kind.CATEGORY, [f"c{k}" for k in customers]),
            column_from("row", Kind.IDENTIFIER, [str(k) for k in range(ROWS)]),
            column_from("day", Kind.DATE, random.permutation(ROWS) * 86400.0),
            number("answer", answer),
        )
    )


def with_column(table: Table, column: Column) -> Table:
    kept = table.without([column.name])
    return Table((*kept.columns[:-1], column, kept.columns[-1]))


def suspicions(table: Table, target: str = "answer", *, seed: int = 0) -> tuple[Suspicion, ...]:
    task = ask(table, target)
    table, _ = answerable(table, task)
    split = divide(table, task, seed=seed)
    return investigate(table, task, split, group=None, time=None, seed=seed)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("classes", [True, False])
def test_an_honest_table_stays_quiet(seed, classes):
    assert suspicions(honest(seed, classes=classes)) == ()


def test_a_copy_of_the_answer_is_too_good():
    table = honest(0, classes=True)
    noise = np.random.default_rng(1).normal(size=ROWS) / 20
    (found,) = suspicions(with_column(table, number("later", table["answer"].numbers + noise)))
    assert (found.what, found.column) == ("too good", "later")
    assert "--ignore later" in str(found)
    assert found.random_score is not None
    assert found.random_score > 0.99


def test_a_total_beside_its_parts_is_too_good():
    random = np.random.default_rng(0)
    parts = random.poisson(20, size=(ROWS, 2)).astype(float)
    table = Table(
        (
            number("guests", parts[:, 0]),
            number("members", parts[:, 1]),
            number("x", random.normal(size=ROWS)),
            number("answer", parts.sum(axis=1)),
        )
    )
    (found,) = suspicions(table)
    assert {found.column, *found.further} == {"guests", "members"}


def test_rows_of_one_customer_that_answer_alike_are_a_group():
    random = np.random.default_rng(0)
    customer = random.integers(0, 300, ROWS)
    traits = random.normal(size=(300, 3))[customer]  # recognise the customer, mean nothing
    answer = random.normal(size=300)[customer] + random.normal(size=ROWS) / 3
    table = Table(
        (
            column_from("customer_id", Kind.CATEGORY, [f"c{k}" for k in customer]),
            *(number(f"trait{k}", traits[:, k]) for k in range(3)),
            number("answer", answer),
        )
    )
    found, copies = suspicions(table)
    assert copies.what == "duplicates"
    assert (found.what, found.column) == ("group", "customer_id")
    assert "--group customer_id" in found.words
    assert found.random_score is not None
    assert found.honest_score is not None
    assert found.random_score < 0.8 * found.honest_score  # an error, so less is better


def test_an_answer_that_drifts_is_a_matter_of_time():
    random = np.random.default_rng(0)
    walk = np.cumsum(random.normal(size=ROWS))
    table = Table(
        (
            column_from("day", Kind.DATE, np.arange(ROWS) * 86400.0),
            number("x", random.normal(size=ROWS)),
            number("answer", walk + random.normal(size=ROWS)),
        )
    )
    (found,) = suspicions(table)
    assert (found.what, found.column) == ("time", "day")
    assert "--time day" in found.words


def test_what_the_split_was_told_is_not_told_back():
    table = honest(0, classes=False)
    drifting = with_column(table, number("answer", np.arange(ROWS) ** 1.5))
    task = ask(drifting, "answer")
    split = divide(drifting, task, DivideOptions(time="day"))
    found = investigate(drifting, task, split, group=None, time="day")
    assert not any(suspicion.what in ("group", "time") for suspicion in found)


def test_a_key_that_is_learned_from_is_named():
    keys = np.random.default_rng(0).integers(0, 10**9, ROWS)
    (found,) = suspicions(with_column(honest(0, classes=True), number("customer_id", keys)))
    assert (found.what, found.column) == ("identifier", "customer_id")


def test_repeated_rows_are_counted_with_those_that_contradict():
    table = honest(0, classes=True)
    rows = np.concatenate([np.arange(ROWS), np.arange(200)])
    repeated = table.rows(rows)
    flipped = repeated["answer"].numbers.copy()
    flipped[ROWS : ROWS + 50] = 1 - flipped[ROWS : ROWS + 50]
    repeated = with_column(repeated, number("answer", flipped))
    task = ask(repeated, "answer")
    split = Split(np.arange(2700), np.zeros(0, int), (np.arange(900), np.arange(900, 2700)), 0)
    found = investigate(repeated, task, split, group=None, time="day")
    assert "200 of 2,700 rows to learn repeat" in found[-1].words
    assert "50 of them with another answer" in found[-1].words


def test_the_lockbox_is_never_looked_at():
    table = honest(0, classes=True)
    task = ask(table, "answer")
    split = divide(table, task)
    spoilt = table["answer"].numbers.copy()
    spoilt[split.lockbox] = 1 - spoilt[split.lockbox]
    noise = np.random.default_rng(0).normal(size=ROWS)
    seen = with_column(
        table, number("x0", np.where(np.isin(np.arange(ROWS), split.train), noise, spoilt))
    )
    unseen = with_column(seen, number("x0", noise))
    for one in (seen, unseen):
        assert investigate(one, task, split, group=None, time=None) == ()


def test_a_table_of_few_rows_gives_no_suspicion():
    assert suspicions(honest(0, classes=True).rows(np.arange(40))) == ()


def test_columns_without_values_and_text_do_no_harm():
    table = honest(0, classes=True)
    table = with_column(table, column_from("empty", Kind.NUMBER, [None] * ROWS))
    table = with_column(table, column_from("blank", Kind.CATEGORY, [None] * ROWS))
    texts = [f"word{k % 7} and {k}" if k % 5 else None for k in range(ROWS)]
    assert suspicions(with_column(table, column_from("note", Kind.TEXT, texts))) == ()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "target", "expected"),
    [
        ("titanic", "Survived", {("group", "Ticket")}),
        ("california_housing", "median_house_value", set()),
        ("credit_default_taiwan", "default.payment.next.month", set()),
        ("telco_churn", "Churn", set()),
        ("bike_sharing_hour", "cnt", {("too good", "registered"), ("time", "dteday")}),
        ("clothing_reviews", "Recommended IND", {("too good", "Rating")}),
    ],
)
def test_public_tables_give_the_suspicions_they_are_known_for(name, target, expected):
    from fathometer.table.read import read

    path = shared(f"tables/{name}.parquet")
    found = suspicions(read(path, ignore=["split"]).table, target)
    assert {(suspicion.what, suspicion.column) for suspicion in found} == expected


def test_rows_to_judge_on_that_were_learned_from_are_named():
    table = honest(2, classes=True)
    task = ask(table, "answer")
    twice = table.rows(np.concatenate([np.arange(ROWS), np.arange(50)]))
    split = divide(twice, task, lockbox_rows=np.arange(ROWS, ROWS + 50))
    found = investigate(twice, task, split, group=None, time=None)
    assert "50 of 50 rows of the lockbox have the same features" in found[0].words
    alone = divide(table, task, lockbox_rows=np.arange(50))
    assert not any("lockbox" in each.words for each in investigate(
        table, task, alone, group=None, time=None
    ))  # fmt: skip
    with_group = investigate(table, task, alone, group="customer", time=None)
    assert any("share a customer with rows learned from" in each.words for each in with_group)
