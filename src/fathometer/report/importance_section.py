"""The section on what the winner looks at: a chart of the columns it needs most, and all of them in
a table."""

from __future__ import annotations

from collections.abc import Sequence

from fathometer.report.content import ReportContent, Side
from fathometer.report.drawing import (
    Axis,
    Frame,
    label,
    line,
    mark,
    picture,
    shortened,
    tick_places,
)
from fathometer.report.markup import Markup, tag, together
from fathometer.report.pieces import both_widths, figure, opened_by, paragraph
from fathometer.report.tables import Cell, Heading, table
from fathometer.table.metric import METRICS
from fathometer.verdict.importance import (
    ColumnLoss,
    Importance,
    importance_sentence,
    loss_in_words,
)
from fathometer.verdict.quantities import fixed, places_for, with_interval
from fathometer.wording import counted

CHARTED = 15
NARROWEST = 500  # pixels below which a chart is drawn for a phone


def importance(content: ReportContent) -> Markup:
    """What the winner looks at, or why it is not told."""
    found, missing = content.verdict.importance, content.verdict.no_importance
    if found is None:
        return paragraph(f"This was not measured: {missing}.") if missing else Markup()
    family: Side = content.winner.family if content.winner else "traditional"
    parts = [paragraph(importance_sentence(found))]
    if any(one.low < one.high for one in found.columns):
        chart = both_widths(lambda width: importance_chart(found, family, width))
        parts.append(figure(_caption(found), chart))
    title = f"All {len(found.columns)} columns" if len(found.columns) > 1 else "The column"
    return together(*parts, opened_by(title, _table(found), _left_out(found)))


def _caption(found: Importance) -> str:
    metric = METRICS[found.metric]
    loss = f"How much {metric.label} {'falls' if metric.greater_is_better else 'rises'}"
    first = f" The {CHARTED} largest of {len(found.columns)}." * (len(found.columns) > CHARTED)
    return (
        f"{loss} with the values of one column exchanged among {found.rows:,} rows of the lockbox, "
        f"mean over {counted(found.shuffles, 'exchange')}; lines are 95 % intervals, each of its "
        f"column alone. Filled marks lie clearly above 0, their number allowed for.{first} Columns "
        "that carry the same signal share it: while one is exchanged the other still tells, so "
        "both look weaker than they are together. It is what this model uses, not what causes the "
        "answer."
    )


def _left_out(found: Importance) -> Markup:
    if not found.left_out:
        return Markup()
    return paragraph(
        f"{counted(found.left_out, 'further column')} not measured one by one. These were found by "
        "exchanging blocks of columns and halving the block that moved the answers most.",
        kind="note",
    )


def _table(found: Importance) -> Markup:
    headings = [
        Heading("column"),
        Heading("kind"),
        Heading(f"loss of {METRICS[found.metric].label} [95 %]", True, "positive: it is needed"),
    ]
    rows = [
        [Cell(one.name), Cell(one.kind), Cell(loss_in_words(one), one.value)]
        for one in found.columns
    ]
    return table(headings, rows, sorts=True)


def importance_chart(found: Importance, family: Side, width: int) -> Markup:
    """Each column's loss with its 95 % interval, the largest first, against a line at 0."""
    shown = found.columns[:CHARTED]
    frame = _frame(shown, width)
    # The widest interval tells the places: a shared axis shows no more.
    places = places_for(max(one.high - one.low for one in shown) / 2)
    bottom, metric = frame.bottom(len(shown)), METRICS[found.metric]
    change = "lost" if metric.greater_is_better else "added"
    needed = {one.name for one in found.needed}
    rows = [
        _row(frame, place, one, (family, places, one.name in needed))
        for place, one in enumerate(shown)
    ]
    said = "; ".join(f"{one.name} {with_interval(one, places)}" for one in shown)
    return picture(
        (width, bottom + 44),
        (f"{metric.label} {change} with each column's values exchanged, largest first", said),
        _axis(frame, bottom, f"{metric.label} {change}, needed more →"),
        *rows,
    )


def _frame(shown: Sequence[ColumnLoss], width: int) -> Frame:
    narrow = width < NARROWEST
    left, right = (10.0, width - 10.0) if narrow else (190.0, width - 176.0)
    low, high = min(0.0, *[one.low for one in shown]), max(0.0, *[one.high for one in shown])
    edge = 0.04 * (high - low)
    return Frame(width, Axis(low - edge, high + edge, left, right), 8, 44 if narrow else 28, narrow)


def _axis(frame: Frame, bottom: float, name: str) -> Markup:
    axis = frame.axis
    ticks = axis.ticks(5 if frame.narrow else 7)
    parts = [line("axis", axis.start, bottom, axis.end, bottom)]
    for tick in ticks:
        x = axis.at(tick)
        parts.append(line("zero" if tick == 0 else "grid", x, frame.top, x, bottom))
        parts.append(label(fixed(tick, tick_places(ticks)), x, bottom + 16, "tick", "middle"))
    middle = (axis.start + axis.end) / 2
    return together(*parts, label(name, middle, bottom + 36, "axis-name", "middle"))


def _row(frame: Frame, place: int, one: ColumnLoss, look: tuple[Side, int, bool]) -> Markup:
    family, places, is_clear = look
    axis, y = frame.axis, frame.y(place)
    text_y = y - 15 if frame.narrow else y + 4.5
    name = shortened(one.name, 176 if frame.narrow else 184, 13)
    said = with_interval(one, places)
    low, high, faint = axis.at(one.low), axis.at(one.high), "" if is_clear else " faint"
    return tag(
        "g",
        {"class": family},
        tag("title", {}, f"{one.name}, {one.kind}: {loss_in_words(one)}"),
        label(name, 10 if frame.narrow else 0, text_y, "name"),
        label(said, frame.width - (10 if frame.narrow else 0), text_y, "value", "end"),
        line(f"interval {family}{faint}", low, y, high, y),
        mark(family, axis.at(one.value), y, 5, "mark" if is_clear else "mark open"),
    )
