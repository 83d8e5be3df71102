"""The section on errors: calibration, confusion, predicted against actual."""

from __future__ import annotations

from fathometer.report.content import ReportContent
from fathometer.report.fit_charts import (
    error_chart,
    reliability_chart,
    scatter_chart,
    spread_words,
    value_range,
)
from fathometer.report.markup import Markup, tag, together
from fathometer.report.pieces import both_widths, bullets, figure, model_title
from fathometer.report.tables import confusion_table


def errors(content: ReportContent) -> Markup:
    """Calibration, confusion and residuals."""
    return together(_calibration(content), _confusions(content), _residuals(content))


def _calibration(content: ReportContent) -> Markup:
    if not content.reliability:
        return Markup()
    charts = [
        tag("div", {}, model_title(one.model, one.family, content.verdict.winner),
            reliability_chart(one))
        for one in content.reliability
    ]  # fmt: skip
    caption = (
        "Of the rows given a probability of 0.7, about 70 % should come true: marks on the dashed "
        "line. Faint lines are 95 % intervals, bars the number of rows."
    )
    return together(
        tag("h3", {}, "Calibration"), figure(caption, tag("div", {"class": "several"}, *charts))
    )


def _confusions(content: ReportContent) -> Markup:
    if not content.confusions:
        return Markup()
    grids = [
        tag("div", {}, model_title(one.model, one.family, content.verdict.winner),
            confusion_table(one))
        for one in content.confusions
    ]  # fmt: skip
    caption = (
        "Unseen rows by true class and by answer. “found”: the share of a class's rows that were "
        "answered with it. The stronger the colour, the larger its share of the row."
    )
    return together(
        tag("h3", {}, "Confusion matrix"), figure(caption, tag("div", {"class": "pair"}, *grids))
    )


def _residuals(content: ReportContent) -> Markup:
    drawn = content.residuals
    if not drawn:
        return Markup()
    span = value_range(drawn)
    charts = [
        tag("div", {}, model_title(one.model, one.family, content.verdict.winner),
            scatter_chart(one, span))
        for one in drawn
    ]  # fmt: skip
    spread = figure(
        "Line: nine in ten errors. Bar: half of them. Mark: the middle one.",
        both_widths(lambda width: error_chart(drawn, width)),
    )
    lines = [f"{one.model}: {spread_words(one)}." for one in drawn if spread_words(one)]
    return together(
        tag("h3", {}, "Predicted against actual"),
        figure(f"“{content.task.target}” on unseen rows; the dashed line is a perfect answer.",
               tag("div", {"class": "several"}, *charts)),
        tag("h3", {}, "Errors"),
        spread,
        bullets(lines),
    )  # fmt: skip
