"""Who enters: by what the table holds, equal for both families."""

from __future__ import annotations

import numpy as np
import pytest

from fathometer.learners.contract import Family
from fathometer.table.kind import Kind
from fathometer.table.table import Table, column_from, picture_column
from fathometer.table.task import Task, TaskKind
from fathometer.trial.entrants import Effort, entrants, folds_for, raw_epochs

CLASSIFY = Task(TaskKind.CLASSIFY, "y", "accuracy", ("a", "b"))
REGRESS = Task(TaskKind.REGRESS, "y", "rmse")
ANSWERS = column_from("y", Kind.CATEGORY, ["a", "b", "a"])
NUMBERS = column_from("x", Kind.NUMBER, [1.0, 2.0, 3.0])
NAMES = column_from("name", Kind.TEXT, ["Allen, Miss. Ada", "Dean, Mr. Bertram", "Abbott, Mr. R."])
REVIEWS = column_from("said", Kind.TEXT, ["it did not fit at all and went back"] * 3)
PHOTOS = picture_column("photo", np.zeros((3, 28, 28, 1), dtype=np.uint8))


def names(task, *columns, effort=Effort.QUICK):
    return [learner.name for learner in entrants(task, Table((ANSWERS, *columns)), effort, 0)]


@pytest.mark.parametrize("task", [CLASSIFY, REGRESS])
@pytest.mark.parametrize("column", [NUMBERS, REVIEWS, PHOTOS])
@pytest.mark.parametrize("effort", list(Effort))
def test_both_families_enter_for_every_kind_of_column(task, column, effort):
    entered = entrants(task, Table((ANSWERS, column)), effort, 0)
    assert {learner.family for learner in entered} == {Family.TRADITIONAL, Family.DEEP}
    assert entered[0].name == "constant"
    assert len({learner.name for learner in entered}) == len(entered)


def test_names_are_no_prose():
    assert names(CLASSIFY, NAMES) == names(CLASSIFY, NUMBERS)
    assert raw_epochs(CLASSIFY, Table((ANSWERS, NAMES)), Effort.QUICK) is None


def test_texts_and_pictures_bring_their_own_contestants():
    assert {"n-gram logistic", "NB-SVM", "word vectors"} <= set(names(CLASSIFY, REVIEWS))
    assert {"kernel SVM", "LeNet-5 (1998)"} <= set(names(CLASSIFY, PHOTOS))
    assert "convolutional network" in names(REGRESS, PHOTOS)


def test_what_stands_beside_texts_brings_learners_of_tables():
    assert "CatBoost" not in names(CLASSIFY, REVIEWS)
    assert {"CatBoost", "modern network"} <= set(names(CLASSIFY, REVIEWS, NUMBERS))


def test_costly_networks_get_fewer_folds():
    folds = [folds_for(CLASSIFY, Table((ANSWERS, one)), Effort.QUICK) for one in (NUMBERS, PHOTOS)]
    assert folds == [5, 3]


def test_a_transformer_does_not_read_a_small_part_of_long_texts():
    long = column_from("said", Kind.TEXT, [" ".join(["word"] * 400)] * 3)
    assert "word transformer" in names(CLASSIFY, REVIEWS)
    assert "word transformer" not in names(CLASSIFY, long)
    assert "word transformer" in names(CLASSIFY, long, effort=Effort.THOROUGH)
