"""The engineered road for pictures: accuracy and seconds of the traditional learners.

    python benchmarks/pictures_engineered.py ../shared/data [--only kernel-svm,…] [--rows 20000]
        [--data fashion_mnist,cifar10_part] [--folds 3]
        [--landmarks 1000] [--widths 1,2] [--penalties 1e-4,1e-5,1e-6]

Each learner is fitted on the first training rows of a data set, drawn once with seed 0, shipped as
a file and scored on all test rows; with the settings of effort quick unless told otherwise. Prints
a table, a line a learner: test accuracy of the file, seconds and processor seconds of the fit,
seconds of shipping (which asks the file about all test rows), megabytes, and parity."""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from fathometer.features.pictures.road import fit_for_products
from fathometer.learners.contract import Learner
from fathometer.learners.decision_tree import DecisionTree
from fathometer.learners.light_gbm import LightGBM
from fathometer.learners.linear import Logistic
from fathometer.learners.naive_bayes import NaiveBayes
from fathometer.learners.neighbours import Neighbours
from fathometer.learners.random_forest import ExtraTrees, RandomForest
from fathometer.learners.support_vectors import KernelMachine, LinearMachine
from fathometer.modelfile.write import ship
from fathometer.table.ask import ask
from fathometer.table.kind import Kind
from fathometer.table.split import Split
from fathometer.table.table import Table, column_from, picture_column
from fathometer.trial.measure import machine

FILES = {
    "fashion_mnist": ("fashion_mnist",),
    "cifar10_part": ("cifar10_part_train", "cifar10_part_test"),
}


def read(data: Path, name: str) -> tuple[Table, np.ndarray]:
    """All pictures of a data set, and whether each is a test row."""
    parts = [pq.read_table(data / "images" / f"{file}.parquet") for file in FILES[name]]
    rows = pa.concat_tables([part.select(["image", "label", "split"]) for part in parts])

    def decode(picture: bytes | dict[str, bytes]) -> np.ndarray:
        content = picture["bytes"] if isinstance(picture, dict) else picture
        return np.atleast_3d(np.asarray(Image.open(io.BytesIO(content))))

    with ThreadPoolExecutor(2) as pool:
        pixels = np.stack([*pool.map(decode, rows["image"].to_pylist())])
    labels = column_from("label", Kind.CATEGORY, rows["label"].to_pylist())
    return Table((picture_column("image", pixels), labels), name), rows[
        "split"
    ].to_numpy() == "test"


def split_of(is_test: np.ndarray, rows: int, folds: int) -> Split:
    """The data's own test rows, and so many of the others in folds, drawn with seed 0."""
    drawn = np.random.default_rng(0).permutation(np.flatnonzero(~is_test))[:rows]
    parts = tuple(np.sort(part) for part in np.array_split(drawn, folds))
    return Split(np.sort(drawn), np.flatnonzero(is_test), parts, 0)


def numbers(words: str) -> tuple[float, ...]:
    return tuple(float(word) for word in words.split(","))


def learners(kernel: KernelMachine) -> Sequence[Learner]:
    return (
        Logistic((1e-1, 1e-2, 1e-3), iterations=40),
        LinearMachine(),
        kernel,
        DecisionTree(),
        LightGBM(60, 0.2, 40),
        RandomForest(trees=50),
        ExtraTrees(trees=50),
        Neighbours((40, 10), 2_500),
        NaiveBayes(),
    )


def measure(learner: Learner, table: Table, split: Split) -> str:
    """One line of the table."""
    task = ask(table, "label")
    truth = task.encode(table["label"])[split.lockbox]
    started, busy = time.perf_counter(), time.process_time()
    model = learner.fit(table, task, split)
    seconds, spent = time.perf_counter() - started, time.process_time() - busy
    started = time.perf_counter()
    shipped = ship(model, learner.name, table, split.lockbox)
    shipping = time.perf_counter() - started
    right = (shipped.scores.argmax(axis=1) == truth).mean()
    size = len(shipped.file().content) / 1e6
    return (
        f"| {table.name} | {len(split.train):,} | {learner.name} | {right:.4f} | {seconds:.0f} "
        f"| {spent:.0f} | {shipping:.0f} | {size:.1f} | {shipped.parity.deviation:.0e} "
        f"| {model.account.chosen} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--data", dest="names", default=",".join(FILES))
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--landmarks", type=int, default=KernelMachine.landmarks)
    parser.add_argument("--widths", type=numbers, default=KernelMachine.widths)
    parser.add_argument("--penalties", type=numbers, default=KernelMachine.penalties)
    asked = parser.parse_args()
    kernel = KernelMachine(asked.landmarks, asked.widths, asked.penalties)
    print("On:", " · ".join(machine().values()))
    print(
        "| data | rows | learner | accuracy | fit s | processor s | ship s | MB | parity | chosen |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name in asked.names.split(","):
        table, is_test = read(asked.data, name)
        split = split_of(is_test, asked.rows, asked.folds)
        started = time.perf_counter()
        fit_for_products(table, table["image"].spec, seed=0)
        print(f"| {name} | {len(table):,} | measures | | {time.perf_counter() - started:.0f} |")
        for learner in learners(kernel):
            if not asked.only or learner.name.replace(" ", "-") in asked.only.split(","):
                print(measure(learner, table, split), flush=True)


if __name__ == "__main__":
    main()
