"""Promises of the verdict's sentences: plain, with units, and never more than the numbers say."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import pytest

from fathometer.table.metric import METRICS
from fathometer.trial.scorecard import Bill, Quality, Scorecard
from fathometer.trial.spread import Spread
from fathometer.verdict.expert_words import expert_sentences
from fathometer.verdict.verdict import FoldGap, Gap, Pair
from fathometer.verdict.words import Findings, headline, sentences
from fathometer.verdict.worth import worth_of

# 2,000 differences about 0.003, with a standard error of 0.005
FOUND_SAMPLES = 0.003 + 0.005 * np.random.default_rng(0).normal(size=2000)
Family = Literal["traditional", "deep", "both"]


def card(name: str, family: Family, value: float, size: int, reads_as: str = "") -> Scorecard:
    bill = Bill(3.1 if family == "traditional" else 9.8, 40, "estimated", 10, size, 0.038, 0.1, 1e5)
    quality = Quality("roc_auc", value, value - 0.026, value + 0.026)
    return Scorecard(
        name,
        family,
        quality=quality,
        out_of_fold=value,
        bill=bill,
        reads_as=reads_as,
        configurations=3,
        fits=15,
    )


FOUND = Findings(
    metric=METRICS["roc_auc"],
    cards=(
        card("both together", "both", 0.871, 1_400_000),
        card("CatBoost", "traditional", 0.868, 212_000),
        card("RealMLP", "deep", 0.861, 410_000),
        card("decision tree", "traditional", 0.842, 6_000, "9 rules"),
        card("constant", "traditional", 0.5, 2_000, "1 number"),
    ),
    call="undecided",
    gap=Gap("RealMLP", "CatBoost", -0.007, -0.024, 0.010, 0.01, 0.11, 0.58, 0.31, 179, 2_131),
    winner="CatBoost",
    rivals=("both together", "CatBoost", "RealMLP"),
    rows=179,
    fold_gap=FoldGap(5, -0.011, -0.052, 0.029, 0.48, 0.11, 0.35, 0.54),
    pairs=(
        Pair("both together", "CatBoost", 0.003, -0.01, 0.02, 0.9),
        Pair("both together", "constant", 0.371, 0.3, 0.44, 0.0005),
    ),
)


def test_the_sentences_carry_the_numbers_they_rest_on() -> None:
    said = sentences(FOUND)
    assert said[0].startswith("CatBoost 0.868 ± 0.026 against RealMLP 0.861 ± 0.026 (ROC AUC)")
    assert "179 unseen rows: the difference of 0.007 [−0.010, 0.024] is within noise" in said[0]
    assert said[1] == (
        "The chance that deep learning is better is 11 %, that traditional machine learning is "
        "better 31 %, and that they differ by no more than 0.01, too little to matter, 58 %."
    )
    assert "the smallest file, 212 KB, of a tie with both together and RealMLP." in said[2]
    assert "decision tree (9 rules) reaches 0.842 and can be read: see the report." in said
    assert said[-2] == (
        "RealMLP took 3.2 times as long to train as CatBoost (9.8 s against 3.1 s) and ≈40 J "
        "against ≈40 J; it answers one row in 38 µs against 38 µs from a file of 410 KB against "
        "212 KB."
    )
    assert said[-1] == "To settle a difference of this size takes about 2,200 unseen rows."


def test_an_expert_gets_the_same_in_the_terms_of_the_field() -> None:
    said = expert_sentences(FOUND)
    assert said[0] == (
        "Lockbox, n = 179: RealMLP − CatBoost = −0.007 [−0.024, 0.010] ROC AUC (paired, 95 %); "
        "region of practical equivalence ±0.01: P(deep better) 0.11, P(equivalent) 0.58, "
        "P(traditional better) 0.31."
    )
    assert said[1].startswith("5 folds, corrected resampled t (Nadeau and Bengio): −0.011 [−0.052")
    assert said[2] == (
        "1 of 2 pairs differ at 5 % over all pairs (max-t); both together beats 1 of 4."
    )
    assert said[-2] == ("CatBoost takes, beside RealMLP, −6.7 s to train and −198 KB of file.")
    assert said[-1] == (
        "The traditional side had 6 settings, 30 fits and 6.2 s; the deep side 3 settings, 15 fits "
        "and 9.8 s."
    )


def with_bills(peak_bytes: int, latency_ms: float) -> Findings:
    """The findings, with these on the bill of the network; CatBoost has 10 bytes and 38 µs."""
    cards = tuple(
        replace(one, bill=replace(one.bill, peak_bytes=peak_bytes, latency_ms_p50=latency_ms))
        if one.family == "deep" and one.bill is not None
        else one
        for one in FOUND.cards
    )
    return replace(FOUND, cards=cards)


def test_the_difference_counts_memory_and_one_row() -> None:
    found = with_bills(260_000_010, 0.064)
    worth = worth_of(found)
    assert worth is not None
    assert worth.peak_bytes == -260_000_000
    assert worth.latency_ms == pytest.approx(-0.026)
    told = "−260 MB of memory while training, −26 µs for a row"
    assert any(told in line for line in expert_sentences(found))


def test_memory_that_is_not_known_has_no_difference() -> None:
    found = with_bills(0, 0.064)
    worth = worth_of(found)
    assert worth is not None
    assert worth.peak_bytes is None
    assert not any("memory" in line for line in expert_sentences(found))


def test_a_settled_verdict_asks_for_no_more_rows() -> None:
    assert not any("To settle" in each for each in sentences(replace(FOUND, call="equivalent")))


def test_the_edge_of_what_matters_is_settled_by_no_number_of_rows() -> None:
    assert FOUND.gap is not None
    said = sentences(replace(FOUND, gap=replace(FOUND.gap, rows_needed=None)))
    assert said[-1].endswith("is settled by no number of rows.")


def test_undecided_with_traditional_ahead_says_that_it_is_enough() -> None:
    assert headline(FOUND) == "Traditional machine learning is enough for this table."


def test_the_headline_calls_pictures_pictures() -> None:
    assert headline(replace(FOUND, data="these pictures")).endswith("enough for these pictures.")


def test_the_headline_never_calls_a_family_enough_whose_rival_wins() -> None:
    assert headline(replace(FOUND, winner="RealMLP")) != headline(FOUND)
    assert "Traditional" not in headline(replace(FOUND, winner="RealMLP"))


def test_undecided_with_deep_ahead_says_so() -> None:
    gap = Gap("RealMLP", "CatBoost", 0.03, -0.01, 0.07, 0.01, 0.85, 0.10, 0.05)
    said = headline(replace(FOUND, gap=gap))
    assert said == "Undecided: deep learning leads, but 179 unseen rows do not settle it."


@pytest.mark.parametrize("family", ["deep", "traditional"])
def test_a_clear_call_names_the_family(family: Literal["deep", "traditional"]) -> None:
    said = headline(replace(FOUND, call=family))
    assert said.endswith("learning is better for this table.")
    assert said.lower().startswith(family)


def test_equivalent_names_the_winner_s_family() -> None:
    equal = replace(FOUND, call="equivalent")
    assert headline(equal).startswith("Traditional machine learning is enough")
    assert headline(replace(equal, winner="RealMLP")).startswith("Deep learning is enough")


def test_equivalent_names_the_smaller_one_where_both_together_win() -> None:
    equal = replace(FOUND, call="equivalent", winner="both together")
    assert headline(equal).startswith("Traditional machine learning is enough")
    swapped = tuple(
        replace(each, bill=replace(each.bill, file_bytes=10)) if each.family == "deep" else each
        for each in FOUND.cards
        if each.bill is not None
    )
    assert headline(replace(equal, cards=swapped)).startswith("Deep learning is enough")


def test_a_table_that_teaches_nothing_is_said_to() -> None:
    said = headline(replace(FOUND, rivals=("CatBoost", "constant")))
    assert said.startswith("Nothing here clearly beats a constant answer")


def test_one_family_alone_is_not_compared() -> None:
    alone = replace(FOUND, gap=None, cards=FOUND.cards[:2], rivals=("CatBoost",))
    assert headline(alone).startswith("Traditional machine learning finished alone")
    assert len(sentences(alone)) == 1


def test_a_mixture_is_praised_only_for_a_clear_gain() -> None:
    noise = Spread.of(0.003, FOUND_SAMPLES, 179)
    gain = Spread.of(0.03, FOUND_SAMPLES + 0.027, 179)
    assert "both together 0.871: no clear gain." in sentences(replace(FOUND, together=noise))
    assert any("a gain of 0.030" in each for each in sentences(replace(FOUND, together=gain)))


def test_a_readable_winner_is_said_to_be_readable() -> None:
    assert "It can be read: 9 rules, see the report." in sentences(
        replace(FOUND, winner="decision tree", rivals=("CatBoost", "decision tree"))
    )


def test_thousands_of_weights_are_not_called_readable() -> None:
    cards = (replace(FOUND.cards[0], reads_as="29,459 weights"), *FOUND.cards[1:])
    said = sentences(replace(FOUND, cards=cards, winner=cards[0].name))
    assert "The largest of its 29,459 weights can be read: see the report." in said
