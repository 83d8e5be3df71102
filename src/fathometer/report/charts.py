"""The three-way bar, the paired difference and the contest chart.

Every chart is drawn for a width in pixels: the page holds a wide one and a narrow one and shows
what fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fathometer.report.drawing import (
    Axis,
    Frame,
    label,
    line,
    mark,
    picture,
    shortened,
    star,
    tick_places,
)
from fathometer.report.markup import Markup, tag, together
from fathometer.table.metric import METRICS
from fathometer.trial.scorecard import Quality, Scorecard
from fathometer.verdict.chances import chances, percent
from fathometer.verdict.quantities import (
    bare,
    fixed,
    places_for,
    shared_places,
    signed,
    with_interval,
)
from fathometer.verdict.verdict import Gap

WIDE, NARROW = 760, 360
# An axis is broken where the next contestant would stretch it to more than so many times its
# length: a constant far below must not press the others into one dot.
STRETCH = 2.5
BREAK = 34  # pixels beyond the break of an axis


@dataclass(frozen=True)
class Reach:
    """The part of the score axis that is drawn, and on which sides contestants lie beyond it."""

    low: float
    high: float
    cut_low: bool
    cut_high: bool


def scored_cards(cards: Sequence[Scorecard]) -> list[tuple[Scorecard, Quality]]:
    """The cards that have a quality, with it."""
    return [(card, card.quality) for card in cards if card.quality is not None]


def reach(qualities: Sequence[Quality]) -> Reach:
    """How far the axis reaches; `qualities` come best first."""
    low = min(q.low for q in qualities[:3])
    high = max(q.high for q in qualities[:3])
    for quality in qualities[3:]:
        wider = max(high, quality.high) - min(low, quality.low)
        if wider <= STRETCH * (high - low):
            low, high = min(low, quality.low), max(high, quality.high)
    if high <= low:
        low, high = low - abs(low) * 0.1 - 0.01, high + abs(high) * 0.1 + 0.01
    edge = 0.04 * (high - low)
    return Reach(
        low - edge,
        high + edge,
        cut_low=any(q.value < low for q in qualities),
        cut_high=any(q.value > high for q in qualities),
    )


def three_way_bar(gap: Gap) -> Markup:
    """How probable each of the three answers is, as one bar; labels stand below it in the page."""
    parts = (
        ("traditional", gap.traditional_better),
        ("equal", gap.equivalent),
        ("deep", gap.deep_better),
    )
    traditional, equal, deep = map(percent, chances(gap))
    words = f"Traditional better {traditional}, practically equal {equal}, deep better {deep}"
    x, boxes = 0.0, []
    for kind, probability in parts:
        width = probability * WIDE
        boxes.append(tag("rect", {"class": f"part {kind}", "x": x, "y": 0, "width": width,
                                  "height": 26}))  # fmt: skip
        x += width
    hatch = tag("path", {"class": "hatch", "d": _hatch(gap.traditional_better * WIDE,
                                                      gap.equivalent * WIDE)})  # fmt: skip
    box = {"viewBox": f"0 0 {WIDE} 26", "role": "img", "aria-label": words}
    return tag("svg", {**box, "preserveAspectRatio": "none"}, *boxes, hatch)


def _hatch(start: float, width: float) -> str:
    lines = []
    x = start + 6
    while x + 10 < start + width:
        lines.append(f"M{x:.0f} 22l10 -18")
        x += 14
    return "".join(lines)


def gap_chart(gap: Gap, metric: str, width: int) -> Markup:
    """The paired difference, deep against traditional, with its interval and the zone of
    practical equality."""
    most = 1.12 * max(abs(gap.low), abs(gap.high), gap.zone * 1.3, 1e-12)
    axis = Axis(-most, most, 14, width - 14)
    places = places_for((gap.high - gap.low) / 2)
    height, y = 92, 40
    zone = tag("rect", {"class": "zone", "x": axis.at(-gap.zone), "y": 18,
                        "width": axis.at(gap.zone) - axis.at(-gap.zone),
                        "height": 44})  # fmt: skip
    scale = []
    for tick in (ticks := axis.ticks(5 if width < 500 else 7)):
        scale.append(line("grid", axis.at(tick), 62, axis.at(tick), 67))
        scale.append(label(signed(tick, tick_places(ticks)), axis.at(tick), 81, "tick", "middle"))
    said = (
        f"Deep minus traditional in {metric}, turned so that right is better for deep: "
        f"{signed(gap.value, places)}, 95 % interval {signed(gap.low, places)} to "
        f"{signed(gap.high, places)}; differences within {bare(gap.zone)} have no "
        "practical meaning"
    )
    return picture(
        (width, height),
        ("Paired difference on the same rows", said),
        zone,
        line("zero", axis.at(0), 18, axis.at(0), 62),
        line("grid", axis.start, 62, axis.end, 62),
        line("interval ink", axis.at(gap.low), y, axis.at(gap.high), y),
        tag("circle", {"class": "mark ink", "cx": axis.at(gap.value), "cy": y, "r": 6}),
        label("← traditional better", axis.start, 11, "tick"),
        label("deep better →", axis.end, 11, "tick", "end"),
        *scale,
    )


@dataclass(frozen=True)
class ContestFrame(Frame):
    """That of the contest chart, and what its axis reaches."""

    reach: Reach


def contest_chart(cards: Sequence[Scorecard], winner: str, zone: float, width: int) -> Markup:
    """Every contestant's score and 95 % interval on one axis; `cards` come best first."""
    pairs = scored_cards(cards)
    qualities = [quality for _, quality in pairs]
    frame = _frame(reach(qualities), width)
    places = shared_places(qualities)
    bottom = frame.bottom(len(pairs))
    rows = [
        _contest_row(frame, place, card, quality, (places, card.name == winner))
        for place, (card, quality) in enumerate(pairs)
    ]
    best = next((q for card, q in pairs if card.name == winner), qualities[0])
    said = "; ".join(f"{card.name} ({card.family}) {with_interval(q, places)}" for card, q in pairs)
    metric = METRICS[best.metric]
    return picture(
        (width, bottom + 44),
        (f"{metric.label} of every contestant with its 95 % interval, best first", said),
        _zone_band(frame, best, zone, bottom),
        _score_axis(frame, bottom, metric.label, metric.greater_is_better),
        *rows,
    )


def _frame(drawn: Reach, width: int) -> ContestFrame:
    narrow = width < 500
    left, right = (10.0, width - 10.0) if narrow else (190.0, width - 176.0)
    start = left + (BREAK if drawn.cut_low else 0)
    end = right - (BREAK if drawn.cut_high else 0)
    axis = Axis(drawn.low, drawn.high, start, end)
    return ContestFrame(width, axis, 8, 44 if narrow else 30, narrow, drawn)


def _zone_band(frame: Frame, best: Quality, zone: float, bottom: float) -> Markup:
    if zone <= 0:
        return Markup()
    left, right = frame.axis.at(best.value - zone), frame.axis.at(best.value + zone)
    box: dict[str, str | float] = {
        "class": "zone",
        "x": left,
        "y": frame.top,
        "width": right - left,
    }
    return tag("rect", {**box, "height": bottom - frame.top})


def _score_axis(frame: ContestFrame, bottom: float, metric: str, greater_is_better: bool) -> Markup:
    axis = frame.axis
    ticks = axis.ticks(5 if frame.narrow else 7)
    parts = [line("axis", axis.start, bottom, axis.end, bottom)]
    for tick in ticks:
        parts.append(line("grid", axis.at(tick), frame.top, axis.at(tick), bottom))
        words = fixed(tick, tick_places(ticks))
        parts.append(label(words, axis.at(tick), bottom + 16, "tick", "middle"))
    if frame.reach.cut_low:
        parts.append(_axis_break(axis.start, -1, frame.top, bottom))
    if frame.reach.cut_high:
        parts.append(_axis_break(axis.end, 1, frame.top, bottom))
    words = f"{metric}, better →" if greater_is_better else f"← better, {metric}"
    middle = (axis.start + axis.end) / 2
    parts.append(label(words, middle, bottom + 36, "axis-name", "middle"))
    return together(*parts)


def _axis_break(x: float, side: int, top: float, bottom: float) -> Markup:
    """Two slanted strokes across the axis, and a dotted line up: beyond it the scale ends."""
    beyond = x + side * BREAK
    return together(
        line("axis dotted", x, bottom, beyond, bottom),
        line("break", x + side * 6 - 3, bottom + 6, x + side * 6 + 3, bottom - 6),
        line("break", x + side * 11 - 3, bottom + 6, x + side * 11 + 3, bottom - 6),
        line("axis dotted", x + side * 8.5, top, x + side * 8.5, bottom - 7),
    )


def _contest_row(
    frame: ContestFrame, place: int, card: Scorecard, quality: Quality, look: tuple[int, bool]
) -> Markup:
    places, wins = look
    y = frame.y(place)
    text_y = y - 15 if frame.narrow else y + 4.5
    name_x, value_x = (28, frame.width - 10) if frame.narrow else (26, frame.width)
    name = shortened(card.name, 160 if frame.narrow else 158, 13)
    kind = "name winner" if wins else "name"
    parts = [
        tag("title", {}, f"{card.name}, {card.family}: {with_interval(quality, places)}"),
        label(name, name_x, text_y, kind),
        label(with_interval(quality, places), value_x, text_y, "value", "end"),
        _interval(frame, card, quality, y),
    ]
    if wins:
        parts.append(star(12, text_y - 5))
    return tag("g", {"class": card.family}, *parts)


def _interval(frame: ContestFrame, card: Scorecard, quality: Quality, y: float) -> Markup:
    axis, drawn = frame.axis, frame.reach
    if quality.value < drawn.low:
        return _beyond(card, axis.start - BREAK / 2 - 4, -1, y)
    if quality.value > drawn.high:
        return _beyond(card, axis.end + BREAK / 2 + 4, 1, y)
    low, high = axis.at(quality.low), axis.at(quality.high)
    parts = [line(f"interval {card.family}", low, y, high, y)]
    for value, x in ((quality.low, low), (quality.high, high)):
        if drawn.low <= value <= drawn.high and quality.high > quality.low:
            parts.append(line(f"interval-end {card.family}", x, y - 4, x, y + 4))
    return together(*parts, mark(card.family, axis.at(quality.value), y))


def _beyond(card: Scorecard, x: float, side: int, y: float) -> Markup:
    """An open mark with an arrow: this contestant lies farther out than the axis is drawn."""
    tip = x + side * 15
    arrow = f"M{x + side * 8:.1f} {y:.1f}H{tip:.1f}m{-side * 4} -4l{side * 4} 4 {-side * 4} 4"
    return together(
        mark(card.family, x, y, 5, "mark open"),
        tag("path", {"class": f"arrow {card.family}", "d": arrow}),
    )
