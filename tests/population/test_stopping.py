"""A fold's weights are chosen on the other folds alone."""

import numpy as np
import pytest

from fathometer.population.stopping import LeaveFoldOut, survivors


def test_a_fold_keeps_what_was_best_for_the_others() -> None:
    choice = LeaveFoldOut([0, 1, 2], patience=9)
    for losses in ([3.0, 1.0, 1.0], [1.0, 2.0, 2.0], [2.0, 2.0, 0.5]):
        choice.observe(np.array(losses))
    assert choice.kept.tolist() == [0, 2, 1]


def test_a_folds_own_losses_have_no_say() -> None:
    kept = []
    for own in ([1.0, 2.0, 3.0], [9.0, 0.0, 4.0]):
        choice = LeaveFoldOut([0, 1, 2], patience=9)
        for first, others in zip(own, (3.0, 1.0, 2.0), strict=True):
            choice.observe(np.array([first, others, others]))
        kept.append(int(choice.kept[0]))
    assert kept == [1, 1]


def test_with_nobody_to_ask_the_last_weights_are_kept() -> None:
    choice = LeaveFoldOut([0], patience=1)
    for loss in (1.0, 2.0, 3.0):
        assert choice.observe(np.array([loss])).all()
    assert choice.kept.tolist() == [2]
    assert not choice.exhausted


def test_a_loss_that_is_no_number_is_never_kept() -> None:
    choice = LeaveFoldOut([0, 1], patience=9)
    choice.observe(np.array([1.0, 1.0]))
    assert not choice.observe(np.array([np.nan, np.nan])).any()


def test_all_stop_once_most_validations_brought_nothing() -> None:
    choice = LeaveFoldOut([0, 1], patience=5)
    seen = []
    for losses in ([2.0, 2.0], [1.0, 1.0], *[[3.0, 3.0]] * 5):
        choice.observe(np.array(losses))
        seen.append(choice.exhausted)
    assert seen == [False] * 6 + [True]


def test_a_setting_goes_on_if_it_is_among_the_best_for_one_fold() -> None:
    best = np.array([[1.0, 1.0], [3.0, 3.0], [2.0, 0.5], [4.0, 4.0]])
    assert survivors(best, 0.25) == [0, 2]
    assert survivors(best, 0.5) == [0, 2]
    assert survivors(best, 0.75) == [0, 1, 2]


def test_who_goes_on_for_a_fold_does_not_hang_on_its_own_losses() -> None:
    # `best` of fold k holds the others' losses; spoiling fold 0's own losses spoils the others'
    # columns alone, and what is best for fold 0 still goes on.
    best = np.array([[1.0, 9.0], [2.0, 1.0], [3.0, 2.0]])
    assert 0 in survivors(best, 1 / 3)


def test_with_one_fold_the_first_settings_go_on() -> None:
    assert survivors(np.full((5, 1), np.inf), 0.4) == [0, 1]


@pytest.mark.parametrize("lost", [np.nan, np.inf])
def test_one_fold_that_diverges_ends_its_setting(lost: float) -> None:
    choice = LeaveFoldOut([0, 1, 2], patience=9)
    assert choice.observe(np.array([0.6, 0.6, 0.7])).all()
    assert not choice.has_failed
    assert not choice.observe(np.array([0.5, lost, 0.6])).any()
    assert choice.has_failed
