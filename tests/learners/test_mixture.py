"""Weights of a mixture are found on what its models said."""

from __future__ import annotations

import numpy as np
import pytest

from fathometer.learners.mixture import greedy_weights
from fathometer.table.task import Task, TaskKind

KINDS = (
    Task(TaskKind.CLASSIFY, "answer", "log_loss", ("no", "yes")),
    Task(TaskKind.REGRESS, "answer", "rmse"),
)


@pytest.mark.parametrize("task", KINDS, ids=lambda task: task.kind.value)
def test_a_model_that_answered_no_number_gets_no_weight(task: Task) -> None:
    stacked = np.full((3, 20, task.outputs), 0.5)
    stacked[1, 3] = np.nan
    stacked[2] = 0.4
    weights = greedy_weights(stacked, np.zeros(20, dtype=np.int64), task)
    assert weights[1] == 0.0
    assert weights.sum() == pytest.approx(1.0)
