"""What a student within limits loses against its teacher, on three tables of 10,000 training rows.

    python benchmarks/distillation.py ../shared/data [--only adult]

A few contestants at quick effort, the best of them out of fold as the teacher, and a student for
each pair of limits. "Own answers" is the same search without a teacher: what the small models learn
from the true answers alone. Prints, and writes to benchmarks/results/distillation.md.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from data_sets import by_name, own_split

from fathometer.app.limits import limits_from
from fathometer.app.preparation import Options, prepare
from fathometer.learners.contract import Model
from fathometer.learners.student import Footprint, Student, soft_share
from fathometer.modelfile.feeds import feeds_from
from fathometer.modelfile.write import ship
from fathometer.table.metric import METRICS
from fathometer.trial.best import best_trial
from fathometer.trial.contest import Contest
from fathometer.trial.distil import STATED, footprint
from fathometer.trial.entrants import chosen, entrants
from fathometer.trial.measure import machine, measure_latency, versions
from fathometer.trial.store import RunStore, run_key
from fathometer.verdict.bench import Rows, paired_gap

RESULTS = Path(__file__).parent / "results"
TABLES = ("adult", "california_housing", "covertype_part")
TRAIN_ROWS = 10_000
SIZES = ("500KB", "100KB")
LATENCIES = ("1ms", "100us")  # loosest first
CONTESTANTS = ("logistic", "ridge", "LightGBM", "XGBoost")


@dataclass(frozen=True)
class Row:
    """One student, or the same small models without a teacher."""

    limits: tuple[str, str]
    chosen: str
    size_bytes: int
    latency_ms: float
    seconds: float
    score: float
    loss: tuple[float, float, float]  # against the teacher, with its 95 % interval
    slowest_ms: float  # of all files that were tried


def contest_on(data: Path, name: str, target: str, folder: Path) -> tuple[Contest, list]:
    """A quick contest on the first training rows, judged on the table's own test rows."""
    train, test = own_split(pq.read_table(data / "tables" / f"{name}.parquet"))
    order = np.random.default_rng(0).permutation(len(train))[:TRAIN_ROWS]
    understood = prepare(train.take(np.sort(order)), Options(target, test=test))
    known = entrants(understood.task, understood.table, Options(target).effort, 0)
    names = [each.name for each in known if each.name in CONTESTANTS]
    store = RunStore.open(folder / name, run_key({"table": name}))
    contest = Contest(understood.table, understood.task, understood.split, store, lambda news: None)
    return contest, list(contest.run(chosen(known, names)))


def taught(contest: Contest, teacher, limits: tuple[str, str], share: float | None) -> Row:
    """One student as `compare` makes it."""
    table, task, split = contest.table, contest.task, contest.split
    metric, truth = METRICS[task.metric], task.encode(table[task.target])[split.lockbox]
    asked = limits_from(*limits)
    started = time.monotonic()
    slowest = 0.0

    def measure(model: Model) -> Footprint:
        nonlocal slowest
        found = footprint(model, table, split.train)
        slowest = max(slowest, found.latency_ms)
        return found

    student = Student(asked, teacher.scorecard.name, teacher.out_of_fold, measure, soft_share=share)
    model = student.fit(table, task, split)
    seconds = time.monotonic() - started
    shipped = ship(model, "student", table, split.lockbox)
    file = shipped.file(STATED)
    feeds, _ = feeds_from(table.rows(split.lockbox[:1]), file.columns)
    file.scores(feeds)  # opens the session
    latency = measure_latency(lambda: file.scores(feeds))
    loss = paired_gap(metric, Rows(truth), teacher.lockbox, shipped.scores, seed=split.seed)
    return Row(
        limits,
        model.account.chosen.split(", taught by")[0],
        file.size_bytes,
        latency.p50_ms,
        seconds,
        metric.score(truth, shipped.scores),
        (loss.value, loss.low, loss.high),
        slowest,
    )


def students_of(contest: Contest, teacher) -> list[tuple[Row, Row]]:
    """A student for each pair of limits, and what the same model learns from its own answers.

    Where no file that was tried comes near a tighter latency, that limit changes nothing."""
    rows: list[tuple[Row, Row]] = []
    alone: dict[str, Row] = {}
    for size in SIZES:
        student: Row | None = None
        for latency in LATENCIES:
            chosen_by = limits_from(latency, None).with_headroom.latency_ms
            if student is None or student.slowest_ms > chosen_by:
                student = taught(contest, teacher, (latency, size), None)
            if student.chosen not in alone:
                alone[student.chosen] = taught(contest, teacher, (latency, size), 0.0)
            rows.append((replace(student, limits=(latency, size)), alone[student.chosen]))
            print(rows[-1], flush=True)
    return rows


def lines_for(contest: Contest, teacher, rows: list[tuple[Row, Row]]) -> list[str]:
    """The part of one table: what the teacher has, and a line for each pair of limits."""
    card, task = teacher.scorecard, contest.task
    decimals = 1 if task.metric == "rmse" else 4

    def number(value: float) -> str:
        return f"{value:,.{decimals}f}".replace("-", "−")

    def lost(row: Row) -> str:
        value, low, high = map(number, row.loss)
        return f"{value} [{low}, {high}]"

    lines = [
        f"Teacher: {card.name} ({card.chosen}), {METRICS[task.metric].label} "
        f"{number(card.quality.value)} on {len(contest.split.lockbox):,} unseen rows, "
        f"{card.bill.file_bytes / 1000:,.0f} KB, {card.bill.latency_ms_p50 * 1000:,.0f} µs a row, "
        f"{card.bill.train_seconds:.0f} s to train.",
        "",
        "| limits | student | KB | µs a row | score | loss against the teacher [95 %] | "
        "loss with own answers alone [95 %] | s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for student, alone in rows:
        lines.append(
            f"| {', '.join(student.limits)} | {student.chosen} | {student.size_bytes / 1000:.0f} | "
            f"{student.latency_ms * 1000:.0f} | {number(student.score)} | {lost(student)} | "
            f"{lost(alone)} | {student.seconds:.0f} |"
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    known_sets = by_name(options.data)
    lines = [
        "# What a student loses",
        "",
        f"{TRAIN_ROWS:,} training rows, quick effort, contestants {', '.join(CONTESTANTS)} (those "
        "that suit the task), seed 0; one run. The teacher's answers are "
        f"{soft_share(TRAIN_ROWS):.0%} of what a student learns.",
        f"On: {' · '.join(machine().values())}; sizes and median latencies are those of the "
        "exported file.",
        f"Versions: {', '.join(f'{name} {number}' for name, number in versions().items())}.",
        "A loss below 0 is a gain. Own answers alone: the same search without a teacher. Where no "
        "file that was tried came near the tighter latency, both limits share a student. s: the "
        "search.",
        "Repeat: `python benchmarks/distillation.py DATA`.",
    ]
    for name in options.only.split(",") if options.only else TABLES:
        with tempfile.TemporaryDirectory() as folder:
            contest, trials = contest_on(
                options.data, name, known_sets[name]["target"], Path(folder)
            )
            teacher = best_trial(trials, METRICS[contest.task.metric])
            rows = students_of(contest, teacher)
            lines += ["", f"## {name}", "", *lines_for(contest, teacher, rows)]
            if not options.only:
                (RESULTS / "distillation.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
            contest.store.close()
    print("\n".join(lines))


if __name__ == "__main__":
    main()
