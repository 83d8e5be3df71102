from dataclasses import replace

import pytest

from fathometer.verdict.chances import chances, percent
from fathometer.verdict.verdict import Gap

GAP = Gap("net", "trees", 0.0, -0.1, 0.1, 0.01, 0.0, 1.0, 0.0)


@pytest.mark.parametrize(
    ("exact", "whole"),
    [
        ((0.825, 0.145, 0.03), (83, 14, 3)),  # rounded one by one: 82, 14, 3
        ((0.02, 0.316, 0.664), (2, 32, 66)),
        ((0.335, 0.335, 0.33), (34, 33, 33)),
        ((0.0, 1.0, 0.0), (0, 100, 0)),
        ((0.0, 0.996, 0.004), (0, 100, 0)),
    ],
)
def test_three_chances_add_up_to_a_hundred(exact, whole):
    traditional, equal, deep = exact
    gap = replace(GAP, traditional_better=traditional, equivalent=equal, deep_better=deep)
    assert chances(gap) == whole


def test_the_ends_are_not_rounded_into_certainty():
    assert [percent(0), percent(1), percent(99), percent(100)] == [
        "under 1 %",
        "1 %",
        "99 %",
        "over 99 %",
    ]
