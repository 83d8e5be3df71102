"""Levels of a category and their places, whatever strings the rows hold."""

from __future__ import annotations

import tracemalloc

import numpy as np

from fathometer.features.category import frequent_levels, places
from fathometer.table.kind import Kind
from fathometer.table.table import column_from


def test_levels_are_the_most_frequent_ones_in_the_order_of_their_names():
    column = column_from("c", Kind.CATEGORY, ["b", "a", None, "b", "é", "a", "c", None, "b"])
    known = frequent_levels(column, most=3)
    assert known.names == ("", "a", "b")
    assert places(column, known).tolist() == [2, 1, 0, 2, 3, 1, 3, 0, 2]
    assert frequent_levels(column, most=9, least_rows=3).names == ("b",)


def test_no_row_has_no_level():
    column = column_from("c", Kind.CATEGORY, [])
    assert frequent_levels(column, most=3).names == ()
    assert places(column, frequent_levels(column, most=3)).shape == (0,)


def test_levels_are_what_numpy_finds():
    drawn = np.random.default_rng(0).choice(["x", "yy", "ä", "東", "Z", "z z"], 500)
    names, counts = np.unique(drawn, return_counts=True)
    column = column_from("c", Kind.CATEGORY, drawn.tolist())
    for most in range(1, 7):
        kept = names[np.argsort(-counts, kind="stable")[:most]]
        assert frequent_levels(column, most=most).names == tuple(sorted(kept.tolist()))


def test_one_long_value_does_not_widen_every_row():
    column = column_from("c", Kind.CATEGORY, ["x" * 2000, *["ab", "cd"] * 10_000])
    tracemalloc.start()
    known = frequent_levels(column, most=9)
    places(column, known)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 5 << 20
