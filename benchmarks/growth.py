"""How seconds and memory grow with rows, columns, classes and members.

    python benchmarks/growth.py [--axis rows|columns|classes|members] [--repeats 3]

Made-up tables: numbers drawn from a normal distribution, the target a threshold of a sum of their
products. One axis grows, the others stay at 10,000 rows, 20 columns, 2 classes, 5 members (folds).
Every fit runs in a process of its own; its peak memory is counted. Seconds of the fit alone,
median (least to most); one that takes more than half a minute is not repeated, and after more than
a minute the next size is left out. Prints, and writes to benchmarks/results/growth.md."""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

RESULTS = Path(__file__).parent / "results" / "growth.md"
AXES = {
    "rows": (1_000, 10_000, 100_000, 1_000_000),
    "columns": (5, 20, 100, 500),
    "classes": (2, 8, 32),
    "members": (5, 20, 80),
}
USUAL = {"rows": 10_000, "columns": 20, "classes": 2, "members": 5}
LONG_SECONDS = 30.0
TOO_LONG_SECONDS = 60.0  # for a learner to go on to the next size, which is ten times as large
LEARNERS = ("logistic", "LightGBM", "CatBoost", "XGBoost", "random forest", "modern network")


def fit_once(name: str, size: dict[str, int]) -> dict[str, float]:
    """Fit one learner at effort quick on a table of this size; seconds and peak bytes."""
    from fathometer.learners.network import ModernNetwork
    from fathometer.table.kind import Kind
    from fathometer.table.split import Split
    from fathometer.table.table import Table, column_from
    from fathometer.table.task import Task, TaskKind
    from fathometer.trial.entrants import Effort, entrants

    draw = np.random.default_rng(0)
    numbers = draw.normal(size=(size["rows"], size["columns"]))
    hidden = numbers[:, 0] * numbers[:, 1] + numbers[:, 2]
    places = np.searchsorted(
        np.quantile(hidden, np.linspace(0, 1, size["classes"] + 1)[1:-1]), hidden
    )
    names = tuple(f"c{place:02d}" for place in range(size["classes"]))
    columns = [column_from(f"x{n}", Kind.NUMBER, column) for n, column in enumerate(numbers.T)]
    columns.append(column_from("y", Kind.CATEGORY, [names[place] for place in places]))
    rows = np.arange(size["rows"])
    split = Split(rows, rows[:1], tuple(rows[fold::5] for fold in range(5)), 0)
    task = Task(TaskKind.CLASSIFY, "y", "accuracy", names)
    table = Table(tuple(columns), "made up")
    learner = next(one for one in entrants(task, table, Effort.QUICK, 0) if one.name == name)
    if isinstance(learner, ModernNetwork):
        seeds = size["members"] // 5
        learner = replace(learner, training=replace(learner.training, seeds=seeds))
    started = time.perf_counter()
    learner.fit(table, task, split)
    return {
        "seconds": time.perf_counter() - started,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def measured(name: str, size: dict[str, int], repeats: int) -> tuple[str, float]:
    """Seconds and memory of one cell in words, and the seconds; each repeat in a process of its
    own, and a long fit has none."""
    found: list[dict[str, float]] = []
    while len(found) < repeats and not (found and found[0]["seconds"] > LONG_SECONDS):
        command = [sys.executable, __file__, "--fit", name, json.dumps(size)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            said = done.stderr.strip().splitlines() or [f"exit {done.returncode}"]
            return f"failed: {said[-1][:60]}", 0.0
        found.append(json.loads(done.stdout.splitlines()[-1]))
    seconds = [one["seconds"] for one in found]
    memory = statistics.median(one["peak"] for one in found) / 2**20
    middle = statistics.median(seconds)
    spread = f" ({min(seconds):.1f} to {max(seconds):.1f})" if len(found) > 1 else ""
    return f"{middle:.1f} s{spread}, {memory:,.0f} MB", middle


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--axis", choices=tuple(AXES))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--fit", nargs=2)
    options = parser.parse_args()
    if options.fit:
        print(json.dumps(fit_once(options.fit[0], json.loads(options.fit[1]))))
        return
    from fathometer.trial.measure import machine, versions

    lines = [
        "# Seconds and memory against rows, columns, classes and members",
        "",
        f"On: {' · '.join(machine().values())}; torch {versions()['torch']}. Effort quick's step "
        f"budgets on all rows; n = {options.repeats} processes a cell, one where a fit takes more "
        f"than {LONG_SECONDS:g} s: median seconds of the fit (least to most), peak memory of the "
        f"process. After a fit of more than {TOO_LONG_SECONDS:g} s the next size is left out (–).",
    ]
    for axis in [options.axis] if options.axis else AXES:
        learners = ("modern network",) if axis == "members" else LEARNERS
        lines += ["", f"| {axis} | " + " | ".join(learners) + " |"]
        lines.append("|---|" + "---|" * len(learners))
        before = dict.fromkeys(learners, 0.0)
        for value in AXES[axis]:
            size = USUAL | {axis: value}
            cells = []
            for name in learners:
                words = "–"
                if before[name] <= TOO_LONG_SECONDS:
                    words, before[name] = measured(name, size, options.repeats)
                cells.append(words)
            lines.append(f"| {value:,} | " + " | ".join(cells) + " |")
            print(lines[-1], flush=True)
        if not options.axis:
            RESULTS.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
