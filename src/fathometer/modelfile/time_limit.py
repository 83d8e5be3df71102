"""An end for runs of a graph that last too long, at a cost of microseconds for those that do not.

A timer of its own for each run is a thread of its own: 0.2 ms on a busy machine of two cores, more
than a small batch takes. Here one thread looks at all runs now and then, and ends with the last."""

from __future__ import annotations

import time
from collections.abc import Mapping
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

import numpy as np

from fathometer.errors import Fault, ModelFileError

if TYPE_CHECKING:
    import onnxruntime

RUN_SECONDS = 600.0  # for the rows of one call; ours take some seconds at most


class TimeLimit:
    """Runs a session's graph, and ends a run after so many seconds, between two of its nodes."""

    def __init__(self, seconds: float = RUN_SECONDS) -> None:
        self._seconds = seconds
        self._running: dict[int, tuple[float, onnxruntime.RunOptions]] = {}
        self._lock = Lock()
        self._looking: Thread | None = None

    def run(
        self, session: onnxruntime.InferenceSession, output: str, feeds: Mapping[str, Any]
    ) -> np.ndarray:
        """One output.

        Raises:
            ModelFileError: if the time is up.
        """
        import onnxruntime

        options = onnxruntime.RunOptions()
        with self._lock:
            self._running[id(options)] = time.monotonic() + self._seconds, options
            if self._looking is None or not self._looking.is_alive():
                self._looking = Thread(target=self._look, daemon=True)
                self._looking.start()
        try:
            return np.asarray(session.run([output], feeds, options)[0])
        except Exception:
            if options.terminate:
                raise ModelFileError(
                    Fault.RUNTIME, f"it was still answering after {self._seconds:g} s."
                ) from None
            raise
        finally:
            with self._lock:
                del self._running[id(options)]

    def _look(self) -> None:
        while True:
            time.sleep(min(5.0, self._seconds / 4))
            with self._lock:
                for end, options in self._running.values():
                    if time.monotonic() > end:
                        options.terminate = True
                if not self._running:
                    self._looking = None
                    return
