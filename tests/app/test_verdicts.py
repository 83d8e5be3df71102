"""Promises of a run that is asked again: its prices can be given later."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import fathometer as fm
from fathometer.app.verdicts import print_run, run_document


@pytest.fixture(scope="module")
def run(passengers: Path, tmp_path_factory: pytest.TempPathFactory) -> fm.Comparison:
    return asked(passengers, tmp_path_factory.mktemp("run"))


def asked(passengers: Path, out: Path, prices: Path | None = None) -> fm.Comparison:
    return fm.compare(
        passengers,
        target="survived",
        only=["constant", "logistic", "perceptron"],
        ignore=["name", "ticket", "cabin"],
        prices=prices,
        out=out,
    )


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    path = tmp_path / "prices.toml"
    path.write_text('currency = "EUR"\nper_kwh = 0.3\nper_cpu_hour = 0.04\n', encoding="utf-8")
    return path


def test_prices_given_later_make_the_same_verdict(
    run: fm.Comparison, passengers: Path, prices: Path
) -> None:
    later = json.loads(run_document(run.folder, prices=prices))["verdict"]
    assert run.verdict.expenses is None
    again = asked(passengers, run.folder, prices)
    assert json.loads(run_document(again.folder))["verdict"] == later
    assert [bill["name"] for bill in later["expenses"]["bills"]] == later["ranking"]
    assert len(later["sentences"]) == len(run.verdict.sentences)


def test_a_run_is_printed_in_money(
    run: fm.Comparison, prices: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    print_run(run.folder, prices=prices)
    said = capsys.readouterr().out
    assert "EUR a million" in said
    assert "At your prices" in said
