"""Passengers, a small contest's events and a shipped model: real, and made once."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fathometer.app.preparation import Understanding
from fathometer.learners.linear import Logistic
from fathometer.modelfile.write import ship
from fathometer.table.read import read
from fathometer.table.sources.raw import RejectedLine
from fathometer.table.split import Split
from fathometer.table.task import Task, TaskKind
from fathometer.trial.detective import Suspicion
from fathometer.trial.scorecard import Bill, Quality, Scorecard
from fathometer.verdict.verdict import Verdict

PASSENGERS = Path(__file__).parents[2] / "src" / "fathometer" / "samples" / "titanic.csv"


@pytest.fixture(scope="session")
def passengers() -> Path:
    return PASSENGERS


@pytest.fixture(scope="session")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A logistic regression of the passengers as a model file."""
    table = read(PASSENGERS).table
    task = Task(TaskKind.CLASSIFY, "survived", "roc_auc", ("0", "1"), integer_labels=True)
    rows = np.arange(len(table))
    train = rows[rows % 5 != 0]
    split = Split(train, rows[::5], tuple(train[fold::3] for fold in range(3)), seed=0)
    model = Logistic(penalties=(0.01,)).fit(table, task, split)
    quality = {"metric": "roc_auc", "value": 0.84, "low": 0.78, "high": 0.9}
    shipped = ship(model, "logistic", table, split.lockbox)
    path = tmp_path_factory.mktemp("model") / "winner.onnx"
    path.write_bytes(shipped.file(quality).content)
    return path


def finished(name: str, family: str, score: float, *, reads_as: str = "") -> Scorecard:
    """A scorecard as a contest would hand it on."""
    return Scorecard(
        name,
        family,  # type: ignore[arg-type]
        quality=Quality("roc_auc", score, score - 0.05, score + 0.05),
        out_of_fold=score + 0.003,
        bill=Bill(3.1, 41.0, "estimated", 123_000_000, 212_345, 0.038, 0.05, 26_123.0),
        reads_as=reads_as,
    )


@pytest.fixture
def cards() -> tuple[Scorecard, ...]:
    return (
        finished("CatBoost", "traditional", 0.868),
        finished("modern network", "deep", 0.861),
        finished("decision tree", "traditional", 0.842, reads_as="9 rules"),
        Scorecard("XGBoost", "traditional", state="not entered", failure="xgboost is absent"),
    )


@pytest.fixture
def verdict() -> Verdict:
    return Verdict(
        "equivalent",
        "Traditional machine learning is enough for this table.",
        ("The difference is within noise on 179 unseen rows.",),
        "CatBoost",
        None,
        ("CatBoost", "modern network"),
        ("CatBoost", "modern network", "decision tree"),
        ("34 passengers share a ticket.",),
    )


@pytest.fixture(scope="session")
def understanding() -> Understanding:
    """What a contest on the passengers understood, with everything that can be said of it."""
    reading = read(PASSENGERS)
    refused = RejectedLine(12, "13 fields instead of 12", "x,y")
    rows = np.arange(len(reading.table))
    return Understanding(
        reading=replace(reading, rejected=(refused,), rejected_count=1),
        task=Task(TaskKind.CLASSIFY, "survived", "roc_auc", ("0", "1"), reason="two values"),
        split=Split(rows[179:], rows[:179], (), seed=0, how="5 folds, stratified"),
        suspicions=(Suspicion("group", "ticket", "rows share a ticket (--group ticket)"),),
        dropped_rows=3,
        terms=("both families: 5 folds",),
        effort="quick",
        table=reading.table,
        first=Split(rows[179:], rows[:179], (), seed=0),
    )
