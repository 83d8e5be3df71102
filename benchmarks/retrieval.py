"""How a retrieval network is best trained, and how little it needs to remember.

    python benchmarks/retrieval.py ../shared/data [--rows 20000] [--only letter_recognition,…]
        [--seeds 1] [--write]

One network on the first of three folds of a table's training rows, on one core: with how many rows
each is compared in a step, how many are asked about, how many steps and which learning rate, or how
wide it is. Then what the shipped one answers where it remembers fewer rows, or fewer coordinates of
them. Scored out of fold: RMSE as a share of the target's deviation, or log loss; the mean of the
seeds. Prints, and with --write writes to benchmarks/results/retrieval.md."""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from data_sets import by_name
from portfolio import Prepared, load, prepared
from tables import RESULTS

from fathometer.networks.retrieval import Retrieval
from fathometer.population.block import validation_loss, validation_outputs, with_memory
from fathometer.population.member import Graduate, Member, Schedule
from fathometer.population.train import train
from fathometer.trial.measure import machine, versions

TABLES = ("california_housing", "letter_recognition", "diamonds")
VALIDATIONS = 12


@dataclass(frozen=True)
class Tried:
    """One way to train a retrieval network."""

    asked: int = 1_024
    others: int = 2_048
    steps: int = 396
    rate: float = 1e-2
    size: int = 128
    width: int = 256

    def __str__(self) -> str:
        shape = (
            f" · {self.size}, {self.width} wide" if (self.size, self.width) != (128, 256) else ""
        )
        return (
            f"{self.asked:,} + {self.others:,} rows · {self.steps:,} steps · {self.rate:g}{shape}"
        )


SHIPPED = Tried()
TRIED = (
    SHIPPED,
    Tried(256, 2_304, 1_992, 4e-3),
    Tried(512, 1_536, 984, 4e-3),
    Tried(others=0),
    Tried(others=1_024),
    Tried(steps=264),
    Tried(steps=792),
    Tried(rate=2e-2),
    Tried(size=64),
)
REMEMBERED = (  # rows, and the share of their variance that is left out
    (8_192, 0.01),
    (16_384, 0.0),
    (8_192, 0.0),
    (8_192, 0.001),
    (8_192, 0.03),
    (4_096, 0.01),
    (2_048, 0.01),
)


def learned(taught: Prepared, tried: Tried, seed: int) -> tuple[Graduate, float]:
    """The network and the processor seconds it took."""
    network = Retrieval(taught.shape, tried.size, tried.width, tried.others)
    member = Member(network, 0, seed, tried.rate, 1e-4, 0.1, tried.steps)
    schedule = Schedule(tried.asked, tried.steps // VALIDATIONS, VALIDATIONS, ())
    started = time.process_time()
    (graduate,) = train(taught.lessons, [member], schedule)
    return graduate, time.process_time() - started


def score(loss: float, *, classify: bool) -> float:
    """Log loss, or the root of the mean square."""
    return loss if classify else loss**0.5


def remembering(taught: Prepared, graduate: Graduate, rows: int, left_out: float) -> float:
    """Its loss where it remembers so many rows, all but a share of their variance."""
    member, lessons = graduate.member, taught.lessons
    network = replace(member.network, left_out=left_out)
    own = {n: t.unsqueeze(0) for n, t in graduate.parameters.items() if n not in network.fixed}
    complete = with_memory(network, own, lessons, [member], most=rows)
    (outputs,) = validation_outputs(network, complete, lessons, [member])
    return score(validation_loss(outputs, member, lessons), classify=lessons.classify)


def examine(taught: Prepared, seeds: int) -> tuple[list[str], list[str]]:
    """A table's cells: of each way to train, and of each thing to remember."""
    lessons, ways, kept = taught.lessons, [], np.zeros((seeds, len(REMEMBERED)))
    for tried in TRIED:
        losses, seconds = [], []
        for seed in range(seeds):
            graduate, took = learned(taught, tried, seed)
            loss = validation_loss(graduate.outputs, graduate.member, lessons)
            losses.append(score(loss, classify=lessons.classify))
            seconds.append(took)
            if tried == SHIPPED:
                kept[seed] = [remembering(taught, graduate, *what) for what in REMEMBERED]
        ways.append(f"{np.mean(losses):.4f} ({np.mean(seconds):.0f} s)")
        print(tried, ways[-1], flush=True)
    return ways, [f"{loss:.4f}" for loss in kept.mean(axis=0)]


def as_table(heading: str, rows: list[str], columns: dict[str, list[str]]) -> list[str]:
    lines = [f"| {heading} | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]
    each = zip(rows, *columns.values(), strict=True)
    return [*lines, *(f"| {' | '.join(cells)} |" for cells in each)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--only", default=",".join(TABLES))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    ways, kept = {}, {}
    for name in options.only.split(","):
        taught = prepared(*load(options.data, by_name(options.data)[name], options.rows))
        print(f"{name}: {len(taught.lessons.learning[0]):,} rows to learn", flush=True)
        ways[name], kept[name] = examine(taught, options.seeds)
    remembered = [f"{rows:,} rows, {share:.1%} left out" for rows, share in REMEMBERED]
    lines = [
        "# Retrieval networks: steps, and what is remembered",
        "",
        f"`python benchmarks/retrieval.py DATA --rows {options.rows} --seeds {options.seeds}`, on: "
        + " · ".join(machine().values())
        + ".",
        "Versions: " + ", ".join(f"{name} {version}" for name, version in versions().items()) + ".",
        "The first of three folds, out of fold: RMSE as a share of the target's deviation, or log "
        "loss (letter_recognition); processor seconds of one core. The first row is what ships.",
        "",
        *as_table("rows asked about + others · steps · learning rate", [*map(str, TRIED)], ways),
        "",
        *as_table("what is remembered", remembered, kept),
    ]
    print("\n".join(lines))
    if options.write:
        (RESULTS / "retrieval.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
