"""What the runtime is given of the machine."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


@pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="this system does not pin processes"
)
def test_pinned_process_counts_only_the_cores_it_may_use():
    code = """
import os
from fathometer.runtime import cores
assert cores() == len(os.sched_getaffinity(0))
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
print(cores())
"""
    asked = [sys.executable, "-c", code]
    done = subprocess.run(asked, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1"]
