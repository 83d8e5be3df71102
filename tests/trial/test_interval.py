"""Promises of the interval of a score."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from fathometer.table.metric import METRICS, Metric
from fathometer.table.task import TaskKind
from fathometer.trial.interval import interval
from fathometer.trial.reliance import calibration_interval

Answers = tuple[np.ndarray, np.ndarray]


def probabilities(random: np.random.Generator, rows: int) -> Answers:
    chance = random.beta(0.5, 0.5, size=rows) * 0.96 + 0.02
    truth = (random.random(rows) < chance).astype(int)
    return truth, np.column_stack([1 - chance, chance])


def skewed_errors(random: np.random.Generator, rows: int) -> Answers:
    truth = random.normal(size=rows)
    return truth, (truth + random.laplace(size=rows))[:, None]


def rare_and_hard(random: np.random.Generator, rows: int) -> Answers:
    truth = (random.random(rows) < 0.1).astype(int)
    said = truth * (random.random(rows) < 0.3)  # seven in ten of the rare class are missed
    return truth, np.eye(2)[said]


@pytest.mark.parametrize(
    ("name", "world"),
    [
        ("accuracy", probabilities),
        ("accuracy", rare_and_hard),
        ("roc_auc", probabilities),
        ("log_loss", probabilities),
        ("rmse", skewed_errors),
        ("r2", skewed_errors),
    ],
)
def test_the_interval_holds_the_truth_in_95_of_100_small_worlds(
    name: str, world: Callable[[np.random.Generator, int], Answers]
) -> None:
    metric, random = METRICS[name], np.random.default_rng(1)
    truth = metric.score(*world(random, 300_000))
    found = [interval(metric, *world(random, 80), seed=seed) for seed in range(250)]
    share = np.mean([each.low <= truth <= each.high for each in found])
    assert 0.905 <= share <= 0.985  # 0.95 and two and a half standard errors either way


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)
def test_the_interval_encloses_the_score(metric: Metric) -> None:
    random = np.random.default_rng(2)
    for rows in (4, 30, 2000):
        truth, scores = (skewed_errors if metric.kind is TaskKind.REGRESS else probabilities)(
            random, rows
        )
        truth[:2] = [0, 1]
        found = interval(metric, truth, scores)
        assert found.low <= found.value <= found.high
        assert found.value == metric.score(truth, scores)


def test_the_same_seed_gives_the_same_interval() -> None:
    answers = probabilities(np.random.default_rng(3), 200)
    one, same = (interval(METRICS["log_loss"], *answers, seed=5) for _ in range(2))
    assert one == same


@pytest.mark.parametrize("name", ["accuracy", "roc_auc", "macro_f1"])
def test_a_perfect_score_on_few_rows_is_not_certain(name: str) -> None:
    truth = np.arange(20) % 2
    found = interval(METRICS[name], truth, np.eye(2)[truth])
    assert found.high == 1.0
    assert 0.7 < found.low < 0.97


def test_a_constant_has_an_area_of_one_half_for_sure() -> None:
    found = interval(METRICS["roc_auc"], np.arange(50) % 2, np.tile([0.6, 0.4], (50, 1)))
    assert (found.low, found.value, found.high) == (0.5, 0.5, 0.5)


def test_groups_widen_the_interval_by_what_their_rows_share() -> None:
    random = np.random.default_rng(4)
    groups = np.repeat(np.arange(20), 50)
    truth = np.repeat(random.normal(size=20), 50)
    answers = truth[:, None] + np.repeat(random.normal(size=20), 50)[:, None]
    alone = interval(METRICS["mae"], truth, answers)
    together = interval(METRICS["mae"], truth, answers, groups=groups)
    assert together.high - together.low > 4 * (alone.high - alone.low)


def test_many_rows_and_few_resamples_agree_with_the_textbook() -> None:
    random = np.random.default_rng(5)
    truth = np.zeros(60_000, dtype=int)
    wrong = (random.random(60_000) < 0.2).astype(int)
    found = interval(METRICS["accuracy"], truth, np.eye(2)[wrong])
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * np.sqrt(0.16 / 60_000), rel=0.2)


@pytest.mark.parametrize("name", ["rmse", "mae", "log_loss"])
@pytest.mark.parametrize("count", [2, 3, 6])
def test_few_groups_leave_a_wide_interval_of_the_size_of_the_score(name: str, count: int) -> None:
    metric, random = METRICS[name], np.random.default_rng(6)
    groups = np.repeat(np.arange(count), 40)
    if metric.kind is TaskKind.REGRESS:
        truth = 300_000 + 80_000 * random.normal(size=len(groups))
        answers = (truth + 40_000 * random.normal(size=len(groups)))[:, None]
    else:
        truth, answers = probabilities(random, len(groups))
    alone = interval(metric, truth, answers)
    found = interval(metric, truth, answers, groups=groups)
    assert found.low < found.value < found.high < 8 * found.value
    assert count > 2 or found.high - found.low > alone.high - alone.low


def test_two_rows_do_not_make_a_score_certain() -> None:
    found = interval(METRICS["rmse"], np.array([0.0, 1.0]), np.array([[0.5], [3.0]]))
    assert found.low < found.value < found.high


def test_whole_groups_are_drawn_for_the_calibration_error() -> None:
    random = np.random.default_rng(7)
    groups = np.repeat(np.arange(30), 40)  # rows of a group are the same
    chance = np.repeat(random.random(30), 40)
    truth = np.repeat((random.random(30) < 0.5).astype(int), 40)
    scores = np.column_stack([1 - chance, chance])
    alone = calibration_interval(truth, scores)
    together = calibration_interval(truth, scores, groups)
    assert together[1] - together[0] > 2 * (alone[1] - alone[0])
