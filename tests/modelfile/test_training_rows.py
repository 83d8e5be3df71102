"""A file says how many rows of the training data travel in it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fathometer.features.roads import feature_specs
from fathometer.learners.contract import Account
from fathometer.learners.ensemble import Ensemble
from fathometer.learners.light_gbm import LightGBM
from fathometer.learners.neighbours import Neighbours
from fathometer.learners.network import ModernNetwork, RetrievalNetwork
from fathometer.learners.support_vectors import KernelMachine
from fathometer.modelfile.write import ShippedPart, ship


def brief(learner):
    training = replace(learner.training, epochs=2, least_steps=4, patience=2)
    return replace(learner, training=training)


def held_by(file):
    return sum(file.contents.training_rows)


def shipped(learner, case):
    model = learner.fit(case.table, case.task, case.split)
    return ship(model, learner.name, case.table, case.split.lockbox).file()


@pytest.mark.parametrize(
    "learner", [LightGBM(rounds=4), brief(ModernNetwork())], ids=lambda one: one.name
)
def test_trees_and_networks_hold_none(learner, survival) -> None:
    assert held_by(shipped(learner, survival)) == 0


def test_neighbours_and_kernels_hold_what_they_compare_with(survival) -> None:
    assert held_by(shipped(Neighbours((5,), most_rows=300), survival)) <= 300
    assert held_by(shipped(Neighbours((5,), most_rows=300), survival)) > 200  # equals merged
    assert held_by(shipped(KernelMachine(landmarks=50), survival)) == 50


def test_retrieval_holds_the_learning_rows_of_each_fold(survival) -> None:
    file = shipped(brief(RetrievalNetwork()), survival)
    folds = len(survival.split.folds)
    learned = [len(survival.split.fold_rows(fold)[0]) for fold in range(folds)]
    assert sorted(file.contents.training_rows) == sorted(learned)


def test_mixture_holds_the_rows_of_its_parts(survival) -> None:
    task, columns = survival.task, feature_specs(survival.table, survival.task)
    files = [
        shipped(learner, survival)
        for learner in (LightGBM(rounds=4), Neighbours((5,), most_rows=300))
    ]
    parts = tuple(ShippedPart(file, task) for file in files)
    mixed = Ensemble(task, columns, parts, ("a", "b"), (0.5, 0.5), np.zeros(0), Account(1, 0, ""))
    file = ship(mixed, "both together", survival.table, survival.split.lockbox).file()
    assert held_by(file) == held_by(files[1]) > 0
