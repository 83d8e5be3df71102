"""Strict JSON, for other programs."""

from __future__ import annotations

import json
import math


def as_json(value: object) -> str:
    """Strict JSON text; numbers that JSON has no word for (NaN, infinity) become null."""
    return json.dumps(finite(value), indent=2, ensure_ascii=False, allow_nan=False)


def finite(value: object) -> object:
    """The same value with null for every number that is not finite."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [finite(inner) for inner in value]
    return value
