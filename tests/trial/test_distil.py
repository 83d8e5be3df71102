"""A student in the contest: within its limits, judged like all others, and a rival of none."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading

import onnx
import polars as pl
import pytest

import fathometer as fm
from command import fathom
from fathometer.app.leaderboard import final_rows
from fathometer.app.limits import bytes_from

NAMES = ("logistic", "decision tree")
ASKED = {"target": "survived", "only": ("logistic",), "size": "24KB"}
COLUMNS = ("survived", "pclass", "sex", "age", "sib_sp", "parch", "fare", "embarked")
RUN = """
import json, sys
import fathometer as fm

def watch(news):
    if getattr(news, "what", "") == "progress" and news.name == "student":
        print("the student learns", flush=True)

fm.compare(sys.argv[1], out=sys.argv[2], watch=watch, **json.loads(sys.argv[3]))
"""


def compare(path, folder, **options):
    return fm.compare(path, out=folder, **{**ASKED, **options})


def card_of(comparison):
    return next(card for card in comparison.scorecards if card.name == "student")


def graph_of(content):
    """The file without what it states of itself: its quality is the lockbox's."""
    model = onnx.ModelProto.FromString(content)
    del model.metadata_props[:]
    return model.SerializeToString(deterministic=True)


@pytest.fixture(scope="module")
def passengers(passengers_path, tmp_path_factory):
    """The first 500 passengers without their names, tickets and cabins."""
    path = tmp_path_factory.mktemp("passengers") / "passengers.csv"
    pl.read_csv(passengers_path).head(500).select(COLUMNS).write_csv(path)
    return path


@pytest.fixture(scope="module")
def taught(passengers, tmp_path_factory):
    folder = tmp_path_factory.mktemp("taught")
    return compare(passengers, folder, only=NAMES, latency="20ms")


@pytest.fixture(scope="module")
def undisturbed(passengers, tmp_path_factory):
    return compare(passengers, tmp_path_factory.mktemp("undisturbed"))


def test_student_keeps_to_both_limits_in_the_file_that_is_written(taught, passengers):
    file, card = taught.files["student.onnx"], card_of(taught)
    assert file.stat().st_size == card.bill.file_bytes <= bytes_from("24KB")
    assert card.bill.latency_ms_p50 <= 20
    assert card.sha256 == taught.student.sha256 == fm.load(file).sha256
    assert len(fm.load(file).predict(passengers)) == 500


def test_loss_is_stated_with_its_interval_wherever_one_looks(taught):
    [stored] = [
        card
        for card in json.loads(taught.files["scorecards.json"].read_text())
        if card["name"] == "student"
    ]
    lesson = stored["distillation"]
    assert lesson["low"] <= lesson["loss"] <= lesson["high"]
    cards = {card.name: card for card in taught.scorecards}
    teacher = cards[lesson["teacher"]]
    assert lesson["loss"] == pytest.approx(teacher.quality.value - cards["student"].quality.value)
    assert (lesson["size_limit_bytes"], lesson["latency_limit_ms"]) == (24_000, 20.0)
    [sentence] = [words for words in taught.verdict.sentences if "student.onnx" in words]
    assert "(limit 24 KB)" in sentence
    rows = taught.student.quality["rows"]
    assert f"against its teacher, {teacher.name}, on {rows} unseen rows" in sentence
    assert "student.onnx takes" in taught.files["report.html"].read_text()


def test_teacher_is_the_best_out_of_fold(taught):
    others = [card for card in taught.scorecards if card.name != "student"]
    best = max(others, key=lambda card: card.out_of_fold)
    assert card_of(taught).distillation.teacher == best.name


def test_student_is_nobodys_rival(taught):
    verdict = taught.verdict
    assert "student" not in (verdict.winner, *verdict.rivals, *verdict.ranking)
    assert "student" not in (taught.winner.name, taught.traditional.name)
    assert final_rows(taught.scorecards, verdict.winner)[-1][0] == "student"


def test_a_run_without_limits_has_no_student(passengers, tmp_path):
    plain = compare(passengers, tmp_path, size=None)
    assert plain.student is None
    assert "student.onnx" not in plain.files
    assert all(card.distillation is None for card in plain.scorecards)


def test_lockbox_answers_have_no_say_in_the_student(passengers, tmp_path):
    rows = pl.read_csv(passengers)
    judged = rows.tail(100)
    turned = judged.with_columns(survived=1 - pl.col("survived"))
    students = [
        compare(rows.head(400), tmp_path / name, test=lockbox).student
        for name, lockbox in (("as it was", judged), ("turned", turned))
    ]
    assert students[0].quality != students[1].quality
    assert graph_of(students[0].content) == graph_of(students[1].content)


def test_impossible_limits_end_as_a_mistake_with_everything_else_written(passengers, tmp_path):
    (tmp_path / "student.onnx").write_text("of an earlier run")
    words = ["--target", "survived", "--only", "logistic", "--out", tmp_path]
    done = fathom("compare", passengers, *words, "--size", "200B", code=2)
    assert "no student keeps to 0.2 KB: the nearest, a linear model" in done.stderr
    assert done.stderr.splitlines()[-1].lstrip().startswith("try  fathom compare")
    assert "--size 200B" not in done.stderr.splitlines()[-1]
    assert "VERDICT" in done.stdout
    assert "there is no student.onnx" in " ".join(done.stdout.split())
    assert (tmp_path / "winner.onnx").exists()
    assert not (tmp_path / "student.onnx").exists()


def test_a_student_that_failed_is_tried_again(passengers, tmp_path):
    started = []

    def watch(news):
        if getattr(news, "what", "") == "started":
            started.append(news.name)

    for _ in range(2):
        failed = compare(passengers, tmp_path, size="200B", watch=watch)
        assert (card_of(failed).state, failed.student) == ("failed", None)
        assert "there is no student.onnx" in failed.verdict.warnings[-1]
    assert started == ["constant", "logistic", "student", "student"]


def test_a_stopped_run_goes_on_to_the_same_student(undisturbed, passengers, tmp_path):
    stop = threading.Event()

    def watch(news):
        if getattr(news, "what", "") == "finished" and news.name == "logistic":
            stop.set()

    stopped = compare(passengers, tmp_path, watch=watch, stop=stop)
    assert card_of(stopped).state == "failed"
    finished = compare(passengers, tmp_path)
    assert finished.student.content == undisturbed.student.content


def test_a_killed_run_goes_on_to_the_same_student(undisturbed, passengers, tmp_path):
    command = [sys.executable, "-c", RUN, passengers, tmp_path, json.dumps(ASKED)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "the student learns\n"
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()
    resumed = compare(passengers, tmp_path)
    assert resumed.student.content == undisturbed.student.content
    again = []
    compare(passengers, tmp_path, watch=lambda news: again.append(getattr(news, "what", "")))
    assert "started" not in again


def test_limits_belong_to_the_run(undisturbed, passengers):
    other = compare(passengers, undisturbed.folder, size="12KB")
    assert other.student.size_bytes <= 12_000
    assert "--size 12KB" in other.files["report.html"].read_text()
