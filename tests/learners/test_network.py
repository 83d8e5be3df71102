"""The deep learners: what they learn, keep apart, and write."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from killing import Killed, killed_after

from fathometer.errors import LearnerError, OutOfTimeError
from fathometer.learners.contract import Budget, Progress
from fathometer.learners.network import (
    MOST_GROUPS,
    ModernNetwork,
    PlainNetwork,
    RetrievalNetwork,
    Setting,
    Training,
    leaving_answers,
    plan,
)
from fathometer.learners.portfolio import affordable_bins
from fathometer.modelfile.write import TOLERANCE, ship
from fathometer.networks.network import Shape
from fathometer.networks.perceptron import Perceptron
from fathometer.table.kind import Kind
from fathometer.table.metric import METRICS
from fathometer.table.split import Split
from fathometer.table.table import Table, column_from
from fathometer.table.task import Task, TaskKind

BRIEF = Training(epochs=4, least_steps=80, seeds=2)
SEARCH = ModernNetwork(configurations=4, training=replace(BRIEF, epochs=7, least_steps=140))
LEARNERS = [
    PlainNetwork(width=32, training=BRIEF),
    ModernNetwork(training=BRIEF),
    RetrievalNetwork(training=BRIEF),
]
learners = pytest.mark.parametrize("learner", LEARNERS, ids=lambda learner: learner.name)


def flowers(rows: int = 120) -> tuple[Table, Task, Split]:
    """Three kinds told apart by two numbers and a colour; "rare" blooms in the first fold alone."""
    draw = np.random.default_rng(0)
    kind = draw.integers(3, size=rows)
    petal = kind + draw.normal(scale=0.3, size=rows)
    colours = np.array(["red", "white", "blue"])[draw.permuted(kind)]
    folds = tuple(np.arange(90)[fold::3] for fold in range(3))
    names = np.array(["one", "two", "three"], dtype=object)[kind]
    names[folds[0][:3]] = "rare"
    columns = (
        column_from("petal", Kind.NUMBER, petal),
        column_from("stalk", Kind.NUMBER, np.where(petal > 1.5, np.nan, petal)),
        column_from("colour", Kind.CATEGORY, list(colours)),
        column_from("kind", Kind.CATEGORY, list(names)),
    )
    task = Task(TaskKind.CLASSIFY, "kind", "accuracy", ("one", "rare", "three", "two"))
    return Table(columns, "flowers"), task, Split(np.arange(90), np.arange(90, rows), folds, 0)


@learners
def test_learns_what_can_be_learned(learner: PlainNetwork) -> None:
    table, task, split = flowers()
    learner = replace(learner, training=replace(BRIEF, epochs=12, least_steps=240))
    model = learner.fit(table, task, split)
    truth = task.encode(table.rows(split.lockbox)["kind"])
    assert METRICS["accuracy"].score(truth, model.predict(table.rows(split.lockbox)).scores) > 0.85


@learners
def test_class_that_a_fold_never_saw_still_has_its_place(learner: PlainNetwork) -> None:
    table, task, split = flowers()
    model = learner.fit(table, task, split)
    assert model.out_of_fold.shape == (90, 4)
    np.testing.assert_allclose(model.out_of_fold.sum(axis=1), 1.0, atol=1e-6)


@learners
def test_one_population_holds_every_fold_and_seed(learner: PlainNetwork, survival) -> None:
    model = learner.fit(survival.table, survival.task, survival.split)
    (group,) = model.groups
    assert model.account.fits == len(survival.split.folds) * BRIEF.seeds == len(group.folds)
    assert {array.shape[0] for array in group.parameters.values()} == {model.account.fits}


def test_a_logarithm_comes_back_in_the_targets_unit_and_in_the_file(fares) -> None:
    learner = ModernNetwork(configurations=2, training=BRIEF)
    model = learner.fit(fares.table, fares.task, fares.split)
    assert model.account.configurations == 2
    assert "logarithm of the target" in model.account.chosen
    shipped = ship(model, "search", fares.table, fares.split.lockbox)
    assert shipped.parity.deviation <= TOLERANCE


def test_a_search_mixes_a_few_settings_and_counts_them_all(survival) -> None:
    model = SEARCH.fit(survival.table, survival.task, survival.split)
    assert model.account.configurations == SEARCH.configurations
    assert model.account.fits == 4 * 2 * len(survival.split.folds)
    assert 1 <= len(model.groups) <= MOST_GROUPS
    assert sum(group.weight for group in model.groups) == pytest.approx(1.0)
    shipped = ship(model, "search", survival.table, survival.split.lockbox)
    assert shipped.parity.deviation <= TOLERANCE


def test_a_killed_search_goes_on_from_its_checkpoint_to_the_same_bytes(
    survival, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr("fathometer.population.train.SAVE_SECONDS", 0.0)
    whole = SEARCH.fit(survival.table, survival.task, survival.split)
    place = tmp_path / "population.npz"
    with pytest.raises(Killed):
        SEARCH.fit(
            survival.table,
            survival.task,
            survival.split,
            budget=Budget(checkpoint=place, stopped=killed_after(60)),
        )
    assert place.exists()
    resumed = SEARCH.fit(
        survival.table, survival.task, survival.split, budget=Budget(checkpoint=place)
    )
    assert np.array_equal(whole.out_of_fold, resumed.out_of_fold)
    for one, other in zip(whole.groups, resumed.groups, strict=True):
        assert one.weight == other.weight
        for name, array in one.parameters.items():
            assert np.array_equal(array, other.parameters[name])


@learners
def test_values_stay_within_what_was_learned_from(learner: PlainNetwork, fares) -> None:
    far = fares.table.rows(np.arange(5))
    model = learner.fit(fares.table, fares.task, fares.split)
    columns = tuple(
        replace(c, values=column_from(c.name, c.kind, c.numbers * 1e6).values)
        if c.kind is Kind.NUMBER
        else c
        for c in far
    )
    seen = fares.truth[fares.split.train]
    values = model.predict(replace(far, columns=columns)).answers
    assert (values >= seen.min()).all()
    assert (values <= seen.max()).all()


@learners
def test_file_answers_the_same_for_what_was_never_seen(learner: PlainNetwork) -> None:
    table, task, split = flowers()
    model = learner.fit(table, task, split)
    strange = Table(
        (
            column_from("petal", Kind.NUMBER, [np.nan, 1e9, -1e9]),
            column_from("stalk", Kind.NUMBER, [np.nan, np.nan, 0.0]),
            column_from("colour", Kind.CATEGORY, [None, "octarine", "red"]),
            column_from("kind", Kind.CATEGORY, ["one", "two", "three"]),
        )
    )
    shipped = ship(model, learner.name, strange, np.arange(3))
    assert shipped.parity.deviation <= TOLERANCE


@learners
def test_budget_that_ends_early_leaves_a_model_and_progress(learner: PlainNetwork) -> None:
    table, task, split = flowers()
    told: list[Progress] = []

    class Short(Budget):
        @property
        def spent(self) -> bool:
            return len(told) >= 2

    model = learner.fit(table, task, split, budget=Short(report=told.append))
    assert len(told) == 3  # what was learned since the second is validated, and told
    assert told[0].words == "6 of 6 networks in one batch"
    assert [place for place, _ in told[0].losses] == list(range(6))
    assert all(np.isfinite(loss) for _, loss in told[0].losses)
    assert np.isfinite(model.out_of_fold).all()


@learners
def test_task_without_an_answer_is_refused(learner: PlainNetwork) -> None:
    table, task, split = flowers()
    with pytest.raises(LearnerError, match="cluster"):
        learner.fit(table, replace(task, kind=TaskKind.CLUSTER), split)


def test_large_tables_are_passed_over_less_often_and_small_ones_more() -> None:
    training = replace(BRIEF, batch=10, epochs=4, least_steps=80, most_steps=400)
    shape = Shape(1, 0, (), 2)
    setting = Setting(Perceptron(shape, 4, 1), 1e-3, 0.0, 0.0)
    passes = []
    for rows in (100, 500, 10_000):
        members, schedule = plan([setting], training, 0, [np.arange(rows)] * 3)
        passes.append((members[0].steps, schedule.every))
    assert passes == [(80, 20), (200, 50), (400, 100)]


@pytest.mark.parametrize(("numbers", "bins"), [(0, 384), (10, 38), (100, 8), (5000, 1)])
def test_many_numbers_are_encoded_more_coarsely(numbers: int, bins: int) -> None:
    assert affordable_bins(numbers) == bins


def test_a_retrieval_network_leaves_time_for_its_answers() -> None:
    """180 remembered rows beside a lockbox of ten millions take more than half a minute."""
    table, task, small = flowers()
    large = replace(small, lockbox=np.arange(90, 10_000_090))
    budget = Budget(deadline=time.monotonic() + 1000)
    own = [leaving_answers("it", split, budget).deadline for split in (small, large)]
    assert own[0] == pytest.approx(budget.deadline, abs=0.001)
    assert 30 < budget.deadline - own[1] < 300
    assert leaving_answers("it", large, Budget()) == Budget()
    soon = Budget(deadline=time.monotonic() + 40)
    with pytest.raises(OutOfTimeError, match="too little time was left for retrieval network"):
        LEARNERS[2].fit(table, task, large, budget=soon)


def test_a_retrieval_network_that_its_answers_cut_short_says_so() -> None:
    table, task, split = flowers()
    long = replace(
        LEARNERS[2], training=Training(epochs=40_000, least_steps=10**6, patience=40_000)
    )
    large = replace(split, lockbox=np.arange(90, 500_090))  # 2.25 s
    model = long.fit(table, task, large, budget=Budget(deadline=time.monotonic() + 5.5))
    assert model.account.is_shortened
