"""One thread an operator and networks on every core, against operators that spread over cores.

    python benchmarks/threads.py [--repeats 5] [--steps 200] [--busy 2]

Five networks of 118,000 parameters train on 20,000 rows by `population.train`: as it is, and with
`one_thread_an_operator` replaced by all of torch's threads for one block. --busy starts as many
processes that do nothing but use a core, as on a machine with other work. Prints medians and the
range, the two timed in turn."""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from engine import COLUMNS, ROWS, make_lessons

from fathometer.networks.network import Shape
from fathometer.networks.perceptron import Perceptron
from fathometer.population import train as population
from fathometer.population.member import Lessons, Member, Schedule
from fathometer.trial.measure import machine, versions

NETWORKS, WIDTH = 5, 326
BATCH = 256


@contextmanager
def spread_over_cores() -> Iterator[int]:
    """One block, whose operators use all of torch's threads."""
    yield 1


def seconds_of(lessons: Lessons, steps: int) -> float:
    network = Perceptron(Shape(COLUMNS, 0, (), 2), WIDTH, 2)
    members = [Member(network, 0, seed, 1e-3, 1e-2, 0.1, steps) for seed in range(NETWORKS)]
    schedule = Schedule(batch=BATCH, every=steps // 2, patience=steps)
    started = time.perf_counter()
    population.train(lessons, members, schedule)
    return time.perf_counter() - started


def keep_busy() -> None:
    while True:
        sum(range(10_000))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--busy", type=int, default=0)
    options = parser.parse_args()
    ways = {
        "one thread an operator": population.one_thread_an_operator,
        "operators spread over cores": spread_over_cores,
    }
    lessons = make_lessons(torch.arange(1000, ROWS), torch.arange(1000))
    others = [multiprocessing.Process(target=keep_busy, daemon=True) for _ in range(options.busy)]
    for other in others:
        other.start()
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    try:
        for _ in range(options.repeats + 1):
            for name, way in ways.items():
                population.one_thread_an_operator = way
                seconds[name].append(seconds_of(lessons, options.steps))
    finally:
        for other in others:
            other.terminate()
    print(" · ".join(machine().values()), "· torch", versions()["torch"])
    print(f"{torch.get_num_threads()} threads, {options.busy} other processes that use a core")
    print("| way | median s | least | most | n |")
    print("|---|---|---|---|---|")
    for name, (_, *counted) in seconds.items():  # the first of each warms up
        print(
            f"| {name} | {statistics.median(counted):.2f} | {min(counted):.2f} | "
            f"{max(counted):.2f} | {len(counted)} |"
        )


if __name__ == "__main__":
    main()
