import io
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from command import fathom
from fathometer.app.door import next_command, print_error
from fathometer.errors import ColumnError, FathometerError, KindError, OptionError

MISSPELT = ColumnError(
    'p.csv has no column "survivd"; the nearest is "survived".', details="columns: a, survived (2)"
)


def test_error_says_what_was_asked_what_was_found_and_what_to_type() -> None:
    stream = io.StringIO()
    print_error(MISSPELT, command=["compare", "p.csv", "--target", "survivd"], stream=stream)
    assert stream.getvalue() == (
        'error  p.csv has no column "survivd"; the nearest is "survived".\n'
        "       columns: a, survived (2)\n"
        "       try  fathom compare p.csv --target survived\n"
    )


def test_long_message_is_wrapped_below_its_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    stream = io.StringIO()
    print_error(FathometerError("word " * 20), command=[], stream=stream)
    lines = stream.getvalue().splitlines()
    assert all(len(line) <= 40 for line in lines)
    assert all(line.startswith("       ") for line in lines[1:])


@pytest.mark.parametrize(
    ("command", "mended"),
    [
        (["--target", "survivd"], "fathom --target survived"),
        (["--target=survivd"], "fathom --target=survived"),
        (["--kind", "survivd=text"], "fathom --kind survived=text"),
    ],
)
def test_nearest_column_is_put_into_the_command(command: list[str], mended: str) -> None:
    assert next_command(MISSPELT, command) == mended


@pytest.mark.parametrize(
    ("command", "advice", "mended"),
    [
        (["x", "--effort", "huge"], "--effort quick", "fathom x --effort quick"),
        (["x", "--effort=huge"], "--effort quick", "fathom x --effort quick"),
        (["x", "--kind", "b=date"], "--kind a=text", "fathom x --kind b=date --kind a=text"),
        (["x", "--kind", "a=date"], "--kind a=text", "fathom x --kind a=text"),
    ],
)
def test_advised_option_is_put_into_the_command(
    command: list[str], advice: str, mended: str
) -> None:
    assert next_command(KindError("no", try_next=advice), command) == mended


def test_error_without_advice_leads_to_the_help_of_its_command() -> None:
    assert next_command(OptionError("no"), ["predict", "x"]) == "fathom predict --help"
    assert next_command(OptionError("no"), []) == "fathom --help"


def test_mistake_ends_with_code_2_and_no_traceback(tmp_path: Path) -> None:
    done = fathom("inspect", tmp_path / "absent.onnx")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error  absent.onnx") or "absent.onnx" in done.stderr
    assert "Traceback" not in done.stderr


def test_unknown_option_ends_with_code_2() -> None:
    done = fathom("compare", "x.csv", "--targt", "y")
    assert done.returncode == 2
    assert "--target" in done.stderr


def test_comparison_without_a_target_says_so(tmp_path: Path) -> None:
    (tmp_path / "my rows.csv").write_text("x,y\n1,2\n")
    done = fathom("compare", "my rows.csv", cwd=tmp_path)
    assert done.returncode == 2
    assert "try  fathom compare 'my rows.csv' --target COLUMN" in done.stderr


def test_reader_that_goes_away_is_no_error(model_path: Path, passengers: Path) -> None:
    command = [sys.executable, "-m", "fathometer", "predict", model_path, passengers]
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as closed:
        done = subprocess.run(
            command, stdout=closed, stderr=subprocess.PIPE, text=True, check=False
        )
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_bare_install_is_told_what_to_install() -> None:
    code = (
        "import sys; sys.modules['typer'] = None; sys.argv = ['fathom', '--help']\n"
        "from fathometer.app.door import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert 'try  pip install ".[compare]"' in done.stderr
    assert "in the clone that it was installed from" in " ".join(done.stderr.split())


def test_a_quote_in_a_name_is_a_letter_of_it() -> None:
    error = OptionError("unclear.", try_next="--prices o'brien.toml")
    mended = shlex.join(["fathom", "compare", "p.csv", "--prices", "o'brien.toml"])
    assert next_command(error, ["compare", "p.csv"]) == mended


def test_what_files_say_cannot_move_the_cursor() -> None:
    stream = io.StringIO()
    print_error(OptionError('no column "a\x1b[2J".'), command=["compare"], stream=stream)
    assert "\x1b" not in stream.getvalue()
