"""Where contestants err: calibration, predicted against actual, error spread."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fathometer.report.content import Reliability, Residuals
from fathometer.report.drawing import Axis, label, line, mark, picture, shortened, tick_places
from fathometer.report.markup import Markup, tag, together
from fathometer.trial.reliance import wilson
from fathometer.verdict.quantities import bare, places_for, signed
from fathometer.wording import counted

SIZE = 320  # pixels, width of one small chart
LAYERS = 8  # of dots


def reliability_chart(drawn: Reliability) -> Markup:
    """Observed share over predicted probability, with 95 % intervals and the rows in each bin."""
    across, up = Axis(0, 1, 44, SIZE - 10), Axis(0, 1, 264, 12)
    rows = sum(drawn.counts)
    said = "; ".join(
        f"predicted {p:.2f}, observed {o:.2f} ({counted(n, 'row')})"
        for p, o, n in zip(drawn.predicted, drawn.observed, drawn.counts, strict=True)
    )
    path = "L".join(
        f"{across.at(p):.1f} {up.at(o):.1f}"
        for p, o in zip(drawn.predicted, drawn.observed, strict=True)
    )
    return picture(
        (SIZE, 352),
        (f"Calibration of {drawn.model} on {counted(rows, 'row')}", said),
        _probability_grid(across, up),
        line("ideal", across.at(0), up.at(0), across.at(1), up.at(1)),
        tag("path", {"class": f"curve {drawn.family}", "d": f"M{path}"}),
        *[_bin(drawn, place, across, up) for place in range(len(drawn.counts))],
        label("rows", 38, 326, "tick", "end"),
        label(f"predicted probability of {shortened(drawn.of, 150, 12)}", 177, 346, "axis-name",
              "middle"),
    )  # fmt: skip


def _probability_grid(across: Axis, up: Axis) -> Markup:
    parts = []
    for tick in (0, 0.2, 0.4, 0.6, 0.8, 1):
        parts.append(line("grid", across.at(0), up.at(tick), across.at(1), up.at(tick)))
        parts.append(label(f"{tick:g}", across.at(0) - 7, up.at(tick) + 4, "tick", "end"))
        parts.append(line("grid", across.at(tick), up.at(0), across.at(tick), up.at(1)))
        parts.append(label(f"{tick:g}", across.at(tick), up.at(0) + 16, "tick", "middle"))
    return together(*parts)


def _bin(drawn: Reliability, place: int, across: Axis, up: Axis) -> Markup:
    predicted, observed = drawn.predicted[place], drawn.observed[place]
    count = drawn.counts[place]
    low, high = wilson(observed, count)
    x = across.at(predicted)
    tall = 36 * count / max(drawn.counts)
    words = f"predicted {predicted:.2f}, observed {observed:.2f}, {counted(count, 'row')}"
    return tag(
        "g",
        {},
        tag("title", {}, words),
        line(f"interval faint {drawn.family}", x, up.at(low), x, up.at(high)),
        mark(drawn.family, x, up.at(observed), 4.5),
        tag("rect", {"class": f"bar {drawn.family}", "x": x - 6, "y": 328 - tall, "width": 12,
                     "height": tall}),
    )  # fmt: skip


def value_range(drawn: Sequence[Residuals]) -> tuple[float, float]:
    """The values that predicted-against-actual charts of these contestants span together."""
    values = [v for one in drawn for v in (*one.actual, *one.predicted) if math.isfinite(v)]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    edge = (high - low) * 0.03 or 1.0
    return low - edge, high + edge


def scatter_chart(drawn: Residuals, span: tuple[float, float]) -> Markup:
    """Predicted over actual values, one dot a row; `span` is shared by charts side by side."""
    across, up = Axis(*span, 58, SIZE - 10), Axis(*span, 264, 12)
    said = f"{counted(len(drawn.actual), 'row')} shown of {drawn.rows:,}; " + spread_words(drawn)
    return picture(
        (SIZE, 312),
        (f"Predicted against actual values of {drawn.model}", said),
        *_value_grid(across, up),
        line("ideal", across.at(span[0]), up.at(span[0]), across.at(span[1]), up.at(span[1])),
        *_dots(drawn, across, up),
        label("actual", (across.start + across.end) / 2, 303, "axis-name", "middle"),
        label("predicted", across.start + 6, 24, "axis-name"),
    )


def _dots(drawn: Residuals, across: Axis, up: Axis) -> list[Markup]:
    """Round-capped strokes of no length, a fifth of the bytes of circles. Within one path they do
    not add up, so several paths are laid over one another to show where dots are dense."""
    dots = [
        f"M{across.at(actual):.1f} {up.at(predicted):.1f}h0"
        for actual, predicted in zip(drawn.actual, drawn.predicted, strict=True)
        if math.isfinite(actual) and math.isfinite(predicted)
    ]
    looks = f"dots {drawn.family}"
    return [
        tag("path", {"class": looks, "d": "".join(dots[layer::LAYERS])}) for layer in range(LAYERS)
    ]


def _value_grid(across: Axis, up: Axis) -> list[Markup]:
    parts = []
    for tick in across.ticks(5):
        words = short_number(tick)
        parts.append(line("grid", across.start, up.at(tick), across.end, up.at(tick)))
        parts.append(label(words, across.start - 6, up.at(tick) + 4, "tick", "end"))
        parts.append(line("grid", across.at(tick), up.start, across.at(tick), up.end))
        parts.append(label(words, across.at(tick), up.start + 16, "tick", "middle"))
    return parts


def short_number(value: float) -> str:
    """A tick in few letters: 200,000 reads 200k."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= 10 * size or (letter != "k" and abs(value) >= size):
            return bare(value / size, 3) + letter
    return f"{value:,.6g}".replace("-", "−")


def spread_words(drawn: Residuals) -> str:
    """How the errors are spread, in words."""
    at = dict(zip(drawn.levels, drawn.errors, strict=True))
    if not {0.05, 0.25, 0.75, 0.95} <= at.keys():
        return ""
    places = places_for((at[0.95] - at[0.05]) / 2)
    return (
        f"half of the errors lie from {signed(at[0.25], places)} to {signed(at[0.75], places)}, "
        f"nine in ten from {signed(at[0.05], places)} to {signed(at[0.95], places)}"
    )


def error_chart(drawn: Sequence[Residuals], width: int) -> Markup:
    """Error quantiles of several contestants on one axis: line the outer, bar the inner ones."""
    low = min(0.0, *(one.errors[0] for one in drawn))
    high = max(0.0, *(one.errors[-1] for one in drawn))
    left = 10 if width < 500 else 150
    axis = Axis(low, high if high > low else low + 1, left, width - 14)
    row, bottom = 42, 42 * len(drawn) + 8
    ticks = axis.ticks(5)
    grid = []
    for tick in ticks:
        grid.append(line("grid", axis.at(tick), 6, axis.at(tick), bottom))
        grid.append(label(signed(tick, tick_places(ticks)), axis.at(tick), bottom + 16, "tick",
                          "middle"))  # fmt: skip
    return picture(
        (width, bottom + 42),
        ("Spread of the errors", "; ".join(f"{one.model}: {spread_words(one)}" for one in drawn)),
        *grid,
        line("zero", axis.at(0), 6, axis.at(0), bottom),
        *[_error_row(one, axis, row * place + 30, width) for place, one in enumerate(drawn)],
        label("predicted minus actual", (axis.start + axis.end) / 2, bottom + 36, "axis-name",
              "middle"),
    )  # fmt: skip


def _error_row(drawn: Residuals, axis: Axis, y: float, width: int) -> Markup:
    errors = drawn.errors
    inner = axis.at(errors[1]), axis.at(errors[-2])
    name = shortened(drawn.model, 130 if width >= 500 else 300, 13)
    place = (0.0, y + 4) if width >= 500 else (10.0, y - 14)
    return together(
        label(name, *place, "name"),
        line(f"interval {drawn.family}", axis.at(errors[0]), y, axis.at(errors[-1]), y),
        tag("rect", {"class": f"bar {drawn.family}", "x": inner[0], "y": y - 7,
                     "width": max(1.0, inner[1] - inner[0]), "height": 14}),
        mark(drawn.family, axis.at(errors[len(errors) // 2]), y, 5),
    )  # fmt: skip
