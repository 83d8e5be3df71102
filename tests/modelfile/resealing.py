"""A model file that was changed on purpose, with a hash that fits it again."""

from __future__ import annotations

import onnx

from fathometer.modelfile.verify import BLANK_HASH, HASH_KEY, blank_hash_of


def resealed(proto: onnx.ModelProto) -> bytes:
    """The bytes with a hash that fits, so that only the change itself can be refused."""
    for prop in proto.metadata_props:
        if prop.key == HASH_KEY:
            prop.value = BLANK_HASH
    raw = proto.SerializeToString(deterministic=True)
    start = raw.rindex(BLANK_HASH.encode())
    return raw[:start] + blank_hash_of(raw, start).encode() + raw[start + 64 :]
