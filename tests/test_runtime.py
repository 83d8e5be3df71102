"""What the runtime is given of the machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

VARIABLE = "ORT_DISABLE_TELEMETRY"


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


ONE_NODE = """
from fathometer.graph import Element, Graph
from fathometer.runtime import open_session
graph = Graph()
same = graph.add("Identity", graph.input("number", Element.DOUBLE))
open_session(graph.finish({"same": (same, Element.DOUBLE, 1)}).SerializeToString())
"""


@pytest.mark.parametrize("wished", [None, "0"])
def test_onnxruntime_keeps_no_account_of_its_use_unless_the_user_wants_it(
    wished: str | None, tmp_path: Path
) -> None:
    # Under continuous integration onnxruntime is silent by itself.
    own = {name: value for name, value in os.environ.items() if name not in ("CI", VARIABLE)}
    own |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": ""} | ({VARIABLE: wished} if wished else {})
    subprocess.run([sys.executable, "-c", ONE_NODE], env=own, check=True)
    assert any(tmp_path.rglob("*onnxruntime*")) == (wished is not None and sys.platform == "linux")
