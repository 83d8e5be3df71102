"""The forecast from out-of-fold answers: units, intervals, crossings, and the words for them."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from fathometer.table.metric import METRICS
from fathometer.trial.curves import CurvePair, CurvePoint, LearningCurve
from fathometer.verdict.bench import Rows
from fathometer.verdict.forecast import Band, Crossing, Forecast, crossing_of, forecast
from fathometer.verdict.forecast_words import forecast_sentences

ROWS = 2_000
SIZES = (100.0, 200.0, 400.0, 800.0, 1600.0)


def _answers(noise: float, truth: np.ndarray, seed: int) -> np.ndarray:
    """Values that err by this much."""
    own = np.random.default_rng(seed).normal(size=len(truth))
    return (truth + noise * own)[:, None]


def _pair(traditional: list[float], deep: list[float]) -> tuple[CurvePair, np.ndarray]:
    """Two curves of a regression with these root mean squared errors."""
    truth = np.random.default_rng(9).normal(0.0, 10.0, ROWS)
    curves = [
        LearningCurve(
            name,
            family,
            tuple(
                CurvePoint(size, _answers(noise, truth, seed))
                for size, noise in zip(SIZES, noises, strict=True)
            ),
        )
        for seed, (name, family, noises) in enumerate(
            (("LightGBM", "traditional", traditional), ("modern network", "deep", deep))
        )
    ]
    return CurvePair(tuple(curves)), truth


def _forecast(traditional: list[float], deep: list[float]) -> Forecast:
    pair, truth = _pair(traditional, deep)
    found = forecast(pair, METRICS["rmse"], Rows(truth), 0.1, rows=len(truth), seed=0)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def leading() -> Forecast:
    """Traditional leads by far, and both hardly fall any more."""
    return _forecast([4.0, 3.8, 3.7, 3.65, 3.62], [8.0, 7.8, 7.7, 7.65, 7.62])


@pytest.fixture(scope="module")
def closing() -> Forecast:
    """Deep trails, and falls fast."""
    return _forecast([5.0, 4.8, 4.7, 4.65, 4.62], [12.0, 9.5, 7.6, 6.1, 4.95])


def test_scores_stand_in_the_metrics_unit_and_at_the_rows_of_the_table(closing):
    assert closing.rows == ROWS
    assert closing.deep.rows == (125, 250, 500, 1000, 2000)
    assert closing.deep.scores[-1] == pytest.approx(4.95, rel=0.05)
    assert [one.rows for one in closing.outlooks] == [4_000, 8_000, 20_000]
    for one in closing.path:
        assert one.deep.low <= one.deep.value <= one.deep.high
        apart = one.traditional.value - one.deep.value
        assert one.gap.value == pytest.approx(apart, abs=1e-6)


def test_the_path_begins_today(closing):
    first = closing.path[0]
    assert first.factor == 1
    assert first.deep.value == pytest.approx(closing.deep.scores[-1])
    assert first.gap.value == pytest.approx(closing.gap.value)
    assert closing.path[-1].factor == pytest.approx(10.0)


def test_a_far_and_steady_lead_stays_and_no_crossing_is_in_sight(leading):
    assert {one.ahead for one in leading.outlooks[:2]} == {"traditional"}
    assert leading.crossing.trailing == "deep"
    assert leading.crossing.rows is None
    said = forecast_sentences(leading)[1]
    assert "not expected to catch up" in said


def test_who_falls_fast_is_expected_to_cross(closing):
    crossing = closing.crossing
    assert crossing.trailing == "deep"
    assert crossing.rows is not None
    assert ROWS <= crossing.rows < 10 * ROWS
    assert crossing.low is not None
    assert crossing.low <= crossing.rows
    assert crossing.high is None or crossing.high >= crossing.rows
    chances = [one.deep_ahead for one in closing.outlooks]
    assert chances[-1] > closing.path[0].deep_ahead
    assert "draw level with traditional" in forecast_sentences(closing)[1]


def test_a_tie_is_open_today():
    tied = _forecast([6.0, 5.5, 5.2, 5.0, 4.9], [6.1, 5.6, 5.25, 5.05, 4.9])
    assert tied.is_open
    assert "open today" in forecast_sentences(tied)[1]


def test_greater_scores_are_turned(survival):
    truth = survival.truth[survival.split.train]
    random = np.random.default_rng(0)

    def scores(noise: float) -> np.ndarray:
        chance = np.clip(0.5 + 0.3 * (2 * truth - 1) + random.normal(0, noise, len(truth)), 0, 1)
        return np.column_stack([1 - chance, chance])

    pair = CurvePair(
        tuple(
            LearningCurve(
                family,
                family,
                tuple(CurvePoint(n, scores(x)) for n, x in zip(SIZES, noises, strict=True)),
            )
            for family, noises in (
                ("traditional", (0.6, 0.5, 0.45, 0.4, 0.38)),
                ("deep", (0.9, 0.7, 0.55, 0.45, 0.35)),
            )
        )
    )
    found = forecast(pair, METRICS["roc_auc"], Rows(truth), 0.01, rows=len(truth), seed=0)
    assert found is not None
    for one in found.path:
        assert 0 <= one.deep.low <= one.deep.value <= one.deep.high <= 1
        apart = one.deep.value - one.traditional.value
        assert one.gap.value == pytest.approx(apart, abs=1e-6)


def test_the_json_form_is_plain_and_small(closing):
    written = json.loads(json.dumps(asdict(closing), allow_nan=False))
    parts = {"metric", "traditional", "deep", "gap", "outlooks", "path", "crossing", "note"}
    assert set(written) == parts
    assert written["outlooks"][0]["factor"] == 2
    assert len(json.dumps(written)) < 15_000


def test_without_curves_there_is_no_forecast():
    assert (
        forecast(CurvePair(missing="x"), METRICS["rmse"], Rows(np.zeros(3)), 1, rows=3, seed=0)
        is None
    )


def test_the_same_answers_give_the_same_forecast(closing):
    again = _forecast([5.0, 4.8, 4.7, 4.65, 4.62], [12.0, 9.5, 7.6, 6.1, 4.95])
    assert again == closing


def test_a_crossing_is_read_between_two_steps(closing):
    path = tuple(
        replace(closing.path[0], rows=rows, deep_ahead=chance)
        for rows, chance in ((1000, 0.0), (2000, 0.4), (4000, 0.6), (8000, 0.9))
    )
    crossing = crossing_of(-1.0, path)
    assert crossing == Crossing("deep", round(1000 * 2**1.5), round(1000 * 2**0.125), None)
    turned = tuple(replace(one, deep_ahead=1 - one.deep_ahead) for one in path)
    assert crossing_of(1.0, turned) == replace(crossing, trailing="traditional")


def test_every_number_in_the_sentences_is_the_forecasts(closing):
    said = " ".join(forecast_sentences(closing))
    assert f"{closing.outlooks[0].rows:,}" in said
    for one in closing.outlooks:
        assert f"{one.deep_ahead:.2f}" in said
    none = replace(closing, crossing=Crossing("deep", None, None, None), gap=Band(-1, -2, -0.5))
    assert "No crossing is in sight" in forecast_sentences(none)[1]
    late = replace(closing, crossing=Crossing("deep", None, 9_000, None), gap=Band(-1, -2, -0.5))
    assert "9,000 to beyond 20,000" in forecast_sentences(late)[1]
