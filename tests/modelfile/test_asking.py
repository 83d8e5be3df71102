"""Asking a model file: any frame in, the same kind of frame out; bare onnxruntime agrees."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest

from fathometer.errors import ColumnError, KindError
from fathometer.learners.light_gbm import LightGBM
from fathometer.learners.linear import Logistic, Ridge
from fathometer.modelfile.load import chunk_edges, load
from fathometer.modelfile.write import ship


@pytest.fixture(scope="module")
def survivor(survival, tmp_path_factory):
    model = LightGBM(rounds=10).fit(survival.table, survival.task, survival.split)
    path = tmp_path_factory.mktemp("model") / "survivor.onnx"
    path.write_bytes(ship(model, "LightGBM", survival.table, survival.split.lockbox).file().content)
    return path


@pytest.fixture(scope="module")
def rows(passengers_path):
    return pd.read_csv(passengers_path).head(20)


def test_answers_come_in_the_callers_own_frame(survivor, rows):
    file = load(survivor)
    answers = file.predict(rows.set_index("passenger_id"))
    assert isinstance(answers, pd.Series)
    assert list(answers.index) == list(rows.passenger_id)
    assert answers.name == "survived"
    chances = file.predict_proba(pl.from_pandas(rows))
    assert isinstance(chances, pl.DataFrame)
    assert chances.columns == ["0", "1"]
    assert np.allclose(chances.sum_horizontal(), 1, atol=1e-6)


def test_one_by_one_is_the_same_as_in_a_batch(survivor, survival):
    from fathometer.modelfile.feeds import feeds_from

    file = load(survivor)
    feeds, _ = feeds_from(survival.table, file.columns)
    batch = file.scores(feeds)
    single = [file.scores({n: v[i : i + 1] for n, v in feeds.items()})[0] for i in range(40)]
    np.testing.assert_allclose(batch[:40], single, atol=1e-6)


def test_a_released_file_answers_again(survivor, survival):
    from fathometer.modelfile.feeds import feeds_from

    file = load(survivor)
    feeds, _ = feeds_from(survival.table.rows(np.arange(9)), file.columns)
    one = {name: values[:1] for name, values in feeds.items()}
    before = file.scores(feeds), file.scores(one)
    file.release()
    assert not {"session", "_row_reader"} & set(vars(file))
    np.testing.assert_array_equal(file.scores(feeds), before[0])
    np.testing.assert_array_equal(file.scores(one), before[1])


def test_no_rows_get_no_answers(survivor, rows):
    file = load(survivor)
    assert len(file.predict(rows.head(0))) == 0
    assert len(file.predict({name: [] for name in file.inputs})) == 0


def test_extra_and_reordered_columns_change_nothing(survivor, rows):
    file = load(survivor)
    turned = rows[rows.columns[::-1]].assign(more=1)
    assert list(file.predict(turned)) == list(file.predict(rows))


def test_an_absent_column_is_named(survivor, rows):
    with pytest.raises(ColumnError, match="age"):
        load(survivor).predict(rows.drop(columns="age"))
    with pytest.raises(ColumnError, match="sex"):
        load(survivor).predict({name: [None] for name in load(survivor).inputs if name != "sex"})


def test_words_for_a_number_are_refused_in_a_mapping(survivor, rows):
    values = {name: rows[name].tolist() for name in load(survivor).inputs}
    with pytest.raises(KindError, match="age"):
        load(survivor).predict({**values, "age": ["old"] * len(rows)})


def test_half_a_character_is_answered_as_a_question_mark(survivor, rows):
    file = load(survivor)
    row = {name: rows[name].tolist()[:1] for name in file.inputs}
    half, mark = ({**row, "sex": [text]} for text in ("\ud83dmale", "?male"))
    np.testing.assert_array_equal(file.predict_proba(half), file.predict_proba(mark))


def test_a_column_called_label_keeps_its_name(fares):
    from dataclasses import replace

    from fathometer.table.table import Column

    columns = tuple(
        Column(replace(c.spec, name="value"), c.values) if c.name == "age" else c
        for c in fares.table
    )
    table = replace(fares.table, columns=columns)
    model = Ridge((1e-2,)).fit(table, fares.task, fares.split)
    file = ship(model, "ridge", table, fares.split.lockbox).file()
    assert "value" in file.inputs
    assert [port.name for port in file.contents.outputs] == ["value_"]


BARE = """
import sys
import numpy as np, onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1])
rows = {"pclass": 3.0, "name": "Doe, Mr. John", "sex": "male", "age": float("nan"), "sib_sp": 0.0,
        "parch": 0.0, "fare": 7.25, "cabin": "", "embarked": "S"}
feeds = {i.name: np.array([[rows[i.name]]], object if "string" in i.type else float)
         for i in session.get_inputs()}
label, probability = session.run(None, feeds)
print(int(label[0]), float(probability[0, 1]))
assert not {"fathometer", "onnx", "torch", "pyarrow"} & set(sys.modules)
"""


def test_bare_onnxruntime_gives_the_same_answer(survivor):
    run = [sys.executable, "-c", BARE, str(survivor)]
    label, chance = subprocess.run(run, capture_output=True, text=True, check=True).stdout.split()
    row = {
        "pclass": [3.0],
        "name": ["Doe, Mr. John"],
        "sex": ["male"],
        "age": [None],
        "sib_sp": [0],
        "parch": [0],
        "fare": [7.25],
        "cabin": [None],
        "embarked": ["S"],
    }
    file = load(survivor)
    assert int(label) == file.predict(row)[0]
    assert float(chance) == pytest.approx(file.predict_proba(row)[0, 1], abs=1e-6)


LEAN = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"onnx", "pyarrow", "torch", "sklearn", "duckdb", "narwhals"}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
import fathometer
file = fathometer.load(sys.argv[1])
row = {name: [1.0] if kind == "double" else ["x"] for name, kind in file.inputs.items()}
print(file.predict(row)[0])
"""


def test_predicting_needs_numpy_and_onnxruntime_alone(survivor):
    run = [sys.executable, "-c", LEAN, str(survivor)]
    assert subprocess.run(run, capture_output=True, text=True, check=True).stdout.strip() in "01"


def one_row(rows):
    return {name: rows[name].iloc[0] for name in rows.columns}


@pytest.mark.parametrize("rows_asked", [1, 2])
@pytest.mark.parametrize(
    ("column", "value"), [("age", 10**400), ("sex", b"male")], ids=["digits", "bytes"]
)
def test_a_value_that_no_column_holds_is_refused_alone_and_beside_others(
    survivor, rows, column, value, rows_asked
):
    asked = {**one_row(rows), column: value}
    if rows_asked == 2:
        asked = {name: [each, each] for name, each in asked.items()}
    with pytest.raises(KindError, match=column):
        load(survivor).predict(asked)


def test_a_quality_that_is_no_number_is_written_as_null(survival):
    model = Logistic((1e-2,)).fit(survival.table, survival.task, survival.split)
    shipped = ship(model, "logistic", survival.table, survival.split.lockbox)
    file = shipped.file({"metric": "roc_auc", "value": float("nan"), "low": float("-inf")})
    assert file.quality == {"metric": "roc_auc", "value": None, "low": None}


@pytest.mark.parametrize(("rows", "most", "cores"), [
    (1, 64, 2), (64, 64, 2), (65, 64, 2), (200, 64, 2), (8192, 1024, 16), (33, 32, 128),
    (100_001, 1024, 3),
])  # fmt: skip
def test_chunks_hold_every_row_once_and_keep_all_cores_busy(rows, most, cores):
    edges = chunk_edges(rows, most, cores)
    sizes = np.diff(edges)
    assert (edges[0], edges[-1]) == (0, rows)
    assert sizes.min() >= 1
    assert sizes.max() <= most
    if rows > most:
        others = sizes[1:]
        assert sizes[0] <= most / 8
        assert others.max() - others.min() <= 1
        assert len(others) % cores == 0 or len(others) == rows - sizes[0]
