"""Rows are worked out once and found again in any order."""

from __future__ import annotations

import numpy as np

from fathometer.features.remembered import RememberedRows


def test_rows_come_back_by_key_in_any_order_and_as_often_as_asked():
    known = RememberedRows()
    known.add(["a", "b"], np.array([[1, 2], [3, 4]], dtype=np.uint8))
    known.add(["c"], np.array([[5, 6]], dtype=np.uint8))
    assert known.rows(["c", "a", "c"]).tolist() == [[5, 6], [1, 2], [5, 6]]
    assert known.size_bytes == 6


def test_only_what_is_not_there_yet_is_to_be_worked_out_each_once():
    known = RememberedRows()
    known.add(["a"], np.zeros((1, 2)))
    asked = ["b", "a", "c", "b"]
    new = known.unknown(asked)
    assert list(new) == ["b", "c"]
    assert all(asked[place] == key for key, place in new.items())
