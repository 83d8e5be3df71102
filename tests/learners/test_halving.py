"""The search over configurations: what is chosen for a fold is chosen by the others."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from tree_tables import ask_graph, far_off, graph_bytes, shells

from fathometer.learners.boosted import Boosting, Lesson
from fathometer.learners.cat_boost import CatBoost
from fathometer.learners.contract import Budget, Progress
from fathometer.learners.crossfit import Watch
from fathometer.learners.halving import (
    choose,
    clear_gaps,
    final_jobs,
    losses_elsewhere,
    preferred,
    shortlist,
)
from fathometer.learners.light_gbm import LightGBM, LightGBMBooster
from fathometer.learners.random_forest import ExtraTrees, RandomForest
from fathometer.learners.tree_portfolio import PORTFOLIOS, configurations
from fathometer.learners.xg_boost import XGBoost

SEARCHED = (
    LightGBM(rounds=24, learning_rate=0.2, configurations=5),
    XGBoost(rounds=24, learning_rate=0.2, configurations=5),
    CatBoost(rounds=24, learning_rate=0.2, configurations=4),
    RandomForest(trees=20, configurations=4),
    ExtraTrees(trees=20, configurations=4),
)
every_learner = pytest.mark.parametrize("learner", SEARCHED, ids=lambda learner: learner.name)


@dataclass(frozen=True)
class Misled(LightGBM):
    """LightGBM whose first fold is watched on the targets of other rows.

    So nothing changes but what is known of how its configurations do there."""

    def grow(self, lesson: Lesson, watch: Watch) -> LightGBMBooster:
        if lesson.seed == self.seed:
            turned = np.random.default_rng(3).permutation(lesson.watch_target)
            lesson = replace(lesson, watch_target=turned)
        return super().grow(lesson, watch)


def test_own_rows_have_no_say_in_what_stands_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PORTFOLIOS, "Misled", PORTFOLIOS["LightGBM"])
    table, task, split = shells(500, classes=2)
    # Without patience, since a fold stops by itself where it has waited too long.
    fields = {"rounds": 30, "patience": 1000, "learning_rate": 0.1, "configurations": 6}
    honest, misled = (kind(**fields).fit(table, task, split) for kind in (LightGBM, Misled))
    ours = split.places(split.folds[0])
    assert_array_equal(honest.out_of_fold[ours], misled.out_of_fold[ours])
    assert not np.array_equal(honest.out_of_fold, misled.out_of_fold)


@pytest.mark.parametrize("fold", range(4))
def test_own_losses_have_no_say_in_shortlist_or_choice(fold: int) -> None:
    random = np.random.default_rng(fold)
    curves = {(k, place): random.random(5) for k in range(4) for place in range(6)}
    turned = curves | {(fold, place): random.random(5) for place in range(6)}
    chosen = []
    for known in (curves, turned):
        losses = losses_elsewhere(known, 4, 6)
        chosen.append((shortlist(losses, 2)[fold], choose(losses, shortlist(losses, 2))[fold]))
    assert_array_equal(chosen[0][0], chosen[1][0])
    assert chosen[0][1] == chosen[1][1]


def test_every_fold_fits_the_finalists_of_all() -> None:
    listed = np.array([[True, False, False], [False, False, True]])
    assert final_jobs(listed) == ((0, 0), (0, 2), (1, 0), (1, 2))


def test_a_configuration_that_failed_is_never_chosen() -> None:
    curves = {(fold, 0): np.array([5.0 + fold]) for fold in range(3)}
    curves |= {(fold, 1): np.array([np.nan]) for fold in range(3)}
    curves |= {(fold, 2): np.array([4.0 + fold]) for fold in range(3)}
    losses = losses_elsewhere(curves, 3, 3)
    assert_array_equal(choose(losses, np.ones((3, 3), dtype=bool)), [2, 2, 2])


def test_the_usual_settings_stand_unless_they_are_clearly_beaten() -> None:
    usual, lucky, better = [1.0, 1.0, 1.0, 1.0], [0.7, 1.1, 1.1, 1.0], [0.97, 0.98, 0.96, 0.97]
    allowed = np.ones(2, dtype=bool)
    assert preferred(np.array([usual, lucky]), allowed) == 0
    assert preferred(np.array([usual, better]), allowed) == 1


@every_learner
def test_first_configuration_is_the_usual_one_and_all_differ(learner: Boosting) -> None:
    many = replace(learner, configurations=24)
    settings = configurations(many)
    assert len(settings) == 24
    assert settings[0] == replace(learner, configurations=1)
    assert settings[1] == replace(learner, configurations=1, crosses=True)
    assert len(set(settings)) == 24
    assert settings == configurations(many)


@every_learner
@pytest.mark.parametrize("classes", [0, 3])
def test_graph_answers_as_the_searched_model_does(learner: Boosting, classes: int) -> None:
    table, task, split = shells(300, classes=classes)
    model = learner.fit(table, task, split)
    for rows in (table, far_off(table.rows(split.lockbox))):
        expected = model.predict(rows).scores
        assert_allclose(ask_graph(model, rows), expected, rtol=1e-6, atol=1e-6)


@every_learner
def test_same_seed_gives_the_same_bytes_on_one_thread_and_two(learner: Boosting) -> None:
    table, task, split = shells(300, classes=2)
    one, two = (replace(learner, threads=n).fit(table, task, split) for n in (1, 2))
    assert graph_bytes(one) == graph_bytes(two)
    assert_array_equal(one.out_of_fold, two.out_of_fold)


@every_learner
def test_account_counts_every_configuration_and_fit(learner: Boosting) -> None:
    table, task, split = shells(200, classes=2)
    told: list[Progress] = []
    account = learner.fit(table, task, split, budget=Budget(report=told.append)).account
    assert account.configurations == learner.configurations
    in_heat, finals = 3 * learner.configurations, 3
    assert in_heat + finals <= account.fits <= 2 * in_heat + 1
    assert account.chosen
    assert all(0.0 <= progress.done <= 1.0 for progress in told)


@every_learner
def test_time_that_is_up_stops_the_search_with_a_model(learner: Boosting) -> None:
    table, task, split = shells(300, classes=2)
    endless = {"rounds": 100_000, "patience": 100_000, "learning_rate": 1e-4}
    longer = {"trees": 100_000} if isinstance(learner, RandomForest | ExtraTrees) else endless
    start = time.monotonic()
    model = replace(learner, **longer).fit(table, task, split, budget=Budget(start + 1.5))
    assert time.monotonic() - start < 15.0
    assert np.isfinite(model.out_of_fold).all()


def test_one_fold_alone_clears_nothing() -> None:
    losses = np.array([[0.5, np.nan], [0.4, np.nan], [0.3, 0.3]])
    assert clear_gaps(losses)[1].tolist() == [False, False, False]
    assert clear_gaps(np.array([[0.5, 0.5], [0.4, 0.4]]))[1].tolist() == [False, True]
