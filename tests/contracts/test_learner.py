"""What every learner promises, checked for each on two classes, three classes and values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from fathometer.errors import LearnerError, OutOfTimeError
from fathometer.learners.cat_boost import CatBoost
from fathometer.learners.constant import Constant
from fathometer.learners.contract import Budget, Family, Learner, Model
from fathometer.learners.decision_tree import DecisionTree
from fathometer.learners.light_gbm import LightGBM
from fathometer.learners.linear import ElasticNet, Logistic, Ridge
from fathometer.learners.naive_bayes import NaiveBayes
from fathometer.learners.neighbours import Neighbours
from fathometer.learners.network import ModernNetwork, PlainNetwork, RetrievalNetwork
from fathometer.learners.random_forest import ExtraTrees, RandomForest
from fathometer.learners.xg_boost import XGBoost
from fathometer.modelfile.write import TOLERANCE, ship
from fathometer.table.metric import METRICS
from fathometer.table.task import TaskKind
from fathometer.trial.entrants import Effort, entrants

if TYPE_CHECKING:
    from conftest import Setting


def _brief(learner: Learner) -> Learner:
    training = getattr(learner, "training", None)
    brief = replace(training, epochs=2, least_steps=4, patience=2)
    return replace(learner, training=brief)


LEARNERS: list[Learner] = [
    Constant(),
    Ridge((1e-2,)),
    ElasticNet((1e-2,)),
    Logistic((1e-2, 1e-3), iterations=20),
    DecisionTree(),
    LightGBM(rounds=12),
    CatBoost(rounds=12),
    XGBoost(rounds=12),
    RandomForest(trees=8),
    ExtraTrees(trees=8),
    LightGBM(rounds=12, configurations=4),
    CatBoost(rounds=12, depth=4, crosses=True, configurations=3),
    XGBoost(rounds=12, configurations=4),
    RandomForest(trees=8, configurations=3),
    Neighbours((5,)),
    NaiveBayes((1.0,)),
    _brief(PlainNetwork(width=16)),
    _brief(ModernNetwork()),
    _brief(RetrievalNetwork()),
]
CLASSIFIERS = [learner for learner in LEARNERS if not isinstance(learner, Ridge | ElasticNet)]
QUESTIONS = ("survival", "classes", "fares")
CASES = [
    pytest.param((learner, question), id=f"{learner.name}-{question}")
    for learner in LEARNERS
    for question in QUESTIONS
]
LACKING = [
    pytest.param(
        learner,
        question,
        id=f"{learner.name}-{question}",
    )
    for learner in CLASSIFIERS
    for question in ("survival", "classes")
]


@dataclass(frozen=True, eq=False)
class Case:
    """A learner, what it is asked, and the model that it answers with."""

    learner: Learner
    setting: Setting
    model: Model


@pytest.fixture(scope="module", params=CASES)
def case(request):
    """Fitted once for all that is promised of it."""
    learner, question = request.param
    setting = request.getfixturevalue(question)
    return Case(learner, setting, fit(learner, setting))


def fit(learner, setting, **kwargs):
    try:
        return learner.fit(setting.table, setting.task, setting.split, **kwargs)
    except OutOfTimeError:
        raise
    except LearnerError as error:
        pytest.skip(error.message)


def test_every_entrant_is_checked_here(survival, fares):
    entered = {
        learner.name
        for setting in (survival, fares)
        for effort in Effort
        for learner in entrants(setting.task, setting.table, effort, 0)
    }
    assert entered == {learner.name for learner in LEARNERS}


def test_model_file_answers_as_the_model_did(case):
    setting = case.setting
    shipped = ship(case.model, case.learner.name, setting.table, setting.split.lockbox)
    assert shipped.parity.deviation <= TOLERANCE
    expected = case.model.predict(setting.table.rows(setting.split.lockbox))
    assert np.array_equal(shipped.file().answers(shipped.scores), expected.answers) or (
        setting.task.kind is TaskKind.REGRESS
    )


def test_same_seed_gives_the_same_bytes(case):
    setting = case.setting
    one, other = (
        ship(model, case.learner.name, setting.table, setting.split.lockbox).file()
        for model in (case.model, fit(case.learner, setting))
    )
    assert one.content == other.content


def test_learns_from_training_rows_alone(case):
    setting, model = case.setting, case.model
    scrambled = _with_scrambled_lockbox(setting)
    again = case.learner.fit(scrambled, setting.task, setting.split)
    assert np.array_equal(model.out_of_fold, again.out_of_fold)
    assert np.array_equal(model.predict(setting.table).scores, again.predict(setting.table).scores)


def test_scores_have_their_shape_and_meaning(case):
    setting, model = case.setting, case.model
    scores = model.predict(setting.table.rows(setting.split.lockbox)).scores
    assert scores.shape == (len(setting.split.lockbox), setting.task.outputs)
    assert model.out_of_fold.shape == (len(setting.split.train), setting.task.outputs)
    assert isinstance(model.family, Family)
    if setting.task.kind is TaskKind.CLASSIFY:
        assert np.allclose(scores.sum(axis=1), 1, atol=1e-5)
        assert scores.min() >= 0


@pytest.mark.parametrize(("learner", "question"), LACKING)
def test_class_that_a_fold_lacks_keeps_its_column(learner, question, request):
    """One fold learns without a class; of two classes from a single one."""
    setting = request.getfixturevalue(question)
    train = setting.split.train
    rare = train[setting.truth[train] == 0]
    common = np.setdiff1d(train, rare)
    folds = (np.sort(np.append(rare, common[:40])), common[40:])
    model = fit(learner, replace(setting, split=replace(setting.split, folds=folds)))
    assert model.out_of_fold.shape == (len(train), setting.task.outputs)
    np.testing.assert_allclose(model.out_of_fold.sum(axis=1), 1.0, atol=1e-5)
    shipped = ship(model, learner.name, setting.table, setting.split.lockbox)
    assert shipped.parity.deviation <= TOLERANCE


@pytest.mark.parametrize("learner", LEARNERS, ids=lambda learner: learner.name)
def test_a_level_a_row_teaches_nothing_about_other_rows(learner, survival):
    """A planted leak: a category that is nearly a row number, and a target that is noise.

    Whoever fits target statistics on the rows they score finds the answer there."""
    random = np.random.default_rng(0)
    rows = len(survival.table)
    codes = pa.array([f"code {place}" for place in random.integers(0, rows // 2, rows)])
    noise = pa.array(random.integers(0, 2, rows).astype(float))
    columns = tuple(
        replace(column, values=codes)
        if column.name == "cabin"
        else replace(column, values=noise)
        if column.name == survival.task.target
        else column
        for column in survival.table
        if column.name in ("cabin", survival.task.target)
    )
    leaky = replace(survival.table, columns=columns)
    try:
        model = learner.fit(leaky, survival.task, survival.split)
    except LearnerError as error:
        pytest.skip(error.message)
    truth = survival.task.encode(leaky[survival.task.target])[survival.split.train]
    # 240 rows of noise: an area above 0.63 has a chance of less than 1 in 1,000.
    assert METRICS["roc_auc"].score(truth, model.out_of_fold) < 0.63


@pytest.mark.parametrize(
    "learner", [each for each in LEARNERS if each.name != "constant"], ids=lambda each: each.name
)
def test_stops_when_the_time_is_up(learner, survival, fares):
    setting = survival if learner.name not in ("ridge", "elastic net") else fares
    try:
        model = learner.fit(setting.table, setting.task, setting.split, budget=Budget(deadline=0.0))
    except OutOfTimeError:
        return
    assert np.isfinite(model.predict(setting.table).scores).all()


def _with_scrambled_lockbox(setting):
    """The table with every lockbox value replaced by that of another lockbox row, target too."""
    order = np.arange(len(setting.table))
    order[setting.split.lockbox] = np.random.default_rng(1).permutation(setting.split.lockbox)
    columns = []
    for place, column in enumerate(setting.table):
        turned = order.copy()
        turned[setting.split.lockbox] = np.roll(order[setting.split.lockbox], place)
        columns.append(column.take(turned))
    return replace(setting.table, columns=tuple(columns))
