"""What a model looks at: how much worse it answers without each of its columns, and that in words.

Measured in `explain`; nothing is chosen by it."""

from __future__ import annotations

from dataclasses import dataclass

from fathometer.table.metric import METRICS
from fathometer.verdict.quantities import fixed, places_for

NAMED = 3  # columns in the sentence; the report has them all


@dataclass(frozen=True)
class ColumnLoss:
    """By how much the answers are worse with the values of one column exchanged among the rows.

    In the metric's unit, turned so that a positive one says that the model needs the column; 0 to 0
    where no answer changed."""

    name: str
    kind: str  # the value of a `Kind`
    value: float
    low: float  # 95 % interval, of this column alone
    high: float

    def is_clear(self, columns: int) -> bool:
        """Whether the interval lies above 0 and would still if it were one of so many that hold at
        once (Bonferroni): of ten columns without worth one is above 0 alone in a fifth of tables.
        """
        from scipy.special import ndtri

        wider = float(ndtri(1 - 0.025 / columns) / ndtri(0.975))
        return self.value > wider * (self.value - self.low)


@dataclass(frozen=True)
class Importance:
    """The permutation importance of a model's columns (Breiman 2001, Machine Learning 45)."""

    model: str
    metric: str
    score: float  # with all columns as they are, on these rows
    rows: int
    shuffles: int  # over which each loss is the mean
    columns: tuple[ColumnLoss, ...]  # the largest loss first
    left_out: int = 0  # columns of a wide table that were not measured one by one

    @property
    def needed(self) -> tuple[ColumnLoss, ...]:
        """The columns whose loss is clear, their number allowed for."""
        count = len(self.columns)
        return tuple(column for column in self.columns if column.is_clear(count))


def importance_sentence(found: Importance, what: str = "The winner") -> str:
    """Which columns the model leans on, the first with its number."""
    metric = METRICS[found.metric]
    if all(one.low == one.value == one.high == 0 for one in found.columns):
        return f"{what} looks at no column: its answers stay the same whatever they hold."
    if not found.needed:
        return (
            f"{what} leans on no single column for certain: whichever one has its values exchanged "
            f"among {found.rows:,} rows, no loss of {metric.label} is clear."
        )
    first, *others = found.needed[:NAMED]
    alone = len(found.columns) == 1 and not found.left_out
    lead = "looks at one column," if alone else "leans most on"
    change = "falls" if metric.greater_is_better else "rises"
    then = f"; then {_listed(others)}" if others else ""
    return (
        f'{what} {lead} "{first.name}": with its values exchanged among the rows, {metric.label} '
        f"{change} by {loss_in_words(first)}{then}."
    )


def loss_in_words(one: ColumnLoss) -> str:
    """ "0.12 [0.09, 0.15]", at the places that the interval deserves."""
    places = places_for((one.high - one.low) / 2)
    value, low, high = (fixed(each, places) for each in (one.value, one.low, one.high))
    return value if one.low == one.high else f"{value} [{low}, {high}]"


def _listed(columns: list[ColumnLoss]) -> str:
    names = [f'"{one.name}"' for one in columns]
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
