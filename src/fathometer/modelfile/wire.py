"""Reading the bytes of an ONNX file without trusting them: fields, and nothing else.

A model file must open where nothing but numpy and onnxruntime is installed, and must be judged
before the runtime sees it; so this reads protobuf's wire format itself. It allocates nothing that
the file asks for: every field is a slice of the bytes that are there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from fathometer.errors import Fault, ModelFileError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True)
class Field:
    """One field: its number, and its value as an integer or as a span of the file."""

    number: int
    value: int  # varints and fixed fields; 0 for a span
    start: int = 0
    end: int = 0
    is_span: bool = False


# Runs of an attribute's unpacked integers (field 8), floats (7) and tree modes (9). A forest has
# millions of them; one expression passes over a run 200 times as quickly as a loop over its fields.
ATTRIBUTE_RUNS = re.compile(
    rb"(?:\x40[\x80-\xff]{0,9}[\x00-\x7f])++|(?:\x3d.{4})++|(?:\x4a(?:\x0aBRANCH_LEQ|\x04LEAF))++",
    re.DOTALL,
)


def fields(
    content: bytes, start: int, end: int, *, passing: re.Pattern[bytes] | None = None
) -> Iterator[Field]:
    """The fields of the message in content[start:end], without those in runs of `passing`.

    Raises:
        ModelFileError: if the bytes are not a message.
    """
    at = start
    while at < end:
        if passing is not None and (run := passing.match(content, at, end)):
            at = run.end()
            continue
        key, at = read_varint(content, at, end)
        number, wire = key >> 3, key & 7
        if wire == VARINT:
            value, at = read_varint(content, at, end)
            yield Field(number, value)
        elif wire == BYTES:
            length, at = read_varint(content, at, end)
            if length > end - at:
                raise _malformed(at)
            yield Field(number, 0, at, at + length, is_span=True)
            at += length
        elif wire in (FIXED64, FIXED32):
            size = 8 if wire == FIXED64 else 4
            if size > end - at:
                raise _malformed(at)
            yield Field(number, int.from_bytes(content[at : at + size], "little"))
            at += size
        else:
            raise _malformed(at)


def read_varint(content: bytes, at: int, end: int) -> tuple[int, int]:
    """The integer that begins at this byte, and the byte after it.

    Raises:
        ModelFileError: if none does, or it has more than 64 bits.
    """
    value = 0
    for shift in range(0, 70, 7):
        if at >= end:
            break
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value >= 1 << 64:
                break
            return value, at
    raise _malformed(at)


def _malformed(at: int) -> ModelFileError:
    return ModelFileError(
        Fault.NOT_A_MODEL, f"this is not an ONNX model: byte {at:,} is not where a field can be."
    )
