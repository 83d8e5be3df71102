"""Columns of pictures: which columns of a raw table they are, and their pixels.

A column holds pictures if it holds the bytes of picture files, or paths of such files, relative to
where the table lies. Rows whose picture cannot be read are refused one by one."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fathometer.errors import KindError, OptionError, PictureError
from fathometer.table.kind import LARGEST_SIDE, ColumnSpec, Kind, PictureSize
from fathometer.table.levels import MISSING_WORDS
from fathometer.table.sources.decode import HEAD, SUFFIXES, picture_format
from fathometer.table.sources.pictures import Pictures, PictureSource, read_pictures
from fathometer.table.sources.raw import Raw, RejectedLine
from fathometer.table.table import Column

LOOKED_AT = 200  # values, evenly spread, that tell what a column holds
MOSTLY = 0.9  # share of them that begin, or end, as pictures do
EXISTING = 0.5  # share of paths that lead to a file
DECLARED = re.compile(r"image(?::(\d+)x(\d+))?")


@dataclass(frozen=True, eq=False)
class PictureColumns:
    """The columns of pictures of a raw table, by name, all of the same rows.

    `rows` are the numbers of the table's rows that all of them could be read of; `files` (rows,)
    where the first of them was read from, if from files."""

    columns: Mapping[str, Column]
    rows: np.ndarray
    rejected: tuple[RejectedLine, ...]
    notes: tuple[str, ...]
    files: pa.Array | None


def find_pictures(
    table: pa.Table, raw: Raw, declared: Mapping[str, str], *, keep_origins: bool = False
) -> PictureColumns:
    """Read the columns of a table that hold pictures.

    declared: column → kind, as the user says: "image", "image:64x48" or another one.
    keep_origins: whether columns keep where their pictures lie.

    Raises: KindError for a column that was declared image and holds none; PictureError where no
    picture of a folder can be read."""
    sources: dict[str, PictureSource] = {}
    notes: list[str] = []
    for name in table.column_names:
        kind = declared.get(name, "")
        is_other = kind and not kind.startswith("image")
        if is_other or (raw.picture not in (None, name) and not kind):
            continue
        source = _source(table.column(name), raw.folder)
        if source is None:
            if kind:
                raise _not_pictures(name, table.column(name).type)
            continue
        if kind or name == raw.picture or _looks_like_pictures(source):
            sources[name] = source
        elif _names_pictures(source):
            where = raw.folder or os.getcwd()
            notes.append(f"column {name} names pictures, but they do not lie in {where}")
    found = {
        name: _read(name, source, declared_size(name, declared.get(name, "")), raw)
        for name, source in sources.items()
    }
    aligned = _aligned(found, sources, table.num_rows, tuple(notes))
    return _with_origins(aligned, sources) if keep_origins else aligned


def pictures_as(
    table: pa.Table, raw: Raw, specs: Sequence[ColumnSpec], *, keep_origins: bool = False
) -> PictureColumns:
    """Read columns of pictures for a model: at its sizes, gray or in colour as it takes them.

    Pictures of a folder that cannot be read have no row; those of a table keep theirs, and count
    as missing.

    Raises: KindError for a column that can hold no pictures."""
    is_table = raw.picture is None
    found: dict[str, Pictures] = {}
    sources: dict[str, PictureSource] = {}
    notes: list[str] = []
    for spec in specs:
        source = _source(table.column(spec.name), raw.folder)
        if source is None:
            raise _not_pictures(spec.name, table.column(spec.name).type)
        made = read_pictures(source, size=spec.size, keep_refused=is_table)
        found[spec.name], sources[spec.name] = made, source
        if is_table and made.refused:
            count, first = len(made.refused), made.refused[0]
            noun = "picture" if count == 1 else "pictures"
            notes.append(
                f"column {spec.name}: {count:,} {noun} cannot be read, the first in row "
                f"{first.row + 1:,}, which {first.reason}: treated as missing"
            )
    aligned = _aligned(found, sources, table.num_rows, tuple(notes))
    if keep_origins:
        aligned = _with_origins(aligned, sources)
    return replace(aligned, rejected=()) if is_table else aligned


def declared_size(name: str, declared: str) -> PictureSize | None:
    """The size of "image:64x48", its channels still open (0); None for "image" alone.

    Raises: OptionError where it is written otherwise, or too large."""
    match = DECLARED.fullmatch(declared or "image")
    sides = [int(side) for side in match.groups() if side] if match else []
    if match is None or any(not 1 <= side <= LARGEST_SIDE for side in sides):
        raise OptionError(
            f'Column "{name}" was declared "{declared}"; pictures are learned at a height and a '
            f"width of 1 to {LARGEST_SIDE:,} pixels.",
            try_next=f"--kind {shlex.quote(name)}=image:64x64",
        )
    return PictureSize(sides[0], sides[1], 0) if sides else None


def _bytes_type(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
        or pa.types.is_binary_view(kind)
    )


def _has_bytes(kind: pa.DataType) -> bool:
    """Whether it is a struct of bytes and path, as Hugging Face's datasets store pictures."""
    return bool(
        pa.types.is_struct(kind)
        and kind.get_field_index("bytes") >= 0
        and _bytes_type(kind.field("bytes").type)
    )


def _source(values: pa.ChunkedArray, folder: str) -> PictureSource | None:
    """The column as paths or contents; None where it can hold neither."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        return _source(values.cast(kind.value_type), folder)
    if _has_bytes(kind):
        contents = pc.struct_field(values, "bytes")
        path = kind.get_field_index("path")
        if contents.null_count == len(contents) and path >= 0:
            return _source(pc.struct_field(values, "path"), folder)
        return _source(contents, folder)
    if _bytes_type(kind):
        return PictureSource(_whole(values.cast(pa.large_binary())), folder)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        trimmed = pc.utf8_trim_whitespace(_whole(values.cast(pa.large_string())))
        is_missing = pc.is_in(trimmed, pa.array(MISSING_WORDS, pa.large_string()))
        paths = pc.if_else(is_missing, None, trimmed)
        return PictureSource(paths, folder)
    return None


def _whole(values: pa.ChunkedArray) -> pa.Array:
    made = values.combine_chunks()
    return made if isinstance(made, pa.Array) else pa.concat_arrays(made.chunks)


def _sample(source: PictureSource) -> list[str | bytes]:
    known = source.values.drop_null()
    return list(PictureSource(known).spread(LOOKED_AT).values.to_pylist()) if len(known) else []


def _looks_like_pictures(source: PictureSource) -> bool:
    """Whether the values looked at begin as pictures do, or lead to files named like pictures."""
    if source.holds_paths:
        paths = [os.path.join(source.folder, str(each)) for each in _sample(source)]
        found = sum(os.path.isfile(path) for path in paths) if _names_pictures(source) else 0
        return found > EXISTING * len(paths)
    looked = [bytes(each) for each in _sample(source) if isinstance(each, bytes)]
    return _share([picture_format(each[:HEAD]) is not None for each in looked]) >= MOSTLY


def _names_pictures(source: PictureSource) -> bool:
    if not source.holds_paths:
        return False
    return _share([str(each).lower().endswith(SUFFIXES) for each in _sample(source)]) >= MOSTLY


def _share(found: Sequence[bool]) -> float:
    return sum(found) / len(found) if found else 0.0


def _read(name: str, source: PictureSource, size: PictureSize | None, raw: Raw) -> Pictures:
    """Raises: KindError, or for a folder PictureError, where none can be read."""
    try:
        return read_pictures(source, size=size)
    except PictureError as error:
        if raw.picture is not None:
            raise
        raise KindError(
            f'Column "{name}" is taken for pictures, but {error.message}',
            details="mend the paths, or take them as texts",
            try_next=f"--kind {shlex.quote(name)}=text",
        ) from error


def _not_pictures(name: str, kind: pa.DataType) -> KindError:
    return KindError(
        f'Column "{name}" takes pictures, but holds values of type {kind}.',
        details="paths of picture files, or the bytes of such files",
        try_next=f"--ignore {shlex.quote(name)}",
    )


def _aligned(
    found: Mapping[str, Pictures],
    sources: Mapping[str, PictureSource],
    rows: int,
    notes: tuple[str, ...],
) -> PictureColumns:
    """The columns restricted to the rows that all of them have."""
    kept = np.arange(rows)
    for pictures in found.values():
        kept = np.intersect1d(kept, pictures.rows, assume_unique=True)
    columns: dict[str, Column] = {}
    rejected: list[RejectedLine] = []
    for name, pictures in found.items():
        size = pictures.size
        reason = f"{pictures.seen}; learned at {size.height} × {size.width}"
        column = _column(name, pictures, reason if pictures.seen else "as in the model")
        if len(kept) < len(pictures.rows):
            column = column.take(np.searchsorted(pictures.rows, kept))
        columns[name] = column
        rejected += _rejected(pictures, sources[name])
    rejected.sort(key=lambda each: each.line)
    # A row whose pictures are all broken is one row.
    rejected = list({each.line: each for each in reversed(rejected)}.values())[::-1]
    paths = [each.values for each in sources.values() if each.holds_paths]
    files = paths[0].take(pa.array(kept)).cast(pa.string()) if paths else None
    return PictureColumns(columns, kept, tuple(rejected), notes, files)


def _with_origins(aligned: PictureColumns, sources: Mapping[str, PictureSource]) -> PictureColumns:
    """The columns with where their pictures lie; a missing picture lies nowhere."""
    columns: dict[str, Column] = {}
    for name, column in aligned.columns.items():
        origins = sources[name].origins(aligned.rows)
        origins[column.values.is_null().to_numpy(zero_copy_only=False)] = None
        columns[name] = replace(column, origins=origins)
    return replace(aligned, columns=columns)


def _rejected(pictures: Pictures, source: PictureSource) -> tuple[RejectedLine, ...]:
    def named(row: int) -> str:
        return str(source.values[row].as_py()) if source.holds_paths else f"picture {row + 1:,}"

    return tuple(
        RejectedLine(each.row + 1, each.reason, named(each.row), True) for each in pictures.refused
    )


def _column(name: str, pictures: Pictures, reason: str) -> Column:
    """The column over the pixels, which are not copied."""
    size = pictures.size
    known = None
    if pictures.missing.any():
        known = pa.py_buffer(np.packbits(~pictures.missing, bitorder="little").tobytes())
    pixels = pa.py_buffer(np.ascontiguousarray(pictures.pixels).reshape(-1))
    stored = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(size.bytes), len(pictures.rows), [known, pixels]
    )
    return Column(ColumnSpec(name, Kind.IMAGE, picture=size), stored, reason)
