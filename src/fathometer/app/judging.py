"""Rows on which nobody could be judged, refused before anybody trains."""

from __future__ import annotations

import numpy as np

from fathometer.errors import SplitError
from fathometer.table.metric import METRICS
from fathometer.table.split import Split
from fathometer.table.table import Table
from fathometer.table.task import Task


def refuse_unmeasurable(table: Table, task: Task, split: Split, groups: np.ndarray | None) -> None:
    """Refuse training rows that have one answer, and a lockbox on which the metric says nothing of
    anybody, such as one of one class, or which is one row or group: nobody could tell how much
    another would differ.

    groups: of all rows, (rows,).

    Raises:
        SplitError: for these."""
    metric = METRICS[task.metric]
    units = len(split.lockbox) if groups is None else len(np.unique(groups[split.lockbox]))
    if units < 2:
        raise SplitError(
            f"the lockbox is a single {'row' if groups is None else 'group'}, which does not tell "
            "how much another would differ.",
            details="give --test rows of at least two, or leave --group away",
        )
    answers = task.encode(table[task.target])
    if np.ptp(answers[split.train]) == 0:
        raise SplitError(
            f"all {len(split.train):,} rows to learn from have the same {task.target}: there is "
            "nothing to tell apart.",
            details="other rows to learn from, or another --time column, change that",
        )
    truth = answers[split.lockbox]
    even = np.full((len(truth), task.outputs), 1 / task.outputs)
    if np.isfinite(metric.score(truth, even)):
        return
    place = int(truth[0]) if task.classes else 0
    held = f'"{task.classes[place]}"' if task.classes else f"{truth[0]:g}"
    raise SplitError(
        f"all {len(truth):,} rows of the lockbox have the same {task.target}, {held}: on these "
        f"{metric.label} measures nothing.",
        details="another --metric, other --test rows, or another --time column changes that",
        try_next=f"--metric {'accuracy' if task.classes else 'rmse'}",
    )
