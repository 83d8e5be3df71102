"""The architectures for tables at equal processor seconds, beside LightGBM.

    python benchmarks/architectures.py ../shared/data [--seconds 12] [--only adult,higgs_small]

Every architecture gets the same rows, the same preparation and the same seconds of one core, and
spends them in one annealed schedule: the step is timed first, so that `steps` repeats a run. Three
folds train side by side; fold k keeps the weights of the validation that was best for the other
folds. Scored are the test rows of the table's own split, by the mean of the three. Knows its own
plain training loop and not the engine's, so that it compares architectures alone. Prints, and
writes to benchmarks/results/architectures.md.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import cos, log2, pi
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from data_sets import TIMES, by_name, own_split
from torch import Tensor
from torch.nn.functional import cross_entropy, nll_loss, pad

from fathometer.features.learned import LearnedRoad, fit_learned_road
from fathometer.learners.light_gbm import LightGBM
from fathometer.networks.modern import Modern
from fathometer.networks.network import Headed, Inputs, Network, Parameters, Shape
from fathometer.networks.perceptron import Perceptron
from fathometer.networks.periodic import Periodic
from fathometer.networks.residual import Residual
from fathometer.networks.tabm import TabM
from fathometer.table.ask import ask
from fathometer.table.divide import DivideOptions, divide
from fathometer.table.metric import METRICS
from fathometer.table.read import read
from fathometer.table.split import Split
from fathometer.table.table import Table
from fathometer.table.task import Task, TaskKind

TABLES = (
    "california_housing",
    "adult",
    "covertype_part",
    "letter_recognition",
    "bike_sharing_hour",
    "higgs_small",
)
RESULTS = Path(__file__).parent / "results"
ROWS, FOLDS, VALIDATIONS, WARM_UP, TIMED = 10_000, 3, 24, 3, 8
ENCODED_WIDTH = 384  # bins of all numbers together


@dataclass(frozen=True)
class Setting:
    """An architecture and how it is trained."""

    network: Callable[[Shape], Network]
    learning_rate: float
    weight_decay: float
    dropout: float
    batch: int = 256


def bins(shape: Shape) -> int:
    """At most 32 for each number, and fewer where there are many numbers."""
    columns = max(shape.numbers, 1)
    return min(32, max(1, ENCODED_WIDTH // columns, min(8, 2048 // columns)))


SETTINGS: dict[str, Setting] = {
    "perceptron": Setting(lambda shape: Perceptron(shape, 256, 2), 2e-3, 1e-2, 0.1),
    "modern": Setting(lambda shape: Modern(shape, 128, 3, bins(shape)), 6e-3, 2e-2, 0.15),
    "periodic": Setting(lambda shape: Periodic(shape, 128, 3), 6e-3, 2e-2, 0.15),
    "residual": Setting(lambda shape: Residual(shape, 128, 2, bins(shape)), 4e-3, 2e-2, 0.15),
    "TabM": Setting(lambda shape: TabM(shape, 128, 3, bins(shape), 8), 4e-3, 2e-2, 0.1),
}


@dataclass(frozen=True, eq=False)
class Lesson:
    """One table made fit for networks, F folds."""

    table: Table
    task: Task
    split: Split
    learning: list[Tensor]  # for each fold, places in the training rows
    validation: list[Tensor]
    inputs: Inputs  # (F, N, ·) of the training rows
    test_inputs: Inputs
    target: Tensor  # (F, N)
    mean: np.ndarray  # (F,) of a regression's target
    spread: np.ndarray
    shape: Shape

    @property
    def classify(self) -> bool:
        return self.task.kind is TaskKind.CLASSIFY

    def answers(self, outputs: Tensor) -> np.ndarray:
        """Probabilities or values of the test rows, the mean over folds; from (F, n, K)."""
        if self.classify:
            return outputs.softmax(dim=2).double().mean(dim=0).numpy()
        values = outputs.double().numpy() * self.spread[:, None, None] + self.mean[:, None, None]
        return np.asarray(values.mean(axis=0))


def read_part(data: Path, entry: dict, rows: int) -> tuple[Table, Task, Split]:
    """At most so many training rows and as many test rows of the table's own split."""
    random = np.random.default_rng(0)
    parts = [
        part.take(np.sort(random.permutation(len(part))[:rows]))
        for part in own_split(pq.read_table(data / entry["files"][0]))
    ]
    table = pa.concat_tables(parts)
    table = table.drop_columns([name for name in entry["ignore"] if name in table.column_names])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{entry['name']}.parquet"
        pq.write_table(table, path)
        whole = read(path).table
    task = ask(whole, entry["target"])
    test_rows = np.arange(len(parts[0]), len(whole))
    options = DivideOptions(folds=FOLDS, time=TIMES.get(entry["name"]))
    return whole, task, divide(whole, task, options, lockbox_rows=test_rows)


def prepare(table: Table, task: Task, split: Split) -> Lesson:
    """Encode each fold by what its own learning rows show."""
    own = [split.fold_rows(fold) for fold in range(FOLDS)]
    road = fit_learned_road(table, task, [learning for learning, _ in own])
    learning, validation = ([split.places(rows[k]) for rows in own] for k in (0, 1))
    target = task.encode(table.rows(split.train)[task.target])
    mean, spread = np.zeros(FOLDS), np.ones(FOLDS)
    each = np.broadcast_to(target, (FOLDS, len(target)))
    if task.kind is TaskKind.REGRESS:
        mean = np.array([target[rows].mean() for rows in learning])
        spread = np.array([target[rows].std() for rows in learning])
        each = ((target - mean[:, None]) / spread[:, None]).astype(np.float32)
    inputs = encoded(road, table.rows(split.train))
    shape = Shape(inputs.numbers.shape[2], inputs.flags.shape[2], road.levels, task.outputs)
    return Lesson(
        table,
        task,
        split,
        [torch.from_numpy(rows) for rows in learning],
        [torch.from_numpy(rows) for rows in validation],
        inputs,
        encoded(road, table.rows(split.lockbox)),
        torch.from_numpy(each.copy()),
        mean,
        spread,
        shape,
    )


def encoded(road: LearnedRoad, rows: Table) -> Inputs:
    found = road.inputs(rows)
    arrays = found.numbers, found.flags, found.codes
    return Inputs(*(torch.from_numpy(array) for array in arrays))


class Dropout:
    """Drops activations by 16 random bits each, like the engine's, and tells its masks."""

    def __init__(self, share: float, random: torch.Generator) -> None:
        self.kept, self.random = 1.0 - share, random

    def mask(self, activations: Tensor) -> Tensor:
        words = torch.empty(-(-activations.numel() // 4), dtype=torch.int64)
        bits = words.random_(-(2**63), None, generator=self.random).view(torch.int16)
        kept = bits[: activations.numel()] <= round(self.kept * 65_536 - 32_769)
        return kept.view(activations.shape) * (1.0 / self.kept)

    def __call__(self, activations: Tensor) -> Tensor:
        return activations * self.mask(activations)


class Training:
    """Three folds of one setting."""

    def __init__(self, lesson: Lesson, setting: Setting, seed: int) -> None:
        self.lesson, self.setting, self.network = lesson, setting, setting.network(lesson.shape)
        self.folds = torch.arange(FOLDS)
        self.random = torch.Generator().manual_seed(seed)
        self.drop = Dropout(setting.dropout, self.random)
        starts = [
            self.network.start(lesson.inputs.numbers[fold][rows], self.random)
            for fold, rows in enumerate(lesson.learning)
        ]
        self.parameters = {name: torch.stack([s[name] for s in starts]) for name in starts[0]}
        self.trained = {
            name: tensor.requires_grad_()
            for name, tensor in self.parameters.items()
            if name not in self.network.fixed
        }
        self.optimizer = torch.optim.AdamW(
            self.trained.values(),
            betas=(0.9, 0.95),
            weight_decay=setting.weight_decay,
            fused=True,
        )
        self.ahead = [rows[:0] for rows in lesson.learning]

    def batch(self) -> Tensor:
        """The next rows of each fold, (F, B)."""
        size = self.setting.batch
        for fold, rows in enumerate(self.lesson.learning):
            while len(self.ahead[fold]) < size:
                order = torch.randperm(len(rows), generator=self.random)
                self.ahead[fold] = torch.cat([self.ahead[fold], rows[order]])
        taken = torch.stack([rows[:size] for rows in self.ahead])
        self.ahead = [rows[size:] for rows in self.ahead]
        return taken

    def step(self, done: float) -> None:
        """One step of the schedule that rises and falls in three cycles, to 1/7, 3/7 and 1."""
        rows, network = self.batch(), self.network
        inputs = self.lesson.inputs.take(self.folds, rows)
        if isinstance(network, Headed):
            outputs = network.heads(self.parameters, inputs, self.drop)
        else:
            outputs = network.forward(self.parameters, inputs, self.drop).unsqueeze(1)
        target = self.lesson.target[self.folds[:, None], rows].unsqueeze(1)
        target = target.expand(outputs.shape[:3])
        if self.lesson.classify:
            loss = cross_entropy(outputs.flatten(0, 2), target.flatten()) * FOLDS
        else:
            loss = (outputs.squeeze(3) - target).square().mean() * FOLDS
        self.optimizer.zero_grad()
        loss.backward()
        pace = 0.5 * (1.0 - cos(2.0 * pi * log2(1.0 + 7.0 * done)))
        self.optimizer.param_groups[0]["lr"] = self.setting.learning_rate * pace
        self.optimizer.step()

    @torch.no_grad()
    def outputs(self, parameters: Parameters, inputs: Inputs, rows: Tensor) -> Tensor:
        """(F, n, K) of rows (F, n)."""
        chunks = torch.split(rows, 512, dim=1)
        taken = (inputs.take(self.folds, chunk) for chunk in chunks)
        return torch.cat([self.network.forward(parameters, chunk) for chunk in taken], dim=1)

    def losses(self) -> np.ndarray:
        """Each fold's validation loss."""
        longest = max(map(len, self.lesson.validation))
        rows = torch.stack([pad(v, (0, longest - len(v))) for v in self.lesson.validation])
        outputs = self.outputs(self.parameters, self.lesson.inputs, rows)
        found = []
        for fold, own in enumerate(self.lesson.validation):
            target, answered = self.lesson.target[fold, own], outputs[fold, : len(own)]
            if self.lesson.classify:
                found.append(float(nll_loss(answered.log_softmax(dim=1), target)))
            else:
                found.append(float((answered.squeeze(1) - target).square().mean()))
        return np.array(found)

    def affordable_steps(self, seconds: float) -> int:
        """How many steps, and the validations between them, fit into these seconds."""
        for _ in range(WARM_UP):
            self.step(0.0)  # at a rate of 0: nothing is learned
        started = time.process_time()
        for _ in range(TIMED):
            self.step(0.0)
        step_seconds = (time.process_time() - started) / TIMED
        started = time.process_time()
        self.losses()
        rest = seconds - VALIDATIONS * (time.process_time() - started)
        return max(VALIDATIONS, int(rest / step_seconds))

    def run(self, steps: int) -> Parameters:
        """Train; returns the weights kept, (F, ...)."""
        kept = {name: tensor.detach().clone() for name, tensor in self.parameters.items()}
        best, every = np.full(FOLDS, np.inf), -(-steps // VALIDATIONS)
        for step in range(steps):
            self.step(step / steps)
            if (step + 1) % every and step + 1 < steps:
                continue
            losses = self.losses()
            others = (losses.sum() - losses) / (FOLDS - 1)
            for fold in np.flatnonzero(others < best):
                best[fold] = others[fold]
                for name in self.trained:
                    kept[name][fold] = self.parameters[name][fold].detach()
        return kept


def run_one(lesson: Lesson, setting: Setting, seconds: float) -> dict:
    """Train one architecture on one table, and score it."""
    started = time.process_time()
    training = Training(lesson, setting, seed=0)
    steps = training.affordable_steps(seconds)
    kept = training.run(steps)
    rows = torch.arange(len(lesson.split.lockbox)).expand(FOLDS, -1)
    scores = lesson.answers(training.outputs(kept, lesson.test_inputs, rows))
    size = sum(tensor[0].numel() for tensor in training.trained.values())
    spent = time.process_time() - started
    return {"score": scored(lesson, scores), "steps": steps, "seconds": spent, "weights": size}


def scored(lesson: Lesson, scores: np.ndarray) -> float:
    """The task's metric on the test rows."""
    truth = lesson.task.encode(lesson.table.rows(lesson.split.lockbox)[lesson.task.target])
    return METRICS[lesson.task.metric].score(truth, scores)


def run_trees(lesson: Lesson) -> dict:
    """LightGBM with its own defaults on the same folds, one thread."""
    started = time.process_time()
    model = LightGBM(threads=1).fit(lesson.table, lesson.task, lesson.split)
    prediction = model.predict(lesson.table.rows(lesson.split.lockbox))
    return {
        "score": scored(lesson, prediction.scores),
        "seconds": time.process_time() - started,
    }


def as_markdown(results: list[dict], seconds: float) -> str:
    """A row a table, a column a contestant: score, and under it steps and seconds."""
    from fathometer.trial.measure import machine, versions

    names = [*SETTINGS, "LightGBM"]
    lines = [
        "# Architectures for tables at equal seconds",
        "",
        f"On: {' · '.join(machine().values())}; one core.",
        f"Versions: {', '.join(f'{name} {version}' for name, version in versions().items())}.",
        f"{seconds:g} processor seconds an architecture, {FOLDS} folds side by side, seed 0, one "
        f"run; at most {ROWS:,} training rows and {ROWS:,} test rows, drawn once with seed 0.",
        "LightGBM takes the seconds it needs. Best network bold.",
        "",
        "| table | test rows | metric | " + " | ".join(names) + " |",
        "|---|---|---|" + "---|" * len(names),
    ]
    for result in results:
        metric, scores = METRICS[result["metric"]], result["scores"]
        best = min(SETTINGS, key=lambda n, s=scores, m=metric: s[n] * (1 - 2 * m.greater_is_better))
        cells = [
            f"**{scores[name]:.5g}**" if name == best else f"{scores[name]:.5g}" for name in names
        ]
        lines.append(
            f"| {result['table']} | {result['rows']:,} | {metric.label} | {' | '.join(cells)} |"
        )
    lines += ["", "| table | steps, seconds and weights |", "|---|---|"]
    for result in results:
        parts = [
            f"{name} {run.get('steps', 0):,} steps, {run['seconds']:.1f} s, {run['weights']:,}"
            if "weights" in run
            else f"{name} {run['seconds']:.1f} s"
            for name, run in result["runs"].items()
        ]
        lines.append(f"| {result['table']} | {'; '.join(parts)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--only", default=",".join(TABLES))
    options = parser.parse_args()
    torch.set_num_threads(1)
    wanted = by_name(options.data)
    results: list[dict] = []
    for name in options.only.split(","):
        lesson = prepare(*read_part(options.data, wanted[name], ROWS))
        runs = {}
        for contestant, setting in SETTINGS.items():
            runs[contestant] = run_one(lesson, setting, options.seconds)
            print(name, contestant, runs[contestant], file=sys.stderr, flush=True)
        runs["LightGBM"] = run_trees(lesson)
        results.append(
            {
                "table": name,
                "rows": len(lesson.split.lockbox),
                "metric": lesson.task.metric,
                "scores": {n: run["score"] for n, run in runs.items()},
                "runs": runs,
            }
        )
        print(json.dumps(results[-1]), flush=True)
    report = as_markdown(results, options.seconds)
    print(report)
    if set(options.only.split(",")) == set(TABLES):
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "architectures.md").write_text(report)


if __name__ == "__main__":
    main()
