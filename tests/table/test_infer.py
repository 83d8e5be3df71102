"""What kind each column is understood to be, and why."""

from __future__ import annotations

import datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fathometer.table.declare import raw_column
from fathometer.table.infer import infer
from fathometer.table.kind import Kind
from fathometer.table.layout import LAYOUTS
from fathometer.table.read import read, read_as
from fathometer.table.table import STORAGE, Column
from shared_files import shared


def understood(values: object, name: str = "x") -> Column:
    return infer(raw_column(name, pa.array(values)))[0]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2, 2, None], Kind.NUMBER),
        (["1", "2.5", " 2", ""], Kind.NUMBER),
        ([True, False, None], Kind.BOOLEAN),
        (["True", "false", "T"], Kind.BOOLEAN),
        (["yes", "no", "yes"], Kind.CATEGORY),
        ([0, 1, 1], Kind.NUMBER),
        ([5, 5, None], Kind.CONSTANT),
        ([None, None], Kind.CONSTANT),
        (["?", "NA", ""], Kind.CONSTANT),
        ([float("nan"), float("inf")], Kind.CONSTANT),
        (["a", "b", "a"], Kind.CATEGORY),
        (["01234", "56789", "56789"], Kind.CATEGORY),
        (["+", "-", "+"], Kind.CATEGORY),
        ([f"K{row:05}" for row in range(50)], Kind.IDENTIFIER),
        ([f"K{row:05}" for row in range(20)], Kind.CATEGORY),
        (list(range(7, 57)), Kind.IDENTIFIER),
        ([row * 3 for row in range(50)], Kind.NUMBER),
        ([f"the {row} cats sat on mat {row}" for row in range(50)], Kind.TEXT),
        ([datetime.date(2020, 1, 2), None, datetime.date(2021, 1, 2)], Kind.DATE),
        ([10**18 + row for row in range(50)], Kind.IDENTIFIER),
        ([str(10**18 + row) for row in range(50)], Kind.IDENTIFIER),
        ([10**18, 10**18 + 1] * 30, Kind.CATEGORY),
    ],
)
def test_values_speak_for_a_kind(values: list[object], kind: Kind) -> None:
    column = understood(values)
    assert column.kind is kind
    assert column.values.type == STORAGE[kind]
    assert column.reason


@pytest.mark.parametrize(
    "name",
    [
        "id",
        "PassengerId",
        "customer_id",
        "index",
        "No",
        "house key",
        "userid",
        "ORDERID",
        "house_no",
    ],
)
def test_different_whole_numbers_with_the_name_of_a_key_are_identifiers(name: str) -> None:
    values = [row * 7 % 97 for row in range(97)]
    assert understood(values, name).kind is Kind.IDENTIFIER
    assert understood([*values, 5], name).kind is Kind.NUMBER


@pytest.mark.parametrize("name", ["paid", "bid", "humid", "no_of_followers", "NO2", "hybrid"])
def test_names_that_only_end_or_begin_like_a_key_are_none(name: str) -> None:
    assert understood([row * 7 % 97 for row in range(97)], name).kind is Kind.NUMBER


def test_long_whole_numbers_stay_apart_from_every_type() -> None:
    keys = [10**18 + row % 60 for row in range(120)]
    decimals = pa.array(keys).cast(pa.decimal128(38, 0))
    longer = pa.array([Decimal(10**30 + row % 60) for row in range(120)], pa.decimal128(38, 0))
    for values in (pa.array(keys), decimals, longer, pa.array(map(str, keys))):
        column = understood(values)
        assert column.kind is Kind.CATEGORY
        assert len(column.values.unique()) == 60
    assert understood(pa.array([Decimal(row) / 8 for row in range(9)])).kind is Kind.NUMBER
    assert understood(pa.array([Decimal(row % 7) for row in range(60)])).numbers.max() == 6


def test_columns_of_infinite_numbers_alone_have_no_values() -> None:
    for values in (["inf", "-inf", "inf"], [float("inf"), float("-inf")]):
        column = understood(values)
        assert column.kind is Kind.CONSTANT
        assert column.missing == len(values)


def test_versions_are_not_shortened_and_numbers_are() -> None:
    versions = ["3.1", "3.10", "3.8.1", "3.10"] * 20
    column = understood(versions)
    assert column.values.to_pylist() == versions
    again = read_as({"x": ["3.10"]}, [column.spec]).table["x"]
    assert again.values.to_pylist() == ["3.10"]
    codes = read({"x": ["1.0", "2.50", "1"]}, kinds={"x": "category"}).table["x"]
    assert codes.values.to_pylist() == ["1", "2.5", "1"]
    assert read_as({"x": ["2.50"]}, [codes.spec]).table["x"].values.to_pylist() == ["2.5"]


def test_moments_outside_the_years_of_four_digits_are_missing_and_noted() -> None:
    days = pa.array([0, 10_000_000, -800_000, 3], pa.int32()).cast(pa.date32())
    column, notes = infer(raw_column("d", days))
    assert column.strings.tolist() == ["1970-01-01", "", "", "1970-01-04"]
    assert notes == ("column d: 2 moments outside the years 1 to 9999 treated as missing",)
    late = ["9999-12-31T23:30:00-05:00", "2020-01-01T00:00:00Z"]
    column, notes = infer(raw_column("d", pa.array(late)))
    assert column.strings.tolist() == ["", "2020-01-01"]
    assert notes == ("column d: 1 moment outside the years 1 to 9999 treated as missing",)
    assert understood(["0000-01-01", "2020-01-01"] * 5).kind is Kind.CATEGORY


def test_years_in_order_stay_a_number() -> None:
    assert understood(list(range(1980, 2021)), "year").kind is Kind.NUMBER


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.example)
def test_each_layout_of_a_date_is_understood(layout: object) -> None:
    example = layout.example  # type: ignore[attr-defined]
    column = understood([example, example.replace("31", "30"), None])
    assert column.kind is Kind.DATE
    assert column.spec.layout == layout
    expected = np.array(["2020-12-31", "2020-12-30"], dtype="datetime64[s]").astype(float)
    assert column.numbers[:2].tolist() == expected.tolist()


def test_days_and_months_that_cannot_be_told_apart_are_read_day_first_and_said() -> None:
    column = understood(["01/02/2020", "03/04/2021"], "when")
    assert column.strings.tolist() == ["2020-02-01", "2021-04-03"]
    assert "--kind when=date:mdy" in column.reason
    assert understood(["01/02/2020", "03/14/2021"]).strings.tolist() == ["2020-01-02", "2021-03-14"]


def test_a_zone_is_brought_to_utc() -> None:
    zone = datetime.timezone(datetime.timedelta(hours=2))
    moments = [
        datetime.datetime(2020, 1, 1, 2, tzinfo=zone),
        datetime.datetime(2020, 1, 2, tzinfo=zone),
    ]
    assert understood(moments).strings.tolist() == ["2020-01-01", "2020-01-01T22:00:00"]


def test_words_for_missing_values_are_counted() -> None:
    column = understood(["red", "?", "NA", "blue", "?", ""])
    assert column.values.to_pylist() == ["red", None, None, "blue", None, None]
    assert '2 × "?", 1 × "NA" counted as missing' in column.reason


def test_a_sentinel_number_becomes_missing_and_is_said() -> None:
    column, notes = infer(raw_column("t", pa.array([1.5, 2, 2.5, 3, 4] * 5 + [-999.0] * 5)))
    assert column.missing == 5
    assert "-999 in 5 rows" in notes[0]


def test_infinite_numbers_become_missing_and_are_noted() -> None:
    column, notes = infer(raw_column("x", pa.array([1.0, float("inf"), 2.0, 2.0])))
    assert column.values.to_pylist() == [1, None, 2, 2]
    assert notes == ("column x: 1 infinite value treated as missing",)


def test_a_few_values_that_spoil_a_column_of_numbers_are_noted() -> None:
    column, notes = infer(raw_column("x", pa.array([str(row % 9) for row in range(99)] + ["9 m"])))
    assert column.kind is Kind.CATEGORY
    assert notes == ('column x: 1 of 100 values are not numbers, first "9 m" in row 100',)


@given(st.lists(st.one_of(st.none(), st.text(), st.integers().map(str), st.floats().map(str))))
def test_any_strings_give_a_column_of_the_same_length(values: list[str | None]) -> None:
    encodable = [v if v is None else v.encode("utf-8", "ignore").decode() for v in values]
    column, _ = infer(raw_column("x", pa.array(encodable, pa.string())))
    assert len(column.values) == len(values)
    assert column.values.type == STORAGE[column.kind]


def test_the_passengers_are_understood() -> None:
    path = shared("tables/titanic.parquet")
    kinds = {column.name: column.kind for column in read(path, ignore=["split"]).table}
    assert kinds == {
        **dict.fromkeys(["Survived", "Pclass", "Age", "SibSp", "Parch", "Fare"], Kind.NUMBER),
        **dict.fromkeys(["Sex", "Cabin", "Embarked"], Kind.CATEGORY),
        **dict.fromkeys(["PassengerId", "Ticket"], Kind.IDENTIFIER),
        "Name": Kind.TEXT,
    }


CHINESE = [f"这个产品的质量{'非常好' if k % 2 else '很差'}，我第{k}次购买了它" for k in range(60)]
THAI = [f"สินค้านี้คุณภาพ{'ดีมาก' if k % 2 else 'แย่มาก'} ซื้อครั้งที่ {k}" for k in range(60)]


@pytest.mark.parametrize("texts", [CHINESE, THAI], ids=["Chinese", "Thai"])
def test_sentences_without_blanks_between_words_are_texts(texts):
    table = read({"said": texts, "y": [k % 2 for k in range(60)]}).table
    assert table["said"].kind is Kind.TEXT


def test_names_without_blanks_are_no_texts():
    names = [chr(0x4E00 + 3 * k) + chr(0x5000 + 7 * k) + chr(0x6000 + k) for k in range(60)]
    table = read({"name": names, "y": [k % 2 for k in range(60)]}).table
    assert table["name"].kind is Kind.IDENTIFIER
