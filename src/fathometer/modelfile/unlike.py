"""A flag for rows unlike those that a model learned from: simple, and with its reasons.

A model answers any row; far from its training rows the answer is a guess with a number on it. A row
is flagged when one of its columns is *far* from everything learned (a number beyond the training
range by more than half of it, a level never seen where new levels are unusual, a missing value
where none was missing), or when more columns are *odd* (in the outer 1 % of the training rows) than
in 99 % of the training rows. Texts and pictures are not judged. So about one row in a hundred like
the training rows is flagged as well.

Reading the flag needs numpy alone."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from fathometer.errors import Fault, ModelFileError
from fathometer.table.kind import LARGEST_NUMBER, ColumnSpec, Kind
from fathometer.table.layout import ISO, MONTHS, DateLayout

if TYPE_CHECKING:
    from fathometer.table.table import Column, Table

OUTER = 0.005  # at either end, and the share below which a level is odd
BEYOND = 0.5  # of the training range
MOST_LEVELS = 200  # of a column that is judged: names of more would swell the file
UNUSUAL = 0.01  # share of rows with a level that is theirs alone, from which new ones are usual
FEWEST = 100  # training rows; fewer do not tell what is unusual
LOOKED_AT = 20_000  # training rows
CLOCK = {"H": 3600.0, "M": 60.0, "S": 1.0}  # seconds in each part of a time of day


@dataclass(frozen=True)
class Range:
    """What the training rows held in one column.

    Numbers and dates (seconds since 1970): `far` and `odd` are the ends beyond which a value is so.
    Categories: `levels` that were seen, and of them the `rare`."""

    name: str
    missing_is_far: bool
    far: tuple[float, float] | None = None
    odd: tuple[float, float] | None = None
    levels: tuple[str, ...] = ()
    rare: tuple[str, ...] = ()
    new_is_far: bool = False
    layout: DateLayout | None = None  # of dates; known from the column, so not written again

    def judge(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(rows,) bool: far, and odd.

        Args:
            values: one input (rows, 1), as a model file takes it.
        """
        if self.far is None or self.odd is None:
            return self._judge_levels(values[:, 0])
        is_written = values.dtype == object
        numbers = seconds(values[:, 0], self.layout) if is_written else values[:, 0]
        absent = ~(np.abs(numbers) <= LARGEST_NUMBER)  # written so that NaN is absent as well
        far = ~absent & ((numbers < self.far[0]) | (numbers > self.far[1]))
        odd = ~absent & ((numbers < self.odd[0]) | (numbers > self.odd[1]))
        missing = absent & (values[:, 0] == "") if is_written else absent
        return far | (missing & self.missing_is_far), odd | far

    def _judge_levels(self, texts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        seen, rare = set(self.levels), set(self.rare)
        missing = np.array([text == "" for text in texts], dtype=bool)
        fresh = np.array([text not in seen for text in texts], dtype=bool) & ~missing
        odd = fresh | np.array([text in rare for text in texts], dtype=bool)
        return (fresh & self.new_is_far) | (missing & self.missing_is_far), odd


@dataclass(frozen=True)
class TrainingRanges:
    """The columns that are judged, and how many may be odd at once."""

    columns: tuple[Range, ...]
    most_odd: int

    def reasons(self, feeds: Mapping[str, np.ndarray]) -> list[str]:
        """For each row the columns for which it is unlike the training rows: "age, embarked"; an
        empty string where it is like them."""
        rows = len(next(iter(feeds.values()))) if feeds else 0
        found = [each.judge(feeds[each.name]) for each in self.columns]
        if not found:
            return [""] * rows
        far = np.stack([each for each, _ in found], axis=1)
        odd = np.stack([each for _, each in found], axis=1)
        shown = np.where((odd.sum(axis=1) > self.most_odd)[:, None], odd | far, far)
        names = np.array([each.name for each in self.columns], dtype=object)
        return [", ".join(names[row]) for row in shown]

    def as_json(self) -> dict[str, object]:
        """As plain JSON values."""
        return {
            "most_odd": self.most_odd,
            "columns": [
                {
                    "name": each.name,
                    "missing_is_far": each.missing_is_far,
                    "far": list(each.far) if each.far else None,
                    "odd": list(each.odd) if each.odd else None,
                    "levels": list(each.levels),
                    "rare": list(each.rare),
                    "new_is_far": each.new_is_far,
                }
                for each in self.columns
            ],
        }


def seconds(texts: np.ndarray, layout: DateLayout | None = None) -> np.ndarray:
    """(rows,) seconds since 1970 of dates in this layout or in ISO 8601; NaN for everything else.

    Reads what the graph reads, without what `table/date` needs."""
    tried = dict.fromkeys((layout or ISO, ISO))
    patterns = [re.compile(each.pattern, re.ASCII) for each in tried]
    found = np.full(len(texts), np.nan)
    for row, text in enumerate(texts):
        matches = (pattern.fullmatch(str(text)) for pattern in patterns)
        if match := next(filter(None, matches), None):
            found[row] = _moment(match.groupdict())
    return found


def _moment(parts: Mapping[str, str | None]) -> float:
    """Seconds since 1970 of a date's parts; days past the end of a month run on into the next."""
    month = MONTHS.index(parts["b"]) + 1 if parts.get("b") else int(parts["m"] or 1)
    months = (int(parts["y"] or 1970) - 1970) * 12 + month - 1
    first = np.datetime64(months, "M").astype("datetime64[D]").astype(np.int64)
    clock = sum(float(parts[name] or 0) * scale for name, scale in CLOCK.items())
    zone = parts["Z"] or "Z"
    if zone != "Z":
        east = int(zone[1:3]) * 3600 + int(zone[4:6]) * 60
        clock -= -east if zone[0] == "-" else east
    return (float(first) + int(parts["d"] or 1) - 1) * 86_400 + clock


def training_ranges(
    table: Table, columns: Sequence[ColumnSpec], rows: np.ndarray
) -> TrainingRanges:
    """What these rows held, of the columns that a model takes.

    Args:
        rows: the training rows' numbers; of many, evenly spread ones are looked at.
    """
    if len(rows) < FEWEST:
        return TrainingRanges((), 0)
    rows = rows[np.unique(np.linspace(0, len(rows) - 1, LOOKED_AT).astype(np.int64))]
    seen = table.rows(rows)
    found = [each for spec in columns if (each := _range_of(seen[spec.name])) is not None]
    if not found:
        return TrainingRanges((), 0)
    odd = np.sum([each.judge(_fed(seen[each.name]))[1] for each in found], axis=0)
    return TrainingRanges(tuple(found), int(np.quantile(odd, 0.99, method="higher")))


def _fed(column: Column) -> np.ndarray:
    """The column as `Range.judge` takes it."""
    is_text = column.kind is Kind.CATEGORY
    return np.asarray(column.strings if is_text else column.numbers)[:, None]


def _range_of(column: Column) -> Range | None:
    """The range of one column; None where it is not judged."""
    if column.kind in (Kind.NUMBER, Kind.BOOLEAN, Kind.DATE):
        known = column.numbers[np.abs(column.numbers) <= LARGEST_NUMBER]
        if not len(known):
            return None
        low, high = (float(x) for x in np.quantile(known, (OUTER, 1 - OUTER)))
        least, most = float(known.min()), float(known.max())
        reach = BEYOND * (most - least)
        ends = _ends(least - reach, most + reach), _ends(low, high)
        is_whole = len(known) == len(column.numbers)
        return Range(column.name, is_whole, *ends, layout=column.spec.layout)
    if column.kind is not Kind.CATEGORY:
        return None
    texts = column.strings.astype(str)
    levels, counts = np.unique(texts[texts != ""], return_counts=True)
    if not 0 < len(levels) <= MOST_LEVELS:
        return None
    share = counts / len(texts)
    return Range(
        column.name,
        bool((texts != "").all()),
        levels=tuple(levels.tolist()),
        rare=tuple(levels[share < OUTER].tolist()),
        new_is_far=bool((counts == 1).sum() < UNUSUAL * len(texts)),
    )


def _ends(low: float, high: float) -> tuple[float, float]:
    """Both ends at six digits, rounded away from each other."""

    def outwards(value: float, side: int) -> float:
        rounded = float(f"{value:.6g}")
        return rounded if (rounded - value) * side >= 0 else rounded + side * abs(value) * 1e-5

    return outwards(low, -1), outwards(high, 1)


def ranges_from_json(
    values: Mapping[str, object], columns: Sequence[ColumnSpec] = ()
) -> TrainingRanges | None:
    """The ranges in a file's metadata; None where it holds none.

    Args:
        columns: what the file takes, for the layouts of its dates.

    Raises:
        ModelFileError: if they are not what `as_json` writes.
    """
    if not values:
        return None
    layouts = {spec.name: spec.layout for spec in columns}
    try:
        found = []
        for value in cast("list[Mapping[str, Any]]", values["columns"]):
            far, odd = (_pair(value[name]) for name in ("far", "odd"))
            levels, rare = (tuple(map(str, value[name])) for name in ("levels", "rare"))
            flags = bool(value["missing_is_far"]), bool(value["new_is_far"])
            name = str(value["name"])
            own = Range(name, flags[0], far, odd, levels, rare, flags[1], layouts.get(name))
            found.append(own)
        return TrainingRanges(tuple(found), int(cast("int", values["most_odd"])))
    except (KeyError, OverflowError, TypeError, ValueError) as error:
        raise ModelFileError(Fault.METADATA, f"its ranges cannot be read: {error}") from error


def _pair(value: object) -> tuple[float, float] | None:
    if value is None:
        return None
    low, high = (float(each) for each in cast("list[float]", value))
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError("an end that is not finite")
    return low, high
