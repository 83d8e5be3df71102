"""Every development data set through `fathom compare`: each learner's quality beside the reference.

    python benchmarks/tables.py ../shared/data --effort quick [--sets tables|images|text]
        [--only titanic,adult] [--keep FILE]

Uses the split that the data's own README gives, as the lockbox (`--test`). Prints, and writes to
benchmarks/results/, a table with every learner's score, the seconds of the whole command, and the
largest deviation of winner.onnx under bare onnxruntime from the trained model on all test rows;
then asks the winner through `fathom predict` about the test rows, and `fathom inspect`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from data_sets import TABLES, TIMES, entries, metric_of, split_files

SETS = {"tables": TABLES, "images": ("images/",), "text": ("text/",)}
RESULTS = Path(__file__).parent / "results"


def run_one(
    data: Path, entry: dict, *length: str, part: Callable[[Path, Path], Path] | None = None
) -> dict:
    """Compare on one table; scores, seconds and the winner, or what went wrong.

    length: of the contest, as `--effort quick` or `--minutes 5`.
    part: makes of the training rows' file or folder the one to learn from, in a folder."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        train, test = split_files(data, entry, folder)
        train = part(train, folder) if part else train
        fathom = str(Path(sys.executable).parent / "fathom")
        target = "label" if entry["target"] == "folder name" else entry["target"]
        command = [fathom, "compare", str(train)]
        command += ["--target", target, "--test", str(test), *length]
        command += ["--out", str(folder / "run")]
        wanted = metric_of(entry)
        command += ["--metric", wanted] if wanted else []
        for column in entry["ignore"]:
            command += ["--ignore", column]
        if entry["name"] in TIMES:
            command += ["--time", TIMES[entry["name"]]]
        started = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True)
        seconds = time.monotonic() - started
        if done.returncode:
            return {"name": entry["name"], "seconds": seconds, "failed": done.stderr[-900:]}
        cards = json.loads((folder / "run" / "scorecards.json").read_text())
        verdict = json.loads((folder / "run" / "verdict.json").read_text())
        winner = str(folder / "run" / "winner.onnx")
        answers = ["-o", str(folder / "answers.csv")]
        for asked in (["predict", winner, str(test), *answers], ["inspect", winner]):
            done = subprocess.run([fathom, *asked], capture_output=True, text=True)
            if done.returncode:
                failed = f"fathom {asked[0]}: {done.stderr[-900:]}"
                return {"name": entry["name"], "seconds": seconds, "failed": failed}
        return {
            "name": entry["name"],
            "metric": next(c["quality"]["metric"] for c in cards if c["quality"]),
            "seconds": seconds,
            "winner": verdict["winner"],
            "call": verdict["call"],
            "headline": verdict["headline"],
            "gap": verdict["gap"],
            "forecast": verdict["forecast"],
            "parity": max(c["parity"] for c in cards if c["parity"] is not None),
            "winner_parity": next(c["parity"] for c in cards if c["name"] == verdict["winner"]),
            "scores": {c["name"]: c["quality"]["value"] for c in cards if c["quality"]},
            "finished": sum(c["state"] == "finished" for c in cards),
            "fit_seconds": {c["name"]: c["bill"]["train_seconds"] for c in cards if c["bill"]},
            "failures": {c["name"]: c["failure"] for c in cards if c["failure"]},
            "reference": "; ".join(filter(None, (entry["quick_check"], entry["reference"]))),
        }


def as_markdown(results: list[dict], sets: str, effort: str) -> str:
    """One row a table, one column a learner; the winner's score is bold."""
    from fathometer.trial.measure import machine, versions

    names: list[str] = []
    for result in results:
        names += [name for name in result.get("scores", {}) if name not in names]
    lines = [
        f"# All development sets of {sets}, effort {effort}",
        "",
        f"One run a table, seed 0, on: {' · '.join(machine().values())}.",
        f"Versions: {', '.join(f'{name} {version}' for name, version in versions().items())}.",
        "The split is the data's own (test rows = lockbox). Winner bold; s: the whole command.",
        "Parity: largest deviation of any exported file of the run from its trained model on all "
        "test rows and 16 edge rows (relative for values, absolute for probabilities).",
        "",
        "| table | metric | " + " | ".join(names) + " | call | s | parity |",
        "|---|---|" + "---|" * (len(names) + 3),
    ]
    for result in results:
        if "failed" in result:
            lines.append(f"| {result['name']} | failed: {result['failed'][-200:]!r} |")
            continue
        cells = []
        for name in names:
            score = result["scores"].get(name)
            text = "–" if score is None else f"{score:.4g}" if score < 1e4 else f"{score:,.0f}"
            cells.append(f"**{text}**" if name == result["winner"] else text)
        lines.append(
            f"| {result['name']} | {result['metric']} | {' | '.join(cells)} | {result['call']} | "
            f"{result['seconds']:.0f} | {result['parity']:.0e} |"
        )
    lines += ["", "| table | fit seconds by learner |", "|---|---|"]
    for result in results:
        parts = [f"{name} {value:.1f}" for name, value in result.get("fit_seconds", {}).items()]
        lines.append(f"| {result['name']} | {', '.join(parts)} |")
    lines += ["", "| table | references of the data README |", "|---|---|"]
    lines += [f"| {result['name']} | {result.get('reference', '')} |" for result in results]
    failures = [(r["name"], n, w) for r in results for n, w in r.get("failures", {}).items()]
    if failures:
        lines += ["", "| table | contestant | failure |", "|---|---|---|"]
        lines += [f"| {table} | {name} | {words} |" for table, name, words in failures]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--effort", default="quick")
    parser.add_argument("--sets", choices=SETS, default="tables")
    parser.add_argument("--only", default="")
    parser.add_argument("--keep", type=Path, help="a file of results to go on from and add to")
    options = parser.parse_args()
    chosen = entries(options.data, options.only, SETS[options.sets])
    chosen.sort(key=lambda entry: sum(entry.get("bytes", {}).values()))
    RESULTS.mkdir(exist_ok=True)
    kept = options.keep.read_text().splitlines() if options.keep and options.keep.exists() else []
    known = {result["name"]: result for result in map(json.loads, kept)}
    results = []
    for entry in chosen:
        if entry["name"] not in known:
            known[entry["name"]] = run_one(options.data, entry, "--effort", options.effort)
            print(json.dumps(known[entry["name"]]), flush=True)
            if options.keep:
                with options.keep.open("a") as file:
                    file.write(json.dumps(known[entry["name"]]) + "\n")
        results.append(known[entry["name"]])
        if not options.only:
            report = as_markdown(results, options.sets, options.effort)
            (RESULTS / f"{options.sets}-{options.effort}.md").write_text(report)
    print(as_markdown(results, options.sets, options.effort))


if __name__ == "__main__":
    main()
