"""Declared kinds, a second file of the same columns, and the list of rejected lines."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path

import pyarrow as pa
import pytest

from fathometer.errors import ColumnError, EmptySourceError, KindError, OptionError
from fathometer.table.kind import ColumnSpec, Kind
from fathometer.table.layout import ISO, DateLayout
from fathometer.table.read import read, read_as, rejected_as_csv


def test_a_declared_category_of_numbers_is_named_without_a_fraction() -> None:
    table = read(
        {"n": [1.0, 3.0, None], "s": ["3.0", "1", "2.50"]}, kinds={"n": "category", "s": "category"}
    ).table
    assert table["n"].values.to_pylist() == ["1", "3", None]
    assert table["s"].values.to_pylist() == ["3", "1", "2.5"]
    assert table["n"].reason == "declared category"


def test_a_declared_order_of_day_and_month_is_obeyed() -> None:
    rows = {"when": ["01/02/2020", "03/04/2021"]}
    column = read(rows, kinds={"when": "date:mdy"}).table["when"]
    assert column.strings.tolist() == ["2020-01-02", "2021-03-04"]
    assert column.spec.layout == DateLayout("mdy", "/")


def test_a_declared_kind_that_does_not_fit_names_value_and_row() -> None:
    with pytest.raises(
        KindError, match=r'1 of 3 values are not; the first is "old" in row 2'
    ) as caught:
        read({"age": ["3", "old", "4"]}, kinds={"age": "number"})
    assert "--kind age=category" in caught.value.try_next


def test_unknown_kinds_and_columns_are_refused() -> None:
    rows = {"age": [1, 2]}
    with pytest.raises(OptionError, match="colour"):
        read(rows, kinds={"age": "colour"})
    with pytest.raises(ColumnError, match='nearest is "age"'):
        read(rows, kinds={"aeg": "number"})
    with pytest.raises(ColumnError, match='nearest is "age"'):
        read(rows, ignore=["agee"])


def test_ignored_columns_are_dropped() -> None:
    table = read({"a": [1, 2], "b": [3, 4]}, ignore=["a"]).table
    assert [column.name for column in table] == ["b"]


def test_a_table_of_missing_values_is_empty() -> None:
    with pytest.raises(EmptySourceError, match="no value in any"):
        read({"a": [None, None], "b": ["?", ""]})


SPECS = (
    ColumnSpec("age", Kind.NUMBER),
    ColumnSpec("level", Kind.CATEGORY),
    ColumnSpec("fresh", Kind.BOOLEAN),
    ColumnSpec("when", Kind.DATE, DateLayout("dmy", "/")),
)


def test_a_second_file_gets_exactly_the_columns_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text("extra,when,fresh,level,age\n9,13/01/2020,TRUE,1.0,33\n8,2020-01-14,no,2,4.5\n")
    reading = read_as(path, SPECS)
    assert tuple(column.spec for column in reading.table) == SPECS
    assert reading.table["level"].values.to_pylist() == ["1", "2"]
    assert reading.table["fresh"].values.to_pylist() == [1.0, 0.0]
    assert reading.table["when"].strings.tolist() == ["2020-01-13", "2020-01-14"]
    assert reading.table.notes == ("1 column was not asked for and left out: extra",)


def test_one_row_is_enough_for_a_prediction() -> None:
    row = {"age": [None], "level": [1.0], "fresh": [True], "when": ["13/01/2020"]}
    table = read_as(row, SPECS).table
    assert [column.values.to_pylist()[0] for column in table] == [None, "1", 1.0, 1578873600.0]


def test_values_of_another_kind_become_missing_and_are_noted() -> None:
    rows = {"age": ["3", "abc", "x", "4"]}
    table = read_as(rows, SPECS[:1]).table
    assert table["age"].values.to_pylist() == [3, None, None, 4]
    assert table.notes == (
        'column age: 2 values are not numbers, first "abc" in row 2: treated as missing',
    )


def test_an_absent_column_is_named_with_the_nearest() -> None:
    with pytest.raises(ColumnError, match='no column "age"; the nearest is "agee"'):
        read_as({"agee": [1]}, SPECS[:1])


@pytest.mark.parametrize(
    "values", [[1, 2, 2], [1.0, 2.0, 2.0], ["1", "2", "2.0"], ["1.0", "2.00", "2"]]
)
def test_a_category_is_the_same_from_every_type(values: list[object]) -> None:
    table = read_as({"level": values}, [ColumnSpec("level", Kind.CATEGORY)]).table
    assert table["level"].values.to_pylist() == ["1", "2", "2"]


def test_reading_again_as_the_understood_columns_changes_nothing() -> None:
    rows = pa.table(
        {
            "n": [1.5, None, 2.5] * 20,
            "c": ["a", "b", None] * 20,
            "b": [True, False, None] * 20,
            "d": ["2020-01-02", "2020-01-03T10:00", None] * 20,
            "t": [f"some words about row {row}" for row in range(60)],
            "k": [f"K{row}" for row in range(60)],
        }
    )
    table = read(rows).table
    assert table["d"].spec.layout == ISO
    again = read_as(rows, [column.spec for column in table]).table
    assert again.content_hash == table.content_hash


def test_rejected_lines_survive_as_csv_with_their_quotes_and_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text('a,b\n1,2\n3\n4,5,"x\n"\n5,6\n')
    reading = read(path)
    header, *lines = csv.reader(StringIO(rejected_as_csv(reading.rejected), newline=""))
    assert header == ["line", "reason", "text"]
    assert lines == [[str(each.line), each.reason, each.text] for each in reading.rejected]
    assert [line[0] for line in lines] == ["3", "4"]
