"""Words a second of training: our word vectors beside fastText's.

    python benchmarks/words.py ../shared/data [--only imdb] [--rows 25000] [--epochs 8]
        [--repeats 3] [--cache FOLDER] [--write]

Both learn from words, pairs of words and pieces of words of 3 to 5 characters, 32 numbers each, on
two threads, and pass over the same training rows as often. fastText trains one network, both
threads on it; ours trains one for each of three folds, two at a time. A word is what stands
between blanks, and counts once for each network and each pass that learns from it. Seconds are
those of a whole training: reading the file and counting words for fastText, cutting texts into
codes and validating after each pass for ours. Accuracy: on the set's own test rows, of the mean of
our three. fastText is installed into an environment of its own under --cache. With --write also
writes benchmarks/results/words.md."""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from peers import RESULTS, SCRIPTS, Peer, install
from texts import SETS, Question, question

from fathometer.learners.text_networks import text_networks
from fathometer.table.kind import Kind
from fathometer.trial.measure import machine, versions

FASTTEXT = Peer(
    "fastText", "fasttext", ("fasttext-wheel==0.9.2", "numpy<2"), "train_fasttext.py", "", ""
)
FOLDS, THREADS = 3, 2


@dataclass(frozen=True)
class Found:
    """One training."""

    words: int  # learned from, over all networks and passes
    seconds: float
    accuracy: float


def texts_of(own: Question, rows: np.ndarray) -> list[str]:
    """The texts of some rows, on one line each."""
    columns = own.table.rows(rows).of_kind(Kind.TEXT)
    return [
        " ".join(" ".join(row).split()) for row in zip(*(c.strings for c in columns), strict=True)
    ]


def ours(own: Question, epochs: int) -> Found:
    """Our word vectors, one network for each fold."""
    bag = text_networks(length=128, epochs=1, seeds=1, seed=0)[0]
    assert bag.training is not None
    learner = replace(bag, training=replace(bag.training, epochs=epochs, least_steps=0))
    began = time.monotonic()
    model = learner.fit(own.table, own.task, own.split)
    seconds = time.monotonic() - began
    scores = model.predict(own.table.rows(own.split.lockbox)).scores
    counts = np.array([len(text.split()) for text in texts_of(own, own.split.train)])
    learned = sum(
        counts[own.split.places(own.split.fold_rows(fold)[0])].sum() for fold in range(FOLDS)
    )
    right = float((scores.argmax(axis=1) == own.truth).mean())
    return Found(int(learned) * epochs, seconds, right)


def fasttexts(own: Question, epochs: int, python: Path) -> Found:
    """fastText's on all training rows."""
    labels = own.task.encode(own.table[own.task.target])
    words = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, rows in (("train.txt", own.split.train), ("test.txt", own.split.lockbox)):
            texts = texts_of(own, rows)
            lines = [
                f"__label__{label} {text}" for label, text in zip(labels[rows], texts, strict=True)
            ]
            (folder / file).write_text("\n".join(lines) + "\n", encoding="utf-8")
            words = words or sum(len(text.split()) for text in texts)
        command = [python, SCRIPTS / FASTTEXT.script, folder, str(epochs), str(THREADS)]
        subprocess.run(command, check=True)
        found = json.loads((folder / "found.json").read_text())
    return Found(words * epochs, found["seconds"], found["accuracy"])


def spread(values: Sequence[float], form: str) -> str:
    """Median (least to most)."""
    middle, low, high = (format(f(values), form) for f in (statistics.median, min, max))
    return f"{middle} ({low} to {high})"


def page(found: dict[str, list[tuple[Found, Found]]], version: str, epochs: int) -> str:
    lines = [
        "# Words a second of training, beside fastText",
        "",
        f"On: {' · '.join(machine().values())}.",
        f"Versions: {', '.join(f'{name} {v}' for name, v in versions().items())}; {version}.",
        f"{epochs} passes, two threads each; median of {len(next(iter(found.values())))} trainings "
        "(least to most), taken in turn; what is counted and timed stands in benchmarks/words.py.",
        "",
        "| set | words/s, ours | fastText | ratio | accuracy, ours | fastText |",
        "|---|---|---|---|---|---|",
    ]
    for name, pairs in found.items():
        own, other = (
            [run.words / run.seconds for run in runs] for runs in zip(*pairs, strict=True)
        )
        ratio = spread([a / b for a, b in zip(own, other, strict=True)], ".2f")
        right = (spread([run.accuracy for run in runs], ".4f") for runs in zip(*pairs, strict=True))
        lines.append(
            f"| {name} | {spread(own, ',.0f')} | {spread(other, ',.0f')} | {ratio} | "
            f"{' | '.join(right)} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", default=",".join(SETS))
    parser.add_argument("--rows", type=int, default=25_000)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--cache", type=Path, default=Path("peers-cache"))
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    version = install(FASTTEXT, asked.cache)
    python = asked.cache.absolute() / "venvs" / FASTTEXT.venv / "bin" / "python"
    found: dict[str, list[tuple[Found, Found]]] = {}
    for name in asked.only.split(","):
        own = question(asked.data, name, folds=FOLDS, most=asked.rows)
        found[name] = [
            (ours(own, asked.epochs), fasttexts(own, asked.epochs, python))
            for _ in range(asked.repeats)
        ]
        print(name, *found[name], sep="\n  ", flush=True)
    text = page(found, version, asked.epochs)
    print(text)
    if asked.write:
        (RESULTS / "words.md").write_text(text)


if __name__ == "__main__":
    main()
