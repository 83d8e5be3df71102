"""What a model looks at: how much worse it answers without each of its columns, and that in words.

Measured in `explain`; nothing is chosen by it."""

from __future__ import annotations

from dataclasses import dataclass

from fathometer.table.metric import METRICS
from fathometer.verdict.quantities import places_for, with_interval
from fathometer.wording import listed

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

    def is_clear(self, columns: int, independent: int) -> bool:
        """Whether the interval lies above 0 and would still if it were one of so many that hold at
        once (Bonferroni): of ten columns without worth one is above 0 alone in a fifth of tables.

        independent: rows, or groups, that the interval rests on; it is Student's t."""
        from scipy.special import stdtrit

        ends = stdtrit(max(independent, 2) - 1, [1 - 0.025 / columns, 0.975])
        return self.value > float(ends[0] / ends[1]) * (self.value - self.low)


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
    independent: int = 0  # of the rows: groups count once; 0 where nobody counted

    @property
    def needed(self) -> tuple[ColumnLoss, ...]:
        """The columns whose loss is clear, their number allowed for."""
        count, independent = len(self.columns), self.independent or self.rows
        return tuple(one for one in self.columns if one.is_clear(count, independent))


def importance_sentence(found: Importance, what: str = "The winner") -> str:
    """Which columns the model leans on, the first with its number."""
    metric = METRICS[found.metric]
    if all(one.low == one.value == one.high == 0 for one in found.columns):
        return (
            f"{what} looks at no column here: its answers to these {found.rows:,} rows stay the "
            "same with the values of any one exchanged."
        )
    if not found.needed:
        return (
            f"{what} leans on no single column for certain: whichever one has its values exchanged "
            f"among {found.rows:,} rows, no loss of {metric.label} is clear."
        )
    first, *others = found.needed[:NAMED]
    alone = len(found.columns) == 1 and not found.left_out
    lead = "looks at one column," if alone else "leans most on"
    change = "falls" if metric.greater_is_better else "rises"
    then = "; then " + listed([f'"{one.name}"' for one in others]) if others else ""
    return (
        f'{what} {lead} "{first.name}": with its values exchanged among the rows, {metric.label} '
        f"{change} by {loss_in_words(first)}{then}."
    )


def loss_in_words(one: ColumnLoss) -> str:
    """ "0.12 [0.09, 0.15]", at the places that the interval deserves."""
    return with_interval(one, places_for((one.high - one.low) / 2))
