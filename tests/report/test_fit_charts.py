from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from fathometer.report.diagnosis import residuals
from fathometer.report.fit_charts import (
    error_chart,
    reliability_chart,
    scatter_chart,
    short_number,
    spread_words,
    value_range,
)


def test_calibration_shows_a_mark_for_each_bin(binary):
    drawn = binary.reliability[0]
    root = ElementTree.fromstring(reliability_chart(drawn))
    assert sum("mark" in (e.get("class") or "") for e in root.iter()) == len(drawn.counts)


def test_a_scatter_shows_every_row_of_its_sample(regression):
    drawn = regression.residuals[0]
    root = ElementTree.fromstring(scatter_chart(drawn, value_range(regression.residuals)))
    dots = "".join(e.get("d") for e in root.iter("path") if "dots" in e.get("class"))
    assert dots.count("M") == len(drawn.actual)


def test_a_perfect_constant_model_is_drawn():
    drawn = residuals("m", "deep", np.full(5, 2.0), np.full(5, 2.0))
    ElementTree.fromstring(scatter_chart(drawn, value_range([drawn])))
    ElementTree.fromstring(error_chart([drawn], 360))


def test_an_endless_prediction_does_not_spoil_the_scatter():
    drawn = residuals("m", "deep", np.array([1.0, 2.0]), np.array([1.0, 2.0]))
    spoiled = replace(drawn, predicted=(1.0, float("inf")))
    assert "nan" not in scatter_chart(spoiled, value_range([spoiled]))


def test_errors_are_said_in_words_too(regression):
    assert "nine in ten from" in spread_words(regression.residuals[0])


@pytest.mark.parametrize(
    ("value", "words"), [(200_000, "200k"), (-2_500_000, "−2.5M"), (0.25, "0.25"), (1000, "1,000")]
)
def test_ticks_are_short(value, words):
    assert short_number(value) == words
