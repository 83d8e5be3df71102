"""Promises of what stands beside answers and verdicts on the command line."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest

from command import fathom

QUICK = ("--target", "survived", "--only", "constant,logistic", "--ignore", "name")
QUICK += ("--ignore", "ticket", "--ignore", "cabin")  # groups, perhaps, which takes long to see


@pytest.fixture(scope="module")
def desk(passengers: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("desk")
    shutil.copy(passengers, folder)
    said = fathom("compare", "titanic.csv", *QUICK, cwd=folder, code=0)
    (folder / "said.txt").write_text(said.stdout, encoding="utf-8")
    return folder


def test_a_verdict_is_printed_again_as_its_run_said_it(desk: Path) -> None:
    again = fathom("verdict", "titanic.fathom", cwd=desk, code=0).stdout
    said = (desk / "said.txt").read_text(encoding="utf-8")
    assert " VERDICT " in again
    assert again.strip() in said


def test_a_verdict_is_handed_on_as_json(desk: Path) -> None:
    found = json.loads(fathom("verdict", "titanic.fathom", "--json", cwd=desk, code=0).stdout)
    assert found["verdict"] == json.loads((desk / "titanic.fathom" / "verdict.json").read_text())
    assert {card["name"] for card in found["scorecards"]} >= {"constant", "logistic"}


def test_a_folder_without_a_run_is_answered_in_words(desk: Path) -> None:
    said = fathom("verdict", "absent.fathom", cwd=desk, code=2).stderr
    assert "there is no folder absent.fathom" in said
    (desk / "empty").mkdir(exist_ok=True)
    said = fathom("verdict", "empty", cwd=desk, code=2).stderr
    assert "holds no verdict.json" in said
    (desk / "empty" / "verdict.json").write_text("{", encoding="utf-8")
    assert "cannot be read" in fathom("verdict", "empty", cwd=desk, code=2).stderr
    (desk / "empty" / "verdict.json").unlink()


def test_a_new_wish_is_answered_without_training_again(desk: Path) -> None:
    before = (desk / "titanic.fathom" / "winner.onnx").read_bytes()
    said = fathom(
        "compare", "titanic.csv", *QUICK, "--prefer", "small=0.6", cwd=desk, code=0
    ).stdout
    assert "You prefer small and would lose up to 0.6 ROC AUC: take constant" in said
    assert (desk / "titanic.fathom" / "winner.onnx").read_bytes() == before
    error = fathom("compare", "titanic.csv", *QUICK, "--prefer", "nice", cwd=desk, code=2).stderr
    assert "it takes fast, small, readable or cheap" in error


def test_answers_come_with_sets_and_flags(desk: Path) -> None:
    asked = ("predict", "titanic.fathom/winner.onnx", "titanic.csv")
    done = fathom(*asked, "--interval", "0.9", "--flag-unlike", cwd=desk, code=0)
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    table = (desk / "titanic.csv").read_text(encoding="utf-8")
    truth = list(csv.DictReader(io.StringIO(table)))
    held = [
        row["survived"] in said["set"].split(" | ") for row, said in zip(truth, rows, strict=True)
    ]
    assert sum(held) / len(held) > 0.85
    assert {row["set"] for row in rows} <= {"0", "1", "0 | 1"}
    assert sum(row["unlike"] != "" for row in rows) < 0.05 * len(rows)
    assert "on unseen rows sets of 0.9 held the truth in" in done.stderr
    assert "rows are unlike the rows that were learned from" in done.stderr
    plain = fathom(*asked, cwd=desk, code=0).stdout
    assert plain.splitlines()[0] == "label,probability_0,probability_1"


def test_a_percentage_is_mended_to_a_share(desk: Path) -> None:
    asked = ("predict", "titanic.fathom/winner.onnx", "titanic.csv")
    error = fathom(*asked, "--interval", "90", cwd=desk, code=2).stderr
    assert error.splitlines()[-1].endswith("titanic.csv --interval 0.9")


def test_a_challenger_that_cannot_enter_ends_the_command_early(desk: Path) -> None:
    (desk / "broken.onnx").write_bytes(b"not a model at all")
    error = fathom(
        "compare", "titanic.csv", *QUICK, "--with", "broken.onnx", cwd=desk, code=2
    ).stderr
    assert "broken.onnx cannot enter" in error
