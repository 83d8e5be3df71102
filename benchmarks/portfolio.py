"""Learn the order of a portfolio of networks on the development tables.

    python benchmarks/portfolio.py ../shared/data [--sampled 24] [--rows 5000] [--only adult,...]
        [--keep FILE] [--write]

Trains the present portfolio and so many sampled settings (`learners.portfolio`) on each table, all
of a table as one population of 3 folds, and notes every setting's out-of-fold loss. A setting's
regret on a table is its loss above the best one's, as a share of what the best one gains on a
constant. The portfolio is chosen greedily: each next setting lowers the mean, over the tables, of
the smallest regret of those chosen so far. How it does on tables that it was not chosen on shows
the same with one table left out at a time. Test rows are not touched. Takes from FILE what it
holds, and adds to it. Prints, and with --write writes to benchmarks/results/portfolio.md."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from data_sets import TABLES, TIMES, entries, metric_of, split_files
from tables import RESULTS

from fathometer.app.preparation import Options, prepare
from fathometer.features.learned import fit_learned_road
from fathometer.learners.network import Setting, Training, out_of_fold_scores, plan
from fathometer.learners.network_lessons import Scales, fit_scales, make_lessons, network_shape
from fathometer.learners.portfolio import PORTFOLIO, Entry, sample
from fathometer.networks.network import Shape
from fathometer.population.member import Lessons
from fathometer.population.train import train
from fathometer.table.metric import TINY
from fathometer.table.split import Split
from fathometer.table.table import Table
from fathometer.table.task import Task, TaskKind
from fathometer.trial.entrants import Effort
from fathometer.trial.measure import machine, versions

FOLDS = 3
SHOWN = 10  # settings of the order
TRAINING = Training(epochs=14, least_steps=600)


def load(data: Path, entry: dict, rows: int) -> tuple[Table, Task, Split]:
    """A table's training rows, at most so many of them, in three folds."""
    with tempfile.TemporaryDirectory() as folder:
        train_file, test_file = split_files(data, entry, Path(folder))
        options = Options(
            target=entry["target"],
            metric=metric_of(entry),
            kinds={},
            ignore=tuple(entry["ignore"]),
            group=None,
            time=TIMES.get(entry["name"]),
            test=test_file,
            effort=Effort.QUICK,
            minutes=None,
            only=(),
            seed=0,
            query=None,
            encoding=None,
        )
        found = prepare(train_file, options)
    own = np.random.default_rng(0).permutation(found.split.train)[:rows]
    folds = tuple(np.sort(own[fold::FOLDS]) for fold in range(FOLDS))
    return found.table, found.task, Split(np.sort(own), found.split.lockbox, folds, 0)


@dataclass(frozen=True, eq=False)
class Prepared:
    """What networks are taught of a table's training rows."""

    lessons: Lessons
    shape: Shape
    target: np.ndarray
    scales: Scales | None
    places: list[np.ndarray]  # of the rows that each fold learns from
    validation: list[np.ndarray]

    @property
    def has_logarithm(self) -> bool:
        return self.scales is not None and self.scales.logarithm is not None

    def setting(self, entry: Entry) -> Setting:
        return Setting(
            entry.network(self.shape),
            entry.learning_rate,
            entry.weight_decay,
            entry.dropout,
            is_logarithmic=entry.is_logarithmic,
        )


def prepared(table: Table, task: Task, split: Split) -> Prepared:
    rows = table.rows(split.train)
    target = task.encode(rows[task.target])
    own = [split.fold_rows(fold) for fold in range(FOLDS)]
    places = [split.places(learning) for learning, _ in own]
    validation = [split.places(validated) for _, validated in own]
    road = fit_learned_road(table, task, [learning for learning, _ in own])
    scales = fit_scales(target, places) if task.kind is TaskKind.REGRESS else None
    encoded = road.inputs(rows)
    lessons = make_lessons(encoded, target, scales, places, validation)
    shape = network_shape(road, encoded, task)
    return Prepared(lessons, shape, target, scales, places, validation)


def losses(table: Table, task: Task, split: Split, entries: list[Entry]) -> np.ndarray:
    """Each setting's out-of-fold loss as a share of a constant's, (settings,); NaN: not fitting."""
    taught = prepared(table, task, split)
    fitting = [
        n for n, entry in enumerate(entries) if taught.has_logarithm or not entry.is_logarithmic
    ]
    settings = [taught.setting(entries[n]) for n in fitting]
    members, schedule = plan(settings, TRAINING, 0, taught.places)
    to_the_end = replace(schedule, patience=99, rungs=())
    graduates = train(taught.lessons, members, to_the_end)
    found = np.full(len(entries), np.nan)
    for place, n in enumerate(fitting):
        cohort = graduates[place * FOLDS : (place + 1) * FOLDS]
        scores = out_of_fold_scores(cohort, taught.validation, taught.scales, task)
        found[n] = mean_loss(scores, taught.target, task) / constant_loss(taught.target, task)
    return found


def mean_loss(scores: np.ndarray, target: np.ndarray, task: Task) -> float:
    if task.kind is TaskKind.REGRESS:
        return float(((scores[:, 0] - target) ** 2).mean() ** 0.5)
    return float(-np.log(np.maximum(scores[np.arange(len(target)), target], TINY)).mean())


def constant_loss(target: np.ndarray, task: Task) -> float:
    if task.kind is TaskKind.REGRESS:
        return float(target.std())
    shares = np.bincount(target, minlength=task.outputs) / len(target)
    return float(-(shares[shares > 0] * np.log(shares[shares > 0])).sum())


def greedy(regrets: np.ndarray, count: int) -> list[int]:
    """Places of settings in the order chosen."""
    chosen: list[int] = []
    least = np.full(regrets.shape[1], np.inf)
    for _ in range(count):
        after = np.minimum(least, regrets).mean(axis=1)
        after[chosen] = np.inf
        chosen.append(int(after.argmin()))
        least = np.minimum(least, regrets[chosen[-1]])
    return chosen


def smallest(regrets: np.ndarray) -> np.ndarray:
    """Of settings in an order, the smallest regret of each and those before it."""
    return np.minimum.accumulate(regrets, axis=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--sampled", type=int, default=24)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--only", default="")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    known: dict[str, list[float]] = {}
    if options.keep is not None and options.keep.exists():
        for line in options.keep.read_text().splitlines():
            known |= json.loads(line)
    data_sets = entries(options.data, options.only, TABLES)
    draw = np.random.default_rng(1)
    settings = [*PORTFOLIO, *(sample(draw, has_logarithm=True) for _ in range(options.sampled))]
    torch.manual_seed(0)
    columns, names = [], []
    for data_set in data_sets:
        started = time.monotonic()
        name = data_set["name"]
        if name not in known:
            known[name] = losses(*load(options.data, data_set, options.rows), settings).tolist()
            if options.keep is not None:
                with options.keep.open("a") as file:
                    file.write(json.dumps({name: known[name]}) + "\n")
        columns.append(np.array(known[name]))
        names.append(name)
        seconds = f"{time.monotonic() - started:.0f} s"
        print(name, seconds, np.round(columns[-1], 4).tolist(), flush=True)
    found = np.stack(columns, axis=1)
    best = np.nanmin(found, axis=0)
    regrets = np.where(np.isnan(found), 1.0, (found - best) / np.maximum(1 - best, 1e-9))
    lines = [
        "# A portfolio of networks, learned on the development tables",
        "",
        f"On: {' · '.join(machine().values())}; torch {versions()['torch']}. {len(names)} tables, "
        f"at most {options.rows:,} training rows, {FOLDS} folds, {TRAINING.epochs} epochs, seed 0; "
        f"{len(PORTFOLIO)} settings of the package and {options.sampled} sampled ones.",
        f"Tables: {', '.join(names)}.",
        "",
        "| | setting | mean regret alone | mean regret with those above |",
        "|---|---|---|---|",
    ]
    order = greedy(regrets, SHOWN)
    for rank, (place, after) in enumerate(zip(order, smallest(regrets[order]), strict=True)):
        alone, own = regrets[place].mean(), "the package's " if place < len(PORTFOLIO) else ""
        lines.append(f"| {rank + 1} | {own}{settings[place]} | {alone:.4f} | {after.mean():.4f} |")
    package = smallest(regrets[: len(PORTFOLIO)])
    learned = np.stack(
        [
            smallest(regrets[greedy(np.delete(regrets, table, axis=1), len(PORTFOLIO)), table])
            for table in range(len(names))
        ],
        axis=1,
    )
    lines += [
        "",
        "Regret on tables that the settings were not chosen on: the package's in their order, and "
        "those chosen on all other tables; the difference with its standard error over tables.",
        "",
        "| settings | the package's | chosen on the others | difference |",
        "|---|---|---|---|",
    ]
    for count, (ours, theirs) in enumerate(zip(package, learned, strict=True), start=1):
        apart = theirs - ours
        error = apart.std(ddof=1) / len(apart) ** 0.5
        lines.append(
            f"| {count} | {ours.mean():.4f} | {theirs.mean():.4f} | {apart.mean():+.4f} "
            f"± {error:.4f} |"
        )
    if options.write:
        (RESULTS / "portfolio.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
