"""Decoded pictures on disk: one file of raw bytes a set of pictures, mapped into memory when it is
used again.

An entry is the pixels, rows after each other, then a JSON note about them, its length and a mark.
It appears whole or not at all; one that is not what its note says counts as absent and is made
again. The least recently used entries go first. Where nothing can be written, pixels stay in
memory.

The folder is FATHOMETER_CACHE, or the user's own for such files; "off" keeps all in memory."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import time
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import IO

import numpy as np

SUFFIX = ".pictures"
PART = ".part"
MARK = b"FATHOMPX"
LENGTH = 8  # bytes that hold the note's length, before the mark
LARGEST_NOTE = 64 << 20  # bytes
LARGEST_CACHE = 20 << 30  # bytes of all entries; CIFAR-10 takes 0.2, 100,000 pictures of 96 × 96 3
FREE_SHARE = 0.5  # of the free disk that a new entry may take
STALE_SECONDS = 24 * 60 * 60  # after which a part that was left behind is removed
AT_ONCE = 1 << 20  # bytes that are written in one go
CHECKED = 8 << 20  # bytes of pixels a step of the checksum


@dataclass(frozen=True, eq=False)
class Entry:
    """Stored pixels (bytes,) uint8, and what was noted about them."""

    pixels: np.ndarray
    note: Mapping[str, object]


def cache_folder() -> Path | None:
    """Where entries lie; None where the user wants none."""
    named = os.environ.get("FATHOMETER_CACHE", "")
    if named:
        return None if named == "off" else Path(named).expanduser() / "pictures"
    home = Path.home()
    if sys.platform == "darwin":
        root = home / "Library" / "Caches"
    elif sys.platform == "win32":
        root = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    else:
        root = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    return root / "fathometer" / "pictures"


def find(key: str) -> Entry | None:
    """The entry of this key, its checksum compared; None where there is none that is whole."""
    folder = cache_folder()
    if folder is None:
        return None
    path = folder / (key + SUFFIX)
    try:
        with path.open("rb") as file:
            found = _entry(file)
        if found is not None:
            os.utime(path)  # used now: it goes last
    except (OSError, ValueError):
        return None
    return found


def _entry(file: IO[bytes]) -> Entry | None:
    """Raises: OSError, ValueError where the file is not an entry."""
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - LENGTH - len(MARK)))
    tail = file.read()
    length = int.from_bytes(tail[:LENGTH], "little")
    size = end - LENGTH - len(MARK) - length
    if tail[LENGTH:] != MARK or length > LARGEST_NOTE or size < 0:
        return None
    file.seek(size)
    note = json.loads(file.read(length))
    mapped = np.memmap(file, np.uint8, "r", 0, (size,)) if size else np.zeros(0, np.uint8)
    if not isinstance(note, dict) or note.get("checksum") != _checksum(mapped):
        return None
    return Entry(mapped, note)


def _checksum(pixels: np.ndarray) -> int:
    """CRC-32: about 1 GB/s, which also brings the file into memory."""
    found = 0
    for start in range(0, len(pixels), CHECKED):
        found = zlib.crc32(pixels[start : start + CHECKED].data, found)
    return found


class Draft:
    """An entry being written, a row after the other; in memory where the disk takes no more."""

    def __init__(self, key: str, expected_bytes: int) -> None:
        self._key = key
        self._checksum = 0
        self._kept: list[bytes] = []
        # Unbuffered, so that what a full disk took, and what it did not, is known to the byte.
        self._file: FileIO | None = None
        self._waiting = bytearray()
        self._written = 0  # bytes
        self._folder = cache_folder()
        if self._folder is not None:
            with contextlib.suppress(OSError):
                self._file = _part(self._folder, expected_bytes)

    def add(self, pixels: bytes) -> None:
        """Append these pixels."""
        self._checksum = zlib.crc32(pixels, self._checksum)
        if self._file is None:
            self._kept.append(pixels)
            return
        self._waiting += pixels
        if len(self._waiting) >= AT_ONCE:
            try:
                self._flush(self._file)
            except OSError:
                self._take_back(self._file)

    def finish(self, note: Mapping[str, object]) -> Entry:
        """Close the entry, give it its name, and make room."""
        whole = {**note, "checksum": self._checksum}
        written = json.dumps(whole, sort_keys=True).encode()
        if self._file is not None and self._folder is not None:
            with contextlib.suppress(OSError, ValueError):
                self._flush(self._file)
                size = self._written
                end = memoryview(written + len(written).to_bytes(LENGTH, "little") + MARK)
                while end:
                    end = end[self._file.write(end) :]
                os.fsync(self._file.fileno())
                mapped = np.memmap(self._file, np.uint8, "r", 0, (size,)) if size else None
                self._file.close()
                os.replace(self._file.name, self._folder / (self._key + SUFFIX))
                _make_room(self._folder)
                return Entry(np.zeros(0, np.uint8) if mapped is None else mapped, whole)
            self._take_back(self._file)
        return Entry(np.frombuffer(b"".join(self._kept), np.uint8), whole)

    def discard(self) -> None:
        """Leave nothing behind."""
        if self._file is not None:
            with contextlib.suppress(OSError, ValueError):
                self._file.close()
            _remove([str(self._file.name)])

    def _flush(self, file: FileIO) -> None:
        """Write what waits. Raises: OSError; then what was not written still waits."""
        while self._waiting:
            count = file.write(self._waiting)
            del self._waiting[:count]
            self._written += count

    def _take_back(self, file: FileIO) -> None:
        """Go on in memory, with what the disk holds and what it did not take."""
        with Path(str(file.name)).open("rb") as stored:
            self._kept = [stored.read(self._written), bytes(self._waiting)]
        self.discard()
        self._file = None


def _part(folder: Path, expected_bytes: int) -> FileIO | None:
    """A new file for an entry; None where there is no room for it.

    Raises: OSError where the folder cannot be made or written."""
    import shutil

    folder.mkdir(parents=True, exist_ok=True)
    _make_room(folder, LARGEST_CACHE - expected_bytes)
    free = shutil.disk_usage(folder).free
    if expected_bytes > min(LARGEST_CACHE, FREE_SHARE * free):
        return None
    handle, name = tempfile.mkstemp(dir=folder, suffix=PART)
    os.close(handle)
    return open(name, "w+b", buffering=0)


def _make_room(folder: Path, most: int = LARGEST_CACHE) -> None:
    """Remove the least recently used entries beyond `most` bytes, and parts left behind."""
    kept: list[tuple[float, int, str]] = []
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            found = entry.stat()
            if entry.name.endswith(SUFFIX):
                kept.append((found.st_mtime, found.st_size, entry.path))
            elif entry.name.endswith(PART) and found.st_mtime < time.time() - STALE_SECONDS:
                _remove([entry.path])
    total = sum(size for _, size, _ in kept)
    for _, size, path in sorted(kept):
        if total <= most:
            return
        _remove([path])
        total -= size


def _remove(paths: Iterable[str]) -> None:
    for path in paths:
        with contextlib.suppress(OSError):
            os.unlink(path)
