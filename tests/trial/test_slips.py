"""Promises of what looks wrong in a numeric target: gross slips are counted, tails left alone."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import cross_val_predict

from fathometer.trial.slips import find_slips

IMAGES = load_digits().images
TOP, INK = IMAGES[:, :6].reshape(len(IMAGES), -1), IMAGES.sum(axis=(1, 2))
SLIPPED = np.random.default_rng(3).permutation(len(INK))[:36]  # 2 %


def answers(truth: np.ndarray) -> list[np.ndarray]:
    """What a linear model and trees make of the ink of a whole digit from its upper rows."""
    trees = ExtraTreesRegressor(30, min_samples_leaf=3, random_state=0)
    return [cross_val_predict(each, TOP, truth, cv=5) for each in (Ridge(10.0), trees)]


@pytest.mark.parametrize("times", [10, -1])
def test_slips_are_counted_and_one_is_shown(times: int) -> None:
    truth = INK.copy()
    truth[SLIPPED] *= times
    found = find_slips(truth, answers(truth))
    assert found is not None
    assert len(SLIPPED) / 1.3 < found.count < len(SLIPPED) * 1.3
    assert found.row in SLIPPED
    assert found.value == truth[found.row]
    assert f"about {found.count} of 1,797 values of ink look wrong" in found.words(
        "ink", is_numbered=True
    )
    assert f"row {found.row + 1:,} has" in found.words("ink", is_numbered=True)
    assert "row" not in found.words("ink", is_numbered=False)


def test_clean_values_raise_no_doubt() -> None:
    assert find_slips(INK, answers(INK)) is None


@pytest.mark.parametrize("freedom", [1, 2, 3])
def test_heavy_tails_raise_no_doubt(freedom: int) -> None:
    for seed in range(20):
        random = np.random.default_rng(seed)
        honest = random.normal(size=3000)
        truth = honest + random.standard_t(freedom, 3000)
        said = [honest + 0.2 * random.normal(size=3000) for _ in range(2)]
        assert find_slips(truth, said) is None


def test_few_rows_are_not_judged() -> None:
    truth = np.arange(400.0)
    truth[:8] = 1e6
    assert find_slips(truth, [np.arange(400.0) + 1] * 2) is None


def test_a_constant_that_is_always_right_raises_no_doubt() -> None:
    assert find_slips(np.ones(1000), [np.ones(1000)] * 2) is None
