"""Promises of a schedule that is to end in time."""

from __future__ import annotations

import time

import pytest

from fathometer.learners.contract import Budget
from fathometer.learners.network import PlainNetwork, Training
from fathometer.learners.timekeeper import CLOCK_SHARE, Timekeeper, shortened


def looked(done: float, taken: float, left: float, *, is_watching: bool = True) -> float | None:
    """The share that fits, where so much was done in so many seconds and so many are left."""
    keeper = Timekeeper(Budget(deadline=1000.0 + left), is_watching, began=1000.0 - taken)
    keeper.look(done, 1000.0)
    return keeper.fitting


@pytest.mark.parametrize(
    ("done", "taken", "left", "fitting"),
    [
        (0.1, 1.0, 20.0, None),  # 9 s are to come
        (0.1, 1.0, 8.0, CLOCK_SHARE * 0.8),  # it would be cut at 0.9, annealed at 3/7
        (0.1, 1.0, 3.5, None),  # cut at 0.45 it has more than a third begun anew
        (0.1, 1.0, 3.0, CLOCK_SHARE * 0.3),  # cut at 0.4 it has 1/7
    ],
)
def test_a_shorter_schedule_is_taken_where_it_ends_better(done, taken, left, fitting):
    assert looked(done, taken, left) == (fitting and pytest.approx(fitting))
    assert looked(done, taken, left, is_watching=False) is None


def test_it_looks_once_and_never_without_a_deadline():
    keeper = Timekeeper(Budget(), is_watching=True, began=0.0)
    keeper.look(0.1, 100.0)
    assert keeper.fitting is None
    late = Timekeeper(Budget(deadline=1008.0), is_watching=True, began=999.0)
    late.look(0.2, 1000.0)
    assert late.fitting is None
    late.look(0.1, 1000.0)
    assert late.fitting is None


def test_fewer_epochs_have_the_same_steps_each():
    training = shortened(Training(epochs=24, least_steps=600, most_steps=4000), 0.5)
    assert (training.epochs, training.least_steps, training.most_steps) == (12, 300, 2000)
    assert shortened(Training(), 0.001).epochs == 2


def test_a_network_that_has_little_time_is_trained_to_the_end_of_a_shorter_schedule(survival):
    # A hundred times more than any machine does: one that got past 1/7 or 3/7 of it would rightly
    # let the schedule be cut there.
    training = Training(epochs=40_000, least_steps=1_200_000, most_steps=8_000_000, patience=40_000)
    learner = PlainNetwork(width=64, training=training)
    started = time.monotonic()
    budget = Budget(deadline=started + 4.0)
    model = learner.fit(survival.table, survival.task, survival.split, budget=budget)
    assert time.monotonic() - started < 30.0  # all of it takes a quarter of an hour and more
    assert model.account.is_shortened
    assert not model.account.chosen.endswith("of 40000")
    enough = learner.fit(survival.table, survival.task, survival.split, budget=Budget(
        deadline=time.monotonic() + 1e6, stopped=iter([False] * 40 + [True] * 10**6).__next__
    ))  # fmt: skip
    assert not enough.account.is_shortened
