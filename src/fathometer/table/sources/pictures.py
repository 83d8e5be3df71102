"""Many pictures: files or contents of files → one array of pixels, decoded once, in parallel, and
kept for the next time.

Knows nothing of tables' columns: it is given pictures in order and says which of them it refused,
and why."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypedDict, TypeVar, cast

import numpy as np
import pyarrow as pa

from fathometer.errors import PictureError
from fathometer.runtime import cores
from fathometer.table.kind import PictureSize
from fathometer.table.resizing import resized
from fathometer.table.sources.decode import (
    Header,
    Origin,
    decode,
    quiet_decoders,
    read_header,
)
from fathometer.table.sources.picture_cache import Draft, Entry, find

VERSION = 1  # of what decoding makes of a picture; rises when that changes
LONGER_SIDE = 96  # pixels that pictures of any size are learned at, unless they are smaller
LOOKED_AT = 400  # pictures whose headers decide the size; a header costs a third of decoding it
CHUNK = 64  # pictures a task: starting one costs as much as decoding one small picture
Result = TypeVar("Result")


@dataclass(frozen=True)
class Refusal:
    """A picture that cannot be read: its row among all, and the reason."""

    row: int
    reason: str


@dataclass(frozen=True, eq=False)
class Pictures:
    """Pixels (rows, height, width, channels) uint8, mapped from a file where there is one.

    `rows` are the numbers of the pictures that they are of, in order; `missing` (rows,) is true
    where there was none to read, `refused` says which could not be read."""

    pixels: np.ndarray
    size: PictureSize
    rows: np.ndarray
    missing: np.ndarray
    refused: tuple[Refusal, ...]
    seen: str  # "PNG of 28 × 28 pixels, gray"


@dataclass(frozen=True)
class Choice:
    """The size that pictures are learned at, and what the pictures looked at were like."""

    size: PictureSize
    are_equal: bool  # in size, and it is the chosen one
    seen: str  # in words
    is_final: bool = False  # all headers were read; a picture unlike them is refused


class _UnlikeError(Exception):
    """A picture is not as the ones looked at led to expect."""


@dataclass(frozen=True, eq=False)
class PictureSource:
    """Pictures in order: paths (strings, relative to `folder`) or contents (binary); null where
    there is none."""

    values: pa.Array
    folder: str = ""

    @property
    def holds_paths(self) -> bool:
        kind = self.values.type
        return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))

    def part(self, start: int) -> list[Origin | None]:
        """The next `CHUNK` pictures from one on."""
        return self._placed(self.values.slice(start, CHUNK))

    def origins(self, rows: np.ndarray) -> np.ndarray:
        """(rows,) object: the path or content of each of these pictures, None where there is
        none."""
        found = np.empty(len(rows), dtype=object)
        found[:] = self._placed(self.values.take(pa.array(rows)))
        return found

    def _placed(self, values: pa.Array) -> list[Origin | None]:
        found: list[Origin | None] = values.to_pylist()
        if not self.holds_paths or not self.folder:
            return found
        return [None if each is None else os.path.join(self.folder, str(each)) for each in found]

    def spread(self, most: int) -> PictureSource:
        """So many of them, evenly spread."""
        rows = np.linspace(0, len(self.values) - 1, min(most, len(self.values))).astype(np.int64)
        return PictureSource(self.values.take(pa.array(rows)), self.folder)

    def parts(
        self, read: Callable[[Origin], Result], pool: ThreadPoolExecutor
    ) -> Iterator[Result | PictureError | None]:
        """What reading gives for each picture, in order, read in parallel."""

        def task(start: int) -> list[Result | PictureError | None]:
            return [_attempt(read, each) for each in self.part(start)]

        for found in pool.map(task, range(0, len(self.values), CHUNK)):
            yield from found


def read_pictures(
    source: PictureSource, *, size: PictureSize | None = None, keep_refused: bool = False
) -> Pictures:
    """Read pictures, or find them as they were read before.

    Args:
        size: what to bring them to, where that is known; its channels may be 0 for "as they have
            them". Else it is chosen from them.
        keep_refused: whether refused pictures keep a row, black and marked as missing, rather than
            having none.

    Raises:
        PictureError: if none can be read and no size was given.
    """
    key = _key(source, size, keep_refused)
    found = find(key)
    if found is not None:
        return _from_entry(found)
    with quiet_decoders(), ThreadPoolExecutor(cores()) as pool:
        first = _choose(source.spread(LOOKED_AT), size, pool)
        try:
            if first is not None:
                return _read(source, first, keep_refused, key, pool)
        except _UnlikeError:
            pass
        all_seen = _choose(source, size, pool)
        if all_seen is None:
            raise _none_readable(source)
        return _read(source, replace(all_seen, is_final=True), keep_refused, key, pool)


def _none_readable(source: PictureSource) -> PictureError:
    """The error of a source without a picture, with the first reason."""
    for origin in source.part(0):
        found = _attempt(read_header, origin)
        if isinstance(found, PictureError):
            where = f"{origin} " if isinstance(origin, str) else "the first "
            return PictureError(f"no picture can be read: {where}{found.message}.")
    return PictureError("there is no picture.")


def _read(
    source: PictureSource,
    choice: Choice,
    keep_refused: bool,
    key: str,
    pool: ThreadPoolExecutor,
) -> Pictures:
    """Decode all pictures and store them.

    Raises: _UnlikeError where a picture contradicts what was chosen for some of them."""
    size = choice.size
    black = bytes(size.bytes)

    def pixels_of(origin: Origin) -> bytes:
        picture = decode(origin, None if size.channels == 1 and choice.seen else size.channels)
        is_other = choice.are_equal and picture.shape[:2] != (size.height, size.width)
        if is_other or picture.shape[2] != size.channels:
            if choice.is_final:
                raise PictureError("has a header that cannot be trusted")
            raise _UnlikeError
        return resized(picture, size).tobytes()

    missing: list[int] = []
    refused: list[tuple[int, str]] = []
    draft = Draft(key, len(source.values) * size.bytes)
    try:
        for row, found in enumerate(source.parts(pixels_of, pool)):
            if isinstance(found, bytes):
                draft.add(found)
                continue
            if isinstance(found, PictureError):
                refused.append((row, found.message))
            if found is None or keep_refused:
                missing.append(row)
                draft.add(black)
    except BaseException:
        draft.discard()
        raise
    note: _Note = {
        "size": (size.height, size.width, size.channels),
        "rows": len(source.values),
        "missing": missing,
        "refused": refused,
        "keep_refused": keep_refused,
        "seen": choice.seen,
    }
    return _from_entry(draft.finish(dict(note)))


class _Note(TypedDict):
    """What is noted of an entry; it is ours, as its checksum says."""

    size: tuple[int, int, int]
    rows: int
    missing: list[int]
    refused: list[tuple[int, str]]
    keep_refused: bool
    seen: str


def _from_entry(entry: Entry) -> Pictures:
    note = cast("_Note", entry.note)
    size = PictureSize(*note["size"])
    refused = tuple(Refusal(row, reason) for row, reason in note["refused"])
    rows = np.arange(note["rows"])
    if not note["keep_refused"]:
        rows = np.delete(rows, [each.row for each in refused])
    missing = np.isin(rows, note["missing"])
    shape = (len(rows), size.height, size.width, size.channels)
    return Pictures(entry.pixels.reshape(shape), size, rows, missing, refused, note["seen"])


def _key(source: PictureSource, size: PictureSize | None, keep_refused: bool) -> str:
    """A name for what reading gives: equal for the same files or contents and the same options."""
    values = source.values
    digest = hashlib.sha256(repr((VERSION, LONGER_SIDE, size, keep_refused, len(values))).encode())
    if source.holds_paths:
        paths = [path for start in range(0, len(values), CHUNK) for path in source.part(start)]
        written = "\0".join("\0" if path is None else str(path) for path in paths)
        digest.update(written.encode("utf-8", "surrogatepass"))
        digest.update(np.array([_times(path) for path in paths], np.int64).tobytes())
        return digest.hexdigest()
    digest.update(np.packbits(values.is_null().to_numpy(zero_copy_only=False)).tobytes())
    wide = pa.types.is_large_binary(values.type)
    offsets = np.frombuffer(values.buffers()[1], np.int64 if wide else np.int32)
    offsets = offsets[values.offset : values.offset + len(values) + 1].astype(np.int64)
    digest.update((offsets - offsets[0]).tobytes())
    content = values.buffers()[2]
    if content is not None:
        digest.update(memoryview(content)[int(offsets[0]) : int(offsets[-1])])
    return digest.hexdigest()


def _times(path: Origin | None) -> tuple[int, int, int, int]:
    """What changes when a file does, without reading it."""
    if path is None:
        return 0, 0, 0, 0
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return -1, 0, 0, 0
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


def _attempt(
    read: Callable[[Origin], Result], origin: Origin | None
) -> Result | PictureError | None:
    if origin is None:
        return None
    try:
        return read(origin)
    except PictureError as error:
        return error


def _choose(
    source: PictureSource, asked: PictureSize | None, pool: ThreadPoolExecutor
) -> Choice | None:
    """The size that these pictures are learned at. None where no header can be read.

    Their own where all are alike and no side is longer than `LONGER_SIDE`; else the median aspect,
    and the median of their longer sides up to `LONGER_SIDE`."""
    if asked is not None and asked.channels:
        return Choice(asked, False, "")
    headers = [each for each in source.parts(read_header, pool) if isinstance(each, Header)]
    if not headers:
        return None
    heights = np.array([each.height for each in headers])
    widths = np.array([each.width for each in headers])
    gray = all(each.is_gray for each in headers)
    names, counts = np.unique([each.format for each in headers], return_counts=True)
    formats = ", ".join(names[np.argsort(-counts, kind="stable")])
    spread = f"{_range(heights)} × {_range(widths)} pixels"
    seen = f"{formats} of {spread}, {'gray' if gray else 'in colour'}"
    sides = _median_sides(heights, widths) if asked is None else (asked.height, asked.width)
    are_equal = asked is None and {*zip(heights, widths, strict=True)} == {sides}
    return Choice(PictureSize(*sides, 1 if gray else 3), are_equal, seen)


def _median_sides(heights: np.ndarray, widths: np.ndarray) -> tuple[int, int]:
    longer = min(LONGER_SIDE, int(np.median(np.maximum(heights, widths))))
    aspect = float(np.median(widths / heights))
    if aspect < 1:
        return longer, max(1, round(longer * aspect))
    return max(1, round(longer / aspect)), longer


def _range(sides: np.ndarray) -> str:
    low, high = int(sides.min()), int(sides.max())
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
