"""How raw columns enter a model from elsewhere, and how its answers are read: the mapping file.

    [input.float_input]                  # an input of the model
    columns = ["age", "fare", "sex"]     # side by side, in this order
    missing = 0                          # for a missing number; left out: NaN
    codes.sex = { male = 0, female = 1 } # numbers for a column of text; others are missing

    [output]
    scores = "probabilities"             # which output; left out: the last one of numbers
    classes = ["no", "yes"]              # the order of its columns
    kind = "logit"                       # "probability" if left out

Without one, every input must be named like a column. What it says of pictures stands in
`picture_mapping`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fathometer.errors import ColumnError
from fathometer.graph import Element
from fathometer.table.kind import ELEMENTS, Kind
from fathometer.table.number import number_name
from fathometer.table.table import Column, Table
from fathometer.trial.foreign import Port
from fathometer.trial.picture_feed import AXES, PictureFeed, picture_form
from fathometer.trial.picture_mapping import KEYS, UNSAID, PictureMapping, picture_mapping
from fathometer.trial.toml_file import TomlFile
from fathometer.wording import counted

LARGEST_FILE = 1_000_000  # bytes
TAKES = '[input.NAME] with columns = ["a", "b"], and [output] with scores, classes and kind'
WHOLE = ("int64", "int32", "uint8", "bool")
Feed = np.ndarray | PictureFeed


@dataclass(frozen=True)
class InputMapping:
    """Which columns make one input; none where that is the only column of pictures."""

    columns: tuple[str, ...]
    missing: float | None = None
    codes: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    pictures: PictureMapping = UNSAID


@dataclass(frozen=True)
class Mapped:
    """The whole mapping; what is empty is found out from the model."""

    inputs: Mapping[str, InputMapping] = field(default_factory=dict)
    scores: str = ""
    classes: tuple[str, ...] = ()
    is_logit: bool = False


def mapping_from(path: Path) -> Mapped:
    """The mapping in a TOML file.

    Raises:
        OptionError: if it cannot be read or says something else.
    """
    file = TomlFile(path, "the mapping", TAKES, "--with MODEL.onnx:")
    said = file.read(most_bytes=LARGEST_FILE)
    file.only(said, {"input", "output"})
    inputs = {name: _input(file, name, each) for name, each in _tables(file, said, "input").items()}
    output = said.get("output", {})
    if not isinstance(output, dict):
        raise file.refused("has an output that is no table")
    file.only(output, {"scores", "classes", "kind"}, "output.")
    kind = output.get("kind", "probability")
    if kind not in ("probability", "logit"):
        raise file.refused(f'has output.kind "{kind}"; it is probability or logit')
    return Mapped(
        inputs, str(output.get("scores", "")), _texts(file, output, "classes"), kind == "logit"
    )


def _input(file: TomlFile, name: str, said: Mapping[str, Any]) -> InputMapping:
    file.only(said, {"columns", "missing", "codes", *KEYS}, f"input.{name}.")
    missing = said.get("missing")
    codes = {}
    for column, levels in _tables(file, said, "codes").items():
        codes[column] = {
            str(level): file.number(code, f"a code of {column}") for level, code in levels.items()
        }
    columns = _texts(file, said, "columns")
    pictures = picture_mapping(file, said, f"input.{name}.")
    if not columns and pictures == UNSAID:
        raise file.refused(f"names no columns for input.{name}")
    put = None if missing is None else file.number(missing, f"input.{name}.missing")
    return InputMapping(columns, put, codes, pictures)


def _tables(file: TomlFile, said: Mapping[str, Any], name: str) -> dict[str, dict[str, Any]]:
    found = said.get(name, {})
    if not isinstance(found, dict) or not all(isinstance(each, dict) for each in found.values()):
        raise file.refused(f"has {name} that are no tables")
    return found


def _texts(file: TomlFile, said: Mapping[str, Any], name: str) -> tuple[str, ...]:
    found = said.get(name, [])
    if not isinstance(found, list):
        raise file.refused(f"has {name} that are no list")
    return tuple(str(each) for each in found)


def foreign_feeds(table: Table, ports: Sequence[Port], mapped: Mapped) -> dict[str, Feed]:
    """The inputs of a foreign model from raw columns.

    Raises:
        ColumnError: if an input names no column, or a column does not fit it.
    """
    unknown = sorted(set(mapped.inputs) - {port.name for port in ports})
    if unknown:
        raise ColumnError(
            f'the mapping speaks of an input "{unknown[0]}" that the model does not have.',
            details="inputs: " + "; ".join(map(str, ports))[:300],
        )
    return {port.name: _fed(table, port, mapped.inputs.get(port.name)) for port in ports}


def _fed(table: Table, port: Port, mapping: InputMapping | None) -> Feed:
    named = mapping.columns if mapping else ()
    names = named or _unnamed(table, port, is_mapped=mapping is not None)
    absent = [name for name in names if name not in table]
    if absent and mapping is None:
        raise ColumnError(
            f'the model takes "{port}", and {table.name} has no column of that name.',
            details="columns: "
            + ", ".join(column.name for column in table)[:300]
            + f"\na mapping says which columns to put there:  [input.{port.name}]  "
            'columns = ["first", "second"]',
            try_next="--with MODEL.onnx:mapping.toml",
        )
    if absent:
        raise ColumnError(
            f'the mapping puts "{absent[0]}" into {port.name}; {table.name} has no such column.',
            details="columns: " + ", ".join(column.name for column in table)[:300],
        )
    pictured = [name for name in names if table[name].kind is Kind.IMAGE]
    if pictured:
        return _pictures(table, port, names, mapping)
    if len(port.axes) == AXES or (mapping is not None and mapping.pictures != UNSAID):
        raise ColumnError(
            f'the model takes "{port}", where pictures are put, and "{names[0]}" holds none.',
            details=_named_pictures(table),
            try_next="--with MODEL.onnx:mapping.toml",
        )
    if len(port.axes) == 2 and port.axes[1] not in (None, len(names)):
        raise ColumnError(
            f'the model takes "{port}", and {len(names)} columns are put there.',
            details="columns: " + ", ".join(names)[:300],
        )
    if len(port.axes) == 1 and len(names) > 1:
        raise ColumnError(
            f'the model takes "{port}", one value a row, and {len(names)} columns are put there.',
            details="columns: " + ", ".join(names)[:300],
        )
    parts = [_column(table[name], port, mapping or InputMapping((name,))) for name in names]
    fed = np.stack(parts, axis=1)
    return fed[:, 0] if len(port.axes) == 1 else fed


def _unnamed(table: Table, port: Port, *, is_mapped: bool) -> tuple[str, ...]:
    """The column of an input that none are named for: the one of its name, or the only one of
    pictures.

    is_mapped: whether it is said to take pictures.

    Raises: ColumnError where it is, and there is neither."""
    pictured = table.of_kind(Kind.IMAGE)
    if port.name in table or (len(port.axes) != AXES and not is_mapped):
        return (port.name,)
    if len(pictured) == 1:
        return (pictured[0].name,)
    if is_mapped:
        raise ColumnError(
            f"{port.name} takes pictures, nothing names a column for it, and {table.name} has "
            f"{counted(len(pictured), 'column')} of them.",
            details=_named_pictures(table),
            try_next="--with MODEL.onnx:mapping.toml",
        )
    return (port.name,)


def _pictures(
    table: Table, port: Port, names: Sequence[str], mapping: InputMapping | None
) -> PictureFeed:
    if len(names) > 1:
        raise ColumnError(
            f"the mapping puts {len(names)} columns into {port.name}, pictures among them; a "
            "picture enters alone.",
            details="columns: " + ", ".join(names)[:300],
        )
    column = table[names[0]]
    said = UNSAID if mapping is None else mapping.pictures
    return PictureFeed(picture_form(column, port, said), column)


def _named_pictures(table: Table) -> str:
    pictured = [column.name for column in table.of_kind(Kind.IMAGE)]
    return f"columns of pictures: {', '.join(pictured)[:300] or 'none'}"


def _column(column: Column, port: Port, mapping: InputMapping) -> np.ndarray:
    """(rows,) one column as an input takes it."""
    is_number = ELEMENTS[column.kind] is Element.DOUBLE
    if port.element == "string":
        if not is_number:
            return column.strings
        return _texts_of(column)
    codes = mapping.codes.get(column.name)
    if codes is not None:
        numbers = np.array([codes.get(text, np.nan) for text in _texts_of(column)])
    elif is_number or column.kind is Kind.DATE:
        numbers = column.numbers
    else:
        numbers = _as_numbers(column, port)
    if mapping.missing is not None:
        numbers = np.where(np.isnan(numbers), mapping.missing, numbers)
    if port.element in WHOLE and np.isnan(numbers).any():
        raise ColumnError(
            f'"{column.name}" has {int(np.isnan(numbers).sum()):,} missing values, and {port.name} '
            f"takes {port.element}, which has no word for them.",
            details=f"a mapping says what to put there:  [input.{port.name}]  missing = 0",
            try_next="--with MODEL.onnx:mapping.toml",
        )
    return _exact(numbers, column, port)


def _exact(numbers: np.ndarray, column: Column, port: Port) -> np.ndarray:
    """The numbers in the element that the port takes, none of them changed by it."""
    if port.element not in WHOLE:
        return numbers.astype(port.element)
    whole = np.dtype(port.element) if port.element != "bool" else np.dtype(np.uint8)
    low, high = (0, 1) if port.element == "bool" else (np.iinfo(whole).min, np.iinfo(whole).max)
    fits = (numbers == np.floor(numbers)) & (numbers >= low) & (numbers <= high)
    if not fits.all():
        row = int(np.flatnonzero(~fits)[0])
        raise ColumnError(
            f'{port.name} takes {port.element}, and "{column.name}" holds {numbers[row]:g} in row '
            f"{row:,}.",
            details=f"a mapping gives numbers to its levels:  [input.{port.name}]  "
            f'codes.{column.name} = {{ "{numbers[row]:g}" = 0, … }}',
            try_next="--with MODEL.onnx:mapping.toml",
        )
    return numbers.astype(port.element)


def _texts_of(column: Column) -> np.ndarray:
    """The values as text; numbers as they are usually written, missing ones empty."""
    if ELEMENTS[column.kind] is not Element.DOUBLE:
        return column.strings
    names = ["" if np.isnan(value) else number_name(value) for value in column.numbers.tolist()]
    return np.array(names, dtype=object)


def _as_numbers(column: Column, port: Port) -> np.ndarray:
    """Text that consists of numbers as such, missing ones NaN."""
    found = np.full(len(column.strings), np.nan)
    for row, text in enumerate(column.strings):
        if text == "":
            continue
        try:
            found[row] = float(text)
        except ValueError:
            raise ColumnError(
                f'{port.name} takes numbers, and "{column.name}" holds "{text}" in row {row:,}.',
                details=f"a mapping gives numbers to its levels:  [input.{port.name}]  "
                f"codes.{column.name} = {{ {text} = 0, … }}",
                try_next="--with MODEL.onnx:mapping.toml",
            ) from None
    return found
