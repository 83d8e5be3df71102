"""Between equals, at most one verdict in twenty names a family, even where squared errors have
heavy tails; benchmarks/verdict_simulation.py has the whole table."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from fathometer.table.task import Task, TaskKind
from fathometer.trial.scorecard import Bill, Quality, Scorecard
from fathometer.verdict.bench import Rows
from fathometer.verdict.decide import Contestant, decide
from fathometer.verdict.verdict import Verdict

WORLDS, ROWS = 400, 15
Sizes = Callable[[np.random.Generator], np.ndarray]


def contestant(name: str, family: str, errors: np.ndarray) -> Contestant:
    quality, bill = Quality("rmse", 1.0, 0.9, 1.1), Bill(1.0, 1.0, "estimated", 1, 1, 0.1, 0.1, 1.0)
    card = Scorecard(name, family, quality=quality, out_of_fold=1.0, bill=bill)  # type: ignore[arg-type]
    return Contestant(card, errors[:, None], errors[:, None])


def verdict_on(deep: np.ndarray, traditional: np.ndarray) -> Verdict:
    """The verdict on two columns of errors, as of a target that is always 0."""
    cast = [contestant("network", "deep", deep), contestant("forest", "traditional", traditional)]
    rows = Rows(np.zeros(len(deep)))
    task = Task(TaskKind.REGRESS, "y", "rmse")
    return decide(cast, task=task, lockbox=rows, train=rows, seed=0, zone=0.001)


@pytest.mark.parametrize(
    ("sizes", "most"),
    [
        (lambda random: np.ones(ROWS), 31),  # 5 % of 400 and two and a half standard errors
        # A few rows are as large as all others: there Student's t is careful and names 3, where
        # the percentiles of the resamples named 25.
        (lambda random: np.exp(random.normal(size=ROWS)), 12),
    ],
    ids=["rows alike", "rows of unlike size"],
)
def test_equals_are_told_apart_in_at_most_one_of_twenty_worlds(sizes: Sizes, most: int) -> None:
    random, named = np.random.default_rng(4), 0
    for _ in range(WORLDS):
        size, shared = sizes(random), random.normal(size=ROWS)
        deep, traditional = size * (shared + random.normal(size=(2, ROWS)) / 2)
        named += verdict_on(deep, traditional).call in ("deep", "traditional")
    assert named <= most


def test_a_clear_gap_in_small_worlds_is_named() -> None:
    random, right = np.random.default_rng(1), 0
    for _ in range(60):
        shared = random.normal(size=ROWS)
        deep, traditional = shared / 2, 2 * shared + random.normal(size=ROWS)
        right += verdict_on(deep, traditional).call == "deep"
    assert right >= 50


def test_the_interval_of_a_gap_in_error_holds_the_true_gap() -> None:
    random, held = np.random.default_rng(2), 0
    for _ in range(WORLDS):
        shared = random.standard_t(3, size=ROWS) / np.sqrt(3)
        deep, traditional = (shared + scale * random.normal(size=ROWS) for scale in (0.5, 1.5))
        gap = verdict_on(deep, traditional).gap
        assert gap is not None
        held += gap.low <= np.hypot(1, 1.5) - np.hypot(1, 0.5) <= gap.high
    assert held >= 369  # 95 % of 400 and two and a half standard errors
