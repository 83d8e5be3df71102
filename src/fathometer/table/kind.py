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
    IMAGE = "image"
    IDENTIFIER = "identifier"  # names a row; ignored
    CONSTANT = "constant"  # one value or none; ignored


# Beyond this a number counts as missing: infinities, and what float32 (3.4e38) could not hold once
# it is centred and squared.
LARGEST_NUMBER = 1e30
LARGEST_SIDE = 1024  # pixels that pictures are learned at

# What a model can learn from; the other kinds are reported and left out.
FEATURE_KINDS = (Kind.NUMBER, Kind.BOOLEAN, Kind.CATEGORY, Kind.DATE, Kind.TEXT, Kind.IMAGE)

# How a raw value of each kind enters a model file: numbers and booleans as double (missing: NaN),
# pictures as pixels (missing: all black), everything else as string (missing: empty).
ELEMENTS: dict[Kind, Element] = {
    **dict.fromkeys(Kind, Element.STRING),
    Kind.NUMBER: Element.DOUBLE,
    Kind.BOOLEAN: Element.DOUBLE,
    Kind.IMAGE: Element.UINT8,
}


@dataclass(frozen=True)
class PictureSize:
    """How large the pictures of a column are learned from; a model file takes others as well and
    resizes them itself."""

    height: int  # pixels
    width: int
    channels: int  # 1: gray, 3: red, green, blue

    @property
    def bytes(self) -> int:
        """Of one picture, a byte a pixel and channel."""
        return self.height * self.width * self.channels


@dataclass(frozen=True)
class ColumnSpec:
    """A column without its values: its name and kind, and how its values are written.

    A model file knows `missing` as it was decided on the training rows: "?" or -999 may be fed raw.
    Strings it takes as a `Table` holds them: without blanks around them, and categories of whole
    numbers without a fraction ("1", not "1.0" and not " 1"), unless `keeps_zeros`. Reading brings
    them to this form; whoever feeds a file without Fathometer does so himself, else the level
    counts as unseen.

    A number without a mark is in the column's unit: 7, "7" and "7%" are the same in a column of per
    cents, and what carries another mark is no value of the column."""

    name: str
    kind: Kind
    layout: DateLayout | None = None  # dates only; ISO 8601 is understood beside it
    missing: tuple[str, ...] = ()  # what stands for a missing value, besides empty: "?", "-999"
    decimal_comma: bool = False  # numbers written as text: "1.234,5" and not "1,234.5"
    picture: PictureSize | None = None  # images only
    # The sign that numbers written as text carried: "%", "$"; None in files that do not tell, whose
    # rows are read by the sign that most of them carry.
    mark: str | None = ""
    # Categories whose zeros after a point tell levels apart, such as versions: 3.1 and 3.10.
    keeps_zeros: bool = False

    @property
    def size(self) -> PictureSize:
        """`picture` of a column of images."""
        assert self.picture is not None, f"column {self.name} holds no pictures"
        return self.picture

    @property
    def missing_numbers(self) -> tuple[float, ...]:
        """`missing` of a column of numbers."""
        return tuple(float(word) for word in self.missing)
