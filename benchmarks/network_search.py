"""What searching brings the modern network: one setting, five, and more, on the same rows.

    python benchmarks/network_search.py ../shared/data [--only adult,...] [--rows 10000]

The learner as effort standard enters it, with 1, 5 and 12 configurations, at most so many training
rows in 5 folds; scores on the table's own test rows and out of fold, seconds of the fit, seed 0.
Prints, and writes to benchmarks/results/network-search.md."""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from data_sets import entries
from portfolio import load
from tables import RESULTS

from fathometer.learners.network import ModernNetwork, Training
from fathometer.table.metric import METRICS
from fathometer.table.split import Split
from fathometer.trial.entrants import STEPS, Effort
from fathometer.trial.measure import machine, versions

TABLES = "california_housing,adult,bike_sharing_hour,letter_recognition,wine_quality"
FOLDS = 5


def five_folds(split: Split) -> Split:
    """The same rows in five folds."""
    own = np.random.default_rng(0).permutation(split.train)
    return replace(split, folds=tuple(np.sort(own[fold::FOLDS]) for fold in range(FOLDS)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", default=TABLES)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--tried", default="1,5,12")
    options = parser.parse_args()
    tried = [int(word) for word in options.tried.split(",")]
    epochs = STEPS[Effort.STANDARD].epochs
    lines = [
        "# What searching brings the modern network",
        "",
        f"On: {' · '.join(machine().values())}; torch {versions()['torch']}. At most "
        f"{options.rows:,} training rows, {FOLDS} folds, {epochs} epochs, one seed a fold, n = 1 "
        "run a cell: test score (out of fold; seconds of the fit).",
        "",
        "| table | metric | " + " | ".join(f"{count} tried" for count in tried) + " |",
        "|---|---|" + "---|" * len(tried),
    ]
    taken = []
    for entry in entries(options.data, options.only):
        table, task, split = load(options.data, entry, options.rows)
        split, metric = five_folds(split), METRICS[task.metric]
        judged = table.rows(split.lockbox)
        truth = task.encode(judged[task.target])
        learned = task.encode(table.rows(split.train)[task.target])
        cells = []
        for count in tried:
            started = time.perf_counter()
            model = ModernNetwork(count, Training(epochs=epochs)).fit(table, task, split)
            seconds = time.perf_counter() - started
            test = metric.score(truth, model.predict(judged).scores)
            own = metric.score(learned, model.out_of_fold)
            cells.append(f"{test:.5g} ({own:.5g}; {seconds:.0f} s)")
            taken.append(f"- {entry['name']}, {count} tried: {model.account.chosen}")
        lines.append(f"| {entry['name']} | {metric.name} | {' | '.join(cells)} |")
        print(lines[-1], flush=True)
        if options.only == TABLES:
            whole = [*lines, "", "Taken:", "", *taken]
            (RESULTS / "network-search.md").write_text("\n".join(whole) + "\n")


if __name__ == "__main__":
    main()
