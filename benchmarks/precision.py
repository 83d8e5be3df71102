"""Whether networks for tables learn as well where products round to bf16.

    python benchmarks/precision.py ../shared/data [--rows 5000] [--seeds 10] [--only adult,…]
        [--write]

On cores with AMX a population's products round the two matrices to bf16 and sum in float32
(`population.precision`). Here every product of a training, forward and backward, is given rounded
matrices, which yields what such a core would on any other, only slowly. Each of the settings below
trains one network for each of 3 folds and so many seeds, once rounded and once not, from the same
weights and rows; a seed's loss is that of its three networks on the rows they did not learn from.
The differences are those of seeds with themselves. Prints, and with --write writes to
benchmarks/results/precision.md."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from data_sets import by_name
from portfolio import FOLDS, TRAINING, constant_loss, load, mean_loss, prepared
from tables import RESULTS
from torch.utils._python_dispatch import TorchDispatchMode

from fathometer.learners.network import out_of_fold_scores, plan
from fathometer.learners.portfolio import PORTFOLIO
from fathometer.population.block import Block
from fathometer.population.train import train
from fathometer.trial.measure import machine, versions

TABLES = ("adult", "letter_recognition", "california_housing")
TRIED = tuple(entry for entry in PORTFOLIO if not entry.is_logarithmic)
PRODUCTS = {torch.ops.aten.bmm.default: 0, torch.ops.aten.baddbmm.default: 1}  # first factor


class Rounding(TorchDispatchMode):
    """Batched products of what bf16 leaves of their factors."""

    def __torch_dispatch__(
        self, operator: Any, types: Any, own: tuple = (), named: dict | None = None
    ) -> Any:
        first = PRODUCTS.get(operator)
        if first is not None:
            factors = (factor.bfloat16().float() for factor in own[first : first + 2])
            own = (*own[:first], *factors, *own[first + 2 :])
        return operator(*own, **(named or {}))


@contextmanager
def every_block_rounds() -> Iterator[None]:
    """Training steps and validations round, on whatever thread they run."""
    teach, validate = Block.teach, Block.validate

    def rounded(work):
        def works(*arguments):
            with Rounding():
                return work(*arguments)

        return works

    Block.teach, Block.validate = rounded(teach), rounded(validate)
    try:
        yield
    finally:
        Block.teach, Block.validate = teach, validate


def seed_losses(taught, entry, seeds: int, task) -> np.ndarray:
    """Each seed's loss on the rows its networks did not learn from, (seeds,)."""
    training = replace(TRAINING, seeds=seeds)
    members, schedule = plan([taught.setting(entry)], training, 0, taught.places)
    graduates = train(taught.lessons, members, replace(schedule, exact=True))
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
    lines = [
        "# Networks that multiply in bf16",
        "",
        f"On: {' · '.join(machine().values())}; torch {versions()['torch']}. At most "
        f"{asked.rows:,} training rows, {FOLDS} folds, {TRAINING.epochs} epochs, {asked.seeds} "
        "seeds. Loss out of fold as a share of a constant's, mean over seeds and their standard "
        "deviation; the difference that rounding makes to a seed, with its standard error.",
        "",
        "| table | network | float32 | spread of seeds | products rounded to bf16 | difference |",
        "|---|---|---|---|---|---|",
    ]
    print("\n".join(lines))
    for name in asked.only.split(","):
        table, task, split = load(asked.data, by_name(asked.data)[name], asked.rows)
        taught = prepared(table, task, split)
        for entry in TRIED:
            plain = seed_losses(taught, entry, asked.seeds, task)
            with every_block_rounds():
                rounded = seed_losses(taught, entry, asked.seeds, task)
            plain, rounded = (
                found / constant_loss(taught.target, task) for found in (plain, rounded)
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
