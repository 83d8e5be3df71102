"""How often the intervals of permutation importance hold the truth, in worlds where it is known.

    python benchmarks/importance_simulation.py [--worlds 100] [--write]

The answers come from a fixed linear model of three columns: one decides, one matters less, and one
is noise that the model looks at all the same. A column's true loss is measured on 400,000 rows.
Each world draws a lockbox and measures the columns there as a comparison does. `plain` is the
bootstrap of the rows that receive alone. Prints the table; with --write puts it into
benchmarks/results/importance-simulation.md."""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: one core, on a busy machine too

import numpy as np
from scipy.special import expit

from fathometer.explain.paired_loss import PairedLoss
from fathometer.table.metric import METRICS
from fathometer.trial.interval import independent_rows
from fathometer.trial.measure import machine, versions
from fathometer.trial.resample import bootstrap_scores, resample_weights
from fathometer.trial.spread import Spread
from fathometer.verdict.bench import Rows

RESULTS = Path(__file__).parent / "results" / "importance-simulation.md"
TRUE = np.array([1.0, 0.4, 0.0])  # what each column does to the answer
LEARNED = np.array([1.0, 0.4, 0.1])  # what the model takes it to do
MANY_ROWS = 400_000
CASES = ((60, 5), (180, 5), (180, 1), (600, 5))  # rows, exchanges
NAMES = ("roc_auc", "log_loss", "rmse")


def drawn(random: np.random.Generator, rows: int, metric: str) -> tuple[np.ndarray, np.ndarray]:
    """Columns (rows, 3) and the truth (rows,)."""
    columns = random.normal(size=(rows, 3))
    signal = columns @ TRUE
    if metric == "rmse":
        return columns, signal + random.normal(size=rows)
    return columns, (random.random(rows) < expit(signal)).astype(np.int64)


def answered(columns: np.ndarray, metric: str) -> np.ndarray:
    """The model's scores."""
    signal = columns @ LEARNED
    if metric == "rmse":
        return signal[:, None]
    return np.column_stack([expit(-signal), expit(signal)])


def exchanged(columns: np.ndarray, place: int, order: np.ndarray, metric: str) -> np.ndarray:
    """The model's scores with one column exchanged."""
    changed = columns.copy()
    changed[:, place] = columns[order, place]
    return answered(changed, metric)


def true_losses(name: str) -> np.ndarray:
    """What each column is worth on all such rows; (3,)."""
    random, metric = np.random.default_rng(1), METRICS[name]
    columns, truth = drawn(random, MANY_ROWS, name)
    known = metric.loss(truth, answered(columns, name))
    order = random.permutation(MANY_ROWS)
    return np.array(
        [metric.loss(truth, exchanged(columns, place, order, name)) - known for place in range(3)]
    )


def plain(name: str, truth: np.ndarray, known: np.ndarray, changed: list[np.ndarray]) -> Spread:
    """The loss with the bootstrap of the receiving rows alone."""
    metric = METRICS[name]
    sign = 1.0 if metric.greater_is_better else -1.0
    weights = resample_weights(len(truth), 300, 0)
    first = bootstrap_scores(metric, truth, known, weights)
    others = [bootstrap_scores(metric, truth, each, weights) for each in changed]
    value = np.mean([metric.loss(truth, each) for each in changed]) - metric.loss(truth, known)
    samples = sign * (first - np.mean(others, axis=0))
    return Spread.student(float(value), samples, independent_rows(metric, truth))


def held(name: str, rows: int, exchanges: int, worlds: int) -> list[str]:
    """The table's line: shares of intervals that hold the truth, ours and the plain ones."""
    truths = true_losses(name)
    counts = np.zeros((2, 3))
    for world in range(worlds):
        random = np.random.default_rng([world, rows])
        columns, truth = drawn(random, rows, name)
        orders = [random.permutation(rows) for _ in range(exchanges)]
        known = answered(columns, name)
        loss = PairedLoss(METRICS[name], Rows(truth), known, orders, seed=world)
        for place, true in enumerate(truths):
            changed = [exchanged(columns, place, order, name) for order in orders]
            _, low, high = loss.of(changed)
            usual = plain(name, truth, known, changed)
            counts[0, place] += low <= true <= high
            counts[1, place] += usual.low <= true <= usual.high
    ours, usual_held = (" ".join(f"{100 * c / worlds:.0f}" for c in each) for each in counts)
    return [METRICS[name].label, f"{rows}", f"{exchanges}", f"{worlds}", ours, usual_held]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", type=int, default=100)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    started = time.perf_counter()
    lines = [held(name, *case, asked.worlds) for name in NAMES for case in CASES]
    known = versions()
    packages = ", ".join(f"{each} {known[each]}" for each in ("fathometer", "numpy", "scipy"))
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    text = f"""# Intervals of permutation importance, in worlds whose truth is known

`python benchmarks/importance_simulation.py --worlds {asked.worlds} --write` on \
{" · ".join(machine().values())}; {packages}.
Per cent of 95 % intervals that hold the true loss of a column that decides, of one that matters \
less, and of noise; standard errors are 2 to 4.

| metric | rows | exchanges | worlds | held | plain bootstrap |
|---|---|---|---|---|---|
{table}

{time.perf_counter() - started:.0f} s on one core.
"""
    print(text)
    if asked.write:
        RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
