"""What every peer is handed, and how it hands back its answers.

The folder holds train.parquet, test.parquet without its target, and task.json; the classes of a
target are numbered. `Exam.hand_in` may be called again and again: what counts is what lies there
when the time is over."""

from __future__ import annotations

import time

STARTED = time.monotonic()  # before anything heavy is imported: imports are part of the time

import argparse  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
from dataclasses import dataclass  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

WORDS_OF_TEXT = 3.0  # words on average from which on strings that mostly differ are text
MOSTLY = 0.5


@dataclass(frozen=True)
class Exam:
    """One table's question, and until when to answer it."""

    folder: Path
    train: pd.DataFrame
    target: np.ndarray
    test: pd.DataFrame
    metric: str  # "roc_auc", "accuracy" or "rmse"
    classes: int  # 0 for a number
    deadline: float
    variant: str

    @property
    def seconds_left(self) -> float:
        return self.deadline - time.monotonic()

    def hand_in(self, answers: np.ndarray) -> None:
        """Write probabilities, (rows, classes), or values, (rows,); whole or not at all."""
        shape = (len(self.test), self.classes) if self.classes else (len(self.test),)
        answers = np.asarray(answers, dtype=np.float64)
        if answers.shape != shape or not np.isfinite(answers).all():
            raise ValueError(f"answers of shape {answers.shape} instead of {shape}, or not finite")
        part = self.folder / "answers.part.npy"
        np.save(part, answers, allow_pickle=False)
        os.replace(part, self.folder / "answers.npy")


def take() -> Exam:
    """The exam that the command line names: FOLDER --seconds S [--variant NAME]."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--variant", default="")
    options = parser.parse_args()
    task = json.loads((options.folder / "task.json").read_text())
    train = pd.read_parquet(options.folder / "train.parquet")
    target = train.pop(task["target"]).to_numpy()
    return Exam(
        options.folder,
        train,
        target,
        pd.read_parquet(options.folder / "test.parquet"),
        task["metric"],
        task["classes"],
        STARTED + options.seconds,
        options.variant,
    )


def plain_columns(exam: Exam) -> tuple[pd.DataFrame, pd.DataFrame, list[str], list[str]]:
    """Train and test rows for learners that know numbers and categories alone, with the names of
    the categories and of the texts.

    Dates become days; strings become categories with a level of their own for what is missing;
    strings that mostly differ and have several words are texts, and single words that all but
    differ are left out."""
    both = pd.concat([exam.train, exam.test], ignore_index=True)
    categories, texts = [], []
    for name in list(both.columns):
        column = both[name]
        if pd.api.types.is_bool_dtype(column.dtype) or pd.api.types.is_numeric_dtype(column.dtype):
            both[name] = column.astype("float64")
        else:
            known = column.dropna().astype(str)
            dates = (
                None
                if known.empty
                else pd.to_datetime(known, errors="coerce", utc=True, format="mixed")
            )
            if dates is not None and dates.notna().mean() > 0.95 and not _are_numbers(known):
                days = pd.to_datetime(
                    column.astype(object).where(column.notna(), None),
                    errors="coerce",
                    utc=True,
                    format="mixed",
                )
                both[name] = (days - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1)
                continue
            differing = known.nunique() / max(len(known), 1)
            strings = column.astype(object).where(column.notna(), "missing").astype(str)
            if differing > MOSTLY and known.str.split().str.len().mean() >= WORDS_OF_TEXT:
                texts.append(name)
                both[name] = strings
            elif differing > 0.95:
                both = both.drop(columns=name)
            else:
                categories.append(name)
                both[name] = strings
    rows = len(exam.train)
    return both.iloc[:rows], both.iloc[rows:].reset_index(drop=True), categories, texts


def _are_numbers(strings: pd.Series) -> bool:
    return bool(pd.to_numeric(strings, errors="coerce").notna().mean() > 0.5)


def quality(exam: Exam, rows: np.ndarray, answers: np.ndarray) -> float:
    """The metric on training rows, turned so that more is better."""
    truth = exam.target[rows]
    if exam.metric == "roc_auc":
        from sklearn.metrics import roc_auc_score

        return float(roc_auc_score(truth, answers[:, 1]))
    if exam.metric == "accuracy":
        return float((answers.argmax(axis=1) == truth).mean())
    return -float(np.sqrt(np.mean((truth - answers) ** 2)))
