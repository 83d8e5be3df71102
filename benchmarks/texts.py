"""The development sets of texts, each with its own test rows, as both sides of text are asked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fathometer.table.ask import ask
from fathometer.table.read import read
from fathometer.table.split import Split
from fathometer.table.table import Table
from fathometer.table.task import Task

SEED = 0


@dataclass(frozen=True)
class TextSet:
    """Where a set lies, and what is asked of it."""

    folder: str
    target: str
    dropped: tuple[str, ...] = ()  # columns that would tell the answer
    published: str = ""  # what is known on the same split


SETS = {
    "sms_spam": TextSet("text", "label"),
    "tweeteval_emotion": TextSet(
        "text", "label", published="SVM macro-F1 64.7 (README of cardiffnlp/tweeteval)"
    ),
    "clothing_reviews": TextSet("tables", "Recommended IND", ("Rating",)),
    "banking77": TextSet("text", "category"),
    "imdb": TextSet(
        "text", "label", ("rating",), "SVM-bi 89.16, NBSVM-bi 91.22 (Wang & Manning 2012)"
    ),
}


@dataclass(frozen=True)
class Question:
    """A table of training rows, then test rows."""

    table: Table
    task: Task
    split: Split
    truth: np.ndarray  # of the test rows


def question(
    data: Path, name: str, *, folds: int, most: int, most_test: int | None = None
) -> Question:
    """At most so many rows, drawn with seed 0; the training rows in stratified folds.

    Rows for validation are left out: what is published for these sets did not learn from them."""
    from sklearn.model_selection import StratifiedKFold

    own = SETS[name]
    raw = pq.read_table(data / own.folder / f"{name}.parquet").drop_columns(list(own.dropped))
    part = np.array(raw["split"].to_pylist())
    draw = np.random.default_rng(SEED)
    train = np.sort(draw.permutation(np.flatnonzero(part == "train"))[:most])
    test = np.sort(draw.permutation(np.flatnonzero(part == "test"))[:most_test])
    rows = raw.take(pa.array(np.concatenate([train, test]))).drop_columns(["split"])
    table = read(rows, kinds={"text": "text"} if own.folder == "text" else {}).table
    task = ask(table, own.target)
    labels = task.encode(table[own.target])
    known, locked = np.arange(len(train)), np.arange(len(train), len(table))
    drawn = StratifiedKFold(folds, shuffle=True, random_state=SEED).split(known, labels[known])
    split = Split(known, locked, tuple(np.sort(fold) for _, fold in drawn), SEED)
    return Question(table, task, split, labels[locked])
