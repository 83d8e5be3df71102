"""Results as one JSON document, for other programs."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fathometer.app.comparison import Comparison


def document_of(comparison: Comparison) -> str:
    """The verdict, every scorecard and where the files are, as JSON text."""
    return as_json(
        {
            "verdict": comparison.verdict.as_json(),
            "scorecards": [card.as_json() for card in comparison.scorecards],
            "folder": str(comparison.folder),
            "files": {name: str(path) for name, path in comparison.files.items()},
            "seconds": comparison.seconds,
        }
    )


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
