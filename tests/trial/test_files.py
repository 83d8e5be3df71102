"""Promises of crash-safe writing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fathometer.errors import StoreError
from fathometer.trial.files import make_folder, sha256_of, write_bytes, write_text

OVERWRITE_FOREVER = """
import sys
from pathlib import Path
from fathometer.trial.files import write_bytes
number = 0
while True:
    number += 1
    write_bytes(Path(sys.argv[1]), bytes([number % 256]) * 200_000)
    print(number, flush=True)
"""

WRITE_PAST_THE_LIMIT = """
import resource, sys
from pathlib import Path
from fathometer.errors import StoreError
from fathometer.trial.files import write_bytes
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_bytes(Path(sys.argv[1]), b"x" * 5000)
except StoreError as error:
    print(error.message)
"""


def test_what_was_written_is_read_back_and_replaces_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "verdict.json"
    write_text(path, "first")
    write_text(path, "R² = 0.5")
    assert path.read_text(encoding="utf-8") == "R² = 0.5"
    assert [each.name for each in path.parent.iterdir()] == ["verdict.json"]


def test_a_full_disk_leaves_the_old_file_and_no_rest(tmp_path: Path) -> None:
    path = tmp_path / "winner.onnx"
    write_bytes(path, b"old")
    command = [sys.executable, "-c", WRITE_PAST_THE_LIMIT, str(path)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "winner.onnx could not be written: the file is larger than" in answer
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["winner.onnx"]


def test_a_file_in_the_place_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(StoreError, match="a part of the path is a file") as caught:
        write_bytes(tmp_path / "taken" / "winner.onnx", b"")
    assert caught.value.try_next == "--out OTHER"
    with pytest.raises(StoreError, match="taken could not be written"):
        make_folder(tmp_path / "taken")


def test_a_folder_in_the_place_of_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()
    with pytest.raises(StoreError, match="there is a folder of that name"):
        write_bytes(tmp_path / "report.html", b"")


@pytest.mark.skipif(os.name != "posix", reason="kills with SIGKILL")
def test_a_writer_killed_at_any_moment_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "winner.onnx"
    for round_ in range(8):
        command = [sys.executable, "-c", OVERWRITE_FOREVER, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            child.stdout.readline()
            time.sleep(0.003 * round_)
            child.send_signal(signal.SIGKILL)
        content = path.read_bytes()
        assert len(content) == 200_000
        assert len(set(content)) == 1


def test_the_hash_of_an_absent_file_is_empty(tmp_path: Path) -> None:
    assert sha256_of(tmp_path / "absent") == ""
    write_bytes(tmp_path / "empty", b"")
    assert sha256_of(tmp_path / "empty").startswith("e3b0c442")
