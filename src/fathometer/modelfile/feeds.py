"""Raw rows of any kind → the arrays a model file takes, and answers back in the caller's type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fathometer.errors import ColumnError, KindError, SourceError
from fathometer.graph import Element
from fathometer.modelfile.picture_list import pictures_alone, pictures_from
from fathometer.table.kind import ELEMENTS, ColumnSpec, Kind

if TYPE_CHECKING:
    from fathometer.table.table import Column


def feeds_from(source: Any, columns: Sequence[ColumnSpec]) -> tuple[dict[str, Any], Any]:
    """The inputs of these columns, (rows, 1) or pictures, and the frame that answers should look
    like.

    A mapping of arrays goes straight through, without a frame library or Arrow, and its answers
    are numpy arrays (the frame is None). So do pictures that are named or given one by one, where
    the model takes nothing else.

    Raises:
        ColumnError: if a column is absent. KindError: if a value is not of its column's kind.
        SourceError: if a picture of a folder cannot be read.
    """
    alone = pictures_alone(source, columns)
    if alone is not None:
        return {columns[0].name: alone}, None
    if isinstance(source, Mapping):
        found = {spec.name: feed(source, spec) for spec in columns}
        if len({len(values) for values in found.values()}) > 1:
            counts = ", ".join(f"{name}: {len(values)}" for name, values in found.items())
            raise ColumnError("the columns do not have the same length.", details=counts[:300])
        return found, None
    from fathometer.table.table import Table

    if isinstance(source, Table):
        table = source
    elif not isinstance(source, str) and hasattr(source, "__len__") and len(source) == 0:
        return {spec.name: feed({spec.name: []}, spec) for spec in columns}, source
    else:
        from fathometer.table.read import read_as

        reading = read_as(source, columns)
        if reading.rejected_count and reading.files is not None:
            first = reading.rejected[0]
            raise SourceError(
                f"{reading.rejected_count:,} of the pictures cannot be read, the first of them "
                f"{first.text}: it {first.reason}.",
                try_next="fathom predict, which answers the others with their paths",
            )
        table = reading.table
    feeds = {spec.name: _stored(table[spec.name]) for spec in columns}
    return feeds, None if isinstance(source, Table) else source


def _stored(column: Column) -> np.ndarray:
    """A table's column as a model file takes it."""
    if column.kind is Kind.IMAGE:
        return column.pixels
    double = ELEMENTS[column.kind] is Element.DOUBLE
    return (column.numbers if double else column.strings)[:, None]


def feed(source: Mapping[str, Any], spec: ColumnSpec) -> Any:
    """One input (rows, 1) from a mapping's values; of pictures, see `pictures_from`.

    None and NaN are missing; what else stands for it ("?", -999) the file itself knows. Blanks
    around strings are dropped; strings are not read as numbers people write ("1,234") here."""
    if spec.name not in source:
        raise ColumnError(
            f'the rows have no column "{spec.name}".',
            details="columns: " + ", ".join(str(name) for name in source)[:300],
        )
    values = source[spec.name]
    if spec.kind is Kind.IMAGE:
        return pictures_from(values, spec)
    if ELEMENTS[spec.kind] is Element.DOUBLE:
        try:
            found = np.asarray(values, dtype=np.float64)  # None becomes NaN
        except (OverflowError, TypeError, ValueError) as error:
            raise KindError(f'column "{spec.name}" takes numbers: {error}.') from error
        return found.reshape(-1, 1)
    raw = np.asarray(values, dtype=object).reshape(-1, 1)
    texts = [[as_text(value, spec.name)] for value in raw[:, 0]]
    return np.array(texts, dtype=object).reshape(-1, 1)


def as_text(value: object, name: str) -> str:
    """A value of a column of strings as reading a frame would give it; missing is empty.

    Raises:
        KindError: if it is bytes, of which nobody knows the encoding.
    """
    if isinstance(value, str):
        text = value.strip()
        # A surrogate that stands alone has no bytes: "?" for it, as in a frame that is read.
        return text if text.isascii() else text.encode("utf-8", "replace").decode()
    if isinstance(value, bytes | bytearray | memoryview):
        raise KindError(
            f'column "{name}" takes text; {bytes(value[:20])!r} is bytes.',
            try_next='value.decode("utf-8")',
        )
    if value is None or (isinstance(value, float | np.floating) and not np.isfinite(value)):
        return ""
    if isinstance(value, np.datetime64):
        return "" if np.isnat(value) else str(value)
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))  # a category that a frame library turned into floats
    text = str(value)
    return "" if text in ("NaT", "<NA>") else text  # pandas' own missing values


def answer_frame(like: Any, answers: Mapping[str, np.ndarray], *, single: bool) -> Any:
    """Named columns as the frame type of `like`; numpy where it is no frame or stands alone.

    `single` gives the one column itself as a Series."""
    first = next(iter(answers.values()))
    if like is None or isinstance(like, str) or hasattr(like, "__fspath__"):
        return first if single else np.stack(list(answers.values()), axis=1)
    import narwhals

    frame = narwhals.from_native(like, pass_through=True)
    if not isinstance(frame, narwhals.DataFrame):
        return first if single else np.stack(list(answers.values()), axis=1)
    made = narwhals.from_dict(
        {name: values.tolist() for name, values in answers.items()}, backend=frame.implementation
    )
    native = made.to_native()
    if frame.implementation.is_pandas():
        native.index = like.index
    if not single:
        return native
    name = next(iter(answers))
    series = native[name]
    return series.combine_chunks() if hasattr(series, "combine_chunks") else series
