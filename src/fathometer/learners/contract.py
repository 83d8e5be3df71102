"""The contract between a learner and everybody else: `Learner`, `Model`, `Prediction`, `Budget`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from fathometer.errors import LearnerError
from fathometer.graph import Graph
from fathometer.table.kind import ColumnSpec
from fathometer.table.split import Split
from fathometer.table.table import Table
from fathometer.table.task import Task, TaskKind


class Family(Enum):
    """Which side of the contest a model stands on."""

    TRADITIONAL = "traditional"
    DEEP = "deep"
    BOTH = "both"


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a model answers for some rows."""

    task: Task
    scores: np.ndarray  # (rows, classes) probabilities, or (rows, 1) values; float64

    @property
    def labels(self) -> np.ndarray:
        """(rows,) class names as str, or as int64 where the classes are whole numbers."""
        places = self.scores.argmax(axis=1)
        names: np.ndarray = np.array(self.task.classes, dtype=object)[places]
        return names.astype(np.int64) if self.task.integer_labels else names

    @property
    def answers(self) -> np.ndarray:
        """(rows,) labels of a classification, values of a regression."""
        return self.labels if self.task.kind is TaskKind.CLASSIFY else self.scores[:, 0]


@dataclass(frozen=True)
class Account:
    """What a learner spent and found, for the terms of the contest and for the reader."""

    configurations: int  # hyperparameter settings tried
    fits: int  # models fitted in all, folds and seeds counted
    chosen: str  # the setting that was taken, in words
    reads_as: str = ""  # "9 rules", "14 coefficients", or empty where a person cannot read it
    reading: str = ""  # the rules or coefficients themselves, as text
    is_shortened: bool = False  # its steps were made fewer, to fit into the time


class Model(Protocol):
    """A fitted, immutable model.

    `out_of_fold` holds its scores on the training rows, each row predicted by a model that did
    not learn from it; shape (len(split.train), outputs), aligned with `split.train`.
    """

    @property
    def family(self) -> Family: ...
    @property
    def task(self) -> Task: ...
    @property
    def columns(self) -> tuple[ColumnSpec, ...]: ...
    @property
    def out_of_fold(self) -> np.ndarray: ...
    @property
    def account(self) -> Account: ...

    def predict(self, table: Table) -> Prediction:
        """Answer for every row; the training-side reference that the exported file must equal."""
        ...

    def write(self, graph: Graph) -> str:
        """Write the whole model, raw columns included, and return its scores tensor.

        Shape (rows, outputs): float probabilities for classification, double values else."""
        ...


@runtime_checkable
class LearnsFeatures(Protocol):
    """A model of networks that tells what its last layers see."""

    def learned_features(self, table: Table) -> tuple[np.ndarray, ...]:
        """What each fold's network makes of every row, (rows, width) float32 each; empty where
        its networks do not tell."""
        ...


@dataclass(frozen=True)
class Progress:
    """How far a fit has come: `done` from 0 to 1, and a few words ("epoch 31/48").

    A population tells each training member's place in it and latest validation loss as well: a
    point of its curve."""

    done: float
    words: str = ""
    losses: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True)
class Budget:
    """What a fit may spend: until `deadline` (`time.monotonic` seconds; None: no limit).

    A learner asks `spent` in its loops and stops early with what it has; it reports progress
    through `report`. Step budgets are hyperparameters of the learner, not of the budget. What a
    long fit has reached it may save under `checkpoint`, from where the same fit goes on."""

    deadline: float | None = None
    report: Callable[[Progress], None] = field(default=lambda progress: None)
    stopped: Callable[[], bool] = field(default=lambda: False)  # the user asked for an end
    checkpoint: Path | None = None  # a file of the fit's own; None: nowhere to save

    @property
    def spent(self) -> bool:
        """Whether the time is up, or the user asked for an end."""
        late = self.deadline is not None and time.monotonic() >= self.deadline
        return late or self.stopped()


UNLIMITED = Budget()


class Learner(Protocol):
    """What can be fitted: frozen hyperparameters and one method; holds no rows and no result.

    `name` is what the leaderboard calls it."""

    @property
    def name(self) -> str: ...
    @property
    def family(self) -> Family: ...

    def fit(self, table: Table, task: Task, split: Split, *, budget: Budget = UNLIMITED) -> Model:
        """Learn from `split.train` alone.

        Raises:
            LearnerError: if this learner cannot answer this task or table.
            OutOfTimeError: if the budget ended before there was anything to return.
        """
        ...


PREDICTED = {
    TaskKind.CLASSIFY: "classes",
    TaskKind.REGRESS: "numbers",
    TaskKind.CLUSTER: "clusters",
    TaskKind.TRANSLATE: "sentences",
}


def needs(task: Task, kind: TaskKind, name: str) -> None:
    """Refuse a task of another kind.

    Raises:
        LearnerError: if it is one.
    """
    if task.kind is not kind:
        raise LearnerError(
            f'{name} predicts {PREDICTED[kind]}; "{task.target}" asks for {PREDICTED[task.kind]}.'
        )
