"""Promises of the warnings: small classes and lockboxes, intervals that did not hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fathometer.app.doubts import doubts
from fathometer.app.preparation import Options, Understanding
from fathometer.table.split import Split
from fathometer.trial.scorecard import Coverage, Scorecard
from fathometer.trial.trial import Trial
from fathometer.verdict.verdict import Gap, Verdict


@pytest.fixture
def trials(cards: tuple[Scorecard, ...]) -> list[Trial]:
    return [Trial(card) for card in cards]


def said(
    trials: list[Trial], verdict: Verdict, understanding: Understanding, lockbox: np.ndarray
) -> str:
    split = Split(np.arange(300, 800), lockbox, (), seed=0)
    seen = replace(understanding, split=split)
    return "\n".join(doubts(verdict, trials, seen, Options("survived")))


def test_a_large_lockbox_of_both_classes_raises_no_doubt(
    trials: list[Trial], verdict: Verdict, understanding: Understanding
) -> None:
    found = said(trials, verdict, understanding, np.arange(200))
    assert found == understanding.suspicions[0].words


def test_a_small_lockbox_and_small_classes_are_named(
    trials: list[Trial], verdict: Verdict, understanding: Understanding
) -> None:
    found = said(trials, verdict, understanding, np.arange(12))
    assert "the lockbox has 12 rows" in found
    assert "too few unseen rows to judge 2 classes by themselves: 0 (" in found


def test_intervals_that_did_not_hold_are_named(
    trials: list[Trial], verdict: Verdict, understanding: Understanding
) -> None:
    covered = Coverage(0.9, 0.71, 0.64, 0.77, 1.1)
    trials[0] = Trial(replace(trials[0].scorecard, coverage=covered))
    found = said(trials, verdict, understanding, np.arange(200))
    assert "that state 0.9 held the truth in 0.71 [0.64, 0.77] of the unseen rows" in found
    fine = Trial(replace(trials[0].scorecard, coverage=replace(covered, high=0.92)))
    assert "held the truth" not in said([fine, *trials[1:]], verdict, understanding, np.arange(200))


def test_families_that_learned_from_unlike_numbers_of_rows_are_named(
    trials: list[Trial], verdict: Verdict, understanding: Understanding
) -> None:
    gap = Gap("modern network", "CatBoost", -0.007, -0.02, 0.01, 0.01, 0.02, 0.6, 0.38)
    verdict = replace(verdict, gap=gap)
    rows = {"CatBoost": 31_258, "modern network": 20_000}

    def learned(rows: dict[str, int]) -> list[Trial]:
        cards = [each.scorecard for each in trials]
        return [Trial(replace(card, learned_rows=rows.get(card.name))) for card in cards]

    found = said(learned(rows), verdict, understanding, np.arange(200))
    assert "CatBoost learned from 31,258 rows, modern network from 20,000: a part" in found
    equal = dict.fromkeys(rows, 20_000)
    assert "learned from" not in said(learned(equal), verdict, understanding, np.arange(200))


def test_a_mixture_that_holds_a_network_from_elsewhere_is_doubted(
    trials: list[Trial], verdict: Verdict, understanding: Understanding
) -> None:
    card = replace(
        trials[0].scorecard, name="both together", family="both", chosen="60% ResNet-12 + 40% ridge"
    )
    won = replace(verdict, winner="both together")
    foreign = replace(understanding, trained_elsewhere=("ResNet-12", "ResNet-50"))
    found = said([*trials, Trial(card)], won, foreign, np.arange(200))
    assert "ResNet-12 was trained elsewhere" in found
    assert "ResNet-50" not in found
