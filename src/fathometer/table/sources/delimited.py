"""CSV, TSV and their kin, plain or compressed, read by DuckDB as text: kinds are decided later.

A line with too many or too few fields is set aside with its number and the reason; no value is ever
shifted, padded or guessed."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from fathometer.errors import EmptySourceError, SourceError
from fathometer.table.sources.dialect import Dialect, find_dialect
from fathometer.table.sources.encoding import plain_text
from fathometer.table.sources.raw import Raw, RejectedLine

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

LISTED = 10_000  # rejected lines kept with their text; all are counted
TEXT_KEPT = 500  # characters of a rejected line
LINE_BYTES = 8_000_000  # longest line; DuckDB's own limit of 2 MB refuses long documents


def read_delimited(path: Path, encoding: str | None) -> Raw:
    """Read a delimited text file; every column comes as strings.

    Raises: EmptySourceError without a row; EncodingError and SourceError as `plain_text` and
    `find_dialect` do."""
    with tempfile.TemporaryDirectory(prefix="fathometer-") as folder:
        text = plain_text(path, Path(folder), encoding)
        dialect = find_dialect(text.path, path.name)
        if not any(dialect.names):
            raise EmptySourceError(f"{path.name} is empty: it has no columns and no rows.")
        table, rejected, count = _scan(text.path, dialect, path.name)
    kind = "TSV" if dialect.delimiter == "\t" else "CSV"
    return Raw(
        table.rename_columns(list(dialect.names)),
        f"{kind}, {text.how}, {dialect.words}",
        path.stat().st_size,
        text.notes + dialect.notes,
        rejected,
        count,
        decimal_comma_likely=dialect.delimiter == ";",
    )


def _scan(
    path: Path, dialect: Dialect, name: str
) -> tuple[pa.Table, tuple[RejectedLine, ...], int]:
    import duckdb

    columns = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(len(dialect.names)))
    query = f"""
        SELECT * FROM read_csv(
            $path, columns = {{{columns}}}, auto_detect = false, header = {dialect.has_header},
            delim = $delimiter, quote = '"', escape = $escape, store_rejects = true,
            null_padding = false, strict_mode = true, max_line_size = {LINE_BYTES},
            skip = {dialect.lines_above}, compression = 'none')"""
    # A file name is not a glob pattern here, so its marks are put in brackets.
    literal = re.sub(r"([*?\[])", r"[\1]", str(path.resolve()))
    parameters = {"path": literal, "delimiter": dialect.delimiter, "escape": dialect.escape}
    with duckdb.connect() as connection:
        try:
            table = connection.sql(query, params=parameters).to_arrow_table()
        except duckdb.Error as error:
            first = str(error).splitlines()[0]
            raise SourceError(f"{name} cannot be read as {dialect.words} text: {first}") from error
        rejected, count = _rejected(connection, path, len(dialect.names))
    return table, rejected, count


def _rejected(
    connection: duckdb.DuckDBPyConnection, path: Path, width: int
) -> tuple[tuple[RejectedLine, ...], int]:
    """The lines set aside, in file order, and how many there are."""
    (count,) = connection.execute(
        "SELECT count(DISTINCT line_byte_position) FROM reject_errors"
    ).fetchone() or (0,)
    found = connection.execute(
        "SELECT line_byte_position, any_value(error_type)::VARCHAR, any_value(error_message), "
        "any_value(csv_line) FROM reject_errors GROUP BY 1 ORDER BY 1 LIMIT ?",
        [LISTED],
    ).fetchall()
    lines = _line_numbers(path, [place for place, *_ in found])
    rejected = tuple(
        RejectedLine(line, _reason(fault, message, text or "", width), (text or "")[:TEXT_KEPT])
        for line, (_, fault, message, text) in zip(lines, found, strict=True)
    )
    return rejected, int(count)


def _line_numbers(path: Path, places: list[int]) -> list[int]:
    """The line, counted from 1, in which each byte stands; DuckDB counts records instead.

    `places` ascend."""
    lines, line, done = [], 1, 0
    with path.open("rb") as file:
        for place in places:
            while done < place:
                chunk = file.read(min(1 << 20, place - done))
                if not chunk:
                    break
                line += chunk.count(b"\n") or chunk.count(b"\r")
                done += len(chunk)
            lines.append(line)
    return lines


def _reason(fault: str, message: str, text: str, width: int) -> str:
    found = re.search(r"Found: (\d+)", message)
    if fault == "MISSING COLUMNS" and found:
        return f"{found[1]} {'field' if found[1] == '1' else 'fields'} where {width} are expected"
    if fault == "TOO MANY COLUMNS":
        return f"more than {width} fields"
    if fault == "UNQUOTED VALUE":
        lines = text.rstrip().count("\n") + 1
        if lines > 1:
            return f"a quote that is never closed takes in {lines:,} lines"
        return "a quote in the middle of a value, or one that is never closed"
    if fault == "LINE SIZE OVER MAXIMUM":
        return f"longer than {LINE_BYTES // 1_000_000} MB"
    return fault.lower()
