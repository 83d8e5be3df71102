"""The contest: killed, stopped, hurried or broken, it ends with the files of an undisturbed one."""

from __future__ import annotations

import contextlib
import json
import signal
import sqlite3
import subprocess
import sys
import threading
import time

import numpy as np
import pyarrow as pa
import pytest

import fathometer as fm
from fathometer.errors import FathometerError, OptionError, StoreError

NAMES = ("logistic", "decision tree", "LightGBM", "naive Bayes")
# Tickets and cabins could be groups, which takes longer to find out than all the fits together.
IGNORED = ("name", "ticket", "cabin")
KILLED = """
import os, signal, sys
import fathometer as fm
path, folder, only, ignored, *moment = sys.argv[1:]
def watch(news):
    if [getattr(news, "what", ""), getattr(news, "name", "")] == moment:
        os.kill(os.getpid(), signal.SIGKILL)
only, ignored = only.split(","), ignored.split(",")
fm.compare(path, target="survived", only=only, ignore=ignored, out=folder, watch=watch)
"""
# Moments at which a run is killed, and whose trials are stored by then.
MOMENTS = {
    ("started", "constant"): (),
    ("progress", "LightGBM"): ("constant", "logistic", "decision tree"),
    ("finished", "both together"): (
        "constant", "logistic", "decision tree", "LightGBM", "naive Bayes", "both together"
    ),
}  # fmt: skip
MODELS = ("winner.onnx", "traditional.onnx")


def compare(path, folder, **options):
    options = {"only": NAMES, "target": "survived", "ignore": IGNORED, **options}
    return fm.compare(path, out=folder, **options)


def kill(path, folder, moment):
    """Run the contest in a process that kills itself at an event, before anything follows it."""
    names = ",".join(NAMES), ",".join(IGNORED)
    command = [sys.executable, "-c", KILLED, path, folder, *names, *moment]
    assert subprocess.run(list(map(str, command)), check=False).returncode == -signal.SIGKILL


def stored_in(folder):
    with contextlib.closing(sqlite3.connect(folder / "run.sqlite")) as log:
        return tuple(name for (name,) in log.execute("SELECT name FROM trials ORDER BY rowid"))


@pytest.fixture(scope="module")
def undisturbed(passengers_path, tmp_path_factory):
    return compare(passengers_path, tmp_path_factory.mktemp("undisturbed"))


def test_a_run_leaves_what_it_promises(undisturbed):
    named = {"winner.onnx", "traditional.onnx", "scorecards.json", "verdict.json", "report.html"}
    assert named | {"run.sqlite"} == set(undisturbed.files)
    assert all(path.exists() for path in undisturbed.files.values())
    verdict = json.loads(undisturbed.files["verdict.json"].read_text())
    assert verdict["winner"] == undisturbed.verdict.winner
    assert "rejected.csv" not in undisturbed.files  # nothing was rejected


def test_the_winning_file_is_the_winners(undisturbed, passengers_path):
    file = fm.load(undisturbed.files["winner.onnx"])
    assert file.name == undisturbed.verdict.winner
    card = next(c for c in undisturbed.scorecards if c.name == file.name)
    assert (file.sha256, file.size_bytes) == (card.sha256, card.bill.file_bytes)
    assert len(file.predict(passengers_path)) == 891


def test_the_same_command_gives_the_same_bytes(undisturbed, passengers_path, tmp_path):
    again = compare(passengers_path, tmp_path)
    for name in MODELS:
        assert again.files[name].read_bytes() == undisturbed.files[name].read_bytes()


@pytest.mark.parametrize("moment", MOMENTS, ids=" ".join)
def test_a_killed_run_goes_on_to_the_same_bytes(undisturbed, passengers_path, tmp_path, moment):
    kill(passengers_path, tmp_path, moment)
    assert stored_in(tmp_path) == MOMENTS[moment]
    assert not any((tmp_path / name).exists() for name in MODELS)
    resumed = compare(passengers_path, tmp_path)
    for name in MODELS:
        assert resumed.files[name].read_bytes() == undisturbed.files[name].read_bytes()
    assert [card.name for card in resumed.scorecards] == [
        card.name for card in undisturbed.scorecards
    ]


def test_a_stopped_run_has_a_winner_and_can_go_on(undisturbed, passengers_path, tmp_path):
    stop = threading.Event()

    def watch(news):
        if getattr(news, "what", "") == "finished" and news.name == "decision tree":
            stop.set()

    stopped = compare(passengers_path, tmp_path, watch=watch, stop=stop)
    assert stopped.winner is not None
    assert {c.name for c in stopped.scorecards if c.state == "failed"} >= {"LightGBM"}
    finished = compare(passengers_path, tmp_path)
    for name in MODELS:
        assert finished.files[name].read_bytes() == undisturbed.files[name].read_bytes()


def test_a_finished_contestant_is_not_fitted_again(undisturbed, passengers_path):
    started = []

    def watch(news):
        if getattr(news, "what", "") == "started":
            started.append(news.name)

    compare(passengers_path, undisturbed.folder, watch=watch)
    assert started == []


def test_what_a_killed_run_has_found_is_not_overwritten(passengers_path, tmp_path):
    kill(passengers_path, tmp_path, ("finished", "constant"))
    with pytest.raises(StoreError, match="unfinished"):
        compare(passengers_path, tmp_path, seed=1)


def test_a_stopped_run_gives_way_with_its_files(passengers_path, tmp_path):
    stop = threading.Event()
    stop.set()
    compare(passengers_path, tmp_path, stop=stop)
    other = compare(passengers_path, tmp_path, seed=1, only=("logistic",))
    assert other.verdict.winner == "logistic"


def test_an_expired_clock_still_gives_a_model(passengers_path, tmp_path):
    started = time.monotonic()
    hurried = compare(passengers_path, tmp_path, minutes=0.1, only=())
    assert time.monotonic() - started < 30
    assert hurried.winner.predict({name: [None] for name in hurried.winner.inputs}) is not None


def test_time_that_is_left_goes_to_longer_fits(passengers_path, tmp_path):
    # It ends long before its clock, which a busy machine has to have time in.
    hurried = {"minutes": 0.5, "only": ("logistic",)}
    run = compare(passengers_path, tmp_path, **hurried)
    cards = {card.name: card for card in run.scorecards}
    longer = {name: name.split(" ×")[0] for name in cards if " ×" in name}
    assert longer
    assert all(cards[name].state == "finished" for name in longer)
    assert all(cards[name].fits > cards[first].fits for name, first in longer.items())
    assert run.seconds < 33
    started = []

    def watch(news):
        if getattr(news, "what", "") == "started":
            started.append(news.name)

    # The clock begins anew, but what was found is not lengthened again.
    again = compare(passengers_path, tmp_path, **hurried, watch=watch)
    assert started == []
    assert [card.name for card in again.scorecards] == list(cards)


def test_longer_fits_learn_from_more_rows(tmp_path):
    draw = np.random.default_rng(0)
    numbers = draw.normal(size=(32_000, 2))
    frame = pa.table({"a": numbers[:, 0], "b": numbers[:, 1],
                      "survived": numbers.prod(axis=1) > draw.normal(size=32_000)})  # fmt: skip
    run = compare(frame, tmp_path, minutes=0.9, only=("logistic",), ignore=())
    terms = (run.folder / "report.html").read_text()
    assert "to learn from at first" in terms
    learned = {card.name: card.learned_rows for card in run.scorecards}
    longer = [name for name in learned if name.startswith("logistic ×")]
    assert longer
    assert all(learned[name] > learned["logistic"] for name in longer)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"only": ("oracle",)}, "oracle"),
        ({"effort": "heroic"}, "heroic"),
        ({"minutes": -1.0}, "minutes"),
        ({"ignore": ("survived",)}, "survived"),
        ({"target": "survivd"}, "survivd"),
        ({"metric": "rmse"}, "rmse"),
        ({"group": "cabinet"}, "cabinet"),
    ],
)
def test_an_impossible_option_is_named(passengers_path, tmp_path, options, words):
    with pytest.raises(FathometerError, match=words):
        compare(passengers_path, tmp_path, **options)


def test_an_absent_booster_is_not_entered(passengers_path, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "lightgbm", None)  # as if it were not installed
    comparison = compare(passengers_path, tmp_path, only=("logistic", "LightGBM"))
    card = next(card for card in comparison.scorecards if card.name == "LightGBM")
    assert card.state == "not entered"
    assert "pip install" in card.failure or "not installed" in card.failure


def test_rows_of_ones_own_are_the_lockbox(passengers_path, tmp_path):
    import polars as pl

    rows = pl.read_csv(passengers_path)
    judged = compare(rows.head(700), tmp_path, test=rows.tail(191), only=("logistic",))
    assert fm.load(judged.files["winner.onnx"]).quality["rows"] == 191


def test_groups_and_time_are_kept_apart(passengers_path, tmp_path):
    few = {"only": ("logistic",), "ignore": ("name", "cabin")}
    grouped = compare(passengers_path, tmp_path / "g", group="ticket", **few)
    assert "ticket" not in grouped.winner.inputs
    timed = compare(passengers_path, tmp_path / "t", time="passenger_id", **few)
    assert timed.scorecards[0].quality is not None
    with pytest.raises(FathometerError):
        compare(passengers_path, tmp_path / "b", time="age", group="ticket", **few)


def test_options_are_checked_before_anything_is_read():
    with pytest.raises(OptionError):
        fm.compare("absent.csv", target="x", effort="none")
