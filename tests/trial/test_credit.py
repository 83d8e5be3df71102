"""Credit: honest corners, fitted once, and effects that add up to the whole difference."""

from __future__ import annotations

import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from fathometer.learners.contract import Budget
from fathometer.learners.light_gbm import LightGBM
from fathometer.learners.network import PlainNetwork, Training
from fathometer.table.metric import METRICS
from fathometer.table.task import Task, TaskKind
from fathometer.trial.credit import CREDIT, corners, on_learned
from fathometer.trial.pace import Terms
from fathometer.verdict.bench import Rows
from fathometer.verdict.credit import PLACES, Effect, credit, in_words

BRIEF = Training(epochs=3, least_steps=30)
LEARNERS = (LightGBM(40, 0.2, 10), PlainNetwork(training=BRIEF, width=32))


def test_all_four_corners_are_scored_out_of_fold_and_kept(contest):
    trials = contest.run(LEARNERS)
    found = corners(contest, LEARNERS, trials).scored
    assert set(found) == set(PLACES)
    truth = contest.task.encode(contest.table[contest.task.target])[contest.split.train]
    for name, scores in found.values():
        assert scores.shape == (len(contest.split.train), 2), name
        assert METRICS["roc_auc"].score(truth, scores) > 0.65, name
    # A run that goes on has no model at hand and needs none: what was fitted is in its store.
    forgetful = replace(contest, models={})
    unable = (LEARNERS[0], replace(LEARNERS[1], training=None))
    again = corners(forgetful, unable, trials).scored
    for place in PLACES:
        assert np.array_equal(found[place][1], again[place][1])


def test_corners_are_kept_beside_their_own_network(contest):
    trials = contest.run(LEARNERS)
    corners(contest, LEARNERS, trials)
    stored = [name for name in contest.store.names() if name.startswith(CREDIT)]
    assert len(stored) == 2
    assert all(name.endswith(", beside perceptron") for name in stored)
    # What is in the store costs no time.
    late = replace(contest, terms=Terms(time.monotonic() - 1.0))
    assert set(corners(late, LEARNERS, trials).scored) == set(PLACES)


def test_where_it_is_left_out_it_says_why(contest, monkeypatch):
    trials = contest.run(LEARNERS)
    late = replace(contest, terms=Terms(time.monotonic()))
    assert "the time did not suffice" in corners(late, LEARNERS, trials).missing
    stopped = replace(contest, terms=Terms(stopped=lambda: True))
    assert corners(stopped, LEARNERS, trials).missing == "the run was stopped"
    alone = [trial for trial in trials if trial.scorecard.family == "deep"]
    assert "only one family" in corners(contest, LEARNERS, alone).missing
    assert "finished file" in corners(contest, LEARNERS[:1], trials).missing
    monkeypatch.setattr("fathometer.trial.credit.MOST_BYTES", 1000)
    assert "GB of memory, more than 1e-06 GB" in corners(contest, LEARNERS, trials).missing
    assert not [name for name in contest.store.names() if name.startswith(CREDIT)]


def test_a_network_that_does_not_tell_its_features_is_named(contest):
    trials = contest.run(LEARNERS)
    silent = replace(contest, models={"perceptron": object()})
    assert "perceptron does not tell its features" in corners(silent, LEARNERS, trials).missing


def test_what_is_learned_from_features_never_saw_its_own_rows(survival):
    """Features that hold a row's own target for the rows that a fold learns from, and noise for
    those it validates: whoever scores above chance has looked."""
    table, task, split = survival.table, survival.task, survival.split
    truth = task.encode(table[task.target])[split.train]
    random = np.random.default_rng(0)
    planted = []
    for fold in range(len(split.folds)):
        own = np.where(truth, 1.0, -1.0)
        asked = split.places(split.folds[fold])
        own[asked] = random.permutation(own[asked])
        planted.append(own[:, None].astype(np.float32))
    _, scores = on_learned(tuple(planted), "a network", table, task, split, budget=Budget())
    assert 0.35 < METRICS["roc_auc"].score(truth, scores) < 0.65


def made_up(features: float, learner: float):
    """Out-of-fold values whose errors shrink by so much with each change; truth is normal."""
    random = np.random.default_rng(1)
    truth = random.normal(size=4000)
    scores = {}
    for place in PLACES:
        noise = 2.0 - features * (place[0] == "learned") - learner * (place[1] == "network")
        scores[place] = " ".join(place), (truth + noise * random.normal(size=4000))[:, None]
    return scores, Task(TaskKind.REGRESS, "y", "rmse"), truth


def test_effects_are_what_was_put_in_and_add_up():
    scores, task, truth = made_up(features=0.8, learner=0.3)
    found = credit(scores, task, Rows(truth), seed=0)
    assert found.features.low < 0.8 < found.features.high
    assert found.learner.low < 0.3 < found.learner.high
    gap = found.corners[0].value - found.corners[3].value  # an error: less is better
    assert found.features.value + found.learner.value == pytest.approx(gap)
    assert found.sentence.startswith("The features matter most, and learned ones are better")


def test_an_effect_is_said_at_the_precision_that_its_interval_deserves():
    assert in_words(Effect(-0.0131, -0.0276, 0.000387)) == "−0.013 [−0.028, 0.000]"
    assert in_words(Effect(0.000636, -0.00844, 0.00928)) == "+0.0006 [−0.0084, +0.0093]"
    assert in_words(Effect(3188.8, 2138.9, 4276.7)) == "+3,200 [+2,100, +4,300]"
    scores, task, truth = made_up(features=0.8, learner=0.3)
    second = credit(scores, task, Rows(truth), seed=0).corners[1]  # within some 0.03
    assert credit(scores, task, Rows(truth), seed=0).sentence.count(f"{second.value:.3f}") == 1


def test_no_difference_is_called_none():
    scores, task, truth = made_up(features=0.0, learner=0.0)
    found = credit(scores, task, Rows(truth), seed=0)
    assert found.sentence.startswith("Neither the features nor the learner")


def test_without_lightgbm_a_linear_model_stands_in(survival, monkeypatch):
    monkeypatch.setitem(sys.modules, "lightgbm", None)  # as if it were not installed
    table, task, split = survival.table, survival.task, survival.split
    random = np.random.default_rng(0)
    rows = random.normal(size=(len(split.train), 4)).astype(np.float32)
    features = (rows,) * len(split.folds)
    name, scores = on_learned(features, "a network", table, task, split, budget=Budget())
    assert name == "a linear model on the features of a network"
    assert scores.shape == (len(split.train), 2)


def test_a_class_of_three_rows_is_not_lost_among_many():
    task = Task(TaskKind.CLASSIFY, "fraud", "roc_auc", ("no", "yes"))
    truth = np.zeros(60_000, dtype=np.int64)
    truth[:3] = 1
    second = np.random.default_rng(0).random(len(truth))
    scores = np.column_stack([1 - second, second])
    found = credit(dict.fromkeys(PLACES, ("one", scores)), task, Rows(truth), seed=0)
    assert np.isfinite([corner.value for corner in found.corners]).all()
    assert found.features.value == 0.0


def test_what_was_cut_short_stands_in_no_corner(contest):
    trials = contest.run(LEARNERS)
    cut = [
        replace(trial, scorecard=replace(trial.scorecard, is_shortened=True)) for trial in trials
    ]
    assert "the time did not suffice" in corners(contest, LEARNERS, cut).missing
