"""Whether gross slips in a numeric target are noticed, and clean targets left alone.

    python benchmarks/slips.py ../shared/data [--rows 5000] [--only abalone,…] [--write]

Of five tables with a numeric target, a share of the values is spoiled: times ten, without their
sign, or exchanged among the rows. LightGBM and the modern network of effort quick answer out of
fold, and `trial.slips` says how many values look wrong, if any. One draw, seed 0. With --write also
writes benchmarks/results/slips.md."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from curve_store import COUNTED, FOLDS, Job, frame_of
from tables import RESULTS

from fathometer.table.ask import answerable, ask
from fathometer.table.divide import DivideOptions, divide
from fathometer.table.read import read
from fathometer.trial.entrants import Effort, entrants
from fathometer.trial.measure import machine, versions
from fathometer.trial.slips import Slips, find_slips

JOBS = (
    Job("abalone", "Rings"),
    Job("wine_quality", "quality"),
    Job("bike_sharing_hour", "cnt", ignore=COUNTED),
    Job("california_housing", "median_house_value"),
    Job("diamonds", "price"),
)
SPOILED = {
    "times ten": lambda values, random: values * 10,
    "sign lost": lambda values, random: -values,
    "exchanged": lambda values, random: random.permutation(values),
}
SHARES = (0.005, 0.02)
WHO = ("LightGBM", "modern network")


def trials(data: Path, job: Job, most: int) -> Iterator[tuple[str, int, int, Slips | None]]:
    """Rows, how the target was spoiled, how many values, and what was found."""
    frame = frame_of(data, job.source).dropna(subset=[job.target])
    frame = frame.sample(min(most, len(frame)), random_state=0).reset_index(drop=True)
    clean = frame[job.target].to_numpy(dtype=float)
    yield "clean", len(clean), 0, found(frame, job)
    for how, spoil in SPOILED.items():
        for share in SHARES:
            random = np.random.default_rng(0)
            rows = random.permutation(len(clean))[: round(share * len(clean))]
            values = clean.copy()
            values[rows] = spoil(values[rows], random)
            yield how, len(clean), len(rows), found(frame.assign(**{job.target: values}), job)


def found(frame, job: Job) -> Slips | None:
    """What the answers of both families out of fold say of a target."""
    table = read(frame, ignore=job.ignore, kinds={job.target: "number"}).table
    task = ask(table, job.target)
    table, _ = answerable(table, task)
    split = divide(table, task, DivideOptions(FOLDS), lockbox_rows=np.arange(20))
    learners = [one for one in entrants(task, table, Effort.QUICK, 0) if one.name in WHO]
    answers = [one.fit(table, task, split).out_of_fold[:, 0] for one in learners]
    return find_slips(task.encode(table[task.target])[split.train], answers)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--rows", type=int, default=5_000)
    parser.add_argument("--only", default="")
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    lines = [
        "# Slips in a numeric target",
        "",
        f"On: {' · '.join(machine().values())}.",
        f"Versions: {', '.join(f'{name} {version}' for name, version in versions().items())}.",
        "What `trial.slips` says of the values that were spoiled; a dash: nothing.",
        "",
        "| table | rows | target | spoiled | said |",
        "|---|---|---|---|---|",
    ]
    for job in JOBS:
        if asked.only and job.source not in asked.only.split(","):
            continue
        for how, rows, count, slips in trials(asked.data, job, asked.rows):
            said = "–" if slips is None else f"{slips.count:,}"
            lines.append(f"| {job.source} | {rows:,} | {how} | {count:,} | {said} |")
            print(lines[-1], flush=True)
    if asked.write:
        (RESULTS / "slips.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
