"""JSON: one array of objects, or one object a line; plain or compressed."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from fathometer.errors import EmptySourceError, SourceError
from fathometer.table.sources.encoding import plain_text
from fathometer.table.sources.raw import Raw

if TYPE_CHECKING:
    import duckdb

OBJECT_BYTES = 64_000_000  # one object, or one array in one line; DuckDB's own limit is 16 MB


def read_json(path: Path, encoding: str | None = None) -> Raw:
    """Read JSON records; nested objects become columns named "outer.inner".

    Raises: SourceError where it is not JSON or not a list of objects."""
    import duckdb

    with tempfile.TemporaryDirectory(prefix="fathometer-") as folder:
        text = plain_text(path, Path(folder), encoding)
        literal = re.sub(r"([*?\[])", r"[\1]", str(text.path.resolve()))
        query = (
            "SELECT * FROM read_json($path, maximum_object_size = $limit, compression = 'none', "
            "records = true, sample_size = -1)"
        )
        with duckdb.connect() as connection:
            try:
                told = {"path": literal, "limit": OBJECT_BYTES}
                table = connection.sql(query, params=told).to_arrow_table()
                notes = _renamed(table.column_names, connection, told)
            except duckdb.Error as error:
                first = str(error).splitlines()[0]
                for where in (text.path.resolve(), text.path):
                    first = first.replace(str(where), path.name)
                raise SourceError(
                    f"{path.name} is not a JSON list of objects: {_own_lines(first)}",
                    details="one object a line is read, or one array of objects",
                ) from error
    if not table.num_columns:
        raise EmptySourceError(f"{path.name} holds no objects.")
    return Raw(_flat(table), f"JSON, {text.how}", path.stat().st_size, notes)


def _own_lines(said: str) -> str:
    """DuckDB's words, which count the lines of a file of one object a line from 2."""
    return re.sub(r"(?<= in line )\d+", lambda found: str(int(found[0]) - 1), said)


def _renamed(
    names: Sequence[str], connection: duckdb.DuckDBPyConnection, told: Mapping[str, object]
) -> tuple[str, ...]:
    """A note about each column that is not called by its key: of keys that differ by case alone,
    DuckDB numbers all but the first."""
    lowered = {name.lower() for name in names}
    numbered = re.compile(r"(.+)_\d+")
    parts = [numbered.fullmatch(name) for name in names]
    if not any(part and part[1].lower() in lowered for part in parts):
        return ()
    found = connection.sql(
        "SELECT DISTINCT unnest(json_keys(json)) FROM read_json_objects($path, "
        "maximum_object_size = $limit, compression = 'none')",
        params=told,
    ).fetchall()
    keys = {key for (key,) in found}
    return tuple(
        f'the key "{part[1]}" differs from another one by case alone and is now called "{part[0]}"'
        for part in parts
        if part and part[0] not in keys
    )


def _flat(table: pa.Table) -> pa.Table:
    """Objects inside objects opened, level by level."""
    while any(pa.types.is_struct(field.type) for field in table.schema):
        table = table.flatten()
    return table
