"""The deep side for text: each network's quality, seconds and file beside TF-IDF and logistic
regression.

    python benchmarks/text_deep.py ../shared/data [--only imdb] [--rows 10000] [--minutes 5]

Each data set's own split: its test rows judge once. The networks learn in three stratified folds
and answer by the mean of the three, as in a comparison; what is measured is the exported file.
TF-IDF is scikit-learn's of words and pairs in two rows or more, with C of {3, 30} by three folds;
of a table it takes the texts alone. Processor seconds are those of all threads.
Writes benchmarks/results/text-deep.json and text-deep.md, and goes on from what is there.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
from texts import SEED, SETS, Question, question

from fathometer.learners.contract import Budget
from fathometer.learners.text_networks import text_networks
from fathometer.modelfile.feeds import feeds_from
from fathometer.modelfile.write import ship
from fathometer.table.kind import Kind
from fathometer.trial.measure import machine, versions

RESULTS = Path(__file__).parent / "results"
FOLDS = 3
LENGTH, EPOCHS = 128, 4  # of quick effort
MOST_TEST = 5_000  # rows that judge


def quality(scores: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Accuracy, F1 averaged over classes, log loss."""
    from sklearn.metrics import f1_score

    labels = scores.argmax(axis=1)
    own = np.clip(scores[np.arange(len(truth)), truth], 1e-15, 1)
    return {
        "accuracy": float((labels == truth).mean()),
        "macro_f1": float(f1_score(truth, labels, average="macro")),
        "log_loss": float(-np.log(own).mean()),
    }


def network(own: Question, place: int, minutes: float | None) -> dict[str, float | str]:
    """One of the networks, its file measured."""
    learner = text_networks(length=LENGTH, epochs=EPOCHS, seeds=1, seed=SEED)[place]
    deadline = None if minutes is None else time.monotonic() + 60 * minutes
    began, worked = time.monotonic(), time.process_time()
    model = learner.fit(own.table, own.task, own.split, budget=Budget(deadline=deadline))
    seconds, work = time.monotonic() - began, time.process_time() - worked
    # All test rows are judged; parity is shown on the first 500 of them and on edge rows.
    shipped = ship(model, learner.name, own.table, own.split.lockbox[:500])
    file = shipped.file()
    asked = feeds_from(own.table.rows(own.split.lockbox), model.columns)[0]
    began = time.monotonic()
    scores = in_parts(file, asked)
    rate = len(scores) / (time.monotonic() - began)
    return {
        "name": learner.name,
        **quality(scores, own.truth),
        "seconds": seconds,
        "processor_seconds": work,
        "megabytes": file.size_bytes / 1e6,
        "rows_a_second": rate,
        "deviation": shipped.parity.deviation,
        "chosen": model.account.chosen,
    }


def in_parts(file, feeds: dict[str, np.ndarray], size: int = 64) -> np.ndarray:
    """Scores of 64 rows at a time: attention over long texts takes memory for each."""
    rows = len(next(iter(feeds.values())))
    starts = range(0, rows, size)
    return np.concatenate(
        [file.scores({n: v[s : s + size] for n, v in feeds.items()}) for s in starts]
    )


def tf_idf(own: Question) -> dict[str, float | str]:
    """Words and pairs of all texts together, weighted, and logistic regression."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline

    texts = np.array(
        [
            " ".join(row)
            for row in zip(*(c.strings for c in own.table.of_kind(Kind.TEXT)), strict=True)
        ]
    )
    labels = own.task.encode(own.table[own.task.target])[own.split.train]
    began, worked = time.monotonic(), time.process_time()
    search = GridSearchCV(
        make_pipeline(
            TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True),
            LogisticRegression(max_iter=300),
        ),
        {"logisticregression__C": [3, 30]},
        cv=FOLDS,
        scoring="neg_log_loss",
    )
    search.fit(texts[own.split.train], labels)
    seconds, work = time.monotonic() - began, time.process_time() - worked
    began = time.monotonic()
    scores = search.predict_proba(texts[own.split.lockbox])
    return {
        "name": "TF-IDF, logistic (scikit-learn)",
        **quality(scores, own.truth),
        "seconds": seconds,
        "processor_seconds": work,
        "rows_a_second": len(scores) / (time.monotonic() - began),
        "chosen": f"C = {search.best_params_['logisticregression__C']}",
    }


def cell(found: dict, key: str, form: str) -> str:
    """A number in its form, or a dash."""
    return format(found[key], form) if key in found else "–"


def page(results: dict[str, list[dict]]) -> str:
    """The measurements as Markdown."""
    lines = [
        "# Networks on raw text beside TF-IDF and logistic regression",
        "",
        f"On: {' · '.join(machine().values())}.",
        f"Versions: {', '.join(f'{name} {version}' for name, version in versions().items())}.",
        f"`python benchmarks/text_deep.py ../shared/data`; {FOLDS} folds, seed {SEED}, one run;",
        f"networks of quick effort: {EPOCHS} epochs, word vectors twice as many, 300 steps at",
        f"least. The convolution reads {LENGTH} words of a text, word vectors {8 * LENGTH}, the",
        f"transformer {LENGTH // 2}. At most {MOST_TEST:,} test rows. The machine was busy with",
        "other work: processor seconds say what a fit costs, seconds how long it lasted then.",
        "",
    ]
    for name, rows in results.items():
        head = rows[0]
        lines += [
            f"## {name}: {head['train_rows']:,} training rows, {head['test_rows']:,} test rows",
            "",
            "| model | accuracy | macro F1 | log loss | processor s | s | file MB | rows/s | "
            "deviation |",
            "|---|---|---|---|---|---|---|---|---|",
        ]
        lines += [
            f"| {row['name']}{row.get('minutes', '')} | {cell(row, 'accuracy', '.4f')} "
            f"| {cell(row, 'macro_f1', '.4f')} | {cell(row, 'log_loss', '.3f')} "
            f"| {cell(row, 'processor_seconds', '.0f')} | {cell(row, 'seconds', '.0f')} "
            f"| {cell(row, 'megabytes', '.1f')} | {cell(row, 'rows_a_second', ',.0f')} "
            f"| {cell(row, 'deviation', '.1e')} |"
            for row in rows
        ]
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", default=",".join(SETS))
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--minutes", type=float)
    options = parser.parse_args()
    stored = RESULTS / "text-deep.json"
    results = json.loads(stored.read_text()) if stored.exists() else {}
    mark = f", at most {options.minutes:g} min" if options.minutes else ""
    for name in options.only.split(","):
        own = question(options.data, name, folds=FOLDS, most=options.rows, most_test=MOST_TEST)
        rows = results.setdefault(name, [])
        done = {(row["name"], row.get("minutes", "")) for row in rows}
        sizes = {"train_rows": len(own.split.train), "test_rows": len(own.split.lockbox)}
        trials = [(lambda o=own: tf_idf(o), "TF-IDF, logistic (scikit-learn)", "")]
        for place, learner in enumerate(
            text_networks(length=LENGTH, epochs=EPOCHS, seeds=1, seed=SEED)
        ):
            trials.append(
                (lambda o=own, p=place: network(o, p, options.minutes), learner.name, mark)
            )
        for measure, called, minutes in trials:
            if (called, minutes) in done:
                continue
            rows.append({**measure(), **sizes, "minutes": minutes})
            print(name, rows[-1], flush=True)
            stored.write_text(json.dumps(results, indent=1) + "\n")
            (RESULTS / "text-deep.md").write_text(page(results))


if __name__ == "__main__":
    main()
