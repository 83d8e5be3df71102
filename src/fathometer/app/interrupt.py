"""Ctrl-C as a request: once stops the training and keeps the best so far, twice quits."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# What a shell reports of a command that was ended by Ctrl-C: 128 + SIGINT.
INTERRUPTED = 130


@contextmanager
def stop_on_interrupt() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C sets; a second one ends the command with status 130.

    Python delivers signals to the main thread alone, so the door calls this there."""
    stop = threading.Event()

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            raise SystemExit(INTERRUPTED)
        stop.set()

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
