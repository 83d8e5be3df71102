"""Whether networks for tables learn as well where they multiply in bf16.

    python benchmarks/precision.py ../shared/data [--rows 5000] [--seeds 10] [--only adult,…]
        [--write]

Where the processor multiplies bf16 sooner, a population's hidden layers are bf16 while it learns
(`population.precision`); elsewhere they are made so here, which yields the same only slowly. Each
of the settings below trains one network for each of 3 folds and so many seeds, once in bf16 and
once in float32, from the same weights and rows; a seed's loss is that of its three networks on the
rows they did not learn from. The differences are those of seeds with themselves. Prints, and with
--write writes to benchmarks/results/precision.md."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from data_sets import by_name
from portfolio import FOLDS, TRAINING, constant_loss, load, mean_loss, prepared
from tables import RESULTS

from fathometer.learners.network import out_of_fold_scores, plan
from fathometer.learners.portfolio import PORTFOLIO
from fathometer.population import precision
from fathometer.population.train import train
from fathometer.trial.measure import machine, versions

TABLES = ("adult", "letter_recognition", "california_housing", "diamonds")
TRIED = tuple(entry for entry in PORTFOLIO if not entry.is_logarithmic)


def seed_losses(taught, entry, seeds: int, task, *, exact: bool) -> np.ndarray:
    """Each seed's loss on the rows its networks did not learn from, (seeds,)."""
    training = replace(TRAINING, seeds=seeds)
    members, schedule = plan([taught.setting(entry)], training, 0, taught.places)
    graduates = train(taught.lessons, members, replace(schedule, exact=exact))
    return np.array(
        [
            mean_loss(
                out_of_fold_scores(
                    graduates[seed * FOLDS : (seed + 1) * FOLDS],
                    taught.validation,
                    taught.scales,
                    task,
                ),
                taught.target,
                task,
            )
            for seed in range(seeds)
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--rows", type=int, default=5_000)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--only", default=",".join(TABLES))
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    precision.has_quick_bf16 = lambda device: True
    lines = [
        "# Networks that multiply in bf16",
        "",
        f"On: {' · '.join(machine().values())}; torch {versions()['torch']}. At most "
        f"{asked.rows:,} training rows, {FOLDS} folds, {TRAINING.epochs} epochs, {asked.seeds} "
        "seeds. Loss out of fold as a share of a constant's, mean over seeds and their standard "
        "deviation; the difference that bf16 makes to a seed, with its standard error.",
        "",
        "| table | network | float32 | spread of seeds | hidden layers in bf16 | difference |",
        "|---|---|---|---|---|---|",
    ]
    print("\n".join(lines))
    for name in asked.only.split(","):
        table, task, split = load(asked.data, by_name(asked.data)[name], asked.rows)
        taught = prepared(table, task, split)
        for entry in TRIED:
            plain, rounded = (
                seed_losses(taught, entry, asked.seeds, task, exact=exact)
                / constant_loss(taught.target, task)
                for exact in (True, False)
            )
            apart = rounded - plain
            error = apart.std(ddof=1) / len(apart) ** 0.5
            called = f"{entry.architecture} {entry.width} × {entry.depth}"
            lines.append(
                f"| {name} | {called} | {plain.mean():.4f} | {plain.std(ddof=1):.4f} "
                f"| {rounded.mean():.4f} | {apart.mean():+.4f} ± {error:.4f} |"
            )
            print(lines[-1], flush=True)
    if asked.write:
        (RESULTS / "precision.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
