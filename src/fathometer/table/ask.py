"""The question: which task a target column asks, and why, in words.

Strings and truth values are classes. Whole numbers may be either: labels (land cover 1 to 7) or
quantities (a rating from 3 to 9); `_are_labels` tells them apart by how often each value occurs.
What is learned from is not known here."""

from __future__ import annotations

import difflib
import shlex
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fathometer.errors import ColumnError, TaskError
from fathometer.table.kind import Kind
from fathometer.table.metric import METRICS, default_metric
from fathometer.table.table import Column, Table, no_such_column
from fathometer.table.task import Task, TaskKind, class_labels

MOST_CLASSES = 1_000
MOSTLY_DIFFERENT = 0.5  # share of different values from which a text is no class
# Of k labels in random order, 2^(k-1)/k! rise and then fall as a quantity does: 1 in 3 for four of
# them, 1 in 8 for five. So the shape says nothing below five.
FEW_VALUES = 4
SOME_VALUES = 20  # more whole numbers are a quantity, unless all are about equally frequent
MANY_VALUES = 50
ROWS_A_VALUE = 5  # on average; with fewer, a whole number is a quantity
EVEN = 1.5  # the commonest class of digit and letter tables has at most 1.25 × the rarest's rows
ROUGH = 0.01  # share of rows by which frequencies must leave a rise and fall to be labels
SKEWED = 1.0  # skewness above 1 is commonly called high (Bulmer, Principles of Statistics, 1979)


def ask(
    table: Table, target: str, *, metric: str | None = None, kind: TaskKind | None = None
) -> Task:
    """Understand what is asked of the target column.

    kind: the task where the user says it; otherwise the values decide. metric: a name in `METRICS`;
    otherwise the usual one of the task.

    Raises:
        ColumnError: there is no such column.
        TaskError: the column cannot be predicted, or the metric does not score such a task.
    """
    column = _column(table, target)
    _refuse_empty(column, len(table))
    if kind is None:
        kind = _understand(column)
    elif kind in (TaskKind.CLUSTER, TaskKind.TRANSLATE):
        raise TaskError(
            f"No learner answers a {kind.value} task yet; it must be classify or regress."
        )
    task = _classify(column) if kind is TaskKind.CLASSIFY else _regress(column)
    return _with_metric(task, metric)


def answerable(table: Table, task: Task) -> tuple[Table, int]:
    """The rows whose target is known, and how many others were dropped."""
    known = _known(table[task.target])
    dropped = int((~known).sum())
    return (table.rows(np.flatnonzero(known)), dropped) if dropped else (table, 0)


def _column(table: Table, target: str) -> Column:
    if target in table:
        return table[target]
    names = [column.name for column in table]
    error = no_such_column(target, names, table.name)
    near = difflib.get_close_matches(target, names, n=1, cutoff=0.5)
    raise ColumnError(
        error.message,
        details=error.details,
        try_next=f"--target {_quoted(near[0])}" if near else "",
    )


def _quoted(name: str) -> str:
    return shlex.quote(name)


def _is_written_whole(column: Column) -> bool:
    first = column.strings[_known(column)][0]
    return bool(first.removeprefix("-").isdecimal())


def _known(column: Column) -> np.ndarray:
    """(rows,) bool: whether there is a finite number or a text that is not empty."""
    if column.kind in (Kind.NUMBER, Kind.BOOLEAN, Kind.DATE):
        return np.asarray(np.isfinite(column.numbers))
    if column.kind is Kind.IMAGE:
        return np.asarray(column.values.is_valid().to_numpy(zero_copy_only=False))
    known = pc.fill_null(pc.not_equal(column.values, ""), False)
    return np.asarray(known.to_numpy(zero_copy_only=False))


def _refuse_empty(column: Column, rows: int) -> None:
    if not _known(column).any():
        raise TaskError(
            f'The target "{column.name}" has no value in any of {rows:,} rows, so there is nothing '
            "to learn from.",
            try_next="--target COLUMN",
        )


def _understand(column: Column) -> TaskKind:
    """The task that the column's kind, or else its values, speak for.

    Raises: TaskError for a column that names its rows, is constant, a date or a free text."""
    name = _quoted(column.name)
    if column.kind is Kind.IMAGE:
        raise TaskError(
            f'The target "{column.name}" holds pictures, and pictures are not predicted.',
            details="the column of what they show can be",
            try_next="--target COLUMN",
        )
    if column.kind is Kind.NUMBER:
        # Whoever declares a column a number has decided already.
        declared = column.reason.startswith("declared")
        return TaskKind.REGRESS if declared or not _are_labels(column) else TaskKind.CLASSIFY
    if column.kind is Kind.IDENTIFIER:
        raise TaskError(
            f'The target "{column.name}" names its rows ({column.reason or "all values differ"}), '
            "so nothing can be learned about it.",
            details="if it is a quantity or a class after all, declare it number or category",
            try_next=f"--kind {name}={'number' if _is_written_whole(column) else 'category'}",
        )
    if column.kind is Kind.DATE:
        raise TaskError(
            f'The target "{column.name}" is a date, and dates are not predicted; a number of days '
            "from some day would be.",
            try_next="--target COLUMN",
        )
    if column.kind is Kind.TEXT:
        _refuse_free_text(column)
    return TaskKind.CLASSIFY


def _refuse_free_text(column: Column) -> None:
    texts = column.strings[_known(column)]
    different = len(set(texts))
    if different > MOSTLY_DIFFERENT * len(texts):
        raise TaskError(
            f'The target "{column.name}" is free text: {different:,} different of {len(texts):,}. '
            "Texts are not written here, only sorted into classes.",
            details="if each text is the name of a class, declare it",
            try_next=f"--kind {_quoted(column.name)}=category",
        )


def _are_labels(column: Column) -> bool:
    """Whether numbers are names of classes rather than quantities.

    Two values are classes. Up to four whole numbers are, if each is repeated. Beyond, whole numbers
    without large gaps are, if their frequencies do not rise and then fall over the values, as those
    of a quantity do, or if all are about equally frequent."""
    numbers = column.numbers[_known(column)]
    values, counts = np.unique(numbers, return_counts=True)
    if len(values) == 2:
        return True
    repeated = len(numbers) >= ROWS_A_VALUE * len(values)
    if (values != np.floor(values)).any() or len(values) > MANY_VALUES or not repeated:
        return False
    if len(values) <= FEW_VALUES:
        return True
    starts_as_labels = values[0] >= 0 and values[-1] - values[0] < 2 * len(values)
    is_even = counts.max() <= EVEN * counts.min()
    if len(values) > SOME_VALUES:
        return bool(is_even and values[0] <= 1 and starts_as_labels)
    return bool(starts_as_labels and (is_even or not _rises_and_falls(counts)))


def _rises_and_falls(counts: np.ndarray) -> bool:
    """Whether frequencies (values,) rise to one value and fall after it, but for noise.

    Noise is a χ² of less than 3 a value against the nearest rise and fall (isotonic regression on
    each side of the mode), or a distance to it of less than 1 % of the rows."""
    from scipy.optimize import isotonic_regression

    top = int(counts.argmax())
    rise = isotonic_regression(counts[: top + 1].astype(float)).x
    fall = isotonic_regression(counts[top:].astype(float), increasing=False).x
    gap = counts - np.concatenate([rise, fall[1:]])
    is_noise = (gap**2 / np.maximum(1.0, counts - gap)).sum() < 3 * len(counts)
    return bool(is_noise or np.abs(gap).sum() < ROUGH * counts.sum())


def _classify(column: Column) -> Task:
    """The classification of a column's values.

    Raises: TaskError for one class, or for more than a thousand."""
    found = pc.value_counts(column.values.filter(pa.array(_known(column))))
    labels = class_labels(replace(column, values=found.field("values")))
    names, place = np.unique(labels.astype(str), return_inverse=True)
    # Arrow tells 0.0 and -0.0 apart, which have one name.
    counts = np.bincount(place, weights=found.field("counts").to_numpy()).astype(np.int64)
    _refuse_number_of_classes(column, len(names), str(names[0]))
    is_whole = all(name.removeprefix("-").isdecimal() for name in names)
    order = np.argsort([int(name) for name in names]) if is_whole else np.arange(len(names))
    classes, counts = tuple(str(name) for name in names[order]), counts[order]
    is_number = column.kind in (Kind.NUMBER, Kind.BOOLEAN)
    reason = _class_words(column, classes, counts)
    return Task(TaskKind.CLASSIFY, column.name, "", classes, is_whole and is_number, reason)


def _refuse_number_of_classes(column: Column, count: int, first: str) -> None:
    name = _quoted(column.name)
    if count == 1:
        raise TaskError(
            f'The target "{column.name}" has one value only, "{first[:40]}", so there is nothing '
            "to tell apart.",
            try_next="--target COLUMN",
        )
    if count > MOST_CLASSES:
        raise TaskError(
            f'The target "{column.name}" has {count:,} different values; at most {MOST_CLASSES:,} '
            "classes can be told apart.",
            details="if they are quantities, declare the column a number",
            try_next=f"--kind {name}=number",
        )


def _class_words(column: Column, classes: tuple[str, ...], counts: np.ndarray) -> str:
    if len(classes) == 2:
        return f"two values, {_short(classes[0])} and {_short(classes[1])} → binary classification"
    is_number = column.kind is Kind.NUMBER
    noun = "whole numbers" if is_number else "values"
    words = f"{len(classes):,} {noun}, {_short(classes[0])} to {_short(classes[-1])}"
    if is_number and len(classes) > FEW_VALUES:
        is_even = counts.max() <= EVEN * counts.min()
        words += ", about equally frequent" if is_even else ", frequent in no order"
    words += f" → {len(classes):,} classes"
    overrule = f" (--kind {_quoted(column.name)}=number to predict a number)"
    return words + (overrule if is_number else "")


def _short(name: str) -> str:
    return name if len(name) <= 20 else name[:19] + "…"


def _regress(column: Column) -> Task:
    """The regression of a column's numbers.

    Raises: TaskError where they are no numbers, or all the same."""
    if column.kind is not Kind.NUMBER:
        raise TaskError(
            f'The target "{column.name}" is a {column.kind.value} column; only numbers can be '
            "regressed.",
            try_next=f"--kind {_quoted(column.name)}=number",
        )
    numbers = column.numbers[_known(column)]
    values = np.unique(numbers)
    _refuse_number_of_classes(column, min(2, len(values)), f"{values[0]:g}")
    ends = f"{_shown(values[0])} to {_shown(values[-1])}"
    words = f"{len(values):,} different numbers from {ends} → regression"
    may_be_classes = len(values) <= MANY_VALUES and bool((values == np.floor(values)).all())
    hints = [f"--kind {_quoted(column.name)}=category for classes"] if may_be_classes else []
    if values[0] >= 0 and _skewness(numbers) > SKEWED:
        hints.append("skewed: consider --metric rmsle")
    if hints:
        words += f" ({'; '.join(hints)})"
    return Task(TaskKind.REGRESS, column.name, "", reason=words)


def _shown(number: float) -> str:
    is_whole = number.is_integer() and abs(number) < 1e15
    return f"{int(number):,}" if is_whole else f"{number:,.4g}"


def _skewness(numbers: np.ndarray) -> float:
    """Third standardised moment; 0 for a symmetric distribution."""
    centred = numbers - numbers.mean()
    spread = float(np.sqrt(np.mean(centred**2)))
    return float(np.mean((centred / spread) ** 3)) if spread else 0.0


def _with_metric(task: Task, metric: str | None) -> Task:
    chosen = metric or default_metric(task.kind, len(task.classes))
    if chosen not in METRICS or METRICS[chosen].kind is not task.kind:
        fitting = [each.name for each in METRICS.values() if each.kind is task.kind]
        raise TaskError(
            f'No metric "{chosen}" scores a {task.kind.value} task; there are {", ".join(fitting)}.'
            if chosen not in METRICS
            else f'The metric "{chosen}" scores {METRICS[chosen].kind.value} tasks, and predicting '
            f'"{task.target}" is a {task.kind.value} task; for it there are {", ".join(fitting)}.',
            details=f"understood: {task.reason}",
            try_next=f"--metric {(difflib.get_close_matches(chosen, fitting, n=1) or fitting)[0]}",
        )
    return replace(task, metric=chosen)
