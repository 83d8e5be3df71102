"""How long it takes until `fathom --help` has printed and `import fathometer` has returned.

    python benchmarks/start.py

Prints medians with their range over 15 runs of each, after one that is not counted."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

RUNS = 15
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "import fathometer": [sys.executable, "-c", "import fathometer"],
    "fathom --help": [str(Path(sys.executable).parent / "fathom"), "--help"],
}


def main() -> None:
    from fathometer.trial.measure import machine

    print(" · ".join(machine().values()))
    print("| command | median s | least | most | n |")
    print("|---|---|---|---|---|")
    for name, command in COMMANDS.items():
        seconds = []
        for _ in range(RUNS + 1):
            started = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            seconds.append(time.perf_counter() - started)
        counted = seconds[1:]
        print(
            f"| {name} | {statistics.median(counted):.3f} | {min(counted):.3f} | "
            f"{max(counted):.3f} | {RUNS} |"
        )


if __name__ == "__main__":
    main()
