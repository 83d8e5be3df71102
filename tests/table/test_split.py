"""A split that teaches with fewer rows: nested, its folds and lockbox untouched."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from fathometer.table.split import KEPT_OF_A_CLASS, Split

SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
ROWS = 960


def _split(seed: int = 0) -> Split:
    train = np.arange(0, 2 * ROWS, 2)  # row numbers and places differ
    place = np.random.default_rng(seed).permutation(ROWS) % 5
    folds = tuple(train[place == fold] for fold in range(5))
    return Split(train, np.arange(1, 40, 2), folds, seed)


def _classes() -> np.ndarray:
    return np.where(np.arange(ROWS) % 40 == 0, 2, np.arange(ROWS) % 2)  # 24 rows of the third


@pytest.mark.parametrize("kept", ["plain", "classes", "groups", "times"])
def test_a_smaller_share_lies_within_every_larger_one(kept):
    told = {
        "plain": {},
        "classes": {"classes": _classes()},
        "groups": {"groups": np.arange(ROWS) // 3},
        "times": {"times": np.random.default_rng(3).random(ROWS)},
    }[kept]
    split = _split()
    taught = [split.limited(share, **told).teaching for share in SHARES]
    for smaller, larger in itertools.pairwise(taught):
        assert len(smaller) < len(larger)
        assert np.isin(smaller, larger).all()
    for share, rows in zip(SHARES, taught, strict=True):
        assert np.isin(rows, split.train).all()
        # The third class keeps two rows in each fold, more than a sixteenth of them.
        assert len(rows) == pytest.approx(share * ROWS, abs=5 * 3 + 6)


def test_folds_and_lockbox_are_those_of_the_whole():
    split = _split()
    limited = split.limited(1 / 8)
    assert limited.folds is split.folds
    assert limited.lockbox is split.lockbox
    assert limited.train is split.train


def test_no_fold_learns_from_a_row_that_it_validates_or_that_does_not_teach():
    limited = _split().limited(1 / 4)
    for fold in range(5):
        learning, validation = limited.fold_rows(fold)
        assert not np.isin(learning, validation).any()
        assert np.isin(learning, limited.teaching).all()
        assert np.array_equal(validation, limited.folds[fold])


def test_every_class_teaches_every_fold():
    split, classes = _split(), _classes()
    limited = split.limited(1 / 16, classes=classes)
    for fold in split.folds:
        own = limited.places(np.intersect1d(limited.teaching, fold))
        counts = np.bincount(classes[own], minlength=3)
        assert (counts >= KEPT_OF_A_CLASS).all()


def test_groups_stay_whole():
    groups = np.random.default_rng(1).integers(0, 200, ROWS)
    split = _split()
    place = groups % 5
    split = Split(split.train, split.lockbox, tuple(split.train[place == f] for f in range(5)), 0)
    limited = split.limited(1 / 4, groups=groups)
    inside = np.isin(split.train, limited.teaching)
    assert not set(groups[inside]) & set(groups[~inside])


def test_of_blocks_of_time_the_latest_rows_of_each_teach():
    train = np.arange(ROWS)
    split = Split(train, np.array([ROWS]), tuple(np.split(train, 5)), 0)
    limited = split.limited(1 / 8, times=train.astype(float))
    for fold in split.folds:
        assert np.array_equal(np.intersect1d(limited.teaching, fold), fold[-len(fold) // 8 :])


def test_the_seed_draws_the_rows():
    one, again, other = (_split(seed).limited(1 / 4).teaching for seed in (0, 0, 1))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_the_whole_is_the_split_itself():
    split = _split()
    assert split.limited(1.0).teaching is split.train


@pytest.mark.parametrize("share", [0.0, -0.5, 1.5])
def test_a_share_of_nothing_or_of_more_than_all_is_refused(share):
    with pytest.raises(ValueError, match="share"):
        _split().limited(share)


def test_of_few_large_groups_one_teaches_in_every_fold():
    train = np.arange(700)
    groups = train // 100  # seven groups of equal size, of which every fold has one or two
    folds = tuple(train[groups % 5 == fold] for fold in range(5))
    split = Split(train, np.arange(700, 800), folds, 0)
    limited = split.limited(0.2, groups=groups)
    for fold in range(5):
        assert len(limited.fold_rows(fold)[0])
    assert len(limited.teaching) == 500
    assert all(len(np.unique(groups[fold][np.isin(fold, limited.teaching)])) == 1 for fold in folds)
