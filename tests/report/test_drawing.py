import pytest

from fathometer.report.drawing import Axis, mark, picture, tick_places


@pytest.mark.parametrize("low", [-3.0, 0.0, 0.4221, 21_000.0])
@pytest.mark.parametrize("span", [1e-5, 0.03, 1.0, 7_777.0])
def test_ticks_are_few_and_on_the_axis(low, span):
    ticks = Axis(low, low + span, 0, 100).ticks(6)
    assert 2 <= len(ticks) <= 7
    assert all(low - 1e-9 <= tick <= low + span + 1e-9 for tick in ticks)


@pytest.mark.parametrize("ratio", [3.0, 40.0, 1e4, 1e12])
def test_ticks_of_a_log_axis_are_few_and_on_it(ratio):
    ticks = Axis(0.002, 0.002 * ratio, 0, 100, log=True).ticks(6)
    assert 1 <= len(ticks) <= 6
    assert all(0.00199 <= tick <= 0.00201 * ratio for tick in ticks)


def test_values_outside_stand_at_the_nearer_end():
    axis = Axis(0, 1, 10, 110)
    assert [axis.at(value) for value in (-5, 0.5, 7)] == [10, 60, 110]


def test_an_axis_without_length_puts_its_value_in_the_middle():
    assert Axis(2, 2, 0, 100).at(2) == 50


def test_tick_labels_tell_ticks_apart():
    assert [tick_places([0.78, 0.8]), tick_places([0.0, 0.005]), tick_places([0, 1000])] == [
        2,
        3,
        0,
    ]


def test_every_family_has_its_own_shape():
    shapes = {mark(family, 5, 5).split()[0] for family in ("traditional", "deep", "both")}
    assert len(shapes) == 3


def test_a_picture_says_in_words_what_it_shows():
    drawn = picture((10, 10), ("A title", "3 < 4"))
    assert 'role="img"' in drawn
    assert 'aria-label="A title. 3 &lt; 4"' in drawn
    assert "<desc>3 &lt; 4</desc>" in drawn


@pytest.mark.parametrize("size", [1e-12, 1e-3, 1e12])
def test_ticks_differ_at_every_size(size):
    ticks = Axis(1.0 * size, 4.3 * size, 0, 100).ticks()
    assert len(set(ticks)) == len(ticks) > 2
    assert tick_places(ticks) >= 0
