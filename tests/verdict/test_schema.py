"""Promises of verdict.json: its schema is stored, real output fits it, and is read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import fathometer as fm
from fathometer.errors import StoreError
from fathometer.verdict.schema import (
    FILE,
    faults,
    stored_schema,
    verdict_from,
    verdict_schema,
)

SAYING = "run python -m fathometer.verdict.schema"


@pytest.fixture(scope="module")
def comparison(passengers_path: Path, tmp_path_factory: pytest.TempPathFactory) -> fm.Comparison:
    prices = tmp_path_factory.mktemp("prices") / "prices.toml"
    prices.write_text('currency = "EUR"\nper_kwh = 0.3\n', encoding="utf-8")
    few = tmp_path_factory.mktemp("table") / "passengers.csv"
    lines = passengers_path.read_text(encoding="utf-8").splitlines(keepends=True)
    few.write_text("".join(lines[:260]), encoding="utf-8")
    return fm.compare(
        few,
        target="survived",
        only=["constant", "logistic", "decision tree", "perceptron"],
        ignore=["name", "cabin"],
        prefer="small=0.05",
        prices=prices,
        out=tmp_path_factory.mktemp("run"),
    )


@pytest.fixture(scope="module")
def values(comparison: fm.Comparison) -> dict[str, Any]:
    return json.loads(comparison.files["verdict.json"].read_text(encoding="utf-8"))


def test_the_stored_schema_is_that_of_the_verdict() -> None:
    assert FILE.read_text(encoding="utf-8") == stored_schema(), SAYING


def test_a_real_verdict_fits_the_schema(values: dict[str, Any]) -> None:
    schema = verdict_schema()
    assert list(faults(values, schema, schema)) == []
    assert values.keys() == schema["properties"].keys()
    assert values["preferred"]["wish"] == "small"
    assert values["worth"]["currency"] == "EUR"
    assert values["expenses"]["cores"] == values["cores"]
    assert len(values["expenses"]["bills"]) == 5
    assert all(bill["predict_money"] is not None for bill in values["expenses"]["bills"])
    assert len(values["pairs"]) == 10
    assert 5 <= len(values["sentences"]) <= 11


def test_a_verdict_is_read_back(comparison: fm.Comparison, values: dict[str, Any]) -> None:
    assert verdict_from(values, source="verdict.json") == comparison.verdict


def test_a_field_of_a_later_version_is_passed_over(
    comparison: fm.Comparison, values: dict[str, Any]
) -> None:
    assert verdict_from({**values, "later": 1}, source="verdict.json") == comparison.verdict


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        ({"schema": 1}, "verdict schema 1; this version reads 2"),
        ({"call": "draw"}, "verdict.call is 'draw'"),
        ({"winner": None}, "verdict.winner is NoneType, not string"),
        ({"pairs": [{"one": "a"}]}, r"verdict.pairs\[0\] lacks other"),
        ({"sentences": "one"}, "verdict.sentences is str, not array"),
        ({"gap": {"value": True}}, "verdict.gap"),
    ],
)
def test_a_spoilt_verdict_is_refused(
    values: dict[str, Any], spoil: dict[str, object], found: str
) -> None:
    with pytest.raises(StoreError, match=found):
        verdict_from({**values, **spoil}, source="verdict.json")


def test_what_is_no_object_is_refused() -> None:
    with pytest.raises(StoreError, match="verdict schema None"):
        verdict_from([], source="verdict.json")
