"""PNG files that are made by hand, chunk by chunk."""

from __future__ import annotations

import struct
import zlib


def header(width: int, height: int, depth: int = 8, kind: int = 2) -> bytes:
    """The chunk that states the size; kind 2 is colour."""
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0))


def chunk(name: bytes, content: bytes) -> bytes:
    whole = name + content
    return struct.pack(">I", len(content)) + whole + struct.pack(">I", zlib.crc32(whole))


def png(*chunks: bytes) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + chunk(b"IEND", b"")
