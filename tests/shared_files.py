"""Larger public tables, texts and pictures, from a folder beside the checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2] / "shared" / "data"


def shared(path: str) -> Path:
    """Where a file or folder of them lies; skips the test where it is absent."""
    found = SHARED / path
    if not found.exists():
        pytest.skip(f"{path} is not in the folder ../shared/data beside the checkout")
    return found
