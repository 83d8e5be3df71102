import math

import pytest

from fathometer.report.quantities import (
    bare,
    file_size,
    measured,
    prefixed,
    scored,
    share,
    shared_places,
)
from fathometer.trial.scorecard import Quality
from fathometer.verdict.quantities import fixed, places_for, significant


def test_a_score_is_written_as_exactly_as_its_interval_deserves():
    narrow = Quality("roc_auc", 0.86842, 0.8111, 0.9172)
    assert scored(narrow, shared_places([narrow])) == "0.868 [0.811, 0.917]"
    wide = Quality("rmse", 24_310.0, 22_960.0, 25_490.0)
    assert scored(wide, shared_places([wide])) == "24,300 [23,000, 25,500]"


def test_a_score_without_width_has_no_interval():
    assert scored(Quality("roc_auc", 0.5, 0.5, 0.5), 3) == "0.500"


def test_no_probability_is_rounded_into_certainty():
    assert [share(0.0), share(0.58), share(1.0)] == ["under 1 %", "58 %", "over 99 %"]


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [(38e-6, "s", "38 µs"), (3.1, "s", "3.1 s"), (4_000, "s", "4,000 s"), (0, "J", "0 J"),
     (0.9999, "s", "1.0 s"), (1_640, "J", "1.6 kJ")],
)  # fmt: skip
def test_a_quantity_takes_the_prefix_that_reads_best(value, unit, words):
    assert prefixed(value, unit) == words


def test_sizes_are_written_in_thousands_of_bytes():
    assert [file_size(0), file_size(212_345), file_size(1_400_000)] == ["0 B", "212 KB", "1.4 MB"]


def test_measurements_show_two_digits_or_three_from_a_hundred_on():
    assert [measured(v) for v in (0.0031, 3.14, 41.4, 212.3)] == ["0.0031", "3.1", "41", "212"]
    assert [bare(0.005), bare(250.0), bare(2.0)] == ["0.005", "250", "2"]


def test_what_is_not_a_number_is_a_dash():
    assert fixed(math.nan, 2) == significant(math.inf) == prefixed(math.nan, "s") == "–"
    assert places_for(0.0) == 3


def test_nothing_is_written_as_minus_zero():
    assert fixed(-0.0004, 3) == "0.000"
