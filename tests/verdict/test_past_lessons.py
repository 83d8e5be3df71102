"""What past curves teach: on made-up worlds with a known law, and on the store that ships."""

from __future__ import annotations

import json
from importlib.resources import files

import numpy as np
import pytest

from fathometer.verdict.extrapolate import PairPoints
from fathometer.verdict.past_curves import (
    DEEP,
    DOUBLINGS,
    MOST_POINTS,
    PastCurve,
    cases,
    past_curves,
    shipped,
)
from fathometer.verdict.past_lessons import Study, learn, learned, learned_from, source_weights

ROWS = 100 * 2.0 ** np.arange(7)
NO_ERRORS = (0.0, 0.0, 0.0)


def world(seed: int, noise: float = 0.4) -> PastCurve:
    """Two power laws with noise; the deep one falls faster."""
    random = np.random.default_rng(seed)
    floor, step = random.uniform(2, 20), random.uniform(5, 20)

    def law(exponent: float, more: float) -> np.ndarray:
        return floor + more * (ROWS / 100) ** -exponent + random.normal(0, noise, len(ROWS))

    losses = {
        "LightGBM": law(random.uniform(0.2, 0.4), step),
        DEEP: law(random.uniform(0.3, 0.6), step * random.uniform(0.8, 1.6)),
    }
    errors = np.full(len(ROWS), noise)
    steps = dict.fromkeys(losses, errors * 1.4)
    return PastCurve(f"world {seed}", "y", "accuracy", ROWS, losses, steps, {"LightGBM": errors})


@pytest.fixture(scope="module")
def worlds():
    return cases([world(seed) for seed in range(40)]), cases([world(s) for s in range(100, 130)])


@pytest.fixture(scope="module")
def lesson(worlds):
    return learn(Study.of(worlds[0]))


def test_a_case_holds_only_what_was_known_there():
    curve = world(0)
    found = cases([curve])
    assert len(found) == len(ROWS) - 2
    for case in found:
        rows = case.points.rows
        place = int(np.flatnonzero(curve.rows == rows[-1])[0])
        assert len(rows) == min(place + 1, MOST_POINTS)
        np.testing.assert_array_equal(
            case.points.deep, curve.losses[DEEP][: place + 1][-MOST_POINTS:]
        )
        later = curve.losses[DEEP][place + 1 :][: len(DOUBLINGS)]
        np.testing.assert_array_equal(case.deep[: len(later)], later)
        assert np.isnan(case.deep[len(later) :]).all()


def test_intervals_hold_nine_in_ten_in_worlds_they_learned_nothing_from(worlds, lesson):
    held = {"gap": [], "quality": []}
    for case in worlds[1]:
        found = lesson.expected(case.points, 2.0**DOUBLINGS, NO_ERRORS)
        for name, came, band in (
            ("gap", case.gap, found.gap),
            ("quality", case.deep, found.deep),
            ("quality", case.traditional, found.traditional),
        ):
            there = np.isfinite(came)
            held[name].append(((band[:, 1] <= came) & (came <= band[:, 2]))[there])
    for name, parts in held.items():
        assert 0.83 <= np.concatenate(parts).mean() <= 0.96, name


def test_the_forecast_errs_less_than_that_all_stays_as_it_is(worlds, lesson):
    gaps, stays, qualities, same = [], [], [], []
    for case in worlds[1]:
        found = lesson.expected(case.points, 2.0**DOUBLINGS, NO_ERRORS)
        gaps.append(np.abs(found.gap[:, 0] - case.gap))
        stays.append(np.abs(case.points.gap[-1] - case.gap))
        qualities.append(np.abs(found.deep[:, 0] - case.deep))
        same.append(np.abs(case.points.deep[-1] - case.deep))
    assert np.nanmean(gaps) < 0.9 * np.nanmean(stays)
    assert np.nanmean(qualities) < 0.6 * np.nanmean(same)


def test_a_probability_of_being_ahead_is_kept(worlds, lesson):
    said, came = [], []
    for case in worlds[1]:
        chance = lesson.expected(case.points, 2.0**DOUBLINGS, NO_ERRORS).deep_ahead
        there = np.isfinite(case.gap)
        said.append(chance[there])
        came.append(case.gap[there] > 0)
    said, came = np.concatenate(said), np.concatenate(came)
    for low, high in ((0.0, 0.3), (0.3, 0.7), (0.7, 1.0)):
        part = (said >= low) & (said <= high)
        assert came[part].mean() == pytest.approx(said[part].mean(), abs=0.17)


def test_the_gap_expected_lies_between_the_qualities_expected(lesson, worlds):
    for case in worlds[1][:20]:
        found = lesson.expected(case.points, np.array([1.0, 2.0, 3.0, 10.0]), NO_ERRORS)
        apart = found.traditional[:, 0] - found.deep[:, 0]
        np.testing.assert_allclose(apart, found.gap[:, 0], atol=1e-9)


def test_more_rows_are_never_expected_to_do_harm(lesson, worlds):
    for known in (lesson, learned()):
        for case in worlds[1]:
            found = known.expected(case.points, np.array([2.0, 4.0, 10.0]), NO_ERRORS)
            for family, losses in (
                (found.traditional, case.points.traditional),
                (found.deep, case.points.deep),
            ):
                assert (family[:, 0] <= losses[-1] + 1e-9).all()


def test_flat_curves_far_apart_stay_so():
    rows, none = ROWS[:4] * 10, np.full(4, 0.05)
    flat = 10 * (rows / rows[0]) ** -0.02
    found = learned().expected(
        PairPoints(rows, flat + 15, flat, none, none), np.array([2.0, 10.0]), NO_ERRORS
    )
    assert (found.gap[:, 0] > 12).all()
    assert (found.deep_ahead > 0.95).all()


def test_sampling_error_widens_every_interval_and_blurs_the_chance(lesson, worlds):
    points = next(c.points for c in worlds[1] if abs(c.points.gap[-1]) > 1.5)
    factors = np.array([1.0, 2.0, 4.0])
    sharp = lesson.expected(points, factors, NO_ERRORS)
    blurred = lesson.expected(points, factors, (3.0, 3.0, 3.0))
    for one, other in ((sharp.gap, blurred.gap), (sharp.deep, blurred.deep)):
        assert (other[:, 2] - other[:, 1] > one[:, 2] - one[:, 1] + 1).all()
    assert (np.abs(blurred.deep_ahead - 0.5) < np.abs(sharp.deep_ahead - 0.5)).all()


def test_today_is_expected_as_it_was_measured(lesson, worlds):
    points = worlds[1][0].points
    now = lesson.expected(points, np.array([1.0]), NO_ERRORS)
    assert now.gap[0, 0] == pytest.approx(points.gap[-1])
    assert now.deep[0, 0] == pytest.approx(points.deep[-1])


def test_every_data_set_counts_the_same():
    found = cases([world(0), world(0), world(1)])
    weights = source_weights(found)
    sources = np.array([case.source for case in found])
    for source in np.unique(sources):
        assert weights[sources == source].sum() == pytest.approx(1.0)


def test_the_store_is_small_and_holds_curves_of_many_data_sets():
    content = (files("fathometer") / "verdict" / "past_curves.json").read_bytes()
    assert len(content) < 200_000
    assert len({curve.source for curve in past_curves()}) >= 15
    assert "curve_store.py" in shipped()["made"]
    for curve in past_curves():
        assert DEEP in curve.losses
        assert len(curve.losses) >= 2
        for losses in curve.losses.values():
            assert len(losses) == len(curve.rows)
            assert np.isfinite(losses).all()


@pytest.mark.slow
def test_what_ships_as_learned_is_what_the_shipped_curves_teach():
    again = learn(Study.of(cases(past_curves())))
    stored = learned_from(json.loads(json.dumps(again.as_json())))
    assert stored.prior == learned().prior
    for name in ("gap_kept", "change_kept", "quality_errors", "gap_errors"):
        np.testing.assert_allclose(
            np.array(getattr(stored, name)), np.array(getattr(learned(), name)), atol=1e-3
        )


def test_a_clear_and_steady_lead_is_named_and_a_tie_is_not():
    steady = 30 * (ROWS[:5] / 100) ** -0.1
    none = np.full(5, 0.05)
    lead = PairPoints(ROWS[:5], steady + 12, steady, none, none)
    tie = PairPoints(ROWS[:5], steady, steady, none, none)
    known = learned()
    chances = known.expected(lead, np.array([2.0, 4.0]), (0.2, 0.2, 0.2)).deep_ahead
    assert [known.ahead(chance) for chance in chances] == ["deep", "deep"]
    [chance] = known.expected(tie, np.array([2.0]), (0.2, 0.2, 0.2)).deep_ahead
    assert known.ahead(chance) == "undecided"
