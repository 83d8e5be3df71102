"""The chart of what the winner looks at: every column's loss where it belongs, and in words."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest
from svg_parts import parts

from fathometer.report.charts import NARROW, WIDE
from fathometer.report.importance_section import CHARTED, importance, importance_chart
from fathometer.report.page import render
from fathometer.verdict.importance import ColumnLoss, Importance

COLUMNS = (
    ColumnLoss("sex", "category", 0.14, 0.09, 0.19),
    ColumnLoss("<age>", "number", 0.03, 0.01, 0.05),
    ColumnLoss("parch", "number", -0.002, -0.01, 0.006),
)
FOUND = Importance("CatBoost", "roc_auc", 0.87, 178, 5, COLUMNS)


def with_importance(content, found, **change):
    return replace(content, verdict=replace(content.verdict, importance=found, **change))


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_every_column_has_its_dot_and_interval_right_of_zero_where_needed(width):
    svg = importance_chart(FOUND, "traditional", width)
    [zero] = parts(svg, "zero")
    start = float(zero.get("x1"))
    marks, intervals = parts(svg, "mark"), parts(svg, "interval")
    assert len(marks) == len(intervals) == 3
    places = [float(each.get("cx")) for each in marks]
    assert places[0] > places[1] > start > places[2]
    for mark, interval in zip(marks, intervals, strict=True):
        assert float(interval.get("x1")) < float(mark.get("cx")) < float(interval.get("x2"))
    assert ["open" in each.get("class") for each in marks] == [False, False, True]


def test_the_mark_is_that_of_the_winners_family():
    deep = parts(importance_chart(FOUND, "deep", WIDE), "mark")
    assert {each.tag for each in deep} == {"path"}


def test_the_chart_is_told_in_words_and_in_a_table(binary):
    svg = ElementTree.fromstring(importance_chart(FOUND, "traditional", WIDE))
    assert "sex 0.140 [0.090, 0.190]" in svg.get("aria-label")
    drawn = importance(with_importance(binary, FOUND))
    assert "All 3 columns" in drawn
    assert "−0.0020 [−0.0100, 0.0060]" in drawn
    assert "leans most on &quot;sex&quot;" in drawn
    assert "carry the same signal share it" in drawn
    assert "<age>" not in drawn


def test_of_many_columns_the_largest_are_drawn_and_all_listed(binary):
    many = [ColumnLoss(f"c{n}", "number", 1 / n, 0.9 / n, 1.1 / n) for n in range(1, 41)]
    found = replace(FOUND, columns=tuple(many), left_out=7)
    assert len(parts(importance_chart(found, "traditional", WIDE), "mark")) == CHARTED
    drawn = importance(with_importance(binary, found))
    assert "The 15 largest of 40." in drawn
    assert "7 further columns" in drawn
    assert drawn.count("<tr>") == 41


def test_where_nothing_is_looked_at_there_is_no_chart(binary):
    nothing = tuple(replace(one, value=0.0, low=0.0, high=0.0) for one in COLUMNS)
    drawn = importance(with_importance(binary, replace(FOUND, columns=nothing)))
    assert "looks at no column" in drawn
    assert "<svg" not in drawn


def test_without_it_the_reason_is_said_or_nothing(binary):
    assert importance(binary) == ""
    late = with_importance(binary, None, no_importance="the time did not suffice for <it>")
    assert "This was not measured: the time did not suffice for &lt;it&gt;." in importance(late)


def test_it_stands_between_credit_and_where_they_err(binary):
    page = render(with_importance(binary, FOUND, no_credit="of the time"))
    places = [page.index(f'<section id="{key}"') for key in ("credit", "looks", "errors")]
    assert places == sorted(places)
