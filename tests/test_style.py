"""The code is formatted, has no unused or unsorted part, and passes the strict type checker."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CHECKS = {
    "lint": ["ruff", "check", "src", "tests", "benchmarks"],
    "format": ["ruff", "format", "--check", "src", "tests", "benchmarks"],
    "types": ["mypy"],
}


@pytest.mark.parametrize("check", CHECKS)
def test_checker_has_nothing_to_say(check: str) -> None:
    command = [sys.executable, "-m", *CHECKS[check]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
