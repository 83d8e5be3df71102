"""How far logits are stretched, and on whose rows that is chosen."""

from __future__ import annotations

import numpy as np
import pytest

from fathometer.learners.sharpness import FACTORS, best_factor, factors_by_others


def answers(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and classes drawn with the very probabilities that they say."""
    draw = np.random.default_rng(seed)
    logits = draw.normal(scale=2.0, size=(rows, 4))
    truth = (logits + draw.gumbel(size=logits.shape)).argmax(axis=1)
    return logits, truth


@pytest.mark.parametrize("shrunk", [0.5, 1.0, 1.6])
def test_logits_that_were_shrunk_are_stretched_back(shrunk):
    logits, truth = answers(20_000, 0)
    assert best_factor(logits * shrunk, truth) == pytest.approx(1 / shrunk, rel=0.06)


def test_a_networks_own_rows_have_no_say_in_its_factor():
    logits, truth = zip(*(answers(500, seed) for seed in range(4)), strict=True)
    folds = [0, 1, 2, 0]
    before = factors_by_others(logits, truth, folds)
    turned = [own if fold else 3 - own for own, fold in zip(truth, folds, strict=True)]
    after = factors_by_others(logits, turned, folds)
    assert (after[0], after[3]) == (before[0], before[3])
    assert after[1] < before[1]


def test_one_fold_alone_and_no_rows_change_nothing():
    logits, truth = answers(50, 0)
    assert factors_by_others([logits], [truth], [0]) == [1.0]
    assert best_factor(logits[:0], truth[:0]) == 1.0


def test_rows_that_are_all_right_do_not_stretch_without_end():
    assert best_factor(np.eye(3), np.arange(3)) == FACTORS[-1]
