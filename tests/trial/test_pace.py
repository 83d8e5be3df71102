"""Promises of how a wall-clock budget is shared."""

from __future__ import annotations

import time

import numpy as np
import pytest

from fathometer.table.kind import Kind
from fathometer.table.table import Table, column_from, picture_column
from fathometer.table.task import Task, TaskKind
from fathometer.trial.entrants import Effort, entrants
from fathometer.trial.pace import CHEAPEST_FIRST, FIT_SHARE, Pace, Terms, cheapest_first

TASK = Task(TaskKind.CLASSIFY, "y", "accuracy", ("a", "b"))
TABLE = Table(
    (
        column_from("y", Kind.CATEGORY, ["a", "b", "a"]),
        column_from("x", Kind.NUMBER, [1.0, 2.0, 3.0]),
    )
)


def test_the_cheap_go_first_and_nobody_is_lost():
    entered = entrants(TASK, TABLE, Effort.QUICK, 0)
    ordered = cheapest_first(entered)
    assert {one.name for one in ordered} == {one.name for one in entered}
    assert ordered[0].name == "constant"
    assert ordered[-1].family.value == "deep"
    assert {one.name for one in ordered} <= set(CHEAPEST_FIRST)


def test_what_one_leaves_of_its_share_is_shared_by_those_to_come():
    pace = Pace(Terms(time.monotonic() + 100))
    assert pace.share(10) == pytest.approx(FIT_SHARE * 10, rel=0.01)
    assert pace.share(9) == pytest.approx(FIT_SHARE * 100 / 9, rel=0.01)


def test_measuring_is_kept_apart_for_all_to_come():
    pace = Pace(Terms(time.monotonic() + 100), [9.0, 2.0, 2.0])
    assert pace.share(7) == pytest.approx(FIT_SHARE * (100 - 10 * 2.0) / 7, rel=0.01)


def test_longer_fits_leave_time_to_what_follows_and_first_ones_need_not():
    pace = Pace(Terms(time.monotonic() + 100, kept=20.0))
    assert pace.share(2) == pytest.approx(FIT_SHARE * 80 / 2, rel=0.01)
    assert pace.share(2, is_first=True) == pytest.approx(FIT_SHARE * 100 / 2, rel=0.01)


def test_without_a_limit_there_is_no_share():
    assert Pace(Terms()).share(3) is None


def test_every_contestant_of_every_kind_of_column_has_its_place():
    words = column_from("said", Kind.TEXT, ["it did not fit at all and went back"] * 3)
    photos = [picture_column("photo", np.zeros((3, side, side, 1), np.uint8)) for side in (28, 96)]
    regress = Task(TaskKind.REGRESS, "x", "rmse")
    for more in ((), (words,), *((photo,) for photo in photos)):
        table = Table((*TABLE.columns, *more))
        for task in (TASK, regress):
            entered = entrants(task, table, Effort.STANDARD, 0)
            assert {one.name for one in entered} <= set(CHEAPEST_FIRST)
