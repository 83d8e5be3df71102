"""Starting is quick because nothing heavy is loaded until it is used."""

import json
import subprocess
import sys

import pytest

HEAVY = (
    "torch",
    "sklearn",
    "duckdb",
    "onnx",
    "onnxruntime",
    "pyarrow",
    "lightgbm",
    "rich",
    "numpy",
)


def loaded_after(code: str) -> list[str]:
    """Heavy packages that a fresh interpreter holds after running this code."""
    report = f"print(json.dumps([name for name in {HEAVY} if name in sys.modules]))"
    asked = f"{code}\nimport sys, json\n{report}"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def test_import_loads_nothing_heavy() -> None:
    assert loaded_after("import fathometer") == []


@pytest.mark.parametrize("words", [["--help"], ["compare", "--help"], ["--version"]], ids=" ".join)
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    code = f"""
import sys
from fathometer.app.door import main
sys.argv = ["fathom", *{words}]
try:
    main()
except SystemExit as end:
    assert not end.code
"""
    assert loaded_after(code) == []


def test_opening_a_model_file_needs_no_training_library() -> None:
    code = "import fathometer; fathometer.load; fathometer.ModelFile"
    assert set(loaded_after(code)) <= {"numpy", "onnxruntime"}
