"""The square of credit: every number that it rests on is there, the best corner the darkest."""

from __future__ import annotations

import re
from dataclasses import replace

from fathometer.report.credit_section import credit
from fathometer.verdict.credit import Corner, Credit, Effect

CREDIT = Credit(
    "rmse",
    4800,
    (
        Corner("engineered", "classical", "LightGBM", 46_000, 44_000, 48_000),
        Corner(
            "engineered", "network", "perceptron on engineered features", 51_900, 49_500, 54_100
        ),
        Corner("learned", "classical", "trees on the features of <net>", 45_800, 43_600, 48_000),
        Corner("learned", "network", "<net>", 45_700, 43_500, 48_000),
    ),
    Effect(3_188.8, 2_138.9, 4_276.7),
    Effect(-2_874.1, -3_505.7, -2_250.4),
    "The features matter most.",
)


def test_square_says_every_corner_and_both_effects(regression):
    drawn = credit(replace(regression, verdict=replace(regression.verdict, credit=CREDIT)))
    for words in ("46,000", "44,000 to 48,000", "+3,200 [+2,100, +4,300]", "−2,870 ["):
        assert words in drawn
    assert "&lt;net&gt;" in drawn
    assert "<net>" not in drawn


def test_less_error_is_darker(regression):
    drawn = credit(replace(regression, verdict=replace(regression.verdict, credit=CREDIT)))
    shades = [float(one) for one in re.findall(r"var\(--shade\), ([0-9.]+)\)", drawn)]
    assert shades[1] == 0
    assert shades[3] == max(shades) > shades[0] > 0


def test_without_credit_the_reason_is_said_or_nothing(regression):
    assert credit(regression) == ""
    late = replace(regression.verdict, no_credit="the time did not suffice for <it>")
    said = credit(replace(regression, verdict=late))
    assert "This was not measured: the time did not suffice for &lt;it&gt;." in said
