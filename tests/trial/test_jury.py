import numpy as np
import pytest

from fathometer.table.kind import Kind
from fathometer.table.split import Split
from fathometer.table.table import Table, column_from
from fathometer.table.task import Task, TaskKind
from fathometer.trial.jury import Jury
from fathometer.trial.reliance import wilson


@pytest.mark.parametrize("metric", ["roc_auc", "accuracy"])
def test_each_further_interval_rests_on_resamples_of_its_own_kind(metric: str) -> None:
    """Ten rows of a class are kept in every resample for the area under the curve; the accuracy of
    one who always says the other class must vary all the same."""
    answers = ["b"] * 10 + ["a"] * 90
    table = Table((column_from("y", Kind.CATEGORY, answers),), "made up")
    task = Task(TaskKind.CLASSIFY, "y", metric, ("a", "b"))
    rows = np.arange(100)
    jury = Jury(table, task, Split(rows, rows, (rows[:50], rows[50:]), 0))
    second = np.linspace(0.0, 0.4, 100)
    scores = np.column_stack([1 - second, second])
    own = jury.quality(scores)
    found = {**jury.further_intervals(scores), metric: [own.low, own.high]}
    assert found["accuracy"][0] < 0.85 < 0.93 < found["accuracy"][1]
    assert found["macro_f1"][0] > 0.4  # no resample lacks a class


@pytest.mark.parametrize(("share", "rows"), [(0.0, 3), (1.0, 1), (0.4, 50)])
def test_the_interval_of_a_share_holds_it_and_stays_within_0_and_1(share: float, rows: int) -> None:
    low, high = wilson(share, rows)
    assert 0.0 <= low <= share <= high <= 1.0
