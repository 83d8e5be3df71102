"""Promises of what a run leaves in its folder, and of what it goes on from."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import fathometer as fm

ONLY = ("constant", "logistic")


@pytest.fixture
def flowers() -> pd.DataFrame:
    """120 rows whose second half is harder than the first."""
    random = np.random.default_rng(0)
    width = random.normal(size=120)
    noise = np.where(np.arange(120) < 60, 0.1, 3.0) * random.normal(size=120)
    return pd.DataFrame({"width": width, "kind": np.where(width + noise > 0, "one", "two")})


def test_other_unseen_rows_are_another_run(flowers, tmp_path):
    """The rows are the same and stand in the same order, but others of them judge."""
    seen = []
    for cut in (60, 90):
        train, test = flowers[:cut], flowers[cut:]
        found = fm.compare(train, target="kind", test=test, only=ONLY, out=tmp_path / "run")
        seen.append(next(c for c in found.scorecards if c.name == "logistic"))
    again = fm.compare(
        flowers[:60], target="kind", test=flowers[60:], only=ONLY, out=tmp_path / "run"
    )
    assert seen[0].quality != seen[1].quality
    assert next(c for c in again.scorecards if c.name == "logistic").quality == seen[0].quality


def test_nothing_of_an_earlier_run_stays_beside_the_new_verdict(flowers, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    for name in ("deep.onnx", "student.onnx", "rejected.csv"):
        (folder / name).write_text("of other rows")
    fm.compare(flowers, target="kind", only=ONLY, out=folder)
    assert sorted(path.name for path in folder.iterdir()) == [
        "report.html",
        "run.sqlite",
        "scorecards.json",
        "traditional.onnx",
        "verdict.json",
        "winner.onnx",
    ]


def test_a_lone_contestant_is_not_said_to_have_beaten_others(flowers, tmp_path):
    found = fm.compare(flowers, target="kind", only=("constant",), out=tmp_path / "run")
    said = json.loads((tmp_path / "run" / "verdict.json").read_text())["sentences"]
    assert "constant wins: no other finished." in said
    assert "finished alone" in found.verdict.headline
