"""What a student promises beyond a learner: its limits, and whose answers it may know."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from fathometer.errors import LearnerError, OutOfTimeError
from fathometer.learners.contract import Budget
from fathometer.learners.linear import Logistic, Ridge
from fathometer.learners.student import Footprint, Limits, Student, column_counts
from fathometer.learners.student_shapes import LinearShape, TreesShape, ranked_columns
from fathometer.modelfile.write import TOLERANCE, ship, to_onnx
from fathometer.table.metric import METRICS
from fathometer.table.task import TaskKind

FEW = (LinearShape(iterations=30), TreesShape(4, (6, 24)))
QUESTIONS = ("survival", "classes", "fares")
COLUMNS = {"survived", "pclass", "sex", "age", "sib_sp", "fare", "cabin", "embarked"}


def _without_texts(setting):
    kept = tuple(column for column in setting.table if column.name in COLUMNS)
    return replace(setting, table=replace(setting.table, columns=kept))


@pytest.fixture(scope="module", params=QUESTIONS)
def question(request):
    return _without_texts(request.getfixturevalue(request.param))


@pytest.fixture(scope="module", name="survivors")
def survivors_fixture(survival):
    return _without_texts(survival)


def a_column_costs_two_microseconds(model):
    """A machine whose latency repeats; sizes are those of the real file."""
    return Footprint(len(to_onnx(model).SerializeToString()), 0.002 * len(model.columns))


def student(setting, *, limits=Limits(size_bytes=30_000), soft=None, **changed):
    if soft is None:
        learner = Ridge((1e-2,)) if setting.task.kind is TaskKind.REGRESS else Logistic((1e-2,))
        soft = learner.fit(setting.table, setting.task, setting.split).out_of_fold
    options = {"shapes": FEW, **changed}
    return Student(limits, "linear", soft, a_column_costs_two_microseconds, **options)


def fit(learner, setting, table=None):
    return learner.fit(setting.table if table is None else table, setting.task, setting.split)


def with_target(setting, values):
    columns = [
        replace(column, values=values) if column.name == setting.task.target else column
        for column in setting.table
    ]
    return replace(setting.table, columns=tuple(columns))


def test_file_answers_as_the_student_does_and_repeats_to_the_byte(question):
    learner = student(question)
    models = [fit(learner, question) for _ in range(2)]
    files = [ship(each, "student", question.table, question.split.lockbox) for each in models]
    assert files[0].parity.deviation <= TOLERANCE
    assert files[0].file().content == files[1].file().content
    assert np.array_equal(models[0].out_of_fold, models[1].out_of_fold)
    assert np.isfinite(models[0].out_of_fold).all()


def test_every_shape_is_its_file(question):
    for shape in FEW:
        model = fit(student(question, shapes=(shape,)), question)
        shipped = ship(model, "student", question.table, question.split.lockbox)
        assert shipped.parity.deviation <= TOLERANCE
        better = METRICS["log_loss" if question.task.classes else "rmse"].better
        learned = question.truth[question.split.train]
        constant = np.tile(
            np.bincount(learned) / len(learned) if question.task.classes else learned.mean(),
            (len(learned), 1),
        )
        score = METRICS["log_loss" if question.task.classes else "rmse"].score
        assert better(score(learned, model.out_of_fold), score(learned, constant))


def test_lockbox_rows_teach_nothing(question):
    learner = student(question)
    order = np.arange(len(question.table))
    order[question.split.lockbox] = np.random.default_rng(1).permutation(question.split.lockbox)
    models = [fit(learner, question, rows) for rows in (question.table, question.table.rows(order))]
    assert to_onnx(models[0]).SerializeToString() == to_onnx(models[1]).SerializeToString()


def test_a_level_a_row_teaches_nothing_about_other_rows(survival):
    """A planted leak: a category that is nearly a row number, and a target that is noise.

    A teacher that has seen a row's twin knows its answer, and would tell a student of it."""
    random = np.random.default_rng(0)
    rows = len(survival.table)
    codes = pa.array([f"code {place}" for place in random.integers(0, rows // 2, rows)])
    noise = pa.array(random.integers(0, 2, rows).astype(float))
    columns = tuple(
        replace(column, values=codes if column.name == "cabin" else noise)
        for column in survival.table
        if column.name in ("cabin", survival.task.target)
    )
    leaky = replace(survival.table, columns=columns)
    setting = replace(survival, table=leaky)
    model = fit(student(setting, limits=Limits(size_bytes=10**6)), setting)
    # 240 rows of noise: an area above 0.63 has a chance of less than 1 in 1,000.
    assert METRICS["roc_auc"].score(setting.truth[setting.split.train], model.out_of_fold) < 0.63


def test_teacher_has_a_say_in_the_student_and_none_in_how_it_is_judged(survivors):
    soft = np.tile([0.9, 0.1], (len(survivors.split.train), 1))
    own = fit(student(survivors, soft_share=0.0), survivors)
    taught = fit(student(survivors, soft=soft, soft_share=0.9), survivors)
    assert taught.predict(survivors.table).scores[:, 1].mean() < 0.3
    assert own.predict(survivors.table).scores[:, 1].mean() > 0.3
    assert np.array_equal(own.out_of_fold, taught.out_of_fold)


def test_own_answer_has_no_say_in_own_out_of_fold_score(fares):
    fold = fares.split.folds[0]
    values = fares.table["fare"].numbers.copy()
    values[fold] = np.random.default_rng(1).permutation(values[fold])
    # One model alone: which one the others choose depends on what they learn from this fold.
    learner = student(fares, shapes=(TreesShape(4, (6,)),))
    models = [fit(learner, fares, table) for table in (None, with_target(fares, pa.array(values)))]
    places = fares.split.places(fold)
    assert np.array_equal(models[0].out_of_fold[places], models[1].out_of_fold[places])


def test_a_tight_latency_leaves_the_best_columns(survivors):
    tight = student(survivors, limits=Limits(latency_ms=0.0051))  # 2 columns, 20 % in hand
    model = fit(tight, survivors)
    assert len(model.columns) <= 2
    assert "sex" in [spec.name for spec in model.columns]


def test_files_stay_below_the_limit_whatever_it_is(survivors):
    for size in (4_000, 8_000, 16_000):
        model = fit(student(survivors, limits=Limits(size_bytes=size)), survivors)
        assert len(to_onnx(model).SerializeToString()) <= size


def test_impossible_limits_name_the_nearest_and_what_would_do(survivors):
    with pytest.raises(LearnerError, match=r"the nearest, a linear model.* on 1 of") as caught:
        fit(student(survivors, limits=Limits(0.0001, 100)), survivors)
    assert "--latency 2.8us" in caught.value.try_next
    assert "--size" in caught.value.try_next


def test_stops_when_the_time_is_up(survivors):
    learner = student(survivors)
    with pytest.raises(OutOfTimeError):
        learner.fit(survivors.table, survivors.task, survivors.split, budget=Budget(deadline=0.0))


def test_columns_are_halved_down_to_one():
    assert column_counts(14) == (14, 7, 4, 2, 1)
    assert column_counts(1) == (1,)


def test_columns_that_tell_most_come_first(survival, classes):
    # Without the texts: "Mr" and "Miss" of a name tell more than the sex, a cabin's deck the class.
    bare = survival.table.without(["name", "cabin", "ticket"])
    assert ranked_columns(bare, survival.task, survival.split.train, 0)[0] == "sex"
    bare = classes.table.without(["name", "cabin", "ticket"])
    assert ranked_columns(bare, classes.task, classes.split.train, 0)[0] == "fare"
