"""The traditional road for text: each learner's quality, seconds, file and speed on real texts.

    python benchmarks/text_engineered.py ../shared/data [--only imdb,sms_spam] [--rows 20000]
        [--keep FILE]

Each data set's own split: its test rows are the lockbox. Every learner is fitted as in a comparison
(five folds, settings chosen cleanly, one final fit), exported, and the file is what is measured.
Prints, and with --keep writes to benchmarks/results/text-engineered.md. CPU seconds are of the
process, on one thread, and so hardly depend on what else the machine does; rows a second do.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
from texts import SETS, Question, question

RESULTS = Path(__file__).parent / "results"
FOLDS = 5


def learners(names: str):
    from fathometer.learners.light_gbm import LightGBM
    from fathometer.learners.linear import Logistic
    from fathometer.learners.ngram_linear import NaiveBayesSVM, NgramBayes, NgramLogistic

    every = (NgramLogistic(), NaiveBayesSVM(), NgramBayes(), Logistic((1e-2, 1e-3, 1e-4), 40))
    every += (LightGBM(300, 0.12, 40),)
    return [each for each in every if not names or each.name in names.split(",")]


def measure(learner, own: Question) -> dict:
    """Fit, export, and ask the file."""
    from sklearn.metrics import f1_score

    from fathometer.modelfile.feeds import feeds_from
    from fathometer.modelfile.write import ship
    from fathometer.table.metric import METRICS

    table, task, split, truth = own.table, own.task, own.split, own.truth
    began, spent = time.monotonic(), time.process_time()
    model = learner.fit(table, task, split)
    seconds, cpu = time.monotonic() - began, time.process_time() - spent
    shipped = ship(model, learner.name, table, split.lockbox[:500])
    file = shipped.file()
    feeds = feeds_from(table.rows(split.lockbox), file.columns)[0]
    file.scores({name: values[:2] for name, values in feeds.items()})
    spent = time.process_time()
    scores = file.scores(feeds)
    asked = time.process_time() - spent
    singly = []
    for row in range(200):
        one = {name: values[row : row + 1] for name, values in feeds.items()}
        spent = time.process_time()
        file.scores(one)
        singly.append(time.process_time() - spent)
    answers = scores.argmax(axis=1)
    return {
        "learner": learner.name,
        "rows": len(split.train),
        "accuracy": float((answers == truth).mean()),
        "macro_f1": float(f1_score(truth, answers, average="macro")),
        "auc": METRICS["roc_auc"].score(truth, scores),
        "log_loss": METRICS["log_loss"].score(truth, scores),
        "chosen": model.account.chosen,
        "seconds": seconds,
        "cpu_seconds": cpu,
        "file_mb": file.size_bytes / 1e6,
        "rows_a_second": len(truth) / asked,
        "latency_ms": float(np.median(singly[10:]) * 1e3),
        "parity": shipped.parity.deviation,
    }


def as_markdown(results: list[dict]) -> str:
    from fathometer.trial.measure import machine, versions

    lines = [
        "# The traditional road for text",
        "",
        f"One run each, seed 0, on: {' · '.join(machine().values())}.",
        f"Versions: {', '.join(f'{name} {version}' for name, version in versions().items())}.",
        "`python benchmarks/text_engineered.py ../shared/data`; 5 folds inside each fit; scores of "
        "the exported file on the data's own test rows. CPU seconds, rows a second and latency are "
        "CPU time on one thread; the machine was busy with other work, which wall seconds show.",
        "",
        "| data | train rows | learner | accuracy | macro-F1 | ROC AUC | log loss | CPU s | wall s "
        "| file MB | rows/s | one row ms | parity | chosen |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {found['data']} | {found['rows']:,} | {found['learner']} | "
        f"{found['accuracy']:.4f} | {found['macro_f1']:.4f} | {found['auc']:.4f} | "
        f"{found['log_loss']:.4f} | {found['cpu_seconds']:.1f} | {found['seconds']:.1f} | "
        f"{found['file_mb']:.1f} | {found['rows_a_second']:,.0f} | {found['latency_ms']:.2f} | "
        f"{found['parity']:.0e} | {found['chosen']} |"
        for found in results
    ]
    lines += ["", "Published: "]
    lines += [f"- {name}: {own.published}" for name, own in SETS.items() if own.published]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--learners", default="")
    parser.add_argument("--rows", type=int, default=20_000, help="training rows at most")
    parser.add_argument("--keep", type=Path, help="a file of results to go on from and add to")
    options = parser.parse_args()
    kept = options.keep.read_text().splitlines() if options.keep and options.keep.exists() else []
    results = [json.loads(line) for line in kept]
    known = {(each["data"], each["learner"], each["rows"]) for each in results}
    for name in [name for name in SETS if not options.only or name in options.only.split(",")]:
        own = question(options.data, name, folds=FOLDS, most=options.rows)
        for learner in learners(options.learners):
            if (name, learner.name, len(own.split.train)) in known:
                continue
            results.append({"data": name, **measure(learner, own)})
            print(json.dumps(results[-1]), flush=True)
            if options.keep:
                with options.keep.open("a") as file:
                    file.write(json.dumps(results[-1]) + "\n")
    results.sort(key=lambda found: (list(SETS).index(found["data"]), found["rows"]))
    report = as_markdown(results)
    if options.keep:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "text-engineered.md").write_text(report)
    print(report)


if __name__ == "__main__":
    main()
