"""Cross-fitting: what is chosen, and what the time allows."""

import time
from threading import Event

import numpy as np
import pytest

from fathometer.learners.contract import UNLIMITED, Budget, Progress
from fathometer.learners.crossfit import Watch, choose_rounds, grow_side_by_side, part_of_the_time


def test_own_losses_have_no_say_in_own_rounds() -> None:
    others = [np.array([3.0, 2.0, 1.0, 2.0]), np.array([3.0, 2.0, 1.5, 2.0])]
    for own in (np.array([0.0, 9.0, 9.0, 9.0]), np.array([9.0, 9.0, 9.0, 0.0])):
        assert choose_rounds([own, *others])[0] == 3


def test_curves_are_cut_to_the_shortest_of_the_others() -> None:
    curves = [np.array([5.0, 4.0, 3.0]), np.array([5.0, 4.0]), np.array([5.0, 4.0, 3.0, 2.0])]
    assert choose_rounds(curves) == (2, 2, 2)


def test_single_fold_reads_its_own_curve() -> None:
    assert choose_rounds([np.array([2.0, 1.0, 3.0])]) == (2,)


def test_watch_stops_after_patience_rounds_without_gain() -> None:
    watch = Watch(100, 3, None, Event())
    assert [watch.goes_on(loss) for loss in (5.0, 4.0, 4.0, 4.5, 4.2)] == [True] * 4 + [False]


def test_watch_stops_when_the_rounds_are_grown() -> None:
    watch = Watch(2, 10, None, Event())
    assert [watch.goes_on(2.0), watch.goes_on(1.0)] == [True, False]


def test_later_parts_get_as_much_time_as_the_first() -> None:
    start = time.monotonic()
    deadline = part_of_the_time(Budget(start + 30.0), 0, 3)
    assert deadline is not None
    assert deadline - start == pytest.approx(10.0, abs=0.5)
    assert part_of_the_time(UNLIMITED, 0, 3) is None


def test_folds_stop_within_their_part_of_the_time() -> None:
    def grow(fold: int, watch: Watch) -> int:
        while watch.goes_on(1.0 / (1 + len(watch.losses))):
            time.sleep(0.01)
        return fold

    told: list[Progress] = []
    start = time.monotonic()
    budget = Budget(start + 0.6, told.append)
    grown = grow_side_by_side(grow, 4, rounds=10_000, patience=100, threads=2, budget=budget)
    assert time.monotonic() - start < 3.0
    assert [fold for fold, _ in grown] == [0, 1, 2, 3]
    assert all(len(losses) for _, losses in grown)
    assert told


def test_failure_of_one_fold_stops_the_others() -> None:
    def grow(fold: int, watch: Watch) -> int:
        if fold == 1:
            raise ZeroDivisionError
        while watch.goes_on(1.0 / (1 + len(watch.losses))):
            time.sleep(0.01)
        return fold

    with pytest.raises(ZeroDivisionError):
        grow_side_by_side(grow, 2, rounds=10**9, patience=10**9, threads=2, budget=UNLIMITED)
