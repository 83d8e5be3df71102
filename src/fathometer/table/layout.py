"""How people write dates: a closed set of layouts, each a regular expression.

Kept apart from the reading of dates (`table/date`, `features/calendar`), so that a model file can
be opened with nothing but numpy and onnxruntime installed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
TIME = (
    r"(?:[T ](?P<H>[01]?\d|2[0-3]):(?P<M>[0-5]\d)(?::(?P<S>[0-5]\d(?:\.\d+)?))?"
    r"(?P<Z>Z|[+-]\d\d:\d\d)?)?"
)
PARTS = {
    "y": r"(?P<y>[1-9]\d{3}|0[1-9]\d\d|00[1-9]\d|000[1-9])",  # there is no year 0
    "m": r"(?P<m>0?[1-9]|1[0-2])",
    "d": r"(?P<d>0?[1-9]|[12]\d|3[01])",
    "b": "(?P<b>" + "|".join(MONTHS) + ")",
}


@dataclass(frozen=True)
class DateLayout:
    """The order and separator of a date's parts: y year, m month, d day, b month by name."""

    order: Literal["ymd", "dmy", "mdy", "dby"]
    separator: Literal["-", "/", ".", " "]

    @property
    def pattern(self) -> str:
        """RE2 pattern that a whole value must match; a time of day may follow the date."""
        # A blank between date and time cannot also separate the parts of the date from it, which
        # RE2 resolves, since the year has four digits.
        separator = "\\." if self.separator == "." else self.separator
        return separator.join(PARTS[part] for part in self.order) + TIME

    @property
    def example(self) -> str:
        """The 31st of December 2020, in this layout."""
        words = {"y": "2020", "m": "12", "d": "31", "b": "Dec"}
        return self.separator.join(words[part] for part in self.order)


ISO = DateLayout("ymd", "-")
# Tried in this order; where days and months cannot be told apart, day first is taken and said.
LAYOUTS = (
    ISO,
    DateLayout("ymd", "/"),
    DateLayout("ymd", "."),
    DateLayout("dmy", "/"),
    DateLayout("mdy", "/"),
    DateLayout("dmy", "."),
    DateLayout("dmy", "-"),
    DateLayout("mdy", "-"),
    DateLayout("dby", "-"),
    DateLayout("dby", " "),
)
