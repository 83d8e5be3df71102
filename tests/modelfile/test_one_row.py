"""One row as a dict: the same answer as the same row in a frame, from any thread."""

from __future__ import annotations

import datetime
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from fathometer.errors import ColumnError, KindError
from fathometer.learners.constant import Constant
from fathometer.learners.decision_tree import DecisionTree
from fathometer.learners.light_gbm import LightGBM
from fathometer.learners.linear import Logistic, Ridge
from fathometer.learners.naive_bayes import NaiveBayes
from fathometer.learners.neighbours import Neighbours
from fathometer.modelfile.load import from_bytes
from fathometer.modelfile.write import ship
from fathometer.table.kind import Kind
from fathometer.table.table import column_from


def shipped(learner, setting):
    model = learner.fit(setting.table, setting.task, setting.split)
    return ship(model, learner.name, setting.table, setting.split.lockbox).file()


@pytest.fixture(scope="module")
def every_kind(survival):
    """The passengers with a boolean and a date of boarding beside their own columns."""
    rows = len(survival.table)
    days = 1.33e9 - 86400.0 * (np.arange(rows) * 7 % 97)
    days[::9] = np.nan
    alone = survival.table["sib_sp"].numbers == 0
    more = (
        column_from("alone", Kind.BOOLEAN, alone.astype(float)),
        column_from("boarded", Kind.DATE, days),
    )
    return replace(
        survival, table=replace(survival.table, columns=(*survival.table.columns, *more))
    )


@pytest.fixture(
    scope="module", params=[LightGBM(rounds=8), Logistic((1e-2,), iterations=20)], ids=repr
)
def file(request, every_kind):
    return shipped(request.param, every_kind)


ROW = {
    "pclass": 3,
    "name": "Doe, Mr. John",
    "sex": "male",
    "age": 22.0,
    "sib_sp": 1,
    "parch": 0,
    "fare": 7.25,
    "cabin": None,
    "embarked": "S",
    "alone": False,
    "boarded": "2012-02-23",
}
ODD = {
    "pclass": [None, 2.0, np.int64(1), math.inf],
    "name": [None, "", "Ünsëen ☃ 名前", " Doe, Miss. Ann "],
    "sex": [None, "never seen", " female ", np.str_("male")],
    "age": [None, math.nan, math.inf, -math.inf, 1e40, -999, np.float32(30.5), True],
    "fare": [0, 10**9],
    "cabin": ["C85", "never seen", math.nan],
    "embarked": [None, "Q", "?"],
    "alone": [None, True, 1.0],
    "boarded": [None, "junk", "2010-12-31", "2012-02-23 10:30", datetime.date(2011, 5, 6)],
}
ROWS = [ROW, *({**ROW, name: value} for name, values in ODD.items() for value in values)]


def asked(file, row):
    return {name: row[name] for name in file.inputs}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(set(row.items()) - set(ROW.items())))
def test_one_row_answers_as_the_same_row_in_a_frame(file, row):
    frame = pd.DataFrame([asked(file, row)])
    lists = {name: [value] for name, value in asked(file, row).items()}
    found = file.predict_proba(asked(file, row))
    assert found.shape == (2,)
    np.testing.assert_array_equal(found, file.predict_proba(frame).to_numpy()[0])
    np.testing.assert_array_equal(found, file.predict_proba(lists)[0])
    answer = file.predict(asked(file, row))
    assert type(answer) is int
    assert answer == file.predict(frame).iloc[0] == file.predict(lists)[0]


def test_one_row_answers_as_the_whole_file_bit_for_bit(file, every_kind):
    """The session that takes codes, against the file as any runtime opens it."""
    from fathometer.modelfile.feeds import feeds_from

    feeds, _ = feeds_from(every_kind.table.rows(np.arange(60)), file.columns)
    wanted = [file.contents.outputs[-1].name]
    for place in range(60):
        one = {name: values[place : place + 1] for name, values in feeds.items()}
        expected = file.session.run(wanted, one)[0][0]
        np.testing.assert_array_equal(file.scores(one)[0], expected)
        row = {name: values.item() for name, values in one.items()}
        np.testing.assert_array_equal(file.predict_proba(row), expected)


def test_a_value_is_answered_as_a_plain_number(fares):
    file = shipped(Ridge((1e-2,)), fares)
    row = asked(file, {**ROW, "survived": 1})
    found = file.predict(row)
    assert type(found) is float
    assert found == file.predict({name: [value] for name, value in row.items()})[0]


def test_numbers_alone_need_no_strings(fares):
    """Without strings all inputs stay bound to the runtime between calls."""
    table = fares.table.without(["name", "sex", "cabin", "embarked"])
    file = shipped(Ridge((1e-2,)), replace(fares, table=table))
    rows = [{name: float(place + at) for at, name in enumerate(file.inputs)} for place in range(9)]
    expected = [file.predict({name: [value] for name, value in row.items()})[0] for row in rows]
    assert [file.predict(row) for row in rows] == expected
    assert len(set(expected)) > 1


def test_many_threads_get_the_answers_of_one(file, every_kind):
    from fathometer.modelfile.feeds import feeds_from

    feeds, _ = feeds_from(every_kind.table.rows(np.arange(50)), file.columns)
    rows = [{name: values[i, 0] for name, values in feeds.items()} for i in range(50)] * 8
    fresh = from_bytes(file.content)  # nothing is bound yet, so the threads meet there too
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(fresh.predict_proba, rows))
    np.testing.assert_array_equal(found, [file.predict_proba(row) for row in rows])


def test_mistakes_in_one_row_are_named(file):
    row = asked(file, ROW)
    for name in row:
        with pytest.raises(ColumnError, match=name):
            file.predict({other: value for other, value in row.items() if other != name})
    with pytest.raises(KindError, match="age"):
        file.predict({**row, "age": "old"})
    for name in ("age", "sex", "name"):
        with pytest.raises(ColumnError, match=name):
            file.predict({**row, name: [row[name], row[name]]})
    with pytest.raises(ColumnError, match="same length"):
        file.predict({**{name: [value] for name, value in row.items()}, "age": [1.0, 2.0]})
    assert file.predict(row) in (0, 1)


def test_any_mapping_and_any_frame_will_do(file):
    import polars as pl

    row = asked(file, ROW)
    one = file.predict(row)
    lists = {name: [value, value] for name, value in row.items()}
    arrays = {name: np.array(values, dtype=object) for name, values in lists.items()}
    assert list(file.predict(lists)) == list(file.predict(arrays)) == [one, one]
    for frame in (pd.DataFrame(lists), pl.DataFrame(lists), pa.table(lists)):
        assert [int(value) for value in file.predict(frame)] == [one, one]


@pytest.mark.parametrize(
    "learner",
    [Constant(), DecisionTree(), NaiveBayes((1.0,)), Neighbours((5,))],
    ids=lambda e: e.name,
)
def test_every_shape_of_graph_answers_one_row(learner, classes):
    file = shipped(learner, classes)
    rows = [asked(file, {**ROW, "survived": 1}), dict.fromkeys(file.inputs)]
    lists = {name: [row[name] for row in rows] for name in file.inputs}
    np.testing.assert_allclose(
        [file.predict_proba(row) for row in rows], file.predict_proba(lists), atol=1e-7
    )
    assert [file.predict(row) for row in rows] == list(file.predict(lists))
