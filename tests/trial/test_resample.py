"""Promises of the bootstrap's resamples."""

from __future__ import annotations

import numpy as np
import pytest

from fathometer.table.metric import METRICS, Metric
from fathometer.table.task import TaskKind
from fathometer.trial import resample
from fathometer.trial.resample import bootstrap_scores, rare_classes, resample_weights


def some_answers(metric: Metric, rows: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(7)
    if metric.kind is TaskKind.REGRESS:
        return random.gamma(2, size=rows), random.gamma(2, size=(rows, 1))
    chances = np.round(random.dirichlet(np.ones(classes), rows), 1)  # rounded: many ties
    return random.integers(classes, size=rows), chances


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)
def test_scores_equal_those_of_rows_drawn_one_by_one(metric: Metric, classes: int) -> None:
    truth, scores = some_answers(metric, 60, classes)
    weights = resample_weights(60, 40, seed=1)
    expected = [
        metric.score(np.repeat(truth, drawn), np.repeat(scores, drawn, axis=0)) for drawn in weights
    ]
    np.testing.assert_allclose(bootstrap_scores(metric, truth, scores, weights), expected)


def test_every_metric_can_be_resampled() -> None:
    assert set(resample.PARTS) | {"roc_auc"} == set(METRICS)


def test_the_quick_area_follows_the_exact_one() -> None:
    random = np.random.default_rng(0)
    positive = random.random(10_000) < 0.1
    score = np.round(random.normal(size=10_000) + 1.5 * positive, 2)
    weights = resample_weights(10_000, 200, seed=0)
    exact = resample._weighted_area(positive, score, weights)
    scores = np.column_stack([-score, score])
    (quick,) = resample._linear_areas(positive.astype(int), scores, [1], weights)
    assert np.abs(quick - exact).max() < 0.1 * exact.std()
    assert quick.std() == pytest.approx(exact.std(), rel=0.01)


def test_the_quick_area_of_several_classes_is_that_of_each() -> None:
    random = np.random.default_rng(1)
    truth = random.choice(5, size=12_000, p=[0.5, 0.3, 0.15, 0.05, 0.0])  # the last never occurs
    scores = np.round(random.random((12_000, 5)) + 0.5 * np.eye(5)[truth], 2)
    weights = resample_weights(12_000, 30, seed=0)
    together = resample._linear_areas(truth, scores, range(5), weights)
    for place in range(4):
        alone = resample._weighted_area(truth == place, scores[:, place], weights)
        assert np.abs(together[place] - alone).max() < 0.1 * alone.std()
    assert np.isnan(together[4]).all()


def test_the_same_seed_draws_the_same_rows() -> None:
    one, same, other = (resample_weights(50, 10, seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    assert set(one.sum(axis=1)) == {50}


def test_rows_of_a_group_are_drawn_together() -> None:
    groups = np.array(["a", "b", "a", "c", "b"])
    weights = resample_weights(5, 100, seed=0, groups=groups)
    np.testing.assert_array_equal(weights[:, 0], weights[:, 2])
    np.testing.assert_array_equal(weights[:, 1], weights[:, 4])
    assert set(weights[:, [0, 1, 3]].sum(axis=1)) == {3}


def test_a_rare_class_never_vanishes() -> None:
    truth = np.repeat([0, 1, 2], [300, 40, 3])
    strata = rare_classes(METRICS["macro_f1"], truth)
    weights = resample_weights(343, 500, seed=0, strata=strata)
    assert set(weights[:, truth == 2].sum(axis=1)) == {3}
    assert len(set(weights[:, truth == 1].sum(axis=1))) > 1


def test_nothing_is_rare_in_a_regression() -> None:
    assert rare_classes(METRICS["rmse"], np.arange(5.0)) is None


def test_a_mean_over_rows_lets_the_number_of_rare_ones_vary() -> None:
    assert rare_classes(METRICS["accuracy"], np.repeat([0, 1], [40, 3])) is None


def test_an_area_without_one_class_is_unknown_and_not_an_error() -> None:
    weights = np.array([[2, 0, 1], [0, 3, 0]], dtype=np.uint8)
    scores = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]])
    areas = bootstrap_scores(METRICS["roc_auc"], np.array([0, 1, 0]), scores, weights)
    assert np.isnan(areas).all()
