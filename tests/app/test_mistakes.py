"""Whatever a user hands in is answered: what is wrong, what to type, exit code 2, no traceback."""

from __future__ import annotations

import json

import pytest

from command import fathom

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


@pytest.mark.parametrize("mistake", CASES)
def test_a_mistake_is_answered(tmp_path, mistake):
    text, options, named = CASES[mistake]
    (tmp_path / "rows.csv").write_text(text)
    done = fathom("compare", "rows.csv", *options, cwd=tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.startswith("error  ")
    assert named in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_wrong_encoding_is_answered_with_a_right_one(tmp_path):
    (tmp_path / "rows.csv").write_bytes("ort,y\nKöln,1\nBonn,2\n".encode("latin-1") * 20)
    done = fathom("compare", "rows.csv", "--target", "y", "--encoding", "utf-8", cwd=tmp_path)
    assert done.returncode == 2
    assert "utf-8" in done.stderr.lower()
    assert "Traceback" not in done.stderr


def test_a_target_with_several_values_in_a_row_is_answered(tmp_path):
    rows = [{"x": place, "y": [place, place + 1]} for place in range(40)]
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    done = fathom("compare", "rows.json", "--target", "y", cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert '"y"' in done.stderr


def test_an_absent_file_is_answered_with_the_nearest(tmp_path):
    (tmp_path / "passengers.csv").write_text("a,b\n1,2\n")
    done = fathom("compare", "pasengers.csv", "--target", "b", cwd=tmp_path)
    assert done.returncode == 2
    assert "passengers.csv" in done.stderr


def test_a_full_disk_is_answered(tmp_path, passengers_path):
    words = ["compare", passengers_path, "--target", "survived", "--only", "logistic", "--out", "o"]
    words += ["--ignore", "ticket", "--ignore", "cabin"]
    done = fathom(*words, cwd=tmp_path, blocks=16)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "--out" in done.stderr


def test_infinite_values_count_as_missing_and_are_counted(tmp_path):
    lines = [
        f"{'inf' if place % 50 == 0 else place * 37 % 101},{place % 7},{place % 2}"
        for place in range(200)
    ]
    (tmp_path / "rows.csv").write_text("x,z,y\n" + "\n".join(lines) + "\n")
    done = fathom("compare", "rows.csv", "--target", "y", "--only", "logistic", cwd=tmp_path)
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
    words = ["--target", "y", "--only", "decision tree"]
    fathom("compare", "wide.parquet", *words, cwd=tmp_path, code=0)
    assert (tmp_path / "wide.fathom" / "winner.onnx").exists()


def test_a_source_that_is_not_there_is_said_before_the_target_is_asked_for(tmp_path):
    done = fathom("compare", "absent rows.csv", cwd=tmp_path)
    assert done.returncode == 2
    assert "absent rows.csv" in done.stderr
    assert "which column" not in done.stderr


def test_pictures_that_do_not_lie_where_they_are_named_are_told_with_the_mistake(tmp_path):
    lines = [f"elsewhere/{place}.png,{'ab'[place % 2]}" for place in range(40)]
    (tmp_path / "rows.csv").write_text("\n".join(["photo,kind", *lines]))
    done = fathom("compare", "rows.csv", "--target", "kind", cwd=tmp_path)
    assert done.returncode == 2
    assert "photo names pictures, but they do not lie in" in done.stderr


def test_a_json_line_that_is_broken_is_named_by_its_own_number(tmp_path):
    lines = [json.dumps({"x": place, "y": place % 2}) for place in range(30)]
    lines[5] = '{"x": 5, "y":'
    (tmp_path / "rows.jsonl").write_text("\n".join(lines))
    done = fathom("compare", "rows.jsonl", "--target", "y", cwd=tmp_path)
    assert done.returncode == 2
    assert "line 6" in done.stderr
