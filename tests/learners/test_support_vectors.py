"""Support vector machines reach the optimum, and calibrate on rows that they did not learn from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from sklearn.svm import LinearSVC

from fathometer.errors import LearnerError, OutOfTimeError
from fathometer.graph import Graph
from fathometer.learners.contract import Budget
from fathometer.learners.distances import squared_distances
from fathometer.learners.squared_hinge import fit_calibration, fit_squared_hinge, gram
from fathometer.learners.support_vectors import (
    KernelMachine,
    LinearMachine,
    calibrated_scores,
)
from fathometer.modelfile.write import TOLERANCE, ship
from fathometer.table.metric import METRICS

MACHINES = [LinearMachine(), KernelMachine(60, (1.0, 2.0), (1e-3, 1e-4))]
every_machine = pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)


def fit(machine, setting, **kwargs):
    return machine.fit(setting.table, setting.task, setting.split, **kwargs)


def test_weights_are_those_of_liblinear():
    draw = np.random.default_rng(0)
    matrix = draw.normal(size=(400, 12)).astype(np.float32) * np.geomspace(0.1, 3, 12)
    truth = (matrix[:, :3] + draw.normal(size=(400, 3))).argmax(axis=1)
    features = np.concatenate([matrix, np.ones((400, 1))], axis=1, dtype=np.float32)
    signs = (2 * np.eye(3) - 1)[truth].astype(np.float32)
    penalty = 0.01
    weights = fit_squared_hinge(features, signs, gram(features), penalty=penalty, iterations=200)
    known = LinearSVC(C=1 / (2 * penalty * 400), tol=1e-8, max_iter=100_000).fit(matrix, truth)
    np.testing.assert_allclose(weights[:-1], known.coef_.T, atol=2e-3)
    np.testing.assert_allclose(weights[-1], known.intercept_, atol=2e-3)


def test_calibration_finds_the_odds_that_made_the_classes():
    draw = np.random.default_rng(1)
    margins = draw.normal(size=(20_000, 3))
    odds = np.exp(2.5 * margins + [0.0, 1.0, -0.5])
    shares = odds / odds.sum(axis=1, keepdims=True)
    truth = (draw.random((20_000, 1)) > shares.cumsum(axis=1)).sum(axis=1)
    found = fit_calibration(margins, truth)
    assert found.slope == pytest.approx(2.5, rel=0.05)
    np.testing.assert_allclose(found.offset - found.offset[0], [0.0, 1.0, -0.5], atol=0.1)


def test_distances_are_euclidean():
    draw = np.random.default_rng(2)
    rows, reference = draw.normal(size=(5, 4)), draw.normal(size=(3, 4))
    expected = ((rows[:, None] - reference) ** 2).sum(axis=2)
    np.testing.assert_allclose(squared_distances(rows, reference), expected, atol=1e-12)


@every_machine
@pytest.mark.parametrize("question", ["survival", "classes"])
def test_machine_file_answers_as_the_model_did(machine, question, request):
    setting = request.getfixturevalue(question)
    shipped = ship(fit(machine, setting), machine.name, setting.table, setting.split.lockbox)
    assert shipped.parity.deviation <= TOLERANCE / 10


@every_machine
def test_machine_learns_something_and_is_calibrated(machine, survival):
    model = fit(machine, survival)
    truth = survival.truth[survival.split.train]
    assert METRICS["roc_auc"].score(truth, model.out_of_fold) > 0.75
    constant = np.full_like(model.out_of_fold, 0.5)
    assert METRICS["log_loss"].loss(truth, model.out_of_fold) < METRICS["log_loss"].loss(
        truth, constant
    )
    assert abs(model.out_of_fold[:, 1].mean() - truth.mean()) < 0.03


@every_machine
def test_same_seed_gives_the_same_machine(machine, classes):
    files = [
        ship(fit(machine, classes), machine.name, classes.table, classes.split.lockbox).file()
        for _ in range(2)
    ]
    assert files[0].content == files[1].content


@every_machine
def test_machine_learns_from_training_rows_alone(machine, survival):
    order = np.arange(len(survival.table))
    order[survival.split.lockbox] = np.random.default_rng(1).permutation(survival.split.lockbox)
    scrambled = replace(
        survival.table,
        columns=tuple(
            column if place % 2 else column.take(order)
            for place, column in enumerate(survival.table)
        ),
    )
    model = fit(machine, survival)
    again = machine.fit(scrambled, survival.task, survival.split)
    assert np.array_equal(model.out_of_fold, again.out_of_fold)
    assert np.array_equal(
        model.predict(survival.table).scores, again.predict(survival.table).scores
    )


@every_machine
def test_noise_teaches_no_machine(machine, survival):
    """A level for nearly every row, and a target that is noise: no leak may find it out of fold."""
    random, rows = np.random.default_rng(0), len(survival.table)
    codes = pa.array([f"code {place}" for place in random.integers(0, rows // 2, rows)])
    noise = pa.array(random.integers(0, 2, rows).astype(float))
    columns = (
        replace(survival.table["cabin"], values=codes),
        replace(survival.table[survival.task.target], values=noise),
    )
    noisy = replace(survival.table, columns=columns)
    model = machine.fit(noisy, survival.task, survival.split)
    truth = survival.task.encode(noisy[survival.task.target])[survival.split.train]
    assert METRICS["roc_auc"].score(truth, model.out_of_fold) < 0.63


def test_the_labels_of_a_fold_do_not_calibrate_its_own_scores(classes):
    split, fold = classes.split, 1
    truth = classes.truth[split.train]
    margins = np.random.default_rng(3).normal(size=(1, len(truth), 3))
    own = split.places(split.folds[fold])
    turned = truth.copy()
    turned[own] = (turned[own] + 1) % 3
    before, after = (
        calibrated_scores(margins, labels, split, np.zeros(3, dtype=int))
        for labels in (truth, turned)
    )
    assert np.array_equal(before[own], after[own])
    assert not np.array_equal(before, after)


@every_machine
def test_machine_refuses_values_and_stops_in_time(machine, fares, survival):
    with pytest.raises(LearnerError, match="predicts classes"):
        fit(machine, fares)
    with pytest.raises(OutOfTimeError):
        fit(machine, survival, budget=Budget(deadline=0.0))


def test_a_machine_writes_one_kernel_for_all_rows(survival):
    """The graph's size does not grow with the landmarks."""
    sizes = []
    for landmarks in (20, 60):
        graph = Graph()
        fit(KernelMachine(landmarks, (1.0,), (1e-3,)), survival).write(graph)
        sizes.append(len(graph._nodes))
    assert sizes[0] == sizes[1]
