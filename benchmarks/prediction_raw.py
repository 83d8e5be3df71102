"""How many pictures and texts a second a model file answers, beside bare onnxruntime on the file.

    python benchmarks/prediction_raw.py ../shared/data [--sets fashion_mnist_folder,sms_spam]
        [--runs FOLDER] [--write]

Runs `fathom compare` at effort quick on each set (or takes the run that --runs holds), then asks
the best traditional and the best deep file about the test rows. In turns, so that a busy moment
meets all of them:

- raw: what a user has, files of pictures or a frame of texts → probabilities, by `predict_proba`;
- ready: the same as arrays → probabilities, by `scores`;
- bare: these arrays → probabilities, by `InferenceSession.run`, all rows at once and in chunks of
  64, with one thread and with all; the best of these four counts;
- one: a single picture or text, p50 in µs, by `predict_proba`, and bare with one thread.

Prints, and with --write puts into benchmarks/results/prediction-raw.md, medians over the rounds;
the least and the most stand behind them in brackets."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from data_sets import by_name, metric_of, split_files
from prediction import cell, seconds, session_of

RESULTS = Path(__file__).parent / "results" / "prediction-raw.md"
ROWS = 1000  # asked at most
ROUNDS = 5
CALLS = 50  # of one row in a round
CHUNK = 64
SETS = ("fashion_mnist_folder", "cifar10_part", "sms_spam", "imdb")


def run_of(data: Path, entry: dict, runs: Path) -> tuple[Path, Path]:
    """The folder of a finished contest and the rows to ask about."""
    folder = runs / entry["name"]
    folder.mkdir(parents=True, exist_ok=True)
    train, test = split_files(data, entry, folder)
    run = folder / "run"
    if not (run / "winner.onnx").exists():
        target = "label" if entry["target"] == "folder name" else entry["target"]
        fathom = str(Path(sys.executable).parent / "fathom")
        command = [fathom, "compare", train, "--target", target, "--test", test, "--out", run]
        command += ["--metric", metric_of(entry)]
        command += [word for column in entry["ignore"] for word in ("--ignore", column)]
        subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)
    return run, test


def asked_of(test: Path, file) -> tuple[object, dict[str, np.ndarray]]:
    """The rows as a user has them, and as arrays."""
    from fathometer.modelfile.feeds import feeds_from
    from fathometer.table.kind import Kind
    from fathometer.table.read import read_as

    feeds, _ = feeds_from(read_as(str(test), file.columns).table, file.columns)
    ready = {name: values[:ROWS] for name, values in feeds.items()}
    if test.is_dir():
        return [str(path) for path in sorted(test.rglob("*.png"))[:ROWS]], ready
    import pyarrow.parquet as pq

    names = [spec.name for spec in file.columns]
    frame = pq.read_table(test, columns=names).slice(0, ROWS)
    pictures = [spec.name for spec in file.columns if spec.kind is Kind.IMAGE]
    return (frame[pictures[0]].to_pylist() if pictures else frame), ready


def in_chunks(session, wanted: list[str], feeds: dict[str, np.ndarray], size: int) -> None:
    for start in range(0, len(next(iter(feeds.values()))), size):
        session.run(wanted, {name: each[start : start + size] for name, each in feeds.items()})


def measure(file, raw: object, ready: dict[str, np.ndarray]) -> dict[str, list[float]]:
    """From each way of asking to one number a round."""
    one, all_cores = session_of(file, 1), session_of(file, 0)
    wanted = [file.contents.outputs[-1].name]
    rows = len(next(iter(ready.values())))
    single = {name: values[:1] for name, values in ready.items()}
    given = {name: values[0] if values.ndim > 2 else values[0, 0] for name, values in ready.items()}
    expected = np.concatenate(
        [
            one.run(wanted, {name: values[at : at + 1] for name, values in ready.items()})[0]
            for at in range(20)
        ]
    )
    assert np.allclose(file.scores(ready)[:20], expected, atol=1e-5)
    found: dict[str, list[float]] = {}
    for turn in range(ROUNDS + 1):
        bare = [
            seconds(lambda session=session, size=size: in_chunks(session, wanted, ready, size))
            for session in (one, all_cores)
            for size in (CHUNK, rows)
        ]
        now = {
            "raw/s": rows / seconds(lambda: file.predict_proba(raw)),
            "ready/s": rows / seconds(lambda: file.scores(ready)),
            "bare/s": rows / min(bare),
            "one": statistics.median(
                1e6 * seconds(lambda: file.predict_proba(given)) for _ in range(CALLS)
            ),
            "bare one": statistics.median(
                1e6 * seconds(lambda: one.run(wanted, single)) for _ in range(CALLS)
            ),
        }
        if turn:  # the first round warms up
            for name, value in now.items():
                found.setdefault(name, []).append(value)
    return found


def lines_of(data: Path, entry: dict, runs: Path) -> Iterator[str]:
    """A line of the table for each family's best."""
    import fathometer as fm

    run, test = run_of(data, entry, runs)
    for family in ("traditional", "deep"):
        file = fm.load(run / f"{family}.onnx")
        raw, ready = asked_of(test, file)
        found = measure(file, raw, ready)
        middle = {name: statistics.median(values) for name, values in found.items()}
        cells = [entry["name"], f"{file.name} ({family})", f"{len(file.content) / 1024:,.0f}"]
        cells += [f"{len(next(iter(ready.values()))):,}"]
        cells += [cell(found[name], ",.0f") for name in ("raw/s", "ready/s", "bare/s")]
        cells += [f"{middle['ready/s'] / middle['bare/s']:.2f}"]
        cells += [cell(found[name], ",.0f") for name in ("one", "bare one")]
        yield "| " + " | ".join([*cells, f"{middle['one'] / middle['bare one']:.2f}"]) + " |"


def main() -> None:
    from fathometer.trial.measure import machine, versions

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--runs", type=Path, help="where runs are kept [a temporary folder]")
    parser.add_argument("--write", action="store_true", help=f"into {RESULTS.name}")
    options = parser.parse_args()
    known_sets = by_name(options.data)
    lines = [
        "# Prediction on pictures and texts: a model file beside bare onnxruntime",
        "",
        f"On: {' · '.join(machine().values())}.",
        f"Versions: {', '.join(f'{name} {version}' for name, version in versions().items())}.",
        f"{ROUNDS} rounds; medians [least, most]. Rows a second: `raw` files or a frame by "
        "`predict_proba`, `ready` arrays by `scores`, `bare` the same arrays by "
        f"`InferenceSession.run`, the best of one thread and all, at once and {CHUNK} at a time. "
        f"`one`: a single row in µs, median of {CALLS}.",
        "",
        "| set | model | KB | rows | raw/s | ready/s | bare/s | ready / bare | one | bare one | "
        "one / bare |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as name:
        for wanted in options.sets.split(","):
            lines += lines_of(options.data, known_sets[wanted], options.runs or Path(name))
    text = "\n".join(lines) + "\n"
    print(text)
    if options.write:
        RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
