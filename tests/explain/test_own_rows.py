"""Asked on rows of one's own: labels as they are written, and mistakes that are answered."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fathometer.errors import ColumnError, OptionError, TaskError
from fathometer.explain import importance
from fathometer.learners.linear import Logistic
from fathometer.modelfile.write import ship


@pytest.fixture(scope="module")
def file(survival):
    model = Logistic((1e-2,)).fit(survival.table, survival.task, survival.split)
    return ship(model, "logistic", survival.table, survival.split.lockbox).file()


@pytest.fixture(scope="module")
def frame(passengers_path):
    return pd.read_csv(passengers_path).iloc[300:500]


def test_sex_decides_who_survives(file, frame):
    found = importance(file, frame)
    assert found.columns[0].name == "sex"
    assert found.needed[0].name == "sex"
    assert (found.rows, found.metric, found.model) == (200, "roc_auc", "logistic")


def test_labels_are_known_however_they_are_written(file, frame):
    expected = importance(file, frame)
    for kind in (float, str, bool):
        label = frame["survived"].astype(kind)
        assert importance(file, frame.assign(survived=label)) == expected
        columns = {name: frame[name].to_numpy() for name in frame}
        assert importance(file, columns | {"survived": label.to_numpy()}).rows == 200


def test_rows_without_a_known_label_are_left_out(file, frame):
    label = frame["survived"].astype(object).copy()
    label.iloc[:20], label.iloc[20:30] = None, "perhaps"
    found = importance(file, frame.assign(survived=label))
    assert found.rows == 170
    assert found.columns == importance(file, frame.iloc[30:]).columns


def test_target_and_metric_are_chosen(file, frame):
    renamed = frame.rename(columns={"survived": "alive"})
    found = importance(file, renamed, target="alive", metric="log_loss")
    assert found.metric == "log_loss"
    assert found.columns[0].name == "sex"
    assert found.columns[0].low > 0  # less is better, and still the sign says that it is needed


@pytest.mark.parametrize(
    ("change", "options", "error", "said"),
    [
        ({}, {"target": "survivd"}, ColumnError, "survivd"),
        ({}, {"metric": "rmse"}, OptionError, "no metric"),
        ({}, {"group": "tickt"}, ColumnError, "tickt"),
        ({"survived": "perhaps"}, {}, ColumnError, "no row has a known label"),
        ({"survived": 1}, {}, TaskError, "ROC AUC is not known"),
    ],
)
def test_mistakes_are_answered(file, frame, change, options, error, said):
    with pytest.raises(error, match=said):
        importance(file, frame.assign(**change), **options)


def test_one_row_has_no_other_to_exchange_with(file, frame):
    with pytest.raises(TaskError, match="a single row"):
        importance(file, frame.iloc[:1], metric="accuracy")


def test_columns_of_unlike_length_are_refused(file, frame):
    columns = {name: frame[name].to_numpy() for name in frame}
    with pytest.raises(ColumnError, match='"survived" has 60 values, other columns 200'):
        importance(file, columns | {"survived": columns["survived"][:60]})


def test_rows_without_a_group_stand_for_themselves(file, frame):
    alone = frame.assign(house=[f"h{k}" for k in range(200)])
    lost = frame.assign(house=[f"h{k}" if k < 100 else None for k in range(200)])
    expected = importance(file, alone, group="house")
    found = importance(file, lost, group="house")
    assert found.independent == expected.independent
    first, other = found.columns[0], expected.columns[0]
    assert first.high - first.low == pytest.approx(other.high - other.low, rel=0.25)


def test_missing_values_are_exchanged_as_they_are(file, frame):
    found = importance(file, frame.assign(age=np.nan))
    age = next(one for one in found.columns if one.name == "age")
    assert (age.low, age.value, age.high) == (0, 0, 0)
