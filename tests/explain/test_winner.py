"""What the winner looks at is told after the verdict: within the time, on the lockbox, in the
verdict's words and file."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import numpy as np
import pytest

import fathometer as fm
from fathometer.explain.winner import winner_importance
from fathometer.learners.constant import Constant
from fathometer.learners.linear import Logistic
from fathometer.trial.contest import Terms
from fathometer.trial.side_fit import LeftOut
from fathometer.verdict.importance import importance_sentence
from fathometer.verdict.schema import verdict_from


@pytest.fixture
def winner(contest):
    return contest.run([Constant(), Logistic((1e-2,))])[1].file


def test_it_is_measured_on_the_lockbox_alone(contest, winner):
    found = winner_importance(contest, winner)
    assert found.rows == len(contest.split.lockbox)
    assert found.columns[0].name == "sex"
    answers = winner.predict_proba(contest.table.rows(contest.split.lockbox))
    truth = contest.task.encode(contest.table["survived"])[contest.split.lockbox]
    positive, negative = answers[truth == 1, 1], answers[truth == 0, 1]
    assert found.score == pytest.approx(np.mean(positive[:, None] > negative), abs=0.01)
    shuffled = contest.split.train[::-1]
    blind = replace(contest, split=replace(contest.split, train=shuffled))
    assert winner_importance(blind, winner) == found


def test_groups_of_the_contest_widen_the_intervals(contest, winner):
    alone = winner_importance(contest, winner)
    groups = np.arange(len(contest.table)) // 30
    together = winner_importance(replace(contest, groups=groups), winner)
    assert [one.value for one in together.columns] == [one.value for one in alone.columns]
    assert [one.low for one in together.columns] != [one.low for one in alone.columns]


def test_where_it_is_left_out_it_says_why(contest, winner):
    late = replace(contest, terms=Terms(time.monotonic()))
    assert winner_importance(late, winner) == LeftOut("the time did not suffice")
    stopped = replace(contest, terms=Terms(stopped=lambda: True))
    assert winner_importance(stopped, winner) == LeftOut("the run was stopped")
    asked = iter(range(100))
    later = replace(contest, terms=Terms(stopped=lambda: next(asked) > 2))
    assert winner_importance(later, winner) == LeftOut("the run was stopped")


def test_progress_is_told(contest, winner):
    seen = []
    winner_importance(replace(contest, watch=seen.append), winner)
    done = [event.done for event in seen]
    assert done == sorted(done)
    assert done[-1] == 1.0


def test_a_comparison_says_and_writes_it(passengers_path, tmp_path):
    comparison = fm.compare(
        passengers_path,
        target="survived",
        only=["constant", "logistic"],
        ignore=["name", "ticket", "cabin"],
        out=tmp_path / "run",
    )
    verdict = comparison.verdict
    assert verdict.importance is not None
    assert verdict.sentences[-1] == importance_sentence(verdict.importance)
    assert '"sex"' in verdict.sentences[-1]
    assert verdict.importance.model == verdict.winner
    written = json.loads(comparison.files["verdict.json"].read_text(encoding="utf-8"))
    assert verdict_from(written, source="verdict.json") == verdict
    assert "What the winner looks at" in comparison.files["report.html"].read_text(encoding="utf-8")
