"""The whole road by the command line, with two quick contestants."""

import json
import subprocess
from pathlib import Path

import pytest

from command import fathom
from fathometer.app.commands import kinds_from, names_from
from fathometer.errors import OptionError

# Tickets and cabins could be groups, which takes longer to find out than all the fits together.
QUICK = ("--target", "survived", "--only", "constant,logistic")
QUICK += ("--ignore", "ticket", "--ignore", "cabin")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("desk")


@pytest.fixture(scope="module")
def compared(passengers: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    return fathom("compare", passengers, *QUICK, cwd=folder)


def test_comparison_ends_well_and_says_what_to_do_next(
    compared: subprocess.CompletedProcess[str],
) -> None:
    assert compared.returncode == 0, compared.stderr
    assert "VERDICT" in compared.stdout
    assert "next:  fathom predict titanic.fathom/winner.onnx new.csv" in compared.stdout


def test_comparison_leaves_the_files_that_it_names(
    compared: subprocess.CompletedProcess[str], folder: Path
) -> None:
    found = {each.name for each in (folder / "titanic.fathom").iterdir()}
    assert compared.returncode == 0
    assert {"winner.onnx", "report.html", "verdict.json", "scorecards.json", "run.sqlite"} <= found


def test_json_is_the_only_thing_on_standard_output(
    compared: subprocess.CompletedProcess[str], passengers: Path, folder: Path
) -> None:
    done = fathom("compare", passengers, *QUICK, "--json", cwd=folder)
    document = json.loads(done.stdout)
    assert document.keys() == {"verdict", "scorecards", "folder", "files", "seconds"}
    assert {card["name"] for card in document["scorecards"]} >= {"constant", "logistic"}
    assert "VERDICT" in done.stderr


def test_winner_answers_a_table(
    compared: subprocess.CompletedProcess[str], passengers: Path, folder: Path
) -> None:
    done = fathom("predict", "titanic.fathom/winner.onnx", passengers, cwd=folder)
    lines = done.stdout.splitlines()
    assert lines[0] == "label,probability_0,probability_1"
    assert len(lines) == 892
    assert "891 rows answered" in done.stderr


def test_misspelt_target_is_answered_with_the_mended_command(
    passengers: Path, folder: Path
) -> None:
    done = fathom("compare", passengers, "--target", "survivd", cwd=folder)
    assert done.returncode == 2
    assert (
        done.stderr.splitlines()[-1] == f"       try  fathom compare {passengers} --target survived"
    )


def test_kinds_are_read_as_column_and_kind() -> None:
    assert kinds_from(["age=number", "a=b=text"]) == {"age": "number", "a=b": "text"}


@pytest.mark.parametrize("option", ["age", "age=", "=number"])
def test_kind_without_column_or_kind_is_refused(option: str) -> None:
    with pytest.raises(OptionError, match="COLUMN=KIND"):
        kinds_from([option])


def test_names_are_separated_by_commas() -> None:
    assert names_from("ridge, decision tree,") == ("ridge", "decision tree")
    assert names_from(None) == ()
