"""Both families' learning curves, how they are expected to go on, and where they cross."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fathometer.report.content import ReportContent, Side
from fathometer.report.drawing import Axis, label, line, mark, picture, shortened, tick_places
from fathometer.report.fit_charts import short_number
from fathometer.report.markup import Markup, tag, together
from fathometer.report.pieces import both_widths, figure, paragraph, sentence
from fathometer.table.metric import METRICS
from fathometer.verdict.forecast import Band, Forecast, Measured
from fathometer.verdict.forecast_words import forecast_sentences
from fathometer.verdict.quantities import fixed, places_for, significant

NARROWEST = 500  # pixels below which a chart is drawn for a phone
# A band may be several times as wide as the curves are high; then it runs out of the picture.
MOST_BAND = 1.0  # heights of everything else, above and below


@dataclass(frozen=True)
class _Line:
    """One family's part of the chart."""

    family: Side
    measured: Measured
    bands: tuple[Band, ...]  # along the path


@dataclass(frozen=True)
class _Plane:
    across: Axis  # rows to learn from, by ratio
    up: Axis  # the score


def outlook(content: ReportContent) -> Markup:
    """The section on more data."""
    return forecast_section(content.verdict.forecast, content.verdict.no_forecast)


def forecast_section(found: Forecast | None, missing: str = "") -> Markup:
    """The section on more data: sentences, chart and what it shows; or why there is none."""
    if found is None:
        return paragraph(f"No learning curves were drawn: {missing}.") if missing else Markup()
    metric = METRICS[found.metric].label
    caption = (
        f"{sentence(metric)} out of fold over the rows to learn from. Marks: measured on parts of "
        "the rows. Dashed: expected, shaded with its 90 % interval, which holds what past curves "
        "of other tables left open and the sampling error of today's scores."
    )
    return together(
        *[paragraph(words) for words in forecast_sentences(found)],
        figure(caption, both_widths(lambda width: forecast_chart(found, width))),
    )


def forecast_chart(found: Forecast, width: int) -> Markup:
    """Scores over rows: measured points, expected curves with their bands, and the crossing."""
    narrow = width < NARROWEST
    height = 300 if narrow else 340
    lines = (
        _Line("traditional", found.traditional, tuple(one.traditional for one in found.path)),
        _Line("deep", found.deep, tuple(one.deep for one in found.path)),
    )
    metric = METRICS[found.metric]
    across = Axis(found.deep.rows[0], found.path[-1].rows, 58, width - 14, log=True)
    plane = _Plane(across, Axis(*_score_range(lines), height - 46, 44 if narrow else 30))
    rows = [one.rows for one in found.path]
    better = "↑" if metric.greater_is_better else "↓"
    return picture(
        (width, height),
        (f"{metric.label} over rows to learn from, with a forecast", _said(found)),
        _grid(plane, 4 if narrow else 7),
        *[_band(plane, one, rows) for one in lines],
        _today(plane, found),
        _crossing(plane, found),
        *[_curve(plane, one, rows) for one in lines],
        *_legend(lines, width),
        label(f"{metric.label}, better {better}", plane.across.start + 6, plane.up.end + 14,
              "axis-name"),
        label("rows to learn from", (across.start + across.end) / 2, height - 8, "axis-name",
              "middle"),
    )  # fmt: skip


def _score_range(lines: Sequence[_Line]) -> tuple[float, float]:
    """What the score axis spans: all values, and bands as far as they do not flatten these."""
    values = [score for one in lines for score in one.measured.scores]
    values += [band.value for one in lines for band in one.bands]
    low, high = min(values), max(values)
    room = MOST_BAND * ((high - low) or abs(high) * 0.01 or 0.01)
    ends = [end for one in lines for band in one.bands for end in (band.low, band.high)]
    low = max(min(low, *ends), low - room)
    high = min(max(high, *ends), high + room)
    edge = (high - low) * 0.05
    return low - edge, high + edge


def _grid(plane: _Plane, most: int) -> Markup:
    across, up = plane.across, plane.up
    ticks = up.ticks(5)
    places = tick_places(ticks)
    parts = []
    for tick in ticks:
        parts.append(line("grid", across.start, up.at(tick), across.end, up.at(tick)))
        parts.append(label(fixed(tick, places), across.start - 6, up.at(tick) + 4, "tick", "end"))
    for tick in across.ticks(most):
        parts.append(line("grid", across.at(tick), up.start, across.at(tick), up.end))
        parts.append(label(short_number(tick), across.at(tick), up.start + 16, "tick", "middle"))
    return together(*parts)


def _band(plane: _Plane, drawn: _Line, rows: Sequence[int]) -> Markup:
    spots = list(zip(rows, drawn.bands, strict=True))
    above = [f"{plane.across.at(n):.1f} {plane.up.at(band.high):.1f}" for n, band in spots]
    below = [f"{plane.across.at(n):.1f} {plane.up.at(band.low):.1f}" for n, band in spots]
    path = "M" + "L".join(above + below[::-1]) + "z"
    return tag("path", {"class": f"forecast-band {drawn.family}", "d": path})


def _curve(plane: _Plane, drawn: _Line, rows: Sequence[int]) -> Markup:
    measured = list(zip(drawn.measured.rows, drawn.measured.scores, strict=True))
    ahead = [(n, band.value) for n, band in zip(rows, drawn.bands, strict=True)]
    marks = [
        tag(
            "g",
            {},
            tag("title", {}, f"{drawn.measured.name}, {n:,} rows: {significant(score, 4)}"),
            mark(drawn.family, plane.across.at(n), plane.up.at(score), 4),
        )
        for n, score in measured
    ]
    return together(
        tag("path", {"class": f"curve {drawn.family}", "d": _path(plane, measured)}),
        tag("path", {"class": f"curve expected {drawn.family}", "d": _path(plane, ahead)}),
        *marks,
    )


def _path(plane: _Plane, spots: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(
        f"{plane.across.at(n):.1f} {plane.up.at(value):.1f}" for n, value in spots
    )


def _today(plane: _Plane, found: Forecast) -> Markup:
    x = plane.across.at(found.rows)
    return together(
        line("axis", x, plane.up.start, x, plane.up.end),
        label("today", x + 4, plane.up.start - 6, "tick"),
    )


def _crossing(plane: _Plane, found: Forecast) -> Markup:
    rows = found.crossing.rows
    if rows is None or rows <= found.rows or found.is_open:
        return Markup()
    x = plane.across.at(rows)
    anchor = "end" if x > plane.across.end - 90 else "start"
    place = x - 4 if anchor == "end" else x + 4
    return together(
        line("ideal", x, plane.up.start, x, plane.up.end),
        label("crossing", place, plane.up.end + 14, "tick", anchor),
    )


def _legend(lines: Sequence[_Line], width: int) -> list[Markup]:
    """The two names with their marks; one under the other where there is no room beside."""
    narrow = width < NARROWEST
    parts = []
    for place, one in enumerate(lines):
        x = 64.0 if narrow else 64.0 + place * 230
        y = 12.0 + 18 * place if narrow else 14.0
        parts.append(mark(one.family, x, y, 5))
        parts.append(label(shortened(one.measured.name, 200, 13), x + 12, y + 4.5))
    return parts


def _said(found: Forecast) -> str:
    """The chart in words."""
    ends = [one.traditional for one in found.outlooks] + [one.deep for one in found.outlooks]
    places = places_for(min((band.high - band.low) / 2 for band in ends))
    told = []
    for family in (found.traditional, found.deep):
        points = zip(family.rows, family.scores, strict=True)
        listed = ", ".join(f"{fixed(score, places)} at {rows:,} rows" for rows, score in points)
        told.append(f"{family.name}: {listed}")
    for one in found.outlooks:
        bands = " and ".join(
            f"{fixed(band.value, places)} [{fixed(band.low, places)}, {fixed(band.high, places)}]"
            for band in (one.traditional, one.deep)
        )
        told.append(f"expected at {one.rows:,} rows: {bands}")
    return "; ".join(told)
