"""Promises of what stands behind the verdict: all pairs, the folds, the rows that it would take."""

from __future__ import annotations

import numpy as np
import pytest

from fathometer.table.metric import METRICS
from fathometer.trial.spread import Spread
from fathometer.verdict.bench import Bench, Rows
from fathometer.verdict.enough import rounded_up, rows_needed
from fathometer.verdict.pairs import all_pairs
from fathometer.verdict.resampled import fold_gap
from fathometer.verdict.verdict import Pair

AREA = METRICS["roc_auc"]


def answers(
    random: np.random.Generator, truth: np.ndarray, skill: float, shared: np.ndarray
) -> np.ndarray:
    """Probabilities of two classes by one who sees the class with this much skill."""
    signal = skill * (truth - 0.5) + 0.8 * shared + 0.4 * random.normal(size=len(truth))
    chance = 1 / (1 + np.exp(-signal))
    return np.column_stack([1 - chance, chance])


def world(seed: int, skills: list[float], rows: int = 150) -> tuple[Rows, list[np.ndarray]]:
    random = np.random.default_rng(seed)
    truth = (random.random(rows) < 0.4).astype(int)
    shared = random.normal(size=rows)
    folds = tuple(np.arange(rows)[fold::5] for fold in range(5))
    return Rows(truth, folds=folds), [answers(random, truth, s, shared) for s in skills]


def pairs_of(seed: int, skills: list[float], rows: int = 150) -> tuple[Pair, ...]:
    judged, cast = world(seed, skills, rows)
    named = [(f"model {place}", scores) for place, scores in enumerate(cast)]
    return all_pairs(Bench(AREA, judged, seed, most_resamples=400), named)


def test_among_equals_a_false_difference_is_rare_however_many_pairs() -> None:
    alarms = plain = 0
    for seed in range(60):
        pairs = pairs_of(seed, [1.5] * 8)
        assert len(pairs) == 28
        alarms += any(pair.p_value < 0.05 for pair in pairs)
        judged, cast = world(seed, [1.5] * 8)
        bench = Bench(AREA, judged, seed, most_resamples=400)
        gaps = [bench.gap(one, other) for k, one in enumerate(cast) for other in cast[k + 1 :]]
        plain += any(gap.low > 0 or gap.high < 0 for gap in gaps)
    assert alarms <= 7  # 5 % of 60 and two and a half standard errors
    assert plain >= 15  # without the correction about every third world


def test_a_clear_difference_is_found_among_many_pairs() -> None:
    pairs = pairs_of(0, [3.0, 1.0, 1.0, 1.0], rows=400)
    beaten = [pair for pair in pairs if pair.one == "model 0"]
    assert all(pair.p_value < 0.05 and pair.low > 0 for pair in beaten)


def test_an_interval_leaves_out_zero_where_its_p_value_is_small() -> None:
    for pair in pairs_of(3, [2.5, 1.5, 1.2, 1.5], rows=300):
        assert (pair.p_value < 0.045) <= (pair.low > 0 or pair.high < 0)
        assert pair.low <= pair.value <= pair.high


def test_the_same_answers_do_not_differ() -> None:
    judged, [scores] = world(0, [1.5])
    [pair] = all_pairs(Bench(AREA, judged, 0), [("one", scores), ("other", scores.copy())])
    assert (pair.value, pair.low, pair.high, pair.p_value) == (0.0, 0.0, 0.0, 1.0)


def test_one_contestant_makes_no_pair() -> None:
    judged, [scores] = world(0, [1.5])
    assert all_pairs(Bench(AREA, judged, 0), [("one", scores)]) == ()


def test_over_folds_equals_are_told_apart_in_at_most_one_of_twenty_worlds() -> None:
    named = 0
    for seed in range(200):
        rows, (deep, traditional) = world(seed, [1.5, 1.5])
        view = fold_gap(AREA, rows, deep, traditional, 0.01)
        assert view is not None
        assert view.deep_better + view.equivalent + view.traditional_better == pytest.approx(1)
        named += view.p_value < 0.05
    assert named <= 17  # 5 % of 200 and two and a half standard errors


def test_over_folds_a_clear_leader_is_named() -> None:
    rows, (deep, traditional) = world(1, [3.0, 0.5], rows=1000)
    view = fold_gap(AREA, rows, deep, traditional, 0.01)
    assert view is not None
    assert view.low > 0
    assert (view.deep_better > 0.95, view.folds) == (True, 5)


def test_fits_on_a_part_of_the_rows_widen_the_view() -> None:
    rows, (deep, traditional) = world(1, [3.0, 0.5], rows=1000)
    views = [fold_gap(AREA, rows, deep, traditional, 0.01, taught=n) for n in (None, 1000, 250)]
    whole, same, part = (view.high - view.low for view in views if view is not None)
    assert whole == same
    assert part == pytest.approx(whole * np.sqrt((0.2 + 1.0) / (0.2 + 0.25)))


def test_two_folds_give_no_view() -> None:
    rows, (deep, traditional) = world(1, [1.5, 1.5])
    assert fold_gap(AREA, Rows(rows.truth, folds=rows.folds[:2]), deep, traditional, 0.01) is None


def spread(value: float, error: float) -> Spread:
    return Spread.student(value, value + error * np.random.default_rng(0).normal(size=2000), 10_000)


def test_so_many_rows_settle_what_few_did_not() -> None:
    # A lead of 3 points with a standard error of 2 on 200 rows: (2.8 x 2 / 3)² = 3.5 times as many.
    needed = rows_needed(spread(0.03, 0.02), 200, 0.01)
    assert needed is not None
    # Beyond the zone it is 2 points: (2.49 x 2 / 2)² = 6.2 times as many.
    assert needed == pytest.approx(200 * 6.2, rel=0.05)
    equal = rows_needed(spread(0.0, 0.02), 200, 0.01)
    assert equal == pytest.approx(200 * (2.49 * 2) ** 2, rel=0.05)


def test_no_number_of_rows_settles_the_edge_of_the_zone() -> None:
    assert rows_needed(spread(0.01, 0.02), 200, 0.01) is None
    assert rows_needed(Spread(0.0, np.zeros(2000)), 200, 0.01) is None


def test_rows_are_rounded_up_to_two_digits() -> None:
    assert [rounded_up(rows) for rows in (7, 99, 101, 20_582)] == [7, 99, 110, 21_000]
