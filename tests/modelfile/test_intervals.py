"""Promises of intervals and sets: they hold the truth as often as they say, in the file itself."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fathometer.errors import ModelFileError, OptionError
from fathometer.learners.linear import Logistic, Ridge
from fathometer.modelfile.intervals import (
    LEVELS,
    intervals_from_json,
    residual_quantiles,
    set_thresholds,
)
from fathometer.modelfile.load import ModelFile, from_bytes
from fathometer.modelfile.write import ship
from fathometer.trial.reliance import conformal

if TYPE_CHECKING:
    from conftest import Setting


def probabilities(random: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Three classes, the last one rare, and calibrated probabilities of them."""
    raw = random.dirichlet([2.0, 1.0, 0.15], size=rows)
    truth = (random.random(rows)[:, None] > raw.cumsum(axis=1)).sum(axis=1)
    return np.minimum(truth, 2), raw


@pytest.mark.parametrize("level", [0.8, 0.9, 0.95])
def test_sets_hold_every_class_as_often_as_stated(level: float) -> None:
    random = np.random.default_rng(0)
    truth, scores = probabilities(random, 20_000)
    by = set_thresholds(*probabilities(random, 4_000))
    held = by.sets(scores, level)[np.arange(len(truth)), truth]
    assert held.mean() >= level - 0.01
    said = scores.argmax(axis=1)
    for place in range(3):
        mine = truth == place
        # The most probable class is always in the set, so easy classes may be held more often.
        most = max(level + 0.04, (said[mine] == place).mean() + 0.01)
        assert level - 0.04 <= held[mine].mean() <= most


def test_intervals_hold_as_often_as_stated_where_errors_grow_with_the_answer() -> None:
    random = np.random.default_rng(1)
    said = random.uniform(1, 10, size=24_000)
    truth = said * (1 + 0.2 * random.normal(size=len(said)))
    by = residual_quantiles(truth[:4_000], said[:4_000, None])
    ends = by.ends(said[4_000:, None], 0.9)
    held = (ends[:, 0] <= truth[4_000:]) & (truth[4_000:] <= ends[:, 1])
    assert held.mean() == pytest.approx(0.9, abs=0.02)
    for half in (said[4_000:] < 4, said[4_000:] > 7):
        assert held[half].mean() == pytest.approx(0.9, abs=0.05)
    wide = ends[:, 1] - ends[:, 0]
    assert wide[said[4_000:] > 8].mean() > 2 * wide[said[4_000:] < 3].mean()


def test_a_larger_coverage_holds_the_smaller() -> None:
    truth, scores = probabilities(np.random.default_rng(2), 3_000)
    by = set_thresholds(truth, scores)
    sizes = [by.sets(scores, level).sum() for level in LEVELS]
    assert sizes == sorted(sizes)


def test_no_set_is_empty() -> None:
    truth, scores = probabilities(np.random.default_rng(3), 3_000)
    assert set_thresholds(truth, scores).sets(scores, 0.5).sum(axis=1).min() == 1


def test_few_rows_promise_no_more_than_they_can() -> None:
    random = np.random.default_rng(4)
    by = residual_quantiles(random.normal(size=60), np.zeros((60, 1)))
    by.ends(np.zeros((1, 1)), 0.9)
    with pytest.raises(OptionError, match="60 rows to learn are too few") as caught:
        by.ends(np.zeros((1, 1)), 0.99)
    assert caught.value.try_next == "--interval 0.95"


def test_a_tree_of_few_answers_has_one_bin() -> None:
    random = np.random.default_rng(5)
    said = random.choice([1.0, 2.0, 3.0], size=5_000)
    assert residual_quantiles(said + random.normal(size=5_000), said[:, None]).edges == ()


def test_what_is_written_is_read_back() -> None:
    random = np.random.default_rng(6)
    sets = set_thresholds(*probabilities(random, 1_000))
    assert intervals_from_json(json.loads(json.dumps(sets.as_json())), 3) == sets
    said = random.normal(size=(2_000, 1))
    ends = residual_quantiles(said[:, 0] + random.normal(size=2_000), said)
    assert intervals_from_json(json.loads(json.dumps(ends.as_json())), 0) == ends
    assert intervals_from_json({}, 3) is None


@pytest.mark.parametrize(
    "spoil",
    [
        {"first": [[0.1]]},
        {"levels": ["high"] * len(LEVELS)},
        {"edges": [float("nan")]},
        {"rows": None},
        {"rows": float("inf")},
        {"first": [[10**400] * 3] * len(LEVELS)},
        {"second": [[0.1, 0.2, 0.3]] * len(LEVELS)},
    ],
)
def test_spoilt_metadata_is_refused(spoil: dict[str, object]) -> None:
    sets = set_thresholds(*probabilities(np.random.default_rng(7), 1_000))
    with pytest.raises(ModelFileError, match="intervals cannot be read"):
        intervals_from_json({**sets.as_json(), **spoil}, 3)


def shipped(setting: Setting, learner: Logistic | Ridge) -> ModelFile:
    model = learner.fit(setting.table, setting.task, setting.split)
    by = conformal(setting.task, setting.truth[setting.split.train], model.out_of_fold)
    return ship(model, learner.name, setting.table, setting.split.lockbox).file(
        {}, {"intervals": by.as_json()}
    )


def test_a_file_gives_its_intervals_in_the_callers_frame(fares: Setting) -> None:
    import pandas

    file = shipped(fares, Ridge(penalties=(0.1,)))
    rows = fares.table.rows(fares.split.lockbox)
    frame = pandas.DataFrame(
        {column.name: column.values.to_pylist() for column in rows}, index=range(7, 7 + len(rows))
    )
    found = file.predict_interval(frame, 0.8)
    assert list(found.columns) == ["low", "high"]
    assert list(found.index) == list(frame.index)
    values = file.predict(frame)
    assert ((found["low"] <= values) & (values <= found["high"])).mean() > 0.9


def test_a_file_gives_a_column_a_class(classes: Setting) -> None:
    file = shipped(classes, Logistic(penalties=(0.01,)))
    found = file.predict_interval(classes.table.rows(classes.split.lockbox), 0.9)
    truth = classes.truth[classes.split.lockbox]
    assert found.shape == (len(truth), 3)
    assert found[np.arange(len(truth)), truth].mean() > 0.75  # 60 rows


def test_a_coverage_that_is_not_held_names_the_nearest(classes: Setting) -> None:
    file = shipped(classes, Logistic(penalties=(0.01,)))
    with pytest.raises(OptionError, match=r"the file holds 0\.5, 0\.6") as caught:
        file.predict_interval(classes.table, 0.92)
    assert caught.value.try_next == "--interval 0.9"


def test_a_file_without_intervals_says_so(classes: Setting) -> None:
    file = from_bytes(shipped(classes, Logistic(penalties=(0.01,))).content)
    bare = replace(file, intervals=None)
    with pytest.raises(ModelFileError, match="holds no intervals"):
        bare.predict_interval(classes.table)


def test_bins_part_answers_that_differ_little_from_their_size() -> None:
    random = np.random.default_rng(8)
    said = 1.7e9 + np.sort(random.uniform(0, 2_000, size=5_000))
    errors = random.normal(size=5_000) * np.where(said < 1.7e9 + 1_000, 1, 100)
    by = residual_quantiles(said + errors, said[:, None])
    by = intervals_from_json(json.loads(json.dumps(by.as_json())), 0)
    assert by is not None
    wide = np.ptp(by.ends(said[[0, -1], None], 0.9), axis=1)
    assert wide[1] > 20 * wide[0]
