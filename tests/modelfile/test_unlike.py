"""Promises of the flag: rows like the training rows pass, far ones are named with their columns."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from fathometer.errors import ModelFileError
from fathometer.features.roads import feature_specs
from fathometer.modelfile.feeds import feeds_from
from fathometer.modelfile.unlike import (
    TrainingRanges,
    ranges_from_json,
    seconds,
    training_ranges,
)
from fathometer.table.date import parse
from fathometer.table.layout import LAYOUTS, DateLayout
from fathometer.table.read import read

if TYPE_CHECKING:
    from conftest import Setting

RANGE_OF_400_DIGITS = (
    '{"most_odd": 1, "columns": [{"name": "x", "missing_is_far": true, "far": [1, 1'
    + "0" * 400
    + '], "odd": [1, 2], "levels": [], "rare": [], "new_is_far": false}]}'
)


@pytest.fixture(scope="module")
def ranges(survival: Setting) -> TrainingRanges:
    specs = feature_specs(survival.table, survival.task)
    return training_ranges(survival.table, specs, survival.split.train)


def changed(survival: Setting, **values: object) -> dict[str, np.ndarray]:
    """The first lockbox row with other values."""
    specs = feature_specs(survival.table, survival.task)
    feeds, _ = feeds_from(survival.table.rows(survival.split.lockbox[:1]), specs)
    for name, value in values.items():
        feeds[name] = np.array([[value]], dtype=feeds[name].dtype)
    return feeds


def test_rows_like_the_training_rows_pass(survival: Setting, ranges: TrainingRanges) -> None:
    specs = feature_specs(survival.table, survival.task)
    feeds, _ = feeds_from(survival.table.rows(survival.split.lockbox), specs)
    reasons = ranges.reasons(feeds)
    assert sum(reason != "" for reason in reasons) <= 0.05 * len(reasons)


@pytest.mark.parametrize(
    ("column", "value"),
    [("age", 400.0), ("fare", -5_000.0), ("embarked", "Hamburg"), ("pclass", np.nan)],
)
def test_a_far_value_is_flagged_with_its_column(
    survival: Setting, ranges: TrainingRanges, column: str, value: object
) -> None:
    [reason] = ranges.reasons(changed(survival, **{column: value}))
    assert reason == column


def test_a_missing_value_where_some_were_missing_passes(
    survival: Setting, ranges: TrainingRanges
) -> None:
    assert ranges.reasons(changed(survival, age=np.nan)) == [""]


def test_more_odd_columns_than_usual_are_flagged(survival: Setting, ranges: TrainingRanges) -> None:
    odd = {each.name: each.odd[1] + 1e-3 for each in ranges.columns if each.odd}
    few = changed(survival, **odd)
    far = [each.judge(few[each.name])[0].any() for each in ranges.columns]
    [reason] = ranges.reasons(few)
    assert len(reason.split(", ")) > ranges.most_odd
    assert sum(far) < len(odd)  # it is their number that counts


def test_a_new_level_passes_where_new_ones_are_usual() -> None:
    names = [f"customer {number}" for number in range(150)] + ["regular"] * 150
    table = read(pa.table({"name": names, "y": list(range(300))}), kinds={"name": "category"}).table
    found = training_ranges(table, [table["name"].spec], np.arange(300))
    assert found.reasons({"name": np.array([["customer 9999"]], dtype=object)}) == [""]


def test_a_date_of_the_future_is_flagged() -> None:
    days = [f"2020-{1 + number // 28:02d}-{1 + number % 28:02d}" for number in range(300)]
    table = read(pa.table({"day": days, "y": list(range(300))}), kinds={"day": "date"}).table
    found = training_ranges(table, [table["day"].spec], np.arange(300))
    asked = {"day": np.array([["2020-05-05"], ["2031-01-01"], ["whenever"]], dtype=object)}
    assert found.reasons(asked) == ["", "day", ""]


def test_dates_are_read_as_seconds() -> None:
    found = seconds(np.array(["1970-01-02", "1970-01-01T00:00:05", "1970-01-01 00:00:07", "x", ""]))
    np.testing.assert_array_equal(found, [86_400, 5, 7, np.nan, np.nan])


def test_few_training_rows_judge_nothing(survival: Setting) -> None:
    specs = feature_specs(survival.table, survival.task)
    found = training_ranges(survival.table, specs, survival.split.train[:50])
    assert found.reasons(changed(survival, age=4_000.0)) == [""]


def test_what_is_written_is_read_back(ranges: TrainingRanges) -> None:
    assert ranges_from_json(json.loads(json.dumps(ranges.as_json()))) == ranges
    assert ranges_from_json({}) is None
    with pytest.raises(ModelFileError, match="ranges cannot be read"):
        ranges_from_json({"columns": [{"name": "age"}], "most_odd": 1})


def test_dates_are_read_in_the_columns_own_layout_and_in_iso() -> None:
    days = [f"{1 + number % 28:02d}.{1 + number // 28:02d}.2020" for number in range(300)]
    table = read(pa.table({"day": days, "y": list(range(300))}), kinds={"day": "date"}).table
    written = training_ranges(table, [table["day"].spec], np.arange(300)).as_json()
    found = ranges_from_json(json.loads(json.dumps(written)), [table["day"].spec])
    assert found is not None
    asked = ["05.05.2020", "31.12.1850", "1850-12-31", "2020-05-05T10:00", ""]
    reasons = found.reasons({"day": np.array(asked, dtype=object)[:, None]})
    assert reasons == ["", "day", "day", "", "day"]


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.example)
def test_dates_are_read_as_a_table_reads_them(layout: DateLayout) -> None:
    times = ["", " 7:05", "T07:05:30.25", " 23:59:59Z", "T01:00-03:30", "T01:00+14:00"]
    texts = [layout.example + each for each in times] + ["1/2", "2020-02-31", "1850-12-31"]
    expected = parse(pa.array(texts), layout)
    assert np.isnan(expected).sum() == 1
    np.testing.assert_array_equal(seconds(np.array(texts, dtype=object), layout), expected)


def test_a_number_too_large_to_count_is_missing() -> None:
    numbers = np.where(np.arange(300) % 10 == 0, 1.7976931348623157e308, np.arange(300.0))
    table = read(pa.table({"x": numbers, "y": list(range(300))}), kinds={"x": "number"}).table
    found = training_ranges(table, [table["x"].spec], np.arange(300))
    json.dumps(found.as_json(), allow_nan=False)
    asked = np.array([[1.7e308], [150.0], [9e9], [np.nan]])
    assert found.reasons({"x": asked}) == ["", "", "x", ""]


@pytest.mark.parametrize("spoilt", ['{"columns": [], "most_odd": 1e999}', RANGE_OF_400_DIGITS])
def test_a_number_beyond_all_bounds_is_refused(spoilt: str) -> None:
    with pytest.raises(ModelFileError, match="ranges cannot be read"):
        ranges_from_json(json.loads(spoilt))
