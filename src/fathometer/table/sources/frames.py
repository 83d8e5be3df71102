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
    table, library = _table(frame)
    return Raw(table, f"{library}, in memory", table.nbytes)


def _table(frame: object) -> tuple[pa.Table, str]:
    library = type(frame).__module__.split(".")[0].lstrip("_")
    if isinstance(frame, Mapping):
        return _from_columns({str(name): values for name, values in frame.items()}), "dict"
    if isinstance(frame, Sequence) and not isinstance(frame, str | bytes):
        return _from_records(frame), "list"
    if library == "pandas" and hasattr(frame, "columns"):
        return _from_pandas(frame), "pandas"
    if hasattr(frame, "__arrow_c_stream__"):
        return pa.table(frame), library
    if hasattr(frame, "to_arrow_table"):  # a DuckDB relation
        return frame.to_arrow_table(), library
    return _from_narwhals(frame), library


def _from_narwhals(frame: object) -> pa.Table:
    import narwhals

    try:
        native = narwhals.from_native(frame)  # type: ignore[call-overload]
    except TypeError as error:
        raise SourceError(
            f"A value of type {type(frame).__name__} is not a table.",
            try_next="a path, a database's URL, or a frame of pandas, Polars, Arrow or DuckDB",
        ) from error
    lazy = isinstance(native, narwhals.LazyFrame)
    table: pa.Table = (native.collect() if lazy else native).to_arrow()
    return table


def _from_pandas(frame: Any) -> pa.Table:
    names = [str(name) for name in frame.columns]
    # Columns by place: a doubled name must reach the check that refuses it.
    series = [frame.iloc[:, place] for place in range(len(names))]
    return pa.Table.from_arrays([_array(values) for values in series], names=names)


def _from_columns(columns: Mapping[str, object]) -> pa.Table:
    arrays = {name: _array(values) for name, values in columns.items()}
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name}: {length}" for name, length in list(lengths.items())[:12])
        raise SourceError("The columns do not have the same length.", details=found)
    return pa.table(arrays)


def _from_records(records: Sequence[object]) -> pa.Table:
    if not all(isinstance(record, Mapping) for record in records):
        raise SourceError("A list is a table only if it holds dicts, one a row.")
    names = dict.fromkeys(name for record in records for name in record)  # type: ignore[attr-defined]
    return _from_columns({str(n): [record.get(n) for record in records] for n in names})  # type: ignore[attr-defined]


def _array(values: object) -> pa.Array | pa.ChunkedArray:
    """One column; values of mixed types (3 beside "three") become strings."""
    try:
        return pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
        written = [_written(value) for value in values]  # type: ignore[attr-defined]
        return pa.array(written, pa.string())


def _written(value: object) -> str | None:
    if value is None or str(value) in ("nan", "NaN", "NaT", "<NA>"):
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
