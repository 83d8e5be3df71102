import pytest

from fathometer.app import words
from fathometer.trial.scorecard import Quality


@pytest.mark.parametrize(
    ("number", "said"),
    [(999, "999 B"), (1000, "1.0 KB"), (212_345, "212 KB"), (999_600, "1.0 MB"), (5e9, "5.0 GB")],
)
def test_sizes_have_two_digits_and_a_unit(number: int, said: str) -> None:
    assert words.size(number) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.003, "0.00 s"),
        (3.14, "3.1 s"),
        (9.96, "10 s"),
        (59.6, "1 min 00 s"),
        (125, "2 min 05 s"),
        (3725, "1 h 02 min"),
    ],
)
def test_durations_change_their_unit_as_they_grow(seconds: float, said: str) -> None:
    assert words.duration(seconds) == said


def test_latency_is_said_in_the_smaller_unit_below_a_millisecond() -> None:
    assert [words.latency(each) for each in (0.038, 1.21)] == ["38 µs", "1.2 ms"]


def test_estimated_energy_is_marked() -> None:
    assert words.energy(41.2, is_estimate=True) == "≈41 J"
    assert words.energy(12_345, is_estimate=False) == "12 kJ"


def test_one_is_singular() -> None:
    assert [words.count(n, "row") for n in (0, 1, 1891)] == ["0 rows", "1 row", "1,891 rows"]


def test_scores_have_the_precision_that_their_interval_deserves() -> None:
    area, error = Quality("roc_auc", 0.868, 0.811, 0.917), Quality("rmse", 47_012.3, 46_500, 47_500)
    assert words.score_with_interval(area, words.decimals_for([area])) == "0.868 [0.811, 0.917]"
    assert (
        words.score_with_interval(error, words.decimals_for([error])) == "47,012 [46,500, 47,500]"
    )


def test_interval_without_width_is_not_shown() -> None:
    assert words.score_with_interval(Quality("roc_auc", 0.5, 0.5, 0.5), 3) == "0.500"


def test_score_that_is_not_a_number_is_a_dash() -> None:
    assert words.score(float("nan")) == words.NOTHING


def test_scores_of_small_units_keep_their_digits():
    farads = Quality("rmse", 4.23e-7, 4.1e-7, 4.4e-7)
    shown = words.score_with_interval(farads, words.decimals_for([farads]))
    assert shown == "0.000000423 [0.000000410, 0.000000440]"
