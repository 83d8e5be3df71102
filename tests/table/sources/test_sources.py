"""Every source gives the same table for the same rows."""

from __future__ import annotations

import json
import sqlite3
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import openpyxl
import pandas
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fathometer.errors import MissingPackageError, OptionError, SourceError
from fathometer.table.read import Source, read

ROWS = {"size": [1.5, 2.5, None], "colour": ["red", "blue", "red"]}


def as_csv(folder: Path) -> Source:
    (folder / "rows.csv").write_text("size,colour\n1.5,red\n2.5,blue\n,red\n")
    return folder / "rows.csv"


def as_parquet(folder: Path) -> Source:
    pq.write_table(pa.table(ROWS), folder / "rows.parquet")
    return str(folder / "rows.parquet")


def as_json(folder: Path) -> Source:
    records = pa.table(ROWS).to_pylist()
    (folder / "rows.json").write_text(json.dumps(records))
    return folder / "rows.json"


def as_json_lines(folder: Path) -> Source:
    lines = [json.dumps(record) for record in pa.table(ROWS).to_pylist()]
    (folder / "rows.jsonl").write_text("\n".join(lines))
    return folder / "rows.jsonl"


def as_workbook(folder: Path) -> Source:
    book = openpyxl.Workbook()
    book.active.append(list(ROWS))
    for record in pa.table(ROWS).to_pylist():
        book.active.append(list(record.values()))
    book.save(folder / "rows.xlsx")
    return folder / "rows.xlsx"


FORMS: dict[str, Callable[[Path], Source]] = {
    "csv": as_csv,
    "parquet": as_parquet,
    "json": as_json,
    "json lines": as_json_lines,
    "workbook": as_workbook,
    "dict": lambda _: ROWS,
    "records": lambda _: pa.table(ROWS).to_pylist(),
    "arrow": lambda _: pa.table(ROWS),
    "pandas": lambda _: pandas.DataFrame(ROWS),
    "polars": lambda _: polars.DataFrame(ROWS),
    "lazy polars": lambda _: polars.LazyFrame(ROWS),
    "duckdb": lambda _: duckdb.connect().from_arrow(pa.table(ROWS)),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_source_gives_the_same_table(form: str, tmp_path: Path) -> None:
    table = read(FORMS[form](tmp_path)).table
    expected = read(ROWS).table
    assert table.content_hash == expected.content_hash


def test_a_database_gives_the_rows_of_the_query(tmp_path: Path) -> None:
    pytest.importorskip("adbc_driver_sqlite")
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.execute("CREATE TABLE shop (size REAL, colour TEXT)")
        connection.executemany(
            "INSERT INTO shop VALUES (?, ?)", list(zip(*ROWS.values(), strict=True))
        )
    connection.close()
    reading = read(f"sqlite:///{tmp_path}/shop.db", query="SELECT * FROM shop")
    assert reading.table.content_hash == read(ROWS).table.content_hash
    with pytest.raises(OptionError, match="query"):
        read(f"sqlite:///{tmp_path}/shop.db")
    with pytest.raises(SourceError, match="refused the query"):
        read(f"sqlite:///{tmp_path}/shop.db", query="SELECT * FROM absent")


def test_a_database_may_have_any_name(tmp_path: Path) -> None:
    pytest.importorskip("adbc_driver_sqlite")
    path = tmp_path / "50%25 of all.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE shop AS SELECT 1 AS size")
    connection.close()
    assert len(read(f"sqlite:///{path}", query="SELECT * FROM shop").table) == 1


def test_an_absent_database_file_is_not_created(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no SQLite file"):
        read(f"sqlite:///{tmp_path}/absent.db", query="SELECT 1")
    assert not (tmp_path / "absent.db").exists()


def test_an_absent_driver_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "adbc_driver_postgresql", None)
    monkeypatch.setitem(sys.modules, "adbc_driver_postgresql.dbapi", None)
    with pytest.raises(MissingPackageError) as caught:
        read("postgresql://user:secret@host/shop", query="SELECT 1")
    assert caught.value.try_next == "pip install adbc-driver-postgresql"
    assert "secret" not in str(caught.value)


def test_a_workbook_without_its_reader_names_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(MissingPackageError) as caught:
        read(as_workbook(tmp_path))
    assert caught.value.try_next == "pip install python-calamine"


def test_a_sheet_can_be_picked_and_others_are_noted(tmp_path: Path) -> None:
    path = as_workbook(tmp_path)
    book = openpyxl.load_workbook(path)
    second = book.create_sheet("Second")
    for row in (["weight"], [7], [8], [8]):
        second.append(row)
    book.save(path)
    assert "Second" in read(path).table.notes[0]
    assert read(f"{path}#Second").table["weight"].values.to_pylist() == [7, 8, 8]
    with pytest.raises(SourceError, match="Third"):
        read(f"{path}#Third")


def test_objects_inside_objects_become_columns(tmp_path: Path) -> None:
    (tmp_path / "deep.json").write_text('[{"a": {"b": 1, "c": [1]}}, {"a": {"b": 2, "c": []}}]')
    reading = read(tmp_path / "deep.json")
    assert [column.name for column in reading.table] == ["a.b"]
    assert "a.c" in reading.table.notes[0]


def test_broken_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text('[{"a": 1}, {"a": ')
    with pytest.raises(SourceError, match=r"broken\.json is not a JSON list"):
        read(tmp_path / "broken.json")


def test_what_is_said_of_json_names_the_file_and_not_where_it_lies(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "twice.json").write_text('[{"a": 1, "a": 2}]')
    (tmp_path / "link").symlink_to(tmp_path / "deep")
    with pytest.raises(SourceError, match=r"twice\.json is not a JSON list") as caught:
        read(tmp_path / "link" / "twice.json")
    assert str(tmp_path) not in f"{caught.value.message} {caught.value.details}"


def test_keys_that_differ_by_case_alone_are_kept_apart_and_said(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text('[{"Name": 1, "name": 2}, {"Name": 3, "name": 3}]')
    table = read(tmp_path / "keys.json").table
    assert [column.values.to_pylist() for column in table] == [[1, 3], [2, 3]]
    assert table.notes == (
        'the key "name" differs from another one by case alone and is now called "name_1"',
    )
    (tmp_path / "own.json").write_text('[{"Name": 1, "name_1": 2}, {"Name": 3, "name_1": 3}]')
    assert read(tmp_path / "own.json").table.notes == ()


def test_a_pandas_column_of_mixed_types_is_strings() -> None:
    frame = pandas.DataFrame({"age": [1, "abc", None, 3.0], "n": [1, 1, 2, 2]})
    assert read(frame).table["age"].values.to_pylist() == ["1", "abc", None, "3"]


def test_a_pandas_index_is_left_out_and_categories_are_strings() -> None:
    frame = pandas.DataFrame({"c": pandas.Categorical(["x", "y", "x"])}, index=[7, 8, 9])
    table = read(frame).table
    assert [column.name for column in table] == ["c"]
    assert table["c"].values.to_pylist() == ["x", "y", "x"]


def test_universal_identifiers_and_intervals_are_read(tmp_path: Path) -> None:
    keys = [uuid.UUID(int=place).bytes for place in range(40)]
    spans = [pa.MonthDayNano((14, 2, 5 * 10**9)), None] * 20
    frame = pa.table({"key": pa.array(keys, pa.uuid()), "span": pa.array(spans)})
    table = read(frame).table
    assert table["key"].values[1].as_py() == str(uuid.UUID(int=1))
    assert table["span"].reason.startswith(f'always "{(365.25 + 60 + 2) * 86400 + 5:.0f}')
    pq.write_table(frame.select(["key"]), tmp_path / "keys.parquet")
    assert read(tmp_path / "keys.parquet").table["key"].values.equals(table["key"].values)


def test_what_is_not_a_table_is_refused() -> None:
    with pytest.raises(SourceError, match="not a table"):
        read(object())


@pytest.mark.parametrize(
    "frame",
    [pandas.Series([1, 2]), polars.Series([1, 2]), {1, 2}, None],
    ids=lambda f: type(f).__name__,
)
def test_one_column_alone_is_not_a_table(frame: Source) -> None:
    with pytest.raises(SourceError, match="is not a table"):
        read(frame)


@pytest.mark.parametrize("values", [1, "abc", b"abc", {"x": 1}, None, np.array(3)])
def test_a_column_that_is_one_value_is_refused(values: object) -> None:
    with pytest.raises(SourceError, match='"a" is one value'):
        read({"a": values, "b": values})


def test_half_a_character_is_replaced_and_noted() -> None:
    table = read({"a": ["\ud800x", "b"] * 20, "n\udfff": [1, "\ud800"] * 20}).table
    assert [column.name for column in table] == ["a", "n?"]
    assert table["a"].values.to_pylist() == ["?x", "b"] * 20
    assert table["n?"].values.to_pylist() == ["1", None] * 20  # "?" counts as missing
    assert table.notes == (
        "column a: 20 values hold half a character, written ?",
        "column n?: 20 values hold half a character, written ?",
    )


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(SourceError, match="same length"):
        read({"a": [1, 2], "b": [1]})


def test_an_absent_file_names_the_nearest(tmp_path: Path) -> None:
    as_csv(tmp_path)
    with pytest.raises(SourceError, match=r'nearest is "rows.csv"'):
        read(tmp_path / "row.csv")


def test_a_picture_is_not_a_table(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes(b"\x89PNG\r\n\x1a\n0000")
    with pytest.raises(SourceError, match="PNG picture"):
        read(tmp_path / "rows.csv")
