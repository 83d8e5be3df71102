"""The section on credit: four corners, features by learner, and what each of the two is worth."""

from __future__ import annotations

from fathometer.report.content import ReportContent
from fathometer.report.markup import Markup, tag, together
from fathometer.report.pieces import figure, paragraph, sentence
from fathometer.table.metric import METRICS
from fathometer.verdict.credit import Corner, Credit, in_words
from fathometer.verdict.quantities import fixed, shared_places

STRONGEST = 0.42  # opacity of the best corner's shade; letters stay readable on it


def credit(content: ReportContent) -> Markup:
    """Who deserves the credit, as a square that is shaded by quality; or why it is not told."""
    found, missing = content.verdict.credit, content.verdict.no_credit
    if found is None:
        return paragraph(f"This was not measured: {missing}.") if missing else Markup()
    metric = METRICS[found.metric]
    caption = (
        f"{sentence(metric.label)} out of fold on {found.rows:,} training rows, with 95 % "
        "intervals; the stronger the shade, the better. No row of the lockbox was asked."
    )
    return together(paragraph(found.sentence), figure(caption, _square(found), kind="credit"))


def _square(found: Credit) -> Markup:
    up = METRICS[found.metric].greater_is_better
    values = [corner.value if up else -corner.value for corner in found.corners]
    span = max(values) - min(values)
    shades = [(value - min(values)) / span if span else 0.0 for value in values]
    places = shared_places(found.corners)
    cells = [_corner(one, shade, places) for one, shade in zip(found.corners, shades, strict=True)]
    heads = [tag("th", {"scope": "col"}, name) for name in ("classical learner", "network")]
    rows = [
        tag("tr", {}, tag("th", {"scope": "row"}, name), *cells[first : first + 2])
        for name, first in (("engineered features", 0), ("learned features", 2))
    ]
    worth = together(
        f"learned instead of engineered features {in_words(found.features)}",
        " · ",
        f"network instead of classical learner {in_words(found.learner)}",
    )
    square = tag("table", {}, tag("thead", {}, tag("tr", {}, tag("td", {}), *heads)),
                 tag("tbody", {}, *rows))  # fmt: skip
    return together(square, paragraph(worth, kind="note"))


def _corner(corner: Corner, shade: float, places: int) -> Markup:
    looks = {"style": f"background: rgba(var(--shade), {STRONGEST * shade:.2f})"}
    value, low, high = (fixed(each, places) for each in (corner.value, corner.low, corner.high))
    return tag(
        "td", looks, tag("strong", {}, value), tag("span", {}, f"{low} to {high}"),
        tag("small", {}, corner.name),
    )  # fmt: skip
