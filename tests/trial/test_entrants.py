"""Who enters: by what the table holds, equal for both families."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fathometer.app.own_networks import own_networks
from fathometer.learners.contract import Family
from fathometer.learners.raw_network import RawNetwork
from fathometer.networks.notation import LONGEST_NAME
from fathometer.table.kind import Kind
from fathometer.table.table import Table, column_from, picture_column
from fathometer.table.task import Task, TaskKind
from fathometer.trial.entrants import (
    Effort,
    chosen,
    entrants,
    folds_for,
    longer_fits,
    most_rows,
    raw_epochs,
    reserves,
)

CLASSIFY = Task(TaskKind.CLASSIFY, "y", "accuracy", ("a", "b"))
REGRESS = Task(TaskKind.REGRESS, "y", "rmse")
ANSWERS = column_from("y", Kind.CATEGORY, ["a", "b", "a"])
NUMBERS = column_from("x", Kind.NUMBER, [1.0, 2.0, 3.0])
NAMES = column_from("name", Kind.TEXT, ["Allen, Miss. Ada", "Dean, Mr. Bertram", "Abbott, Mr. R."])
REVIEWS = column_from("said", Kind.TEXT, ["it did not fit at all and went back"] * 3)
PHOTOS = picture_column("photo", np.zeros((3, 28, 28, 1), dtype=np.uint8))
each_kind = pytest.mark.parametrize(
    "columns",
    [(NUMBERS,), (REVIEWS,), (PHOTOS,), (PHOTOS, REVIEWS)],
    ids=["plain", "said", "seen", "both"],
)


def spare_of(task, table, effort, seed):
    return reserves(task, table, effort, seed, entrants(task, table, effort, seed))


def names(task, *columns, effort=Effort.QUICK):
    return [learner.name for learner in entrants(task, Table((ANSWERS, *columns)), effort, 0)]


@pytest.mark.parametrize("task", [CLASSIFY, REGRESS])
@each_kind
@pytest.mark.parametrize("effort", list(Effort))
def test_both_families_enter_for_every_kind_of_column(task, columns, effort):
    entered = entrants(task, Table((ANSWERS, *columns)), effort, 0)
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


@pytest.mark.parametrize(
    ("task", "linear"), [(CLASSIFY, "n-gram logistic"), (REGRESS, "n-gram ridge")]
)
def test_beside_pictures_both_sides_read_the_texts_as_they_are(task, linear):
    table = Table((ANSWERS, PHOTOS, REVIEWS))
    entered = {one.name: one for one in entrants(task, table, Effort.QUICK, 0)}
    networks = {one for one in entered.values() if isinstance(one, RawNetwork) and one.text}
    assert {one.name for one in networks} == {"LeNet-5 modern", "convolutional network"}
    assert all(one.picture for one in networks)
    assert all(one.taught().batch == one.text.training.batch for one in networks)
    assert linear in entered
    for columns in ((PHOTOS,), (PHOTOS, NAMES)):
        alone = entrants(task, Table((ANSWERS, *columns)), Effort.QUICK, 0)
        assert not any(isinstance(one, RawNetwork) and one.text for one in alone)
        assert linear not in {one.name for one in alone}


def test_who_reads_texts_alone_enters_beside_pictures_where_it_is_named():
    table = Table((ANSWERS, PHOTOS, REVIEWS))
    spare = {one.name for one in spare_of(CLASSIFY, table, Effort.QUICK, 0)}
    assert {"word vectors", "word transformer", "NB-SVM", "CatBoost"} <= spare
    assert "word vectors" not in {
        one.name for one in spare_of(CLASSIFY, Table((ANSWERS, PHOTOS)), Effort.QUICK, 0)
    }


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


def test_with_many_words_only_what_is_named_costs_much():
    rows = 250_000  # of 8 words each
    said = column_from("said", Kind.TEXT, ["it did not fit at all and went back"] * rows)
    table = Table((column_from("y", Kind.CATEGORY, ["a"] * rows), said))
    entered = entrants(CLASSIFY, table, Effort.QUICK, 0)
    spare = spare_of(CLASSIFY, table, Effort.QUICK, 0)
    costly = {"word convolution", "word transformer"}
    assert not costly & {one.name for one in entered}
    assert costly | {"XGBoost"} <= {one.name for one in spare}
    named = chosen((*entered, *spare), ["word transformer", "XGBoost"])
    assert {one.name for one in named} == {"constant", "word transformer", "XGBoost"}
    assert costly <= set(names(CLASSIFY, REVIEWS))


@each_kind
def test_nobody_enters_twice(columns):
    table = Table((ANSWERS, *columns))
    everybody = [*entrants(CLASSIFY, table, Effort.QUICK, 0)]
    everybody += spare_of(CLASSIFY, table, Effort.QUICK, 0)
    assert len({one.name for one in everybody}) == len(everybody)


@each_kind
@pytest.mark.parametrize("effort", list(Effort))
def test_longer_fits_grow_under_names_of_their_own(columns, effort):
    table = Table((ANSWERS, *columns))
    entered = entrants(CLASSIFY, table, effort, 0)
    longer = longer_fits(entered, CLASSIFY, table, effort, 0)
    assert bool(longer) == (effort is not Effort.THOROUGH)
    families = {one.family for one in entered if one.name in longer}
    assert families == ({Family.TRADITIONAL, Family.DEEP} if longer else set())
    for name, fits in longer.items():
        times = [fit.times for fit in fits]
        assert times == sorted(set(times))
        assert times[0] > 1
        assert all(fit.learner.name.startswith(f"{name} ×") for fit in fits)
        assert len({fit.learner.name for fit in fits}) == len(fits)


def test_a_learner_without_steps_to_add_has_no_longer_fit():
    entered = entrants(CLASSIFY, Table((ANSWERS, NUMBERS)), Effort.QUICK, 0)
    longer = longer_fits(entered, CLASSIFY, Table((ANSWERS, NUMBERS)), Effort.QUICK, 0)
    assert not {"constant", "decision tree", "naive Bayes"} & set(longer)
    assert {"LightGBM", "CatBoost", "XGBoost", "modern network", "perceptron"} <= set(longer)


def test_rows_grow_with_the_minutes():
    given = [most_rows(Effort.QUICK, minutes) for minutes in (None, 1, 10, 1_000)]
    assert given == [20_000, 25_000, 250_000, 500_000]


def test_more_rows_are_worth_a_fit_with_the_same_steps():
    table = Table((ANSWERS, NUMBERS))
    entered = entrants(CLASSIFY, table, Effort.QUICK, 0)
    longer = longer_fits(entered, CLASSIFY, table, Effort.QUICK, 0, 2.0)
    assert [fit.learner.name for fit in longer["LightGBM"]] == [
        "LightGBM ×2",
        "LightGBM ×6",
        "LightGBM ×20",
        "LightGBM ×70",
        "LightGBM ×150",
    ]
    assert "naive Bayes" not in longer


def test_a_network_of_ones_own_trains_longer_as_well():
    table = Table((ANSWERS, NUMBERS))
    (own,) = own_networks({"n" * LONGEST_NAME: torch.nn.LazyLinear(2)}, Effort.QUICK, 0)
    ((name, fits),) = longer_fits([own], CLASSIFY, table, Effort.QUICK, 0).items()
    assert name == own.name
    assert [fit.learner.training.epochs for fit in fits] == [36, 96]
    assert all(len(fit.learner.name) == LONGEST_NAME for fit in fits)


def test_texts_without_blanks_between_words_are_prose():
    said = column_from("said", Kind.TEXT, ["这个产品的质量非常好，我很喜欢它"] * 3)
    assert "n-gram logistic" in names(CLASSIFY, said)
    name = column_from("name", Kind.TEXT, ["王小明", "李四", "陈大文"])
    assert "n-gram logistic" not in names(CLASSIFY, name)


def test_names_that_are_the_same_once_cut_are_numbered():
    table = Table((ANSWERS, NUMBERS))
    ends = ["n" * (LONGEST_NAME - 1) + letter for letter in "ab"]
    own = own_networks({name: torch.nn.LazyLinear(2) for name in ends}, Effort.QUICK, 0)
    fits = longer_fits(own, CLASSIFY, table, Effort.QUICK, 0).values()
    names = [fit.learner.name for each in fits for fit in each]
    assert len(set(names)) == len(names) == 4
    assert {len(name) for name in names} == {LONGEST_NAME}


def test_the_retrieval_network_enters_where_there_is_time_or_it_is_named() -> None:
    field = CLASSIFY, Table((ANSWERS, NUMBERS))
    name = "retrieval network"
    assert name in {one.name for one in entrants(*field, Effort.STANDARD, 0)}
    assert name not in {one.name for one in entrants(*field, Effort.QUICK, 0)}
    assert name in {one.name for one in spare_of(*field, Effort.QUICK, 0)}
    assert name not in {one.name for one in entrants(*field, Effort.QUICK, 0, minutes=2.0)}
    assert name in {one.name for one in entrants(*field, Effort.QUICK, 0, minutes=5.0)}
    longer = longer_fits(entrants(*field, Effort.QUICK, 0, minutes=5.0), *field, Effort.QUICK, 0)
    assert [fit.times for fit in longer[name]] == [1.5, 4.0]
