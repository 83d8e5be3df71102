"""Writing files so that a crash or a full disk leaves the old one or the new one, and it whole.

Knows bytes and paths, nothing of what is in them."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from pathlib import Path

from fathometer.errors import StoreError

# What went wrong, in words, for the faults that a user can mend.
FAULTS: dict[int, str] = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "your disk quota is used up",
    errno.EFBIG: "the file is larger than this disk or account allows",
    errno.EROFS: "the disk is read-only",
    errno.EACCES: "you may not write there",
    errno.EPERM: "you may not write there",
    errno.ENOTDIR: "a part of the path is a file, not a folder",
    errno.EEXIST: "a part of the path is a file, not a folder",
    errno.EISDIR: "there is a folder of that name",
    errno.ENAMETOOLONG: "the name is too long",
    errno.EIO: "the disk reported an error",
}
FULL = (errno.ENOSPC, errno.EDQUOT)


def write_text(path: Path, content: str) -> None:
    """Write text as UTF-8; see `write_bytes`."""
    write_bytes(path, content.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, replacing what was there; missing folders are made.

    When this returns, the bytes are on the disk. When it raises, or the process dies at any moment,
    the old content is still there; at most a file `.NAME.part` is left, which the next writing of
    the same name overwrites.

    Raises:
        StoreError: if the disk is full or read-only, or the system refuses otherwise.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise write_fault(path, error) from error


def make_folder(path: Path) -> None:
    """Make a folder, and those above it, unless it is there.

    Raises:
        StoreError: if the system refuses.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_fault(path, error) from error


def remove(path: Path) -> None:
    """Take a file away, if it is there.

    Raises:
        StoreError: if the system refuses.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise write_fault(path, error) from error


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's content in hexadecimal, or "" where there is no such file."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""


def write_fault(path: Path, error: OSError) -> StoreError:
    """The error for a file that could not be written: the path, the cause and what to do."""
    words = FAULTS.get(error.errno or 0, error.strerror or "the system refused")
    room = "; free some space and repeat the command" if error.errno in FULL else ""
    return StoreError(
        f"{path} could not be written: {words}.",
        details=f"what was there before is unchanged{room}",
        try_next="--out OTHER",
    )


def _sync_folder(folder: Path) -> None:
    """Bring a renaming to the disk; systems that cannot open folders (Windows) do so themselves."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
