"""The command as a user types it: a process of its own, without a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

# Tests run side by side, one on each core; more threads would only wait for each other.
ENVIRONMENT = {"OMP_NUM_THREADS": "1"}


def fathom(
    *words: object, cwd: Path | None = None, code: int | None = None, blocks: int | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `fathom` with these words.

    Args:
        code: how it has to end, where that is no part of the test.
        blocks: of 1,024 bytes, the most that a file may take, as on a full disk.
    """
    command = [sys.executable, "-m", "fathometer", *map(str, words)]
    if blocks is not None:
        command = ["bash", "-c", f'ulimit -f {blocks}; exec "$0" "$@"', *command]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**ENVIRONMENT, **os.environ},
        timeout=300,
        check=False,
    )
    assert code is None or done.returncode == code, done.stderr
    return done
