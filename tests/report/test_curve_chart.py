"""The chart of both families' curves: every point, band and crossing, and all of it in words."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from svg_parts import parts

from fathometer.report.charts import NARROW, WIDE
from fathometer.report.curve_chart import forecast_chart, forecast_section
from fathometer.verdict.forecast import Band, Crossing, Forecast, Measured, Outlook


def outlook(factor: float) -> Outlook:
    reach = 0.01 + 0.02 * np.log10(factor)
    deep, traditional = 0.86 + 0.02 * np.log10(factor), 0.87 + 0.005 * np.log10(factor)
    gap = deep - traditional
    return Outlook(
        factor,
        round(1000 * factor),
        Band(traditional, traditional - reach, traditional + reach),
        Band(deep, deep - reach, deep + reach),
        Band(gap, gap - reach, gap + reach),
        0.3,
        "undecided",
    )


@pytest.fixture
def drawn() -> Forecast:
    return Forecast(
        "roc_auc",
        Measured("LightGBM", (125, 250, 500, 1000), (0.82, 0.845, 0.86, 0.87)),
        Measured("a <network>", (125, 250, 500, 1000), (0.75, 0.80, 0.84, 0.86)),
        Band(-0.01, -0.015, -0.005),
        tuple(outlook(factor) for factor in (2.0, 4.0, 10.0)),
        tuple(outlook(factor) for factor in np.geomspace(1, 10, 25).tolist()),
        Crossing("deep", 4_600, 1_500, None),
    )


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_every_point_band_and_curve_is_drawn_once_for_each_family(drawn, width):
    svg = forecast_chart(drawn, width)
    assert len(parts(svg, "mark")) == 8 + 2  # and the two of the legend
    for family in ("traditional", "deep"):
        assert len([p for p in parts(svg, "forecast-band") if family in p.get("class")]) == 1
        assert len([p for p in parts(svg, "expected") if family in p.get("class")]) == 1


def test_the_families_differ_by_shape_too(drawn):
    tags = {p.tag for p in parts(forecast_chart(drawn, WIDE), "mark")}
    assert tags == {"circle", "path"}


def test_the_crossing_stands_where_it_is_expected(drawn):
    [line] = parts(forecast_chart(drawn, WIDE), "ideal")
    left, right = 58, WIDE - 14
    part = np.log(4_600 / 125) / np.log(10_000 / 125)
    assert float(line.get("x1")) == pytest.approx(left + part * (right - left), abs=0.1)


def test_without_a_crossing_or_with_an_open_gap_none_is_drawn(drawn):
    far = replace(drawn, crossing=Crossing("deep", None, None, None))
    unsettled = replace(drawn, gap=Band(-0.001, -0.01, 0.008))
    for one in (far, unsettled):
        assert parts(forecast_chart(one, WIDE), "ideal") == []


def test_the_chart_is_told_in_words(drawn):
    svg = ElementTree.fromstring(forecast_chart(drawn, WIDE))
    said = svg.get("aria-label")
    for words in ("LightGBM", "0.870 at 1,000 rows", "expected at 10,000 rows", "a <network>"):
        assert words in said


def test_everything_stays_inside_the_picture(drawn):
    wild = tuple(replace(one, deep=Band(one.deep.value, -5.0, 9.0)) for one in drawn.path)
    svg = ElementTree.fromstring(forecast_chart(replace(drawn, path=wild), WIDE))
    _, _, width, height = (float(each) for each in svg.get("viewBox").split())
    for band in (p for p in svg.iter("path") if "forecast-band" in p.get("class")):
        numbers = band.get("d").strip("Mz").replace("L", " ").split()
        xs, ys = [float(x) for x in numbers[::2]], [float(y) for y in numbers[1::2]]
        assert 0 <= min(xs) <= max(xs) <= width
        assert 0 <= min(ys) <= max(ys) <= height


def test_names_from_outside_cannot_become_markup(drawn):
    assert "<network>" not in forecast_section(drawn)


def test_a_missing_forecast_says_why_and_a_silent_one_nothing():
    assert "the run was stopped" in forecast_section(None, "the run was stopped")
    assert forecast_section(None) == ""


def test_equal_and_constant_curves_are_drawn(drawn):
    flat = Measured("one", (500, 1000), (1.0, 1.0))
    still = tuple(
        replace(one, traditional=Band(1.0, 1.0, 1.0), deep=Band(1.0, 1.0, 1.0))
        for one in drawn.path
    )
    same = replace(drawn, traditional=flat, deep=flat, path=still)
    assert "nan" not in forecast_chart(same, WIDE)
