"""Distilling the best contestant into a student within limits: what the file takes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fathometer.errors import LearnerError
from fathometer.learners.contract import Model
from fathometer.learners.student import Footprint, Limits
from fathometer.modelfile.feeds import feeds_from
from fathometer.modelfile.write import ship
from fathometer.table.table import Table
from fathometer.trial.measure import measure_latency
from fathometer.trial.scorecard import Bill, Distillation, Scorecard

STUDENT = "student"
MEASURED_ROWS = 64  # on which a candidate's file is compared with its model
MEASURE_SECONDS = 0.1  # for the latency of a candidate; what is chosen is measured as all others
# As long as what the final file states of its quality.
STATED = {"metric": "log_loss", "value": 1 / 3, "low": 1 / 3, "high": 1 / 3, "rows": 10**6}


def footprint(model: Model, table: Table, rows: np.ndarray) -> Footprint:
    """What the model's exported file takes: its bytes, and the median time of one raw row.

    Args:
        rows: training rows of the table; a few of them are asked.
    """
    file = ship(model, STUDENT, table, rows[:MEASURED_ROWS]).file(STATED)
    feeds, _ = feeds_from(table.rows(rows[:1]), file.columns)
    file.scores(feeds)  # opens the session, which is no part of an answer
    latency = measure_latency(lambda: file.scores(feeds), seconds=MEASURE_SECONDS)
    return Footprint(file.size_bytes, latency.p50_ms)


def check_limits(bill: Bill, limits: Limits) -> None:
    """Refuse a finished student that is over a limit after all.

    Raises:
        LearnerError: if it is.
    """
    found = Footprint(bill.file_bytes, bill.latency_ms_p50)
    if not limits.allow(found):
        raise LearnerError(
            f"the student kept to {limits.in_words} when it was chosen, but takes {found.in_words} "
            "now: the machine is busy. Repeat the command to try again.",
            try_next=limits.raised_to(found),
        )


def announced(card: Scorecard, teacher: Scorecard, limits: Limits) -> Scorecard:
    """The card of a student that is about to learn."""
    lesson = Distillation(teacher.name, limits.latency_ms, limits.size_bytes)
    return replace(card, distillation=lesson)


def graduated(card: Scorecard, teacher: Scorecard) -> Scorecard:
    """The card of a student that has learned, with its teacher's training on its bill."""
    bill = card.bill
    if bill is None or teacher.bill is None:
        return card
    paid = replace(
        bill,
        train_seconds=bill.train_seconds + teacher.bill.train_seconds,
        energy_joules=bill.energy_joules + teacher.bill.energy_joules,
        peak_bytes=max(bill.peak_bytes, teacher.bill.peak_bytes),
    )
    return replace(card, bill=paid)
