"""Parquet files and folders of them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from fathometer.errors import SourceError
from fathometer.table.sources.raw import Raw


def read_parquet(path: Path, encoding: str | None = None) -> Raw:
    """Read a Parquet file, or all Parquet files of one folder; `encoding` has no meaning here.

    Raises: SourceError where the file is broken."""
    import pyarrow.parquet as pq

    files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    try:
        table = pa.concat_tables([pq.read_table(file) for file in files], promote_options="default")
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{path.name} is not readable Parquet: {error}") from error
    how = "Parquet" if len(files) == 1 else f"Parquet, {len(files)} files"
    return Raw(table, how, sum(file.stat().st_size for file in files))
