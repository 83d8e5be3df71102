"""Whether the lockbox is unlike the training rows: a classifier two-sample test.

A quick booster learns to tell which side a row is from (Lopez-Paz and Oquab, ICLR 2017); where it
can, what was learned is judged on other rows than it was learned from. The target takes no part.
Asked only where the rows were not divided at random: between random halves there is nothing to
find, and every alarm would be false."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from fathometer.table.metric import METRICS, roc_auc
from fathometer.table.split import Split
from fathometer.table.table import Table
from fathometer.table.task import Task, TaskKind
from fathometer.trial.interval import interval
from fathometer.trial.quick import Sample, crossed, enough_rows

NOTABLE = 0.6  # area from which it is worth a word: 0.5 is no difference, 1 a full one
TELLING = 0.6  # of a column by itself
FEWEST = 50  # rows on either side
NAMED = 3


@dataclass(frozen=True)
class Shift:
    """How well training rows and lockbox rows can be told apart, and by which columns."""

    area: float  # under the ROC curve
    low: float
    high: float
    columns: tuple[str, ...]  # that tell most by themselves

    @property
    def words(self) -> str:
        """The finding in a sentence; empty where it is not worth one."""
        if self.low < NOTABLE:
            return ""
        told = f", most by {', '.join(self.columns)}" if self.columns else ""
        return (
            f"the unseen rows are unlike the rows that were learned from: a quick model tells them "
            f"apart with ROC AUC {self.area:.2f} [{self.low:.2f}, {self.high:.2f}] (0.5: not at "
            f"all){told}. Scores hold for rows like the unseen ones."
        )


def find_shift(
    table: Table, task: Task, split: Split, *, without: Collection[str] = (), seed: int = 0
) -> Shift | None:
    """Compare the features of training and lockbox rows; None where there are too few.

    Args:
        without: columns that tell the two apart by how the rows were divided, such as the time.
    """
    random = np.random.default_rng([seed, 0x5817])
    most = enough_rows(table) // 2
    sides = [np.sort(random.permutation(rows)[:most]) for rows in (split.train, split.lockbox)]
    if min(len(side) for side in sides) < FEWEST:
        return None
    honest = table.without([*without]) if without else table
    rows = np.concatenate(sides)
    sample = Sample.of(honest.rows(rows), task, sees=True)
    if not sample.names:
        return None
    belongs = np.repeat([0, 1], [len(side) for side in sides])
    which = Task(TaskKind.CLASSIFY, task.target, "roc_auc", ("train", "lockbox"))
    sample = replace(sample, task=which, truth=belongs)
    scores = crossed(sample, np.arange(len(rows)), seed, draws=1)
    found = interval(METRICS["roc_auc"], belongs, scores, seed=seed)
    return Shift(found.value, found.low, found.high, _telling(sample))


def _telling(sample: Sample) -> tuple[str, ...]:
    """The columns that tell the sides apart by themselves, the best first."""
    areas: dict[str, float] = {}
    for place, name in enumerate(sample.names):
        values = sample.matrix[:, place]
        # A missing value is one of its own, below all others.
        held = np.where(np.isnan(values), np.nanmin(values, initial=0.0) - 1, values)
        area = roc_auc(sample.truth, np.column_stack([-held, held]))
        areas[name] = max(areas.get(name, 0.5), area, 1 - area)
    best = sorted(areas, key=lambda name: (-areas[name], name))
    return tuple(name for name in best[:NAMED] if areas[name] >= TELLING)
