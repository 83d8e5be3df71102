"""Numbers in words: with their unit, alike everywhere, and never more digits than they deserve."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from fathometer.trial.scorecard import Bill, Quality
from fathometer.verdict.quantities import (
    DASH,
    bare,
    duration,
    energy,
    file_size,
    fixed,
    latency,
    places_for,
    scored,
    shared_places,
    signed,
    significant,
    training_energy,
    training_rows,
    with_interval,
)

BILL = Bill(3.1, 41.2, "estimated", 10, 212_000, 0.038, 0.1, 1e5)


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "0 B"), (1, "1 B"), (999, "999 B"), (1000, "1 KB"), (7_500, "7.5 KB"), (212_345, "212 KB"),
     (999_600, "1 MB"), (1_460_000, "1.5 MB"), (5e9, "5 GB")],
)  # fmt: skip
def test_sizes_are_written_in_thousands_of_bytes(number: float, said: str) -> None:
    assert file_size(number) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (38e-6, "38 µs"), (0.003, "3.0 ms"), (0.02, "0.02 s"), (0.19, "0.19 s"),
     (0.996, "1.0 s"), (3.14, "3.1 s"), (9.96, "10 s"), (59.6, "1 min 00 s"), (125, "2 min 05 s"),
     (250, "4 min 10 s"), (599.6, "10 min"), (1_500, "25 min"), (3_580, "1 h 00 min"),
     (3_725, "1 h 02 min"), (7_200, "2 h 00 min")],
)  # fmt: skip
def test_durations_change_their_unit_as_they_grow(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_latency_is_said_in_the_unit_that_suits_it() -> None:
    times = [latency(each) for each in (0.038, 0.4884, 0.9996, 1.21, 345, 1_500)]
    assert times == ["38 µs", "488 µs", "1.0 ms", "1.2 ms", "345 ms", "1.5 s"]


def test_a_limit_is_said_as_it_was_asked_for() -> None:
    assert [file_size(each, is_exact=True) for each in (1e5, 1.25e6)] == ["100 KB", "1.25 MB"]
    assert [latency(each, is_exact=True) for each in (0.1, 1, 1.25)] == [
        "100 µs",
        "1 ms",
        "1.25 ms",
    ]


def test_energy_has_two_digits_and_three_from_a_hundred_on() -> None:
    said = [energy(each) for each in (0, 0.9, 41.2, 345, 1_234, 12_345, 2.5e6)]
    assert said == ["0 J", "0.90 J", "41 J", "345 J", "1.2 kJ", "12 kJ", "2.5 MJ"]


def test_estimated_energy_is_marked() -> None:
    assert training_energy(BILL) == "≈41 J"
    assert training_energy(replace(BILL, energy_source="measured")) == "41 J"
    assert training_energy(replace(BILL, energy_joules=math.nan)) == DASH


def test_a_score_is_written_as_exactly_as_its_interval_deserves() -> None:
    narrow = Quality("roc_auc", 0.86842, 0.8111, 0.9172)
    assert with_interval(narrow, shared_places([narrow])) == "0.868 [0.811, 0.917]"
    assert scored(narrow, shared_places([narrow])) == "0.868 ± 0.053"
    wide = Quality("rmse", 47_012.3, 46_500.0, 47_500.0)
    assert with_interval(wide, shared_places([wide])) == "47,010 [46,500, 47,500]"
    wider = Quality("rmse", 24_310.0, 22_960.0, 25_490.0)
    assert with_interval(wider, shared_places([wider])) == "24,300 [23,000, 25,500]"
    assert scored(Quality("rmse", 46_982.4, 45_790.0, 48_170.0), -2) == "47,000 ± 1,200"


def test_scores_of_small_units_keep_their_digits() -> None:
    farads = Quality("rmse", 4.23e-7, 4.1e-7, 4.4e-7)
    shown = with_interval(farads, shared_places([farads]))
    assert shown == "0.000000423 [0.000000410, 0.000000440]"


def test_interval_without_width_is_not_shown() -> None:
    known = Quality("roc_auc", 0.5, 0.5, 0.5)
    assert with_interval(known, 3) == scored(known, 3) == "0.500"
    assert shared_places([known]) == places_for(0.0) == 3


def test_the_middle_interval_tells_the_places_of_all() -> None:
    known, narrow = Quality("r2", 0.5, 0.5, 0.5), Quality("r2", 0.9, 0.89, 0.91)
    sure = Quality("r2", 0.3, 0.2999999, 0.3000001)
    assert shared_places([known, sure, narrow, Quality("r2", 0.1, -0.3, 0.4)]) == 3


def test_nothing_is_written_as_minus_zero() -> None:
    assert with_interval(Quality("r2", -0.0004, -0.02, 0.02), 3) == "0.000 [−0.020, 0.020]"
    assert (fixed(-0.0001, 3), fixed(-0.5, 1)) == ("0.000", "−0.5")
    assert [signed(each, 2) for each in (0.5, -0.5, -0.001)] == ["+0.50", "−0.50", "0.00"]


def test_significant_digits_are_kept_and_bare_ones_lose_their_zeros() -> None:
    said = [significant(each, 2) for each in (3.14159, 0.00123, 26_123)]
    assert said == ["3.1", "0.0012", "26,000"]
    assert [bare(each) for each in (0.005, 250.0, 2.0)] == ["0.005", "250", "2"]


@pytest.mark.parametrize("said", [duration, latency, energy, file_size, significant, bare])
def test_what_is_not_a_number_is_a_dash(said) -> None:
    assert said(math.nan) == said(math.inf) == fixed(math.nan, 2) == DASH


def test_training_rows_in_a_file_are_told_with_how_often_they_are_there():
    told = [training_rows(sets) for sets in ((), (1,), (2_500,), (300, 300), (8_192, 7_904))]
    assert told == [
        "",
        "1 training row",
        "2,500 training rows",
        "2 sets of 300 training rows",
        "2 sets of up to 8,192 training rows",
    ]
