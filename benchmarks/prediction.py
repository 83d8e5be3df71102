"""How soon a model file answers: one raw row, and many, beside bare onnxruntime on the same file.

    python benchmarks/prediction.py ../shared/data/tables/adult.parquet:class \\
        ../shared/data/tables/credit_default_taiwan.parquet:default.payment.next.month

Takes the passengers in the package, and each PATH:TARGET given. Four learners are fitted with few
steps on at most 4,000 rows in 5 folds, mixed with equal weights, and shipped as the contest ships
them. Then, in turns so that a busy moment meets all of them, each way of asking is timed:

- one row: a dict of Python values → probabilities, by `predict_proba`;
- one row, ready: arrays (1, 1) → probabilities, by `scores`;
- one row, bare: the same arrays → probabilities, by `InferenceSession.run`, one thread;
- many rows: an Arrow table, and ready arrays, against bare onnxruntime on the ready arrays with one
  thread and with all (the better counts).

Prints, and with `--write` puts into benchmarks/results/prediction.md, medians over the rounds; the
range of the rounds' medians stands behind them in brackets."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pyarrow as pa

RESULTS = Path(__file__).parent / "results" / "prediction.md"
ROWS = 4000  # to fit on
BATCH = 8192  # rows of the batch, repeated from the table where it has fewer
ROUNDS = 4
CALLS = 300  # of one row in a round
ASKED = 100  # different rows, asked in turn
LEFT_OUT = {"split", "ID", "PassengerId", "passenger_id"}


@dataclass(frozen=True, eq=False)
class Subject:
    """One shipped file, and the rows to ask it about in every form."""

    name: str
    file: object
    rows: list[dict]
    ready: list[dict]
    batch: pa.Table
    feeds: dict


def learners() -> list:
    """Few steps of each: the shape of a model decides how soon it answers, not its quality."""
    from fathometer.learners.light_gbm import LightGBM
    from fathometer.learners.linear import Logistic
    from fathometer.learners.network import ModernNetwork
    from fathometer.learners.xg_boost import XGBoost

    brief = replace(ModernNetwork().training, epochs=2, least_steps=20, most_steps=40)
    return [
        Logistic((1e-2,), iterations=40),
        LightGBM(100, 0.12, 100),
        XGBoost(100, 0.12, 100),
        ModernNetwork(training=brief),
    ]


def subjects(path: Path, target: str) -> tuple[str, list[Subject]]:
    """Fit, mix and ship on one table."""
    from fathometer.features.roads import feature_specs
    from fathometer.learners.contract import Account
    from fathometer.learners.ensemble import Ensemble
    from fathometer.modelfile.feeds import feeds_from
    from fathometer.modelfile.write import ShippedPart, ship
    from fathometer.table.ask import answerable, ask
    from fathometer.table.divide import DivideOptions, divide
    from fathometer.table.read import read

    table = read(path, ignore=[name for name in LEFT_OUT if name in column_names(path)]).table
    task = ask(table, target)
    table, _ = answerable(table, task)
    asked = table
    table = table.rows(np.linspace(0, len(table) - 1, min(ROWS, len(table))).astype(int))
    split = divide(table, task, DivideOptions(folds=5))
    columns = feature_specs(table, task)
    found = []
    for learner in learners():
        model = learner.fit(table, task, split)
        found.append((learner.name, ship(model, learner.name, table, split.lockbox).file()))
    parts = tuple(ShippedPart(file, task) for _, file in found)
    names = tuple(name for name, _ in found)
    weights = tuple(1 / len(found) for _ in found)
    account = Account(1, 0, "equal weights")
    mixed = Ensemble(task, columns, parts, names, weights, np.zeros((0, task.outputs)), account)
    found.append(("all four together", ship(mixed, "all four", table, split.lockbox).file()))
    many = asked.rows(np.arange(BATCH) % len(asked))
    feeds, _ = feeds_from(many, columns)
    step = BATCH // ASKED
    arrow = pa.table({c.name: as_read(many, c) for c in columns})
    ready = [{n: v[i * step : i * step + 1] for n, v in feeds.items()} for i in range(ASKED)]
    rows = [{n: plain(v[0, 0]) for n, v in each.items()} for each in ready]
    kinds = {k: sum(c.kind.value == k for c in columns) for k in {c.kind.value for c in columns}}
    words = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    made = [Subject(name, file, rows, ready, arrow, feeds) for name, file in found]
    return f"{path.stem} ({len(columns)} columns: {words})", made


def column_names(path: Path) -> list[str]:
    from pyarrow import csv, parquet

    source = csv.read_csv(path) if path.suffix == ".csv" else parquet.read_table(path)
    return list(source.column_names)


def as_read(table, spec) -> pa.Array:
    """A column as a frame holds it: numbers, or strings with nulls."""
    values = table[spec.name].values
    return pa.array(table[spec.name].strings) if spec.kind.value == "date" else values


def plain(value: object) -> object:
    """A Python value: None for a missing one."""
    found = value.item() if isinstance(value, np.generic) else value
    return None if found != found or found == "" else found


def microseconds(call: Callable[[object], object], asked: list) -> list[float]:
    """Of each of `CALLS` calls."""
    times = []
    for place in range(CALLS):
        each = asked[place % len(asked)]
        started = time.perf_counter_ns()
        call(each)
        times.append((time.perf_counter_ns() - started) / 1000)
    return times


def seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def session_of(file, threads: int):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(file.content, options, providers=["CPUExecutionProvider"])


def measure(subject: Subject) -> dict[str, list[float]]:
    """From each way of asking to one number a round."""
    file, one, all_cores = subject.file, session_of(subject.file, 1), session_of(subject.file, 0)
    wanted = [file.contents.outputs[-1].name]
    expected = one.run(wanted, subject.ready[0])[0][0]
    assert np.allclose(np.ravel(file.predict_proba(subject.rows[0])), expected, atol=1e-6)
    found: dict[str, list[float]] = {}

    def note(name: str, value: float) -> None:
        found.setdefault(name, []).append(value)

    for turn in range(ROUNDS + 1):
        times = {
            "row": microseconds(file.predict_proba, subject.rows),
            "ready": microseconds(file.scores, subject.ready),
            "bare": microseconds(lambda feeds: one.run(wanted, feeds), subject.ready),
        }
        rates = {
            "table/s": BATCH / seconds(lambda: file.predict_proba(subject.batch)),
            "arrays/s": BATCH / seconds(lambda: file.scores(subject.feeds)),
            "bare/s": BATCH
            / min(
                seconds(lambda: one.run(wanted, subject.feeds)),
                seconds(lambda: all_cores.run(wanted, subject.feeds)),
            ),
        }
        if not turn:
            continue  # the first round warms up
        for name, values in times.items():
            note(name, statistics.median(values))
            note(f"{name} p99", float(np.percentile(values, 99)))
        for name, rate in rates.items():
            note(name, rate)
    return found


def cell(values: list[float], form: str = ".0f", scale: float = 1.0) -> str:
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle / scale:{form}} [{low / scale:{form}}, {high / scale:{form}}]"


def report(tables: list[tuple[str, list[tuple[Subject, dict]]]]) -> str:
    from fathometer.trial.measure import machine, versions

    lines = [
        "# Prediction: a model file beside bare onnxruntime on the same graph",
        "",
        f"On: {' · '.join(machine().values())}.",
        f"Versions: {', '.join(f'{name} {version}' for name, version in versions().items())}.",
        f"{ROUNDS} rounds of {CALLS} single rows ({ASKED} different ones) and one batch of "
        f"{BATCH:,} rows each; medians of the rounds' medians [least, most].",
        "",
        "One row in µs. `dict`: raw Python values → probabilities by `predict_proba`; `ready`: "
        "arrays → probabilities by `scores`; `bare`: `InferenceSession.run` on the same arrays. "
        "Many rows in 1,000 rows/s: an Arrow table by `predict_proba`, ready arrays by `scores`, "
        "and the better of bare onnxruntime with one thread and with all.",
    ]
    for title, measured in tables:
        lines += [
            "",
            f"## {title}",
            "",
            "| model | nodes | KB | dict p50 | p99 | ready p50 | p99 | bare p50 | p99 | "
            "dict / bare | table | arrays | bare | arrays / bare |",
            "|---|" + "---|" * 13,
        ]
        for subject, found in measured:
            middle = {name: statistics.median(values) for name, values in found.items()}
            cells = [f"{subject.name}", str(nodes_of(subject.file))]
            cells.append(f"{len(subject.file.content) / 1024:,.0f}")
            for name in ("row", "ready", "bare"):
                cells += [cell(found[name], ".1f"), f"{middle[name + ' p99']:.0f}"]
            cells.append(f"{middle['row'] / middle['bare']:.2f}")
            cells += [cell(found[name], ".0f", 1000) for name in ("table/s", "arrays/s", "bare/s")]
            cells.append(f"{middle['arrays/s'] / middle['bare/s']:.2f}")
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def nodes_of(file) -> int:
    import onnx

    return len(onnx.ModelProto.FromString(file.content).graph.node)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="*", help="PATH:TARGET")
    parser.add_argument("--write", action="store_true", help=f"into {RESULTS.name}")
    options = parser.parse_args()
    passengers = Path(str(files("fathometer") / "samples" / "titanic.csv"))
    asked = [(passengers, "survived")]
    asked += [(Path(each.rsplit(":", 1)[0]), each.rsplit(":", 1)[1]) for each in options.tables]
    tables = []
    for path, target in asked:
        title, made = subjects(path, target)
        tables.append((title, [(subject, measure(subject)) for subject in made]))
    text = report(tables)
    print(text)
    if options.write:
        RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
