"""Learning curves of a contest: on nested parts, judged by the same rows, kept and resumed."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from fathometer.learners.constant import Constant
from fathometer.learners.light_gbm import LightGBM
from fathometer.learners.linear import Logistic
from fathometer.learners.naive_bayes import NaiveBayes
from fathometer.learners.network import PlainNetwork, Training
from fathometer.table.divide import DivideOptions, divide
from fathometer.trial.contest import Contest
from fathometer.trial.curves import CURVES, TIME_SHARE, keeping_time, learning_curves
from fathometer.trial.pace import Terms
from fathometer.trial.store import RunStore

LEARNERS = (
    Constant(),
    Logistic((1e-2,), iterations=20),
    LightGBM(rounds=20),
    PlainNetwork(width=16, training=Training(epochs=4, least_steps=40, patience=4)),
)


@pytest.fixture(scope="module")
def held(passengers_path, tmp_path_factory):
    """A finished contest on 700 passengers, and its trials."""
    from fathometer.table.ask import answerable, ask
    from fathometer.table.read import read

    table = read(passengers_path).table
    task = ask(table, "survived")
    table, _ = answerable(table, task)
    table = table.rows(np.arange(870))
    split = divide(table, task, DivideOptions(folds=3))
    with RunStore.open(tmp_path_factory.mktemp("curves"), "key") as store:
        contest = Contest(table, task, split, store, lambda event: None)
        yield contest, contest.run(LEARNERS)


def test_both_curves_grow_to_the_contestants_themselves(held):
    contest, trials = held
    pair = learning_curves(contest, LEARNERS, trials)
    assert [curve.family for curve in pair.curves] == ["traditional", "deep"]
    one, other = pair.curves
    assert np.array_equal(one.rows, other.rows)
    assert (np.diff(np.log2(one.rows)) > 0.8).all()
    assert len(one.rows) >= 3  # a quarter, a half and the whole of 696 rows
    named = {trial.scorecard.name: trial.uncorrected for trial in trials}
    for curve in pair.curves:
        assert curve.points[-1].out_of_fold is named[curve.name]
        for point in curve.points:
            assert point.out_of_fold.shape == (len(contest.split.train), 2)


def test_parts_and_whole_are_scored_as_the_learner_answers(held, tmp_path):
    """A corrected whole beside parts that are not would show a fall that more rows did not make."""
    contest, _ = held
    with RunStore.open(tmp_path, "loss") as store:
        loss = replace(contest.task, metric="log_loss")
        own = replace(contest, task=loss, store=store, models={})
        learners = (NaiveBayes(), LEARNERS[3])
        trials = own.run(learners)
        bayes = next(trial for trial in trials if trial.scorecard.name == "naive Bayes")
        assert bayes.scorecard.corrected
        restored = next(t for t in own.run(learners) if t.scorecard.name == "naive Bayes")
        assert np.array_equal(restored.uncorrected, bayes.uncorrected)
        curve = learning_curves(own, learners, trials).curves[0]
        plain = NaiveBayes().fit(own.table, loss, own.split)
        assert np.array_equal(curve.points[-1].out_of_fold, plain.out_of_fold)


def test_what_is_stored_is_not_fitted_again(held):
    contest, trials = held
    first = learning_curves(contest, LEARNERS, trials)
    told = []
    again = learning_curves(replace(contest, watch=told.append), LEARNERS, trials)
    for one, other in zip(first.curves, again.curves, strict=True):
        for point, same in zip(one.points, other.points, strict=True):
            assert np.array_equal(point.out_of_fold, same.out_of_fold)
    assert [event.done for event in told] == [1.0]  # nobody reported a fit


def test_progress_is_told_under_a_name_of_its_own(held, tmp_path):
    contest, trials = held
    told = []
    with RunStore.open(tmp_path, "other") as store:
        learning_curves(replace(contest, store=store, watch=told.append), LEARNERS, trials)
    assert {event.name for event in told} == {CURVES}
    done = [event.done for event in told]
    assert done == sorted(done)
    assert "LightGBM on" in " ".join(event.words for event in told) or "logistic on" in " ".join(
        event.words for event in told
    )


def test_without_time_there_is_no_curve_and_it_says_so(held, tmp_path):
    contest, trials = held
    late = Terms(time.monotonic())
    with RunStore.open(tmp_path, "late") as store:
        pair = learning_curves(replace(contest, store=store, terms=late), LEARNERS, trials)
        assert pair.curves == ()
        assert "time" in pair.missing
        assert store.names() == ()


def test_a_stopped_run_draws_none(held):
    contest, trials = held
    stop = threading.Event()
    stop.set()
    pair = learning_curves(replace(contest, terms=Terms(stopped=stop.is_set)), LEARNERS, trials)
    assert (pair.curves, pair.missing) == ((), "the run was stopped")


def test_a_family_alone_has_no_curve(held):
    contest, trials = held
    alone = [trial for trial in trials if trial.scorecard.family == "traditional"]
    assert "one family" in learning_curves(contest, LEARNERS, alone).missing


def test_a_tiny_table_is_not_cut_further(held):
    contest, trials = held
    rows = contest.split.train[:90]
    folds = tuple(np.intersect1d(fold, rows) for fold in contest.split.folds)
    tiny = replace(contest, split=replace(contest.split, train=rows, folds=folds))
    assert "too few" in learning_curves(tiny, LEARNERS, trials).missing


def test_a_challenger_that_cannot_learn_is_passed_over(held):
    contest, trials = held
    best = max(
        (trial for trial in trials if trial.scorecard.family == "traditional"),
        key=lambda trial: trial.scorecard.out_of_fold,
    )
    others = [one for one in LEARNERS if one.name != best.scorecard.name]
    pair = learning_curves(contest, others, trials)
    assert pair.of("traditional").name in {one.name for one in others}


def test_the_contest_leaves_the_curves_their_share_of_the_time():
    assert keeping_time(Terms()).kept == 0.0
    now = time.monotonic()
    assert keeping_time(Terms(now + 100.0)).kept == pytest.approx(100.0 * TIME_SHARE, abs=1.0)
    assert keeping_time(Terms(now - 5.0)).kept == 0.0


def test_time_and_groups_are_asked_for_by_name(held, tmp_path):
    contest, trials = held
    rows = len(contest.table)
    groups, times = np.arange(rows) // 4, np.arange(rows, dtype=float)
    with RunStore.open(tmp_path / "grouped", "grouped") as store:
        grouped = replace(contest, store=store, groups=groups)
        assert len(learning_curves(grouped, LEARNERS[:2] + LEARNERS[3:], trials).curves) == 2
    with RunStore.open(tmp_path / "timed", "timed") as store:
        timed = replace(contest, store=store)
        pair = learning_curves(timed, LEARNERS[:2] + LEARNERS[3:], trials, times=times)
        assert len(pair.curves) == 2


def test_no_curve_ends_in_a_fit_that_was_cut_short(held):
    contest, trials = held
    cut = [
        replace(trial, scorecard=replace(trial.scorecard, is_shortened=True)) for trial in trials
    ]
    assert "did not suffice for all steps of" in learning_curves(contest, LEARNERS, cut).missing
