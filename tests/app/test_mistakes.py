"""Whatever a user hands in is answered: what is wrong, what to type, exit code 2, no traceback."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

CASES = {
    "no target column": ("a,b\n1,2\n3,4\n", ["--target", "c"], '"c"'),
    "one class": ("x,y\n" + "1,a\n2,a\n" * 20, ["--target", "y"], "one"),
    "target all missing": ("x,y\n" + "1,\n2,\n" * 20, ["--target", "y"], "y"),
    "all rows missing": ("x,y\n" + ",\n" * 20, ["--target", "y"], "20"),
    "empty file": ("", ["--target", "y"], "empty"),
    "names alone": ("x,y\n", ["--target", "y"], "no rows"),
    "one row": ("x,y\n1,2\n", ["--target", "y"], "one value"),
    "doubled column names": ("x,x,y\n" + "1,2,3\n4,5,6\n" * 20, ["--target", "y"], "x"),
    "unknown metric": ("x,y\n" + "1,2\n3,4\n" * 20, ["--target", "y", "--metric", "luck"], "luck"),
    "unknown kind": ("x,y\n" + "1,2\n3,4\n" * 20, ["--target", "y", "--kind", "x=magic"], "magic"),
    "kind that does not fit": (
        "x,y\n" + "a,2\nb,4\n" * 20,
        ["--target", "y", "--kind", "x=number"],
        '"a"',
    ),
    "nothing to learn from": ("y\n" + "1\n2\n" * 20, ["--target", "y"], "no column"),
    "infinite target": ("x,y\n" + "1,inf\n2,inf\n" * 20, ["--target", "y"], "y"),
}


def fathom(folder, *words, limit=None):
    command = [sys.executable, "-m", "fathometer", *map(str, words)]
    if limit:
        command = ["bash", "-c", f"ulimit -f {limit}; exec " + " ".join(command)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize("mistake", CASES)
def test_a_mistake_is_answered(tmp_path, mistake):
    text, options, named = CASES[mistake]
    (tmp_path / "rows.csv").write_text(text)
    done = fathom(tmp_path, "compare", "rows.csv", *options)
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.startswith("error  ")
    assert named in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_wrong_encoding_is_answered_with_a_right_one(tmp_path):
    (tmp_path / "rows.csv").write_bytes("ort,y\nKöln,1\nBonn,2\n".encode("latin-1") * 20)
    done = fathom(tmp_path, "compare", "rows.csv", "--target", "y", "--encoding", "utf-8")
    assert done.returncode == 2
    assert "utf-8" in done.stderr.lower()
    assert "Traceback" not in done.stderr


def test_a_target_with_several_values_in_a_row_is_answered(tmp_path):
    rows = [{"x": place, "y": [place, place + 1]} for place in range(40)]
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    done = fathom(tmp_path, "compare", "rows.json", "--target", "y")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert '"y"' in done.stderr


def test_an_absent_file_is_answered_with_the_nearest(tmp_path):
    (tmp_path / "passengers.csv").write_text("a,b\n1,2\n")
    done = fathom(tmp_path, "compare", "pasengers.csv", "--target", "b")
    assert done.returncode == 2
    assert "passengers.csv" in done.stderr


def test_a_full_disk_is_answered(tmp_path, passengers_path):
    words = ["compare", passengers_path, "--target", "survived", "--only", "logistic", "--out", "o"]
    done = fathom(tmp_path, *words, limit=16)  # blocks of 1,024 bytes a file
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "--out" in done.stderr


def test_infinite_values_count_as_missing_and_are_counted(tmp_path):
    lines = [
        f"{'inf' if place % 50 == 0 else place * 37 % 101},{place % 7},{place % 2}"
        for place in range(200)
    ]
    (tmp_path / "rows.csv").write_text("x,z,y\n" + "\n".join(lines) + "\n")
    done = fathom(tmp_path, "compare", "rows.csv", "--target", "y", "--only", "logistic")
    assert done.returncode == 0, done.stderr
    assert "4 values" in done.stdout or "4 infinite" in done.stdout


@pytest.mark.slow
def test_ten_thousand_columns_end_with_a_model(tmp_path):
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    random = np.random.default_rng(0)
    wide = {f"c{place}": random.normal(size=60) for place in range(10_000)}
    pq.write_table(pa.table({**wide, "y": random.integers(0, 2, 60)}), tmp_path / "wide.parquet")
    done = fathom(tmp_path, "compare", "wide.parquet", "--target", "y", "--only", "decision tree")
    assert done.returncode in (0, 2), done.stderr
    assert "Traceback" not in done.stderr
