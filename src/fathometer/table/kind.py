"""What a column holds: its `Kind`, and how a model file takes it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from fathometer.graph import Element
from fathometer.table.layout import DateLayout


class Kind(Enum):
    """What the values of a column are."""

    NUMBER = "number"
    BOOLEAN = "boolean"
    CATEGORY = "category"
    DATE = "date"
    TEXT = "text"
    IDENTIFIER = "identifier"  # names a row; ignored
    CONSTANT = "constant"  # one value or none; ignored


# What a model can learn from; the other kinds are reported and left out.
FEATURE_KINDS = (Kind.NUMBER, Kind.BOOLEAN, Kind.CATEGORY, Kind.DATE, Kind.TEXT)

# How a raw value of each kind enters a model file: numbers and booleans as double (missing: NaN),
# everything else as string (missing: empty).
ELEMENTS: dict[Kind, Element] = {
    kind: Element.DOUBLE if kind in (Kind.NUMBER, Kind.BOOLEAN) else Element.STRING for kind in Kind
}


@dataclass(frozen=True)
class ColumnSpec:
    """A column without its values: name, kind, and for dates how they are written."""

    name: str
    kind: Kind
    layout: DateLayout | None = None  # dates only; ISO 8601 is understood beside it
