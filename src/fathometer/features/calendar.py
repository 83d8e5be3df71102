"""Dates → calendar parts. The graph twin starts at the raw date string.

Both sides compute seconds since 1970 first (`table/date` here, the same arithmetic in the graph),
then year, month, day, weekday, day of the year, hour and days since the first training date."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from fathometer.graph import Element, Graph, write_lookup
from fathometer.table.date import END_SECOND, FIRST_SECOND, days_from_civil, within_years
from fathometer.table.kind import ColumnSpec
from fathometer.table.layout import ISO, MONTHS, DateLayout
from fathometer.table.table import Column

DAY = 86400.0
PARTS = ("days since start", "year", "month", "day", "weekday", "day of year")
# Circles: months, weekdays and hours end where they begin, which a product cannot know by itself.
CIRCLES = {"month": 12, "weekday": 7, "hour": 24}


@dataclass(frozen=True)
class CalendarParts:
    """The parts of one date column; `clock` adds the hour, `cyclic` sines and cosines."""

    spec: ColumnSpec
    start: float  # days since 1970 of the first training date
    clock: bool
    cyclic: bool

    @property
    def parts(self) -> tuple[str, ...]:
        return (*PARTS, "hour") if self.clock else PARTS

    @property
    def names(self) -> tuple[str, ...]:
        plain = [f"{self.spec.name}: {part}" for part in self.parts]
        if self.cyclic:
            circles = [part for part in CIRCLES if part in self.parts]
            plain += [
                f"{self.spec.name}: {f} of {part}" for part in circles for f in ("sin", "cos")
            ]
        return tuple(plain)

    def values(self, column: Column) -> np.ndarray:
        """Shape (rows, len(names)) float64, NaN where the date is missing."""
        known = within_years(column.numbers)
        missing = np.isnan(known)
        seconds = np.where(missing, 0.0, known)
        days = np.floor(seconds / DAY)
        whole = days.astype(np.int64)
        year, month, day, day_of_year = civil_from_days(whole)
        parts: dict[str, np.ndarray] = {
            "days since start": seconds / DAY - self.start,
            "year": year,
            "month": month,
            "day": day,
            "weekday": (whole + 3) % 7,  # Monday is 0; 1970-01-01 was a Thursday
            "day of year": day_of_year,
            "hour": (seconds - days * DAY) / 3600,
        }
        found = [parts[part].astype(np.float64) for part in self.parts]
        if self.cyclic:
            for part in (part for part in CIRCLES if part in self.parts):
                place = np.floor(parts[part]).astype(np.int64) % CIRCLES[part]
                found += [circle[place] for circle in circles(CIRCLES[part])]
        return np.where(missing[:, None], np.nan, np.stack(found, axis=1))

    def write(self, graph: Graph) -> str:
        """The same as a double tensor (rows, len(names)), from the raw string."""
        raw = graph.input(self.spec.name, Element.STRING)
        seconds, known = write_seconds(graph, raw, self.spec.layout or ISO)
        days = graph.add("Floor", graph.add("Div", seconds, graph.constant(DAY)))
        whole = graph.cast(days, Element.INT64)
        year, month, day, day_of_year = _write_civil(graph, whole)
        shifted = graph.add("Add", whole, graph.constant(3 + 7 * 10**6))  # keeps Mod's sign plain
        clock = graph.add("Sub", seconds, graph.add("Mul", days, graph.constant(DAY)))
        elapsed = graph.add("Div", seconds, graph.constant(DAY))
        parts = {
            "days since start": graph.add("Sub", elapsed, graph.constant(self.start)),
            "year": year,
            "month": month,
            "day": day,
            "weekday": graph.add("Mod", shifted, graph.constant(7)),
            "day of year": day_of_year,
            "hour": graph.add("Div", clock, graph.constant(3600.0)),
        }
        found = [graph.cast(parts[part], Element.DOUBLE) for part in self.parts]
        if self.cyclic:
            for part in (part for part in CIRCLES if part in self.parts):
                whole_part = graph.cast(
                    graph.add("Floor", graph.cast(parts[part], Element.DOUBLE)), Element.INT64
                )
                place = graph.add("Mod", whole_part, graph.constant(CIRCLES[part]))
                found += [
                    graph.add("Gather", graph.constant(circle), place)
                    for circle in circles(CIRCLES[part])
                ]
        joined = graph.concat(found)
        return graph.add("Where", known, joined, graph.constant(np.float64(np.nan)))


def fit_calendar(column: Column, *, cyclic: bool) -> CalendarParts:
    """Start and clock of a date column's training values."""
    known = within_years(column.numbers)
    seconds = known[~np.isnan(known)]
    start = float(np.floor(seconds.min() / DAY)) if len(seconds) else 0.0
    return CalendarParts(column.spec, start, bool((seconds % DAY != 0).any()), cyclic)


def circles(period: int) -> tuple[np.ndarray, np.ndarray]:
    """Sines and cosines of the places on a circle, (period,) float64 each."""
    angle = 2 * np.pi * np.arange(period) / period
    return np.sin(angle), np.cos(angle)


def civil_from_days(
    days: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:  # int64 each
    """Year, month, day and day of the year of days since 1970 (H. Hinnant's algorithm)."""
    shifted = days + 719468
    era = shifted // 146097
    of_era = shifted - era * 146097
    year_of_era = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)  # from 1 March
    month_from_march = (5 * of_year + 2) // 153
    day = of_year - (153 * month_from_march + 2) // 5 + 1
    month = (month_from_march + 2) % 12 + 1
    year = year_of_era + era * 400 + (month <= 2)
    first = days_from_civil(year, np.ones_like(year), np.ones_like(year))
    return year, month, day, days - first + 1


def _write_civil(graph: Graph, days: str) -> tuple[str, str, str, str]:
    """`civil_from_days` on an int64 tensor; integer Div truncates, and all is positive here."""

    apply = partial(_apply, graph)
    shifted = apply("Add", days, 719468)
    era = apply("Div", shifted, 146097)
    of_era = apply("Sub", shifted, apply("Mul", era, 146097))
    leap = apply("Sub", of_era, apply("Div", of_era, 1460))
    leap = apply("Add", leap, apply("Div", of_era, 36524))
    year_of_era = apply("Div", apply("Sub", leap, apply("Div", of_era, 146096)), 365)
    days_before = apply("Add", apply("Mul", year_of_era, 365), apply("Div", year_of_era, 4))
    days_before = apply("Sub", days_before, apply("Div", year_of_era, 100))
    of_year = apply("Sub", of_era, days_before)
    from_march = apply("Div", apply("Add", apply("Mul", of_year, 5), 2), 153)
    month_start = apply("Div", apply("Add", apply("Mul", from_march, 153), 2), 5)
    day = apply("Add", apply("Sub", of_year, month_start), 1)
    month = apply("Add", apply("Mod", apply("Add", from_march, 2), 12), 1)
    early = graph.cast(graph.add("LessOrEqual", month, graph.constant(2)), Element.INT64)
    year = apply("Add", apply("Add", year_of_era, apply("Mul", era, 400)), early)
    one = graph.constant(1)
    day_of_year = apply("Add", apply("Sub", days, _write_days(graph, year, one, one)), 1)
    return year, month, day, day_of_year


def _apply(graph: Graph, operator: str, left: str, right: str | int) -> str:
    return graph.add(operator, left, graph.constant(right) if isinstance(right, int) else right)


def write_seconds(graph: Graph, raw: str, layout: DateLayout) -> tuple[str, str]:
    """Seconds since 1970 of raw date strings (rows, 1), and which of them could be read.

    Reads `layout` and ISO 8601; an unreadable string gives any number and False."""
    seconds, known = _write_one(graph, raw, layout)
    if layout != ISO:
        iso_seconds, iso_known = _write_one(graph, raw, ISO)
        seconds = graph.add("Where", known, seconds, iso_seconds)
        known = graph.add("Or", known, iso_known)
    begun = graph.add("GreaterOrEqual", seconds, graph.constant(FIRST_SECOND))
    inside = graph.add("And", begun, graph.add("Less", seconds, graph.constant(END_SECOND)))
    return seconds, graph.add("And", known, inside)


def _write_one(graph: Graph, raw: str, layout: DateLayout) -> tuple[str, str]:
    # ONNX has no capture groups: a match is checked as a whole, then taken apart by splitting.
    pattern = layout.pattern
    for group in "ymdbHMSZ":
        pattern = pattern.replace(f"(?P<{group}>", "(?:")
    known = graph.add("RegexFullMatch", raw, pattern=pattern)
    safe = graph.add("Where", known, raw, graph.constant([layout.example]))
    pieces = len(layout.order)
    day_part, clock = _split(graph, safe, "T", 2)
    words = _split(graph, day_part, " ", pieces + 1 if layout.separator == " " else 2)
    if layout.separator == " ":
        fields, blank_clock = words[:pieces], words[pieces]
    else:
        fields, blank_clock = _split(graph, words[0], layout.separator, pieces), words[1]
    clock = graph.add("StringConcat", clock, blank_clock)
    number = {
        part: _month_number(graph, field) if part == "b" else _to_number(graph, field)
        for part, field in zip(layout.order, fields, strict=True)
    }
    days = _write_days(graph, number["y"], number.get("m") or number["b"], number["d"])
    total = graph.add("Mul", graph.cast(days, Element.DOUBLE), graph.constant(DAY))
    return graph.add("Add", total, _write_clock(graph, clock)), known


def _split(graph: Graph, text: str, delimiter: str, pieces: int) -> tuple[str, ...]:
    """The first pieces of every string, each (rows, 1); empty where a string has fewer."""
    split = graph.add("StringSplit", text, outputs=2, delimiter=delimiter)  # (rows, 1, most)
    flat = graph.add("Squeeze", split, graph.constant(np.array([1])))
    empty = graph.add("Where", graph.constant(False), text, graph.constant([""]))
    padded = graph.concat([flat, *[empty] * pieces])
    return tuple(
        graph.add("Gather", padded, graph.constant(np.array([place])), axis=1)
        for place in range(pieces)
    )


def _to_number(graph: Graph, text: str) -> str:
    """Digits as int64; an empty string counts as 0."""
    padded = graph.add("StringConcat", graph.constant(["0"]), text)
    return graph.cast(graph.cast(padded, Element.DOUBLE), Element.INT64)


def _month_number(graph: Graph, text: str) -> str:
    numbers = {name: place + 1 for place, name in enumerate(MONTHS)}
    return write_lookup(graph, text, numbers, 1)


def _write_days(graph: Graph, year: str, month: str, day: str) -> str:
    """`table.date.days_from_civil` on int64 tensors."""

    apply = partial(_apply, graph)
    early = graph.cast(graph.add("LessOrEqual", month, graph.constant(2)), Element.INT64)
    year = apply("Sub", year, early)
    era = apply("Div", year, 400)
    of_era = apply("Sub", year, apply("Mul", era, 400))
    from_march = apply("Mod", apply("Add", month, 9), 12)
    of_year = apply("Div", apply("Add", apply("Mul", from_march, 153), 2), 5)
    of_year = apply("Sub", apply("Add", of_year, day), 1)
    leap = apply("Sub", apply("Div", of_era, 4), apply("Div", of_era, 100))
    days = apply("Add", apply("Mul", of_era, 365), apply("Add", leap, of_year))
    return apply("Sub", apply("Add", apply("Mul", era, 146097), days), 719468)


def _write_clock(graph: Graph, clock: str) -> str:
    """Seconds of a time of day with an optional offset, as double (rows, 1)."""
    clock = _split(graph, clock, "Z", 1)[0]
    local, east = _split(graph, clock, "+", 2)
    local, west = _split(graph, local, "-", 2)
    hour, minute, second = _split(graph, local, ":", 3)
    total = _weighted(graph, ((hour, 3600.0), (minute, 60.0), (second, 1.0)))
    for offset, sign in ((east, -60.0), (west, 60.0)):
        hours, minutes = _split(graph, offset, ":", 2)
        total = graph.add("Add", total, _weighted(graph, ((hours, 60 * sign), (minutes, sign))))
    return total


def _weighted(graph: Graph, terms: tuple[tuple[str, float], ...]) -> str:
    products = [
        graph.add(
            "Mul",
            graph.cast(graph.add("StringConcat", graph.constant(["0"]), text), Element.DOUBLE),
            graph.constant(weight),
        )
        for text, weight in terms
    ]
    total = products[0]
    for product in products[1:]:
        total = graph.add("Add", total, product)
    return total
