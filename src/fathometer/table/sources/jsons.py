"""JSON: one array of objects, or one object a line; plain or compressed."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pyarrow as pa

from fathometer.errors import EmptySourceError, SourceError
from fathometer.table.sources.encoding import plain_text
from fathometer.table.sources.raw import Raw

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
                table = connection.sql(
                    query, params={"path": literal, "limit": OBJECT_BYTES}
                ).to_arrow_table()
            except duckdb.Error as error:
                first = str(error).splitlines()[0].replace(str(text.path), path.name)
                raise SourceError(
                    f"{path.name} is not a JSON list of objects: {first}",
                    try_next="write one object a line, or one array of objects",
                ) from error
    if not table.num_columns:
        raise EmptySourceError(f"{path.name} holds no objects.")
    return Raw(_flat(table), f"JSON, {text.how}", path.stat().st_size)


def _flat(table: pa.Table) -> pa.Table:
    """Objects inside objects opened, level by level."""
    while any(pa.types.is_struct(field.type) for field in table.schema):
        table = table.flatten()
    return table
