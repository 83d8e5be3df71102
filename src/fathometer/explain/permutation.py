"""Permutation importance: by how much a model file answers worse with a column's values exchanged.

As Breiman (2001, Machine Learning 45:5) has it, and scikit-learn's `permutation_importance`: for
every raw column its values change places among the rows, the file is asked again, and what is lost
in the metric is what the model needed the column for. Columns that carry the same signal share it:
while one is exchanged the other still tells, so both look weaker than they are together.

The work is bounded by counts, never by a clock, so that the same rows and seed give the same
numbers: at most 2,000 rows, 100 columns, and about 100,000 answers in all."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fathometer.errors import OutOfTimeError, TaskError
from fathometer.explain.exchange import Exchange, Feeds, rows_of
from fathometer.explain.paired_loss import PairedLoss
from fathometer.explain.screening import strongest
from fathometer.learners.contract import UNLIMITED, Budget, Progress
from fathometer.modelfile.load import ModelFile
from fathometer.table.kind import Kind
from fathometer.table.metric import Metric
from fathometer.table.split import drawn_urgency
from fathometer.table.task import TaskKind
from fathometer.verdict.bench import Rows
from fathometer.verdict.importance import ColumnLoss, Importance

SHUFFLES = 5  # scikit-learn's default
MOST_ROWS, FEWEST_ROWS = 2000, 500
MOST_COLUMNS = 100  # the report charts 15 and lists the rest
MOST_ANSWERS = 100_000
MOST_SLOW_ANSWERS = 40_000  # of texts and pictures, which take up to some milliseconds a row
SCREEN_ROWS, SCREEN_QUESTIONS = 200, 400
# Each question takes all columns in: 10,000 of them take half a second, and 400 questions minutes.
WIDEST = 2_000


@dataclass(frozen=True)
class Effort:
    """How much is asked of a file."""

    rows: int
    shuffles: int

    @staticmethod
    def of(file: ModelFile, rows: int) -> Effort:
        """What the bounds leave for a file of these columns, and so many rows."""
        columns = min(len(file.columns), MOST_COLUMNS)
        if columns == 1:  # nothing has to be asked again, see `Exchange.scores`
            return Effort(min(rows, MOST_ROWS), SHUFFLES)
        is_slow = any(spec.kind in (Kind.TEXT, Kind.IMAGE) for spec in file.columns)
        answers = (MOST_SLOW_ANSWERS if is_slow else MOST_ANSWERS) // columns
        asked = min(rows, int(np.clip(answers, FEWEST_ROWS, MOST_ROWS)))
        return Effort(asked, int(np.clip(answers // max(asked, 1), 1, SHUFFLES)))


def permutation_importance(
    file: ModelFile,
    feeds: Feeds,
    rows: Rows,
    metric: Metric,
    *,
    seed: int = 0,
    budget: Budget = UNLIMITED,
) -> Importance:
    """The loss of every column, the largest first; all columns are measured on the same rows.

    Args:
        feeds: the file's raw inputs, as `modelfile.feeds` makes them.
        rows: their true answers and groups, aligned with the feeds.

    Raises:
        OutOfTimeError: if the budget ended before all columns were measured.
        TaskError: if the metric says nothing on these rows, such as ROC AUC of one class, if there
            is one row, or if there are more than `WIDEST` columns.
    """
    if len(file.columns) > WIDEST:
        raise TaskError(f"{len(file.columns):,} columns are more than {WIDEST:,}, the most asked.")
    if len(rows.truth) < 2:
        raise TaskError("a single row has no other to exchange values with.")
    drawn = drawn_rows(file, rows.truth, metric, seed=seed)
    asked = Rows(rows.truth[drawn], None if rows.groups is None else rows.groups[drawn])
    started = time.monotonic()
    exchange = Exchange.of(file, rows_of(feeds, drawn))
    seconds = time.monotonic() - started
    orders = _orders(len(drawn), Effort.of(file, len(drawn)).shuffles, seed)
    loss = PairedLoss(metric, asked, exchange.known, orders, seed=seed)
    if not np.isfinite(loss.score):
        raise TaskError(f"{metric.label} is not known on these {len(drawn):,} rows.")
    names = _screened(exchange, seed, budget)
    kinds = {spec.name: spec.kind.value for spec in file.columns}
    if _is_too_much(seconds * len(names) * len(orders), budget):
        raise OutOfTimeError(f"the file takes {seconds:.2g} s for {len(drawn):,} rows.")
    losses = []
    for place, name in enumerate(names):
        if budget.spent:
            raise OutOfTimeError(f"{place} of {len(names)} columns were measured.")
        budget.report(Progress(place / len(names)))
        changed = [exchange.scores([name], order) for order in orders]
        losses.append(ColumnLoss(name, kinds[name], *loss.of(changed)))
    losses.sort(key=lambda one: -one.value)
    left_out = len(kinds) - len(names)
    return Importance(
        file.name,
        metric.name,
        loss.score,
        len(drawn),
        len(orders),
        tuple(losses),
        left_out,
        loss.independent,
    )


def drawn_rows(file: ModelFile, truth: np.ndarray, metric: Metric, *, seed: int) -> np.ndarray:
    """The numbers of the rows that the file is asked, ascending: all of them or, of many, a part in
    which every class has the share that it has in all."""
    most = Effort.of(file, len(truth)).rows
    if len(truth) <= most:
        return np.arange(len(truth))
    random = np.random.default_rng([seed, 0xE1])
    classes = truth if metric.kind is TaskKind.CLASSIFY else None
    urgency = drawn_urgency(classes, len(truth), random)
    return np.sort(np.argsort(urgency, kind="stable")[:most])


def _is_too_much(seconds: float, budget: Budget) -> bool:
    return budget.deadline is not None and time.monotonic() + seconds > budget.deadline


def _orders(rows: int, shuffles: int, seed: int) -> list[np.ndarray]:
    """The orders that every column is brought into."""
    random = np.random.default_rng([seed, 0xE2])
    return [random.permutation(rows) for _ in range(shuffles)]


def _screened(exchange: Exchange, seed: int, budget: Budget) -> tuple[str, ...]:
    """The columns to be measured: all, or those that move the answers of a few rows most.

    Raises:
        OutOfTimeError: if the budget ended before they were found.
    """
    names = list(exchange.feeds)
    if len(names) <= MOST_COLUMNS:
        return tuple(names)
    few, order = _orders(len(exchange.known), 2, seed)
    few, order = few[:SCREEN_ROWS], order[order < SCREEN_ROWS]
    part = Exchange.of(exchange.file, rows_of(exchange.feeds, few))

    def movement(block: Sequence[str]) -> float:
        if budget.spent:
            raise OutOfTimeError("the columns to be measured were not found.")
        return float(np.abs(part.scores(block, order) - part.known).mean())

    return strongest(names, movement, most=MOST_COLUMNS, questions=SCREEN_QUESTIONS)
