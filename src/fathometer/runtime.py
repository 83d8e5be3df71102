"""Where graphs run: onnxruntime's sessions and the processor's cores.

onnxruntime is imported when a session is opened. Knows nothing of tables, models or files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnxruntime

PROVIDERS = ("CPUExecutionProvider",)  # every installation of onnxruntime has it


def cores() -> int:
    """Processor cores that this process may use: where it is pinned, fewer than there are."""
    if hasattr(os, "sched_getaffinity"):  # Linux; elsewhere a process is not asked
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def one_thread() -> onnxruntime.SessionOptions:
    """Options of a session that starts no threads, so that calls can run side by side, and that
    writes nothing to the terminal."""
    import onnxruntime

    if os.environ.get("ORT_DISABLE_TELEMETRY") == "1":
        onnxruntime.disable_telemetry_events()  # on Windows the variable alone says nothing to it
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return options


def open_session(content: bytes) -> onnxruntime.InferenceSession:
    """A session of one thread; what the runtime raises of a model shares no public type."""
    import onnxruntime

    return onnxruntime.InferenceSession(content, one_thread(), providers=[*PROVIDERS])
