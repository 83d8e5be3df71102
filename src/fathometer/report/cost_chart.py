"""Cost against quality: one chart for each cost, better up, cheaper to the left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fathometer.report.charts import Reach, reach, scored_cards
from fathometer.report.drawing import (
    Axis,
    label,
    line,
    mark,
    picture,
    shortened,
    star,
    text_width,
    tick_places,
)
from fathometer.report.markup import Markup, tag, together
from fathometer.table.metric import METRICS
from fathometer.trial.scorecard import Bill, Quality, Scorecard
from fathometer.verdict.quantities import (
    bare,
    duration,
    energy,
    file_size,
    fixed,
    latency,
    shared_places,
    with_interval,
)

BREAK = 30  # pixels beyond the broken end of the score axis
FONT = 12.0
PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "µ"))


@dataclass(frozen=True)
class Cost:
    """One cost of a bill: what it is called, how it is taken and how it is written."""

    key: str
    title: str
    axis_name: str
    unit: str  # of the axis
    of: Callable[[Bill], float]
    written: Callable[[float], str]


COSTS = (
    Cost("train", "training time", "training time", "s", lambda bill: bill.train_seconds, duration),
    Cost("latency", "latency", "one raw row to its answer, median", "s",
         lambda bill: bill.latency_ms_p50 / 1e3, lambda seconds: latency(1e3 * seconds)),
    Cost("file", "file size", "size of the model file", "B", lambda bill: float(bill.file_bytes),
         file_size),
    Cost("energy", "energy", "energy to train", "J", lambda bill: bill.energy_joules, energy),
)  # fmt: skip


@dataclass(frozen=True)
class Spot:
    """A contestant's place in the chart, in pixels."""

    card: Scorecard
    quality: Quality
    cost: float
    x: float
    y: float
    beyond: bool  # the score lies outside what the axis shows


@dataclass(frozen=True)
class Plane:
    """The two axes, the score going up where it gets better."""

    cost: Axis
    score: Axis
    reach: Reach
    worst_end: float  # pixel of the strip beyond the break

    def spot(self, card: Scorecard, quality: Quality, cost: float) -> Spot:
        """Where a contestant stands."""
        beyond = not self.reach.low <= quality.value <= self.reach.high
        y = self.worst_end if beyond else self.score.at(quality.value)
        return Spot(card, quality, cost, self.cost.at(cost), y, beyond)


def priced(cards: Sequence[Scorecard], cost: Cost) -> list[tuple[Scorecard, Quality, float]]:
    """The contestants with a score and this cost above 0, which a log axis needs."""
    return [
        (card, quality, cost.of(card.bill))
        for card, quality in scored_cards(cards)
        if card.bill is not None and cost.of(card.bill) > 0
    ]


def cost_chart(cards: Sequence[Scorecard], winner: str, cost: Cost, width: int) -> Markup:
    """Score against one cost; contestants without a measured cost above 0 are left out.

    `cards` come best first. Empty where nobody has this cost."""
    shown = priced(cards, cost)
    if not shown:
        return Markup()
    height = 400 if width > 500 else 380
    metric = METRICS[shown[0][1].metric]
    plane = _plane(shown, metric.greater_is_better, width, height)
    spots = [plane.spot(card, quality, price) for card, quality, price in shown]
    places = shared_places([spot.quality for spot in spots])
    said = "; ".join(
        f"{s.card.name} {cost.written(s.cost)}, {with_interval(s.quality, places)}" for s in spots
    )
    return picture(
        (width, height),
        (f"{metric.label} against {cost.title}", said),
        _grid(plane, cost, metric.label, width),
        _frontier(spots),
        *[_spread(plane, spot) for spot in spots],
        *[_point(spot, cost, places) for spot in spots],
        _names(spots, winner, plane),
    )


def _plane(
    shown: Sequence[tuple[Scorecard, Quality, float]], greater: bool, width: int, height: int
) -> Plane:
    drawn = reach([quality for _, quality, _ in shown])
    prices = [price for _, _, price in shown]
    low, high = min(prices), max(prices)
    slack = max(high / low, 10) ** 0.09
    bottom = height - 50
    cut = drawn.cut_low if greater else drawn.cut_high
    worst, best = (bottom - (BREAK if cut else 0), 30)
    start, end = (worst, best) if greater else (best, worst)
    return Plane(
        Axis(low / slack, high * slack, 52, width - 14, log=True),
        Axis(drawn.low, drawn.high, start, end),
        drawn,
        worst_end=bottom - 9,
    )


def _grid(plane: Plane, cost: Cost, metric: str, width: int) -> Markup:
    left, right, bottom = plane.cost.start, plane.cost.end, plane.worst_end + 9
    parts = [line("axis", left, bottom, right, bottom)]
    score_ticks = plane.score.ticks(6)
    for tick in score_ticks:
        y = plane.score.at(tick)
        parts.append(line("grid", left, y, right, y))
        parts.append(label(fixed(tick, tick_places(score_ticks)), left - 7, y + 4, "tick", "end"))
    for tick in plane.cost.ticks(8 if width > 500 else 4):
        x = plane.cost.at(tick)
        parts.append(line("grid", x, 30, x, bottom))
        parts.append(label(tick_words(tick, cost.unit), x, bottom + 16, "tick", "middle"))
    worst = max(plane.score.start, plane.score.end)
    if worst < bottom - 1:
        parts.append(line("axis dotted", left, worst + 5, right, worst + 5))
        parts.append(line("break", left - 6, worst + 6, left + 6, worst + 1))
        parts.append(line("break", left - 6, worst + 11, left + 6, worst + 6))
    parts.append(label(f"{metric}, better ↑", 0, 14, "axis-name"))
    words = f"← cheaper · {cost.axis_name}, log scale"
    parts.append(label(words, (left + right) / 2, bottom + 38, "axis-name", "middle"))
    return together(*parts)


def tick_words(value: float, unit: str) -> str:
    """A tick with the prefix that leaves it from 1 to 999: 0.002 s reads 2 ms.

    Seconds stay seconds, so that the even steps of the axis read evenly."""
    size, prefix = next((each for each in PREFIXES if value >= each[0] * 0.9995), PREFIXES[-1])
    if unit == "s" and size > 1:
        size, prefix = 1.0, ""
    return f"{bare(value / size)} {prefix}{unit}".replace("kB", "KB")


def _frontier(spots: Sequence[Spot]) -> Markup:
    """Steps through the contestants that nobody both undercuts and beats."""
    best = float("inf")
    corners = ""
    for spot in sorted(spots, key=lambda spot: (spot.cost, spot.y)):
        if spot.y < best and not spot.beyond:
            corners += f"M{spot.x:.1f} {spot.y:.1f}" if not corners else (
                f"H{spot.x:.1f}V{spot.y:.1f}"
            )  # fmt: skip
            best = spot.y
    return tag("path", {"class": "frontier", "d": corners}) if corners else Markup()


def _spread(plane: Plane, spot: Spot) -> Markup:
    if spot.beyond:
        return Markup()
    low, high = plane.score.at(spot.quality.low), plane.score.at(spot.quality.high)
    return line(f"interval faint {spot.card.family}", spot.x, low, spot.x, high)


def _point(spot: Spot, cost: Cost, places: int) -> Markup:
    words = f"{spot.card.name}: {cost.written(spot.cost)}, {with_interval(spot.quality, places)}"
    kind = "mark open" if spot.beyond else "mark"
    return tag("g", {}, tag("title", {}, words), mark(spot.card.family, spot.x, spot.y, 6, kind))


def _names(spots: Sequence[Spot], winner: str, plane: Plane) -> Markup:
    """Names beside their marks where there is room, the winner's first; the rest can be read by
    pointing at them, and in the leaderboard."""
    taken = [(s.x - 8, s.y - 7, s.x + 8, s.y + 7) for s in spots]
    parts = []
    for spot in sorted(spots, key=lambda spot: spot.card.name != winner):
        wins = spot.card.name == winner
        words = shortened(spot.card.name, 150, FONT)
        width = text_width(words, FONT) + (16 if wins else 0)
        box = _free_box(spot, width, taken, plane)
        if box is None:
            continue
        taken.append(box)
        x = box[0] + (16 if wins else 0)
        parts.append(label(words, x, box[3] - 4, "name small winner" if wins else "name small"))
        if wins:
            parts.append(star(box[0] + 6, box[3] - 8.5, 6))
    return tag("g", {"class": "names"}, *parts)


Box = tuple[float, float, float, float]


def _free_box(spot: Spot, width: float, taken: Sequence[Box], plane: Plane) -> Box | None:
    for dx, dy in _offsets(width):
        left, top = spot.x + dx, spot.y + dy - 8
        box = (left, top, left + width, top + 16)
        inside = left >= plane.cost.start + 2 and box[2] <= plane.cost.end + 12 and top >= 18
        if inside and box[3] < plane.worst_end + 12 and not any(_overlap(box, o) for o in taken):
            return box
    return None


def _offsets(width: float) -> list[tuple[float, float]]:
    """Where a name may start, seen from its mark: right, left, above and below, then slantwise."""
    right, left, middle = 11.0, -width - 11.0, -width / 2
    return [
        (right, 0), (left, 0), (middle, -16), (middle, 16),
        (right, -11), (right, 11), (left, -11), (left, 11), (6, -17), (6, 17),
    ]  # fmt: skip


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
