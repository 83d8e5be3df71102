"""Whether `--minutes` is kept, export and report included.

    python benchmarks/minutes.py ../shared/data/tables [0.5 1 2]

Prints the seconds that the whole command took beside those it was given, and writes them to
benchmarks/results/minutes.md."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow.parquet as pq

from fathometer.trial.measure import machine

RESULTS = Path(__file__).parent / "results" / "minutes.md"
TABLES = {"titanic": "Survived", "adult": "class", "covertype_part": "Cover_Type"}


def main() -> None:
    folder = Path(sys.argv[1])
    budgets = [float(word) for word in sys.argv[2:]] or [0.5, 1.0, 2.0]
    lines = [
        "# Whether `--minutes` is kept",
        "",
        f"On: {' · '.join(machine().values())}; n = 1 run a row, seconds of the whole command, "
        "export and report included.",
        "",
        "| table | given s | taken s | taken / given | finished | out of time | winner |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, target in TABLES.items():
        for minutes in budgets:
            with tempfile.TemporaryDirectory() as out:
                table = pq.read_table(folder / f"{name}.parquet").drop_columns(["split"])
                path = Path(out) / "rows.parquet"
                pq.write_table(table, path)
                command = [str(Path(sys.executable).parent / "fathom"), "compare", str(path)]
                command += ["--target", target, "--minutes", str(minutes), "--out", f"{out}/run"]
                started = time.monotonic()
                subprocess.run(command, check=True, capture_output=True)
                seconds = time.monotonic() - started
                cards = json.loads((Path(out) / "run" / "scorecards.json").read_text())
                winner = json.loads((Path(out) / "run" / "verdict.json").read_text())["winner"]
            states = [card["state"] for card in cards]
            lines.append(
                f"| {name} | {minutes * 60:.0f} | {seconds:.1f} | {seconds / minutes / 60:.2f} | "
                f"{states.count('finished')} | {states.count('failed')} | {winner} |"
            )
            print(lines[-1], flush=True)
    RESULTS.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
