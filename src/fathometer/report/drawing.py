"""The parts of a chart: axes, ticks, marks and the picture around them, as inline SVG.

Colours come from the page's style sheet by class name, so that light, dark and print need no
second drawing; each family has its own shape beside its colour."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from fathometer.report.content import Side
from fathometer.report.markup import Markup, tag, together

LETTER = 0.56  # average width of a letter in font sizes, of the usual sans-serif faces


@dataclass(frozen=True)
class Axis:
    """Values from `low` to `high` laid from pixel `start` to pixel `end`, evenly or by ratio."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def at(self, value: float) -> float:
        """Where a value stands, in pixels; values outside stand at the nearer end."""
        low, high, here = self.low, self.high, min(max(value, self.low), self.high)
        if self.log:
            low, high, here = math.log(low), math.log(high), math.log(here)
        part = (here - low) / (high - low) if high > low else 0.5
        return self.start + part * (self.end - self.start)

    def ticks(self, most: int = 6) -> list[float]:
        """Round values on the axis, at most about so many."""
        return _ratio_ticks(self.low, self.high, most) if self.log else self._even_ticks(most)

    def _even_ticks(self, most: int) -> list[float]:
        span = self.high - self.low
        if span <= 0:
            return [self.low]
        step = 10 ** math.floor(math.log10(span / most))
        step *= next((m for m in (1, 2, 5) if span / (step * m) <= most), 10)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        # Rounded against what binary fractions leave over, at whatever size the steps have.
        places = 3 - math.floor(math.log10(step))
        return [round(number * step, places) for number in range(first, last + 1)]


@dataclass(frozen=True)
class Frame:
    """Where the rows of a chart of intervals and its axis stand, in pixels."""

    width: int
    axis: Axis
    top: float
    row: float  # height of a row
    narrow: bool

    def y(self, place: int) -> float:
        """The middle of a row's interval; on a phone its words stand above it."""
        return self.top + self.row * (place + (0.72 if self.narrow else 0.5))

    def bottom(self, rows: int) -> float:
        """Where the axis stands below so many rows."""
        return self.top + self.row * rows + 6


def _ratio_ticks(low: float, high: float, most: int) -> list[float]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    for leads in ((1, 2, 5), (1, 3), (1,)):
        ticks = [lead * 10.0**e for e in range(first, last + 1) for lead in leads]
        inside = [tick for tick in ticks if low * 0.999 <= tick <= high * 1.001]
        if len(inside) <= most:
            return inside
    return inside[:: math.ceil(len(inside) / most)]


def tick_places(ticks: Sequence[float]) -> int:
    """Decimal places that tell these evenly stepped ticks apart."""
    if len(ticks) < 2:
        return 3
    return max(0, -math.floor(math.log10(abs(ticks[1] - ticks[0])) + 1e-9))


def picture(size: tuple[float, float], words: tuple[str, str], *parts: str) -> Markup:
    """An SVG that scales with the page; `words` are its title and the text that stands for it."""
    width, height = size
    title, description = words
    box = {
        "viewBox": f"0 0 {width:g} {height:g}",
        "role": "img",
        "aria-label": f"{title}. {description}",
    }
    said = together(tag("title", {}, title), tag("desc", {}, description))
    return tag("svg", box, said, *parts)


def line(kind: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    """A straight line of this class."""
    return tag("line", {"class": kind, "x1": x1, "y1": y1, "x2": x2, "y2": y2})


def label(words: str, x: float, y: float, kind: str = "", anchor: str = "start") -> Markup:
    """Text at a place; `anchor` is start, middle or end."""
    place: dict[str, str | float] = {"x": x, "y": y, "text-anchor": anchor}
    return tag("text", {"class": kind, **place} if kind else place, words)


def mark(family: Side, x: float, y: float, size: float = 6.0, kind: str = "mark") -> Markup:
    """The family's shape: circle for traditional, diamond for deep, square for both together,
    triangle for a challenger."""
    looks: dict[str, str | float] = {"class": f"{kind} {family}"}
    if family == "traditional":
        return tag("circle", {**looks, "cx": x, "cy": y, "r": size})
    if family == "deep":
        d = size * 1.35  # a diamond of the circle's area
        return tag("path", {**looks, "d": f"M{x - d:.1f} {y:.1f}l{d:.1f} {-d:.1f} {d:.1f} {d:.1f}"
                            f" {-d:.1f} {d:.1f}z"})  # fmt: skip
    if family == "challenger":
        t = size * 1.35
        return tag(
            "path", {**looks, "d": f"M{x:.1f} {y - t:.1f}l{t:.1f} {1.8 * t:.1f}h{-2 * t:.1f}z"}
        )
    side = size * 1.77
    return tag("rect", {**looks, "x": x - side / 2, "y": y - side / 2, "width": side,
                        "height": side})  # fmt: skip


def star(x: float, y: float, size: float = 6.5) -> Markup:
    """A five-pointed star, the winner's."""
    corners = []
    for corner in range(10):
        radius = size if corner % 2 == 0 else size * 0.42
        angle = math.pi * (corner / 5 - 0.5)
        corners.append(f"{x + radius * math.cos(angle):.1f},{y + radius * math.sin(angle):.1f}")
    return tag("polygon", {"class": "star", "points": " ".join(corners)})


def text_width(words: str, font_size: float) -> float:
    """About how wide words are, in pixels."""
    return LETTER * font_size * len(words)


def shortened(words: str, width: float, font_size: float) -> str:
    """The words, cut with an ellipsis where they are wider than this many pixels."""
    letters = max(4, int(width / (LETTER * font_size)))
    return words if len(words) <= letters else words[: letters - 1].rstrip() + "…"
