"""A fold's weights are chosen on the other folds alone."""

import numpy as np

from fathometer.population.member import Member
from fathometer.population.stopping import LeaveFoldOut


def members_of(*folds: int, learning_rate: float = 1e-3) -> list[Member]:
    return [Member(fold, 0, learning_rate, 0.0, 0.0, 100) for fold in folds]


def test_a_fold_keeps_what_was_best_for_the_others() -> None:
    choice = LeaveFoldOut(members_of(0, 1, 2), patience=9)
    for losses in ([3.0, 1.0, 1.0], [1.0, 2.0, 2.0], [2.0, 2.0, 0.5]):
        choice.observe(np.array(losses))
    assert choice.kept.tolist() == [0, 2, 1]


def test_a_folds_own_losses_have_no_say() -> None:
    kept = []
    for own in ([1.0, 2.0, 3.0], [9.0, 0.0, 4.0]):
        choice = LeaveFoldOut(members_of(0, 1, 2), patience=9)
        for first, others in zip(own, (3.0, 1.0, 2.0), strict=True):
            choice.observe(np.array([first, others, others]))
        kept.append(int(choice.kept[0]))
    assert kept == [1, 1]


def test_other_settings_have_no_say() -> None:
    mixed = members_of(0, 1) + members_of(0, 1, learning_rate=1.0)
    choice = LeaveFoldOut(mixed, patience=9)
    choice.observe(np.array([1.0, 1.0, 1.0, 1.0]))
    choice.observe(np.array([2.0, 2.0, 0.5, 0.5]))
    assert choice.kept.tolist() == [0, 0, 1, 1]


def test_with_nobody_to_ask_the_last_weights_are_kept() -> None:
    choice = LeaveFoldOut(members_of(0), patience=1)
    for loss in (1.0, 2.0, 3.0):
        assert choice.observe(np.array([loss])).all()
    assert choice.kept.tolist() == [2]
    assert not choice.exhausted


def test_a_loss_that_is_no_number_is_never_kept() -> None:
    choice = LeaveFoldOut(members_of(0, 1), patience=9)
    choice.observe(np.array([1.0, 1.0]))
    assert not choice.observe(np.array([np.nan, np.nan])).any()


def test_all_stop_once_most_validations_brought_nothing() -> None:
    choice = LeaveFoldOut(members_of(0, 1), patience=5)
    seen = []
    for losses in ([2.0, 2.0], [1.0, 1.0], *[[3.0, 3.0]] * 5):
        choice.observe(np.array(losses))
        seen.append(choice.exhausted)
    assert seen == [False] * 6 + [True]
