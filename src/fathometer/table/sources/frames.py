"""Frames of any library (pandas, Polars, Arrow, DuckDB, …) and dicts of lists, without a copy where
the library speaks Arrow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from fathometer.errors import SourceError
from fathometer.table.sources.raw import Raw


def read_frame(frame: object) -> Raw:
    """Take the columns of a frame; row labels of pandas are left out.

    Raises: SourceError for anything that is not a frame."""
    notes: list[str] = []
    table, library = _table(frame, notes)
    return Raw(table, f"{library}, in memory", table.nbytes, tuple(notes))


def _table(frame: object, notes: list[str]) -> tuple[pa.Table, str]:
    library = type(frame).__module__.split(".")[0].lstrip("_")
    if isinstance(frame, Mapping):
        return _from_columns({str(name): values for name, values in frame.items()}, notes), "dict"
    if isinstance(frame, Sequence) and not isinstance(frame, str | bytes):
        return _from_records(frame, notes), "list"
    if library == "pandas" and hasattr(frame, "columns"):
        return _from_pandas(frame, notes), "pandas"
    if hasattr(frame, "__arrow_c_stream__"):
        try:
            return pa.table(frame), library
        except (pa.ArrowInvalid, TypeError) as error:  # a Series, which is one column
            raise _no_table(frame) from error
    if hasattr(frame, "to_arrow_table"):  # a DuckDB relation
        return frame.to_arrow_table(), library
    return _from_narwhals(frame), library


def _from_narwhals(frame: object) -> pa.Table:
    import narwhals

    try:
        native = narwhals.from_native(frame)  # type: ignore[call-overload]
    except TypeError as error:
        raise _no_table(frame) from error
    lazy = isinstance(native, narwhals.LazyFrame)
    table: pa.Table = (native.collect() if lazy else native).to_arrow()
    return table


def _no_table(frame: object) -> SourceError:
    return SourceError(
        f"A value of type {type(frame).__name__} is not a table.",
        details="tables are a path, a database's URL, a dict of lists, or a frame of pandas, "
        "Polars, Arrow or DuckDB",
    )


def _from_pandas(frame: Any, notes: list[str]) -> pa.Table:
    names = [_writable(str(name)) for name in frame.columns]
    # Columns by place: a doubled name must reach the check that refuses it.
    series = [frame.iloc[:, place] for place in range(len(names))]
    arrays = [_array(name, each, notes) for name, each in zip(names, series, strict=True)]
    return pa.Table.from_arrays(arrays, names=names)


def _from_columns(columns: Mapping[str, object], notes: list[str]) -> pa.Table:
    for name, values in columns.items():
        if not _is_list(values):
            raise SourceError(
                f'The column "{_writable(name)}" is one value of type {type(values).__name__}, not '
                "a list of values."
            )
    named = {_writable(name): values for name, values in columns.items()}
    arrays = {name: _array(name, values, notes) for name, values in named.items()}
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name}: {length}" for name, length in list(lengths.items())[:12])
        raise SourceError("The columns do not have the same length.", details=found)
    return pa.table(arrays)


def _is_list(values: object) -> bool:
    """Whether a column's values come one after the other; text and objects do so only by name."""
    if isinstance(values, str | bytes | Mapping) or getattr(values, "ndim", 1) == 0:
        return False
    lists = ("__iter__", "__arrow_array__", "__arrow_c_array__", "__arrow_c_stream__")
    return any(hasattr(values, name) for name in lists)


def _from_records(records: Sequence[object], notes: list[str]) -> pa.Table:
    if not all(isinstance(record, Mapping) for record in records):
        raise SourceError("A list is a table only if it holds dicts, one a row.")
    names = dict.fromkeys(name for record in records for name in record)  # type: ignore[attr-defined]
    columns = {str(n): [record.get(n) for record in records] for n in names}  # type: ignore[attr-defined]
    return _from_columns(columns, notes)


def _array(name: str, values: object, notes: list[str]) -> pa.Array | pa.ChunkedArray:
    """One column; values of mixed types (3 beside "three") become strings."""
    try:
        return pa.array(values, from_pandas=True)
    except (
        *(pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError),
        *(OverflowError, UnicodeEncodeError),
    ):
        written = [_written(value) for value in values]  # type: ignore[attr-defined]
    whole = [text if text is None else _writable(text) for text in written]
    broken = sum(one != other for one, other in zip(written, whole, strict=True))
    if broken:
        noun = "value holds" if broken == 1 else "values hold"
        notes.append(f"column {name}: {broken:,} {noun} half a character, written ?")
    return pa.array(whole, pa.string())


def _writable(text: str) -> str:
    """The text with "?" for a surrogate that stands alone, which no encoding can write."""
    return text.encode("utf-8", "replace").decode()


def _written(value: object) -> str | None:
    if value is None or str(value) in ("nan", "NaN", "NaT", "<NA>"):
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
