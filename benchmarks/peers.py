"""Fathometer and its peers on the development tables, each with the same seconds on the clock.

    python benchmarks/peers.py ../shared/data --seconds 120 [--only titanic] [--peers flaml,tabm]
        [--cache FOLDER] [--write]

Every peer is installed into an environment of its own under --cache and runs there by its script in
benchmarks/peers/, imports and predictions included in its time; it is stopped when that is over by
a quarter, and what it has handed in until then counts. All answers on the test rows are scored by
the same function. Ours is `fathom compare --minutes`: the winner it names, and beside it the
contestant with the best out-of-fold score. Finished results are kept in the cache, so that a run
which was stopped goes on. Prints a table; with --write adds the tables that were run to those in
benchmarks/results/peers-SECONDS.json, and writes peers-SECONDS.md of them all.

The error is normalised per table: 0 is the best contestant's score there, 1 that of a constant. The
win rate is the share of the others, over all tables, that a contestant beats; equal scores are half
a win, and no answer loses to any."""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from data_sets import TABLES, TIMES, entries, metric_of, split_files

from fathometer.table.metric import METRICS
from fathometer.table.task import TaskKind
from fathometer.trial.measure import machine, versions

RESULTS = Path(__file__).parent / "results"
SCRIPTS = Path(__file__).parent / "peers"
GRACE = 1.25  # of the time, and ten seconds; then a peer is stopped
ROWS = ("pandas>=2,<3", "pyarrow", "scikit-learn")


@dataclass(frozen=True)
class Peer:
    """What to install, and what to run there."""

    name: str
    venv: str
    requirements: tuple[str, ...]
    script: str
    variant: str
    says: str


# torch is meant in its CPU build. AutoGluon goes without its extras for fastai, whose torchvision
# has no CPU build on the package index, and for pretrained table models, whose weights are to be
# fetched. FLAML's own extra asks for an xgboost that brings CUDA: the CPU build stands in.
AUTOGLUON = ("autogluon.tabular[lightgbm,catboost,xgboost,tabm,realmlp]==1.6.3", "torch==2.13.0")
FLAML = ("flaml==2.7.0", "lightgbm==4.7.0", "catboost==1.2.10", "xgboost-cpu<3")
PYTABKIT = ("pytabkit==1.7.3", "torch==2.13.0")
PEERS = {
    "flaml": Peer("FLAML", "flaml", FLAML, "train_flaml.py", "", "its own search, defaults"),
    "autogluon-medium": Peer(
        "AutoGluon medium", "autogluon", AUTOGLUON, "train_autogluon.py", "medium_quality", "preset"
    ),
    "autogluon-best": Peer(
        "AutoGluon best", "autogluon", AUTOGLUON, "train_autogluon.py", "best_quality", "preset"
    ),
    "realmlp": Peer(
        "RealMLP-TD", "pytabkit", PYTABKIT, "train_pytabkit.py", "realmlp", "5 folds bagged"
    ),
    "tabm": Peer("TabM-D", "pytabkit", PYTABKIT, "train_pytabkit.py", "tabm", "5 folds bagged"),
    "catboost": Peer(
        "CatBoost tuned",
        "catboost",
        ("catboost==1.2.10",),
        "train_boosted.py",
        "catboost",
        "random search, 5 folds bagged, early stopping",
    ),
    "lightgbm": Peer(
        "LightGBM tuned",
        "lightgbm",
        ("lightgbm==4.7.0",),
        "train_boosted.py",
        "lightgbm",
        "random search, 5 folds bagged, early stopping",
    ),
}
OURS, OUR_BEST = "Fathometer", "Fathometer, best out of fold"
CONSTANT = "constant"


# Installing.


def install(peer: Peer, cache: Path) -> str:
    """The versions in the peer's environment, made now if it is not there.

    Raises: CalledProcessError with pip's words if it cannot be installed."""
    folder = cache / "venvs" / peer.venv
    done = folder / "installed.txt"
    if not done.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        pip = [folder / "bin" / "python", "-m", "pip", "--quiet", "--disable-pip-version-check"]
        words = [*pip, "install", "--prefer-binary", *ROWS, *peer.requirements]
        subprocess.run(words, check=True, capture_output=True, text=True)
        listed = subprocess.run([*pip, "freeze"], check=True, capture_output=True, text=True)
        done.write_text(listed.stdout)
    names = [re.split(r"[\[=<>]", each)[0].lower() for each in peer.requirements]
    lines = [line.partition(" @")[0] for line in done.read_text().splitlines()]
    return ", ".join(
        line for line in lines if line.partition("==")[0].lower().replace("_", "-") in names
    )


# The exam.


@dataclass(frozen=True)
class Question:
    """A table's task, the true answers on its test rows, and where they lie."""

    name: str
    metric: str
    classes: tuple[str, ...]
    truth: np.ndarray
    constant: float  # the score of the constant that knows the training rows
    folder: Path  # what peers are handed
    train: Path  # what `fathom` is handed
    test: Path


def read_rows(path: Path) -> pd.DataFrame:
    return pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)


def ask(data: Path, entry: dict, folder: Path) -> Question:
    """Split the table as its README says and write what the peers are handed."""
    train_path, test_path = split_files(data, entry, folder)
    train, test = read_rows(train_path), read_rows(test_path)
    target = entry["target"]
    train, test = (
        rows[rows[target].notna()].drop(columns=entry["ignore"]) for rows in (train, test)
    )
    metric = metric_of(entry)
    if metric is None:
        metric = "rmse" if entry["task"] == "regression" else "accuracy"
    kind, classes = METRICS[metric].kind, ()
    if kind is TaskKind.CLASSIFY:
        classes = tuple(sorted(map(str, train[target].unique())))
        places = {name: place for place, name in enumerate(classes)}
        train, test = (
            rows.assign(**{target: rows[target].astype(str).map(places)}) for rows in (train, test)
        )
        test = test[test[target].notna()]
        truth = test[target].to_numpy(dtype=int)
        shares = np.bincount(train[target].astype(int), minlength=len(classes)) / len(train)
        flat = np.tile(shares, (len(test), 1))
    else:
        truth = test[target].to_numpy(dtype=float)
        flat = np.full((len(test), 1), train[target].astype(float).mean())
    handed = folder / "handed"
    handed.mkdir()
    both = pd.concat([train, test])  # so that a column has one type in both files
    for name in both.columns:
        if both[name].dtype == object:
            both[name] = (
                both[name]
                .where(both[name].notna(), None)
                .map(lambda value: value if value is None else str(value))
            )
    both.iloc[: len(train)].to_parquet(handed / "train.parquet", index=False)
    both.iloc[len(train) :].drop(columns=target).to_parquet(handed / "test.parquet", index=False)
    task = {"target": target, "metric": metric, "classes": len(classes)}
    (handed / "task.json").write_text(json.dumps(task))
    constant = METRICS[metric].score(truth, flat)
    return Question(entry["name"], metric, classes, truth, constant, handed, train_path, test_path)


def run_until(command: list, seconds: float, folder: Path) -> tuple[int | None, float, str]:
    """The exit code, or None where the time was over; the seconds taken; the last words."""
    log = folder / "said.txt"
    started = time.monotonic()
    with log.open("w") as file:
        running = subprocess.Popen(
            [str(word) for word in command],
            cwd=folder,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code: int | None = running.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)  # its own group: its workers go with it
            running.wait()
            code = None
    return code, time.monotonic() - started, log.read_text(errors="replace")[-600:]


def examine_peer(peer: Peer, question: Question, seconds: float, cache: Path) -> dict:
    """One peer's score on one table, or what went wrong."""
    answers = question.folder / "answers.npy"
    answers.unlink(missing_ok=True)
    python = cache / "venvs" / peer.venv / "bin" / "python"
    command = [python, "-W", "ignore", SCRIPTS / peer.script, question.folder, "--seconds", seconds]
    command += ["--variant", peer.variant] if peer.variant else []
    code, taken, said = run_until(command, GRACE * seconds + 10, question.folder)
    found = {"seconds": taken, "said": said.strip().splitlines()[-1:], "stopped": code is None}
    if not answers.exists():
        return {**found, "failed": "out of time" if code is None else said[-400:]}
    scores = np.load(answers, allow_pickle=False)
    scores = scores if scores.ndim == 2 else scores[:, None]
    return {**found, "score": METRICS[question.metric].score(question.truth, scores)}


def examine_ours(question: Question, entry: dict, seconds: float) -> dict[str, dict]:
    """Our winner's score, and that of the contestant with the best out-of-fold score."""
    folder = question.folder.parent
    command = [Path(sys.executable).parent / "fathom", "compare", question.train]
    command += ["--target", entry["target"], "--test", question.test, "--metric", question.metric]
    command += ["--minutes", f"{seconds / 60:.6g}", "--out", folder / "run"]
    for column in entry["ignore"]:
        command += ["--ignore", column]
    if entry["name"] in TIMES:
        command += ["--time", TIMES[entry["name"]]]
    code, taken, said = run_until(command, GRACE * seconds + 10, folder)
    if code != 0:
        failed = {"seconds": taken, "failed": "out of time" if code is None else said[-400:]}
        return {OURS: failed, OUR_BEST: failed}
    cards = json.loads((folder / "run" / "scorecards.json").read_text())
    verdict = json.loads((folder / "run" / "verdict.json").read_text())
    judged = [card for card in cards if card["quality"] and card["out_of_fold"] is not None]
    up = METRICS[question.metric].greater_is_better
    winner = next(card for card in judged if card["name"] == verdict["winner"])
    best = (max if up else min)(judged, key=lambda card: card["out_of_fold"])
    return {
        name: {"seconds": taken, "score": card["quality"]["value"], "said": [card["name"]]}
        for name, card in ((OURS, winner), (OUR_BEST, best))
    }


# The table of results.


def errors_of(metric: str, constant: float, scores: dict[str, float]) -> dict[str, float]:
    """Each contestant's normalised error on one table, within 0 and 1."""
    best = (max if METRICS[metric].greater_is_better else min)([*scores.values(), constant])
    width = abs(best - constant)
    return {
        name: float(np.clip(abs(best - score) / width, 0, 1)) if width else 0.0
        for name, score in scores.items()
    }


def win_rates(results: list[dict], names: list[str]) -> dict[str, float]:
    """The share of the others that each contestant beats, over all tables."""
    wins: dict[str, list[float]] = {name: [] for name in names}
    for result in results:
        up = 1 if METRICS[result["metric"]].greater_is_better else -1
        scores = {
            n: up * found["score"] for n, found in result["found"].items() if "score" in found
        }
        for name in names:
            for other in names:
                # Our two are one product: they do not meet each other.
                if other == name or {name, other} == {OURS, OUR_BEST}:
                    continue
                one, two = scores.get(name, -math.inf), scores.get(other, -math.inf)
                wins[name].append(float(one > two) if one != two else 0.5)
    return {name: float(np.mean(each)) if each else math.nan for name, each in wins.items()}


def as_markdown(results: list[dict], told: dict[str, str], options: argparse.Namespace) -> str:
    names = [name for name in told if any(name in result["found"] for result in results)]
    lines = [
        f"# Fathometer and its peers, {options.seconds:g} seconds each, on {len(results)} of "
        f"{options.tables} tables",
        "",
        f"`python benchmarks/peers.py DATA --seconds {options.seconds:g}`, one run a table, "
        "seed 0, one after another; all contestants on a table ran on the same machine:",
        "",
        *(
            f"- {where}: {', '.join(r['name'] for r in results if r['machine'] == where)}"
            for where in dict.fromkeys(result["machine"] for result in results)
        ),
        "",
        f"Fathometer {versions()['fathometer']}; the peers:",
        "",
        *(f"- {name}: {words}" for name, words in told.items() if name not in (OURS, OUR_BEST)),
        "",
        "Seconds: the whole command, imports and predictions included. Error: 0 is the best "
        "contestant on the table, 1 a constant. Win rate: share of the others beaten, all tables.",
        "",
        "| table | metric | " + " | ".join(names) + " | constant |",
        "|---|---|" + "---|" * (len(names) + 1),
    ]
    errors: dict[str, list[float]] = {name: [] for name in names}
    for result in results:
        found = result["found"]
        scores = {name: found[name]["score"] for name in names if "score" in found.get(name, {})}
        normal = errors_of(result["metric"], result["constant"], scores)
        cells = []
        for name in names:
            errors[name].append(normal.get(name, 1.0))
            if name not in scores:
                cells.append(f"– ({found.get(name, {}).get('seconds', 0):.0f} s)")
                continue
            number = f"{scores[name]:.4f}" if scores[name] < 10 else f"{scores[name]:,.5g}"
            shown = f"**{number}**" if normal[name] == 0 else number
            cells.append(f"{shown} ({normal[name]:.2f}, {found[name]['seconds']:.0f} s)")
        lines.append(
            f"| {result['name']} | {result['metric']} | {' | '.join(cells)} | "
            f"{result['constant']:.4g} |"
        )
    rates = win_rates(results, names)
    lines += [
        "",
        "| contestant | mean error | median error | win rate | seconds on average | tables |",
    ]
    lines += ["|---|---|---|---|---|---|"]
    for name in sorted(names, key=lambda each: np.mean(errors[each])):
        each = np.array(errors[name])
        off = f" ± {each.std(ddof=1) / math.sqrt(len(each)):.3f}" if len(each) > 1 else ""
        taken = [r["found"][name]["seconds"] for r in results if name in r["found"]]
        answered = sum("score" in result["found"].get(name, {}) for result in results)
        lines.append(
            f"| {name} | {each.mean():.3f}{off} | {np.median(each):.3f} | {rates[name]:.2f} | "
            f"{np.mean(taken):.0f} | {answered} of {len(results)} |"
        )
    lines += ["", *failures(results)]
    return "\n".join(lines).rstrip() + "\n"


def failures(results: list[dict]) -> Iterator[str]:
    for result in results:
        for name, found in result["found"].items():
            if "failed" in found:
                yield f"- {result['name']}, {name}: {' '.join(found['failed'].split())[-300:]}"
            elif found.get("stopped"):
                yield f"- {result['name']}, {name}: stopped; what it had handed in counts"


def run_table(
    data: Path, entry: dict, chosen: dict[str, Peer], options: argparse.Namespace
) -> dict:
    """All contestants on one table; what the cache holds is not run again."""
    kept = options.cache / f"found-{options.seconds:g}" / f"{entry['name']}.json"
    found = json.loads(kept.read_text())["found"] if kept.exists() else {}
    result = {}
    with tempfile.TemporaryDirectory() as name:
        question = ask(data, entry, Path(name))
        result = {
            "name": question.name,
            "metric": question.metric,
            "constant": question.constant,
            "machine": " · ".join(machine().values()),
        }
        jobs = [(OURS, lambda: examine_ours(question, entry, options.seconds))]
        for peer in chosen.values():
            run = lambda peer=peer: {  # noqa: E731
                peer.name: examine_peer(peer, question, options.seconds, options.cache)
            }
            jobs.append((peer.name, run))
        for who, run in jobs:
            if who not in found:
                found.update(run())
                kept.parent.mkdir(parents=True, exist_ok=True)
                kept.write_text(json.dumps({**result, "found": found}))
                print(question.name, who, json.dumps(found[who]), file=sys.stderr, flush=True)
    return {**result, "found": found}


def joined(before: list[dict], results: list[dict]) -> list[dict]:
    """Results of earlier runs and of this one, which replaces those of the same tables."""
    both = {result["name"]: result for result in before}
    return list((both | {result["name"]: result for result in results}).values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--only", default="", help="tables, by name")
    parser.add_argument("--peers", default=",".join(PEERS), help=f"of {', '.join(PEERS)}")
    parser.add_argument("--write", action="store_true", help=f"into {RESULTS.name}/")
    parser.add_argument("--cache", type=Path, help="environments and results [a temporary folder]")
    options = parser.parse_args()
    options.tables = len(entries(options.data, folders=TABLES))
    asked = entries(options.data, options.only, TABLES)
    with tempfile.TemporaryDirectory() as name:
        options.cache = (options.cache or Path(name)).resolve()
        told, chosen = {OURS: "the winner it names", OUR_BEST: ""}, {}
        for key in options.peers.split(","):
            peer = PEERS[key]
            try:
                told[peer.name] = f"{peer.says}; {install(peer, options.cache)}"
                chosen[key] = peer
            except subprocess.CalledProcessError as error:
                words = " ".join((error.stderr or "").split())[-300:]
                told[peer.name] = f"not entered, it could not be installed: {words}"
                print(peer.name, told[peer.name], file=sys.stderr)
        results = [run_table(options.data, entry, chosen, options) for entry in asked]
        if options.write:
            kept = RESULTS / f"peers-{options.seconds:g}.json"
            results = joined(json.loads(kept.read_text()) if kept.exists() else [], results)
            kept.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
        report = as_markdown(results, told, options)
        print(report)
        if options.write:
            kept.with_suffix(".md").write_text(report, encoding="utf-8")


if __name__ == "__main__":
    main()
