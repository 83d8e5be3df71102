"""Which source reads what: a path, a database's URL, a frame or pictures → raw columns.

Tells files by their first bytes and names; says nothing of what their columns hold."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from fathometer.errors import EmptySourceError, SourceError
from fathometer.table.kind import ColumnSpec, Kind
from fathometer.table.sources.address import database_name
from fathometer.table.sources.decode import HEAD, SUFFIXES, picture_format
from fathometer.table.sources.delimited import read_delimited
from fathometer.table.sources.excel import read_excel
from fathometer.table.sources.folder import LABEL, is_picture_folder, read_files, read_folder
from fathometer.table.sources.frames import read_frame
from fathometer.table.sources.jsons import read_json
from fathometer.table.sources.parquet import read_parquet
from fathometer.table.sources.raw import Raw
from fathometer.table.sources.sql import is_database, read_sql

# What a file begins with, where its name may say otherwise.
PARQUET_MAGIC = b"PAR1"
WORKBOOK_MAGICS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
NOT_TABLES = {
    b"%PDF": "a PDF document",
    b"SQLite format 3\0": "a SQLite database",
    b"ARROW1": "an Arrow file",
}
JSON_SUFFIXES = (".json", ".jsonl", ".ndjson")
WORKBOOK_SUFFIXES = (".xlsx", ".xls", ".xlsb", ".xlsm", ".ods")


def open_source(
    source: object,
    encoding: str | None,
    query: str | None,
    specs: Sequence[ColumnSpec] | None = None,
) -> tuple[str, Raw]:
    """What to call a source, and its columns as found.

    source: a path, a database's URL, a frame of any library, or pictures. specs: the columns that
    are wanted, where they are known.

    Raises: SourceError where it is absent, broken or no table; EmptySourceError of no bytes."""
    pictures = _open_pictures(source, specs)
    if pictures is not None:
        return pictures
    if not isinstance(source, str | Path):
        return "table", read_frame(source)
    if isinstance(source, str) and "://" in source:
        if not is_database(source):
            raise SourceError(
                f"{source.split('://')[0]}:// is not a source that can be read.",
                details="sources are a path, sqlite:///file.db or postgresql://host/database",
            )
        return database_name(source), read_sql(source, query)
    path, sheet = _path_and_sheet(str(source))
    raw = _reader(path, sheet)(path, encoding)
    return path.name, replace(raw, folder=str(path if path.is_dir() else path.parent))


def _open_pictures(source: object, specs: Sequence[ColumnSpec] | None) -> tuple[str, Raw] | None:
    """A folder of pictures, or for known columns also one picture or a list of them; None for
    everything else."""
    wanted = [spec.name for spec in specs or () if spec.kind is Kind.IMAGE]
    if isinstance(source, str | Path):
        path = Path(source).expanduser()
        if is_picture_folder(path):
            need_labels = specs is None or LABEL in [spec.name for spec in specs]
            return path.resolve().name, _renamed(read_folder(path, need_labels=need_labels), wanted)
        if not wanted or not path.is_file() or not _is_picture(path):
            return None
        return path.name, _renamed(read_files([str(path)]), wanted)
    if not wanted or not isinstance(source, Sequence) or not source:
        return None
    if not all(isinstance(each, str | Path) for each in source):
        return None
    named = [str(Path(each).expanduser()) for each in source]
    return "pictures", _renamed(read_files(named), wanted)


def _is_picture(path: Path) -> bool:
    with path.open("rb") as file:
        return picture_format(file.read(HEAD)) is not None


def _renamed(raw: Raw, wanted: Sequence[str]) -> Raw:
    """The pictures under the name that a model knows them by, where it is one."""
    if len(wanted) != 1 or raw.picture is None or wanted[0] == raw.picture:
        return raw
    others = raw.table.drop_columns([name for name in raw.table.column_names if name == wanted[0]])
    names = [wanted[0] if name == raw.picture else name for name in others.column_names]
    return replace(raw, table=others.rename_columns(names), picture=wanted[0])


def _path_and_sheet(written: str) -> tuple[Path, str | None]:
    path = Path(written).expanduser()
    front, mark, sheet = written.rpartition("#")
    if not path.exists() and mark and front.lower().endswith(WORKBOOK_SUFFIXES):
        path = Path(front).expanduser()
        return (path, sheet) if path.exists() else (_absent(path), None)
    return (path if path.exists() else _absent(path)), None


def _absent(path: Path) -> Path:
    """Raises: SourceError that names the nearest file."""
    folder = path.parent
    names = [each.name for each in folder.iterdir()] if folder.is_dir() else []
    seen = [name for name in names if path.name.startswith(".") or not name.startswith(".")]
    near = difflib.get_close_matches(path.name, seen, n=1, cutoff=0.6)
    nearest = f'; the nearest is "{near[0]}"' if near else ""
    where = f"in {folder.resolve()}" if folder.is_dir() else f": there is no folder {folder}"
    raise SourceError(
        f'There is no file "{path.name}" {where}{nearest}.'.replace(" :", ":"),
        try_next=str(folder / near[0]) if near else "",
    )


def _reader(path: Path, sheet: str | None) -> Callable[[Path, str | None], Raw]:
    """What reads this file, by its first bytes, then by its name; else it is delimited text."""
    if path.is_dir():
        if any(path.glob("*.parquet")):
            return read_parquet
        raise SourceError(f'"{path}" is a folder without Parquet files.')
    with path.open("rb") as file:
        head = file.read(HEAD)
    if not head:
        raise EmptySourceError(f"{path.name} is empty: 0 bytes.")
    for magic, noun in NOT_TABLES.items():
        if head.startswith(magic):
            mend = f"read sqlite:///{path} with --query" if magic.startswith(b"SQLite") else ""
            raise SourceError(f"{path.name} is {noun}, not a table of text.", details=mend)
    found = picture_format(head)
    if found in ("PNG", "JPEG", "WEBP", "GIF") or (found and path.suffix.lower() in SUFFIXES):
        raise SourceError(
            f"{path.name} is a {found} picture, not a table of text.",
            details=f"read the folder of pictures that it lies in: {path.parent}",
        )
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if head.startswith(PARQUET_MAGIC) or suffixes[-1:] == [".parquet"]:
        return read_parquet
    if head.startswith(WORKBOOK_MAGICS) or path.suffix.lower() in WORKBOOK_SUFFIXES:
        return lambda workbook, _: read_excel(workbook, sheet)
    if any(suffix in JSON_SUFFIXES for suffix in suffixes[-2:]):  # also data.json.gz
        return read_json
    return read_delimited
