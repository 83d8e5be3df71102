"""Probabilities in whole per cent, as the terminal and the report say them alike."""

from __future__ import annotations

from typing import NamedTuple

from fathometer.verdict.verdict import FoldGap, Gap


class Chances(NamedTuple):
    """The three answers' probabilities in whole per cent; together 100."""

    traditional: int
    equal: int
    deep: int


def chances(view: Gap | FoldGap) -> Chances:
    """A view's three probabilities: rounded down, and the missing per cents to those that lost
    most, so that nobody adds up 99 or 101."""
    exact = [100 * each for each in (view.traditional_better, view.equivalent, view.deep_better)]
    whole = [int(each) for each in exact]
    order = sorted(range(3), key=lambda place: whole[place] - exact[place])
    for place in order[: 100 - sum(whole)]:
        whole[place] += 1
    return Chances(*whole)


def percent(whole: int) -> str:
    """Per cents in words; the ends are not rounded into certainty."""
    if whole <= 0:
        return "under 1 %"
    return "over 99 %" if whole >= 100 else f"{whole} %"
