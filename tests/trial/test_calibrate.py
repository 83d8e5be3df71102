"""Promises of the correction: it is there where it pays, honest, and the same in the file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fathometer.graph import Graph
from fathometer.learners.contract import Account, Family, Model, Prediction
from fathometer.learners.linear import Logistic
from fathometer.learners.naive_bayes import NaiveBayes
from fathometer.modelfile.write import TOLERANCE, ship
from fathometer.table.kind import ColumnSpec
from fathometer.table.metric import log_loss, roc_auc
from fathometer.table.split import Split
from fathometer.table.table import Table
from fathometer.table.task import Task, TaskKind
from fathometer.trial.calibrate import (
    Calibrated,
    Line,
    Temperature,
    calibrated,
    fit_line,
    fit_temperature,
)

if TYPE_CHECKING:
    from conftest import Setting

ACCOUNT = Account(1, 1, "as it was")
TASK = Task(TaskKind.CLASSIFY, "y", "roc_auc", ("a", "b", "c"))


@dataclass(frozen=True, eq=False)
class Answered:
    """A model as far as the correction looks at it: its out-of-fold answers."""

    out_of_fold: np.ndarray
    task: Task = TASK
    family: Family = Family.TRADITIONAL
    columns: tuple[ColumnSpec, ...] = ()
    account: Account = ACCOUNT

    def predict(self, table: Table) -> Prediction:
        return Prediction(self.task, self.out_of_fold)

    def write(self, graph: Graph) -> str:
        raise NotImplementedError


def world(rows: int, heat: float, seed: int = 0, classes: int = 3) -> tuple[Model, np.ndarray]:
    """Answers that are right when their logs are divided by `heat`, and the truth."""
    random = np.random.default_rng(seed)
    honest = random.dirichlet(np.ones(classes), size=rows)
    truth = (random.random(rows)[:, None] > honest.cumsum(axis=1)).sum(axis=1)
    task = replace(TASK, classes=TASK.classes[:classes])
    stated = Temperature(1 / heat).apply(honest)
    return Answered(stated, task), np.minimum(truth, classes - 1)


def split_of(rows: int) -> Split:
    places = np.arange(rows)
    return Split(places, np.arange(0), tuple(places[fold::4] for fold in range(4)), seed=0)


def test_overconfident_answers_are_cooled_to_what_they_are_worth() -> None:
    model, truth = world(3_000, 2.0)
    found = calibrated(model, truth, split_of(3_000))
    assert isinstance(found, Calibrated)
    assert isinstance(found.correction, Temperature)
    assert found.correction.degrees == pytest.approx(2.0, rel=0.08)
    assert log_loss(truth, found.out_of_fold) < 0.95 * log_loss(truth, model.out_of_fold)
    assert found.account.chosen == f"as it was; {found.correction.words}"


def test_honest_answers_are_left_as_they_are() -> None:
    for seed in range(5):
        model, truth = world(2_000, 1.0, seed)
        assert calibrated(model, truth, split_of(2_000)) is model


def test_few_rows_are_left_as_they_are() -> None:
    model, truth = world(150, 3.0)
    assert calibrated(model, truth, split_of(150)) is model


def test_a_fold_has_no_say_in_its_own_correction() -> None:
    model, truth = world(2_000, 2.0)
    split = split_of(2_000)
    found = calibrated(model, truth, split)
    other = truth.copy()
    other[split.folds[0]] = (other[split.folds[0]] + 1) % 3
    changed = calibrated(model, other, split)
    own, rest = split.folds[0], split.folds[1]
    # The other folds' rows saw other labels in fold 0; its own rows were corrected without them.
    np.testing.assert_array_equal(found.out_of_fold[own], changed.out_of_fold[own])
    assert not np.array_equal(found.out_of_fold[rest], changed.out_of_fold[rest])


def test_a_crooked_probability_of_many_rows_is_straightened() -> None:
    random = np.random.default_rng(1)
    honest = random.random(12_000)
    truth = (random.random(12_000) < honest).astype(int)
    crooked = 0.3 * honest**3 + 0.02  # no temperature mends this
    task = replace(TASK, classes=("a", "b"))
    model = Answered(np.column_stack([1 - crooked, crooked]), task)
    found = calibrated(model, truth, split_of(12_000))
    assert isinstance(found, Calibrated)
    assert isinstance(found.correction, Line)
    assert log_loss(truth, found.out_of_fold) == pytest.approx(0.5, abs=0.02)
    # A rising line leaves every ranking as it was.
    ranked = found.correction.apply(model.out_of_fold)
    assert roc_auc(truth, ranked) == pytest.approx(roc_auc(truth, model.out_of_fold), abs=1e-9)


@pytest.mark.parametrize("classes_", [2, 3])
def test_probabilities_stay_probabilities(classes_: int) -> None:
    edges = np.eye(classes_)[[0, 1, 0]]
    edges[2] = 1 / classes_
    for degrees in (0.3, 1.7, 8.0):
        found = Temperature(degrees).apply(edges)
        np.testing.assert_allclose(found.sum(axis=1), 1)
        assert np.isfinite(found).all()
    if classes_ == 2:
        line = Line((0.0, 0.2, 1.0), (0.01, 0.5, 0.99)).apply(edges)
        np.testing.assert_allclose(line[:, 1], [0.01, 0.99, 0.68375])


@pytest.mark.parametrize("kind", ["temperature", "line"])
def test_the_file_answers_as_the_corrected_model(survival: Setting, kind: str) -> None:
    plain = NaiveBayes().fit(survival.table, survival.task, survival.split)
    truth = survival.truth[survival.split.train]
    fit = fit_temperature if kind == "temperature" else fit_line
    correction = fit(truth, plain.out_of_fold)
    model = Calibrated(plain, correction, correction.apply(plain.out_of_fold))
    shipped = ship(model, "naive Bayes", survival.table, survival.split.lockbox)
    assert shipped.parity.deviation <= TOLERANCE
    expected = model.predict(survival.table.rows(survival.split.lockbox)).scores
    np.testing.assert_allclose(shipped.scores, expected, atol=1e-6)


def test_values_are_left_as_they_are(fares: Setting) -> None:
    model = Answered(np.ones((300, 1)), fares.task)
    assert calibrated(model, np.ones(300), split_of(300)) is model


def test_a_logistic_regression_needs_none(survival: Setting) -> None:
    model = Logistic(penalties=(0.01,)).fit(survival.table, survival.task, survival.split)
    truth = survival.truth[survival.split.train]
    assert calibrated(model, truth, survival.split) is model
