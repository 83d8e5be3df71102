"""What stands for a missing value, and how numbers are written, is decided once and kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from fathometer.errors import ModelFileError
from fathometer.modelfile.signature import columns_as_json, columns_from_json
from fathometer.table.kind import ColumnSpec, Kind
from fathometer.table.read import read, read_as
from fathometer.table.table import Table

LINES = [
    "colour;weight;price;said",
    *(
        f"{'red' if row % 2 else 'blue'};{row % 7};{row},5;some words in row {row}"
        for row in range(50)
    ),
    *("?;-999;1.234,5;NA" for _ in range(6)),
]


@pytest.fixture
def sold(tmp_path: Path) -> Table:
    path = tmp_path / "sold.csv"
    path.write_text("\n".join(LINES) + "\n")
    return read(path).table


def specs(table: Table) -> list[ColumnSpec]:
    return [column.spec for column in table]


def test_a_column_says_what_stood_for_missing_and_how_numbers_were_written(sold: Table) -> None:
    assert specs(sold) == [
        ColumnSpec("colour", Kind.CATEGORY, missing=("?",)),
        ColumnSpec("weight", Kind.NUMBER, missing=("-999",)),
        ColumnSpec("price", Kind.NUMBER, decimal_comma=True),
        ColumnSpec("said", Kind.TEXT, missing=("NA",)),
    ]


@pytest.mark.parametrize("line", [1, 17, -1])
def test_one_row_is_read_as_it_was_among_many(line: int, sold: Table, tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text(LINES[0] + "\n" + LINES[line] + "\n")
    one = read_as(path, specs(sold)).table
    row = line - 1 if line > 0 else len(sold) + line
    assert [c.values.to_pylist() for c in one] == [[c.values[row].as_py()] for c in sold]


def test_a_point_parts_thousands_where_the_comma_is_decimal(sold: Table) -> None:
    found = read_as({"price": ["1.234", "1,234", "12"]}, [sold["price"].spec]).table["price"]
    assert found.values.to_pylist() == [1234.0, 1.234, 12.0]


@pytest.mark.parametrize("line", ["7", "7%", "€5"])
def test_the_sign_of_a_number_is_decided_on_the_training_rows(line: str) -> None:
    table = read({"share": [f"{row * 7 % 47}%" for row in range(47)], "n": list(range(47))}).table
    spec = table["share"].spec
    assert spec.mark == "%"
    again = columns_from_json(columns_as_json([spec]))
    for values in ([line], [line, "12%"], [line, "€8", "€9"]):
        found = read_as({"share": values}, again).table
        assert found["share"].values[0].as_py() == (None if line == "€5" else 7.0)
        unread = [value for value in values if value.startswith("€")]
        assert len(found.notes) == bool(unread)


def test_files_that_do_not_tell_the_sign_are_read_as_before() -> None:
    written = columns_as_json([ColumnSpec("price", Kind.NUMBER)])
    old = {name: value for name, value in written[0].items() if name not in ("mark", "keeps_zeros")}
    (spec,) = columns_from_json([old])
    assert spec.mark is None
    found = read_as({"price": ["$5", "$7", "3"]}, [spec]).table["price"]
    assert found.values.to_pylist() == [5, 7, 3]


def test_a_word_that_was_no_gap_in_training_is_a_level_later() -> None:
    rows = {"sign": ["?", "None", "NA", "", "red"], "size": ["?", "None", "NA", "", "-999"]}
    found = read_as(
        rows, [ColumnSpec("sign", Kind.CATEGORY, missing=("?",)), ColumnSpec("size", Kind.NUMBER)]
    )
    assert found.table["sign"].values.to_pylist() == [None, "None", "NA", None, "red"]
    assert found.table["size"].values.to_pylist() == [None, None, None, None, -999]


def test_a_declared_category_keeps_its_words_for_missing_too() -> None:
    column = read({"code": ["1", "?", "2", "N/A"]}, kinds={"code": "category"}).table["code"]
    assert column.spec.missing == ("?", "N/A")


def test_blanks_around_values_are_dropped_and_counted() -> None:
    table = read(
        {"a": [" x", "y", "y ", " "], "b": ["x", "y", "y", "x"], "n": [" 1", "2", "2", "3"]}
    ).table
    assert table["a"].values.to_pylist() == ["x", "y", "y", None]
    assert table.notes == ("2 values were stripped of blanks around them, in a",)


def test_columns_come_back_from_metadata_as_they_were(sold: Table) -> None:
    assert list(columns_from_json(columns_as_json(specs(sold)))) == specs(sold)


@pytest.mark.parametrize("change", [{"missing": ["nothing"]}, {"missing": None}, {"missing": [[]]}])
def test_metadata_that_no_reader_could_follow_is_refused(change: dict[str, object]) -> None:
    written = columns_as_json([ColumnSpec("weight", Kind.NUMBER, missing=("-999",))])
    with pytest.raises(ModelFileError, match="columns cannot be read"):
        columns_from_json([{**written[0], **change}])
