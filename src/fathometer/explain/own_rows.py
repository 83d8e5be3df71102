"""The importance of a file's columns on labelled rows of the user's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fathometer.errors import ColumnError, OptionError, SourceError
from fathometer.explain.exchange import rows_of
from fathometer.explain.permutation import permutation_importance
from fathometer.modelfile.feeds import feed, feeds_from
from fathometer.modelfile.load import ModelFile
from fathometer.table.kind import ColumnSpec, Kind
from fathometer.table.metric import METRICS, Metric
from fathometer.verdict.bench import Rows
from fathometer.verdict.importance import Importance

if TYPE_CHECKING:
    from fathometer.table.table import Table

SHOWN = 5  # labels in a message
TRUTH_WORDS = {"true": "1", "t": "1", "false": "0", "f": "0"}  # as reading takes them


def importance(
    file: ModelFile,
    rows: Any,
    *,
    target: str | None = None,
    metric: str | None = None,
    group: str | None = None,
    seed: int = 0,
) -> Importance:
    """By how much the file answers worse with the values of each column exchanged among these rows.

    See `explain/permutation` for what is measured. Rows that the file has not learned from tell
    what it needs; those it has learned from, what it fell for as well.

    Args:
        rows: labelled rows: a frame, a path, a `Table`, or a mapping from column to values. Those
            whose label is missing, or none of the file's classes, are left out.
        target: the column that holds the labels; by default the one that the file was taught.
        metric: a name in `METRICS`; by default the one that the file was judged by.
        group: a column whose equal values belong together, for the intervals.
        seed: of the exchanges and the intervals.

    Raises:
        ColumnError: if a column is absent, or no row has a known label.
        OptionError: if the metric is not one for this task.
        TaskError: if it says nothing on these rows, such as ROC AUC of one class.
    """
    chosen = _metric(file, metric)
    number = chosen.kind.value == "regress"
    label = ColumnSpec(target or file.task.target, Kind.NUMBER if number else Kind.CATEGORY)
    beside = [label] if group is None else [label, ColumnSpec(group, Kind.CATEGORY)]
    source = rows if isinstance(rows, Mapping) else _table(rows, file, beside)
    columns = [_values(source, spec) for spec in beside]
    feeds, _ = feeds_from(source, file.columns)
    for spec, values in zip(beside, columns, strict=True):
        counts = {len(values), *map(len, feeds.values())}
        if len(counts) > 1:
            others = ", ".join(f"{count:,}" for count in sorted(counts - {len(values)}))
            raise ColumnError(f'"{spec.name}" has {len(values):,} values, other columns {others}.')
    truth = columns[0].astype(float) if number else _places(columns[0], file.task.classes)
    known = np.flatnonzero(np.isfinite(truth) if number else truth >= 0)
    if not len(known):
        shown = ", ".join(str(each) for each in dict.fromkeys(columns[0].tolist()))[:200]
        expected = "numbers" if number else ", ".join(file.task.classes[:SHOWN])
        raise ColumnError(
            f'no row has a known label in "{label.name}".',
            details=f"found: {shown or 'no rows'}; expected: {expected}",
        )
    groups = None if group is None else _groups(columns[1])[known]
    rows_asked = Rows(truth[known], groups)
    return permutation_importance(file, rows_of(feeds, known), rows_asked, chosen, seed=seed)


def _metric(file: ModelFile, name: str | None) -> Metric:
    fitting = [each.name for each in METRICS.values() if each.kind.value == file.task.kind]
    asked = name or file.task.metric
    if asked not in fitting:
        raise OptionError(
            f'there is no metric "{asked}" for what {file.name} answers.',
            details=f"metrics: {', '.join(fitting)}",
        )
    return METRICS[asked]


def _table(rows: Any, file: ModelFile, beside: list[ColumnSpec]) -> Table:
    """The file's columns and those beside them, read as what they are."""
    from fathometer.table.read import read_as
    from fathometer.table.table import Table

    if isinstance(rows, Table):
        return rows
    own = {spec.name for spec in file.columns}
    reading = read_as(rows, [*file.columns, *(spec for spec in beside if spec.name not in own)])
    if reading.rejected_count:
        raise SourceError(
            f"{reading.rejected_count:,} rows cannot be read, the first because it "
            f"{reading.rejected[0].reason}.",
            try_next="fathom predict, which answers the others",
        )
    return reading.table


def _values(source: Any, spec: ColumnSpec) -> np.ndarray:
    """One column: numbers, or words as class names are written; (rows,)."""
    if isinstance(source, Mapping):
        return np.asarray(feed(source, spec))[:, 0]
    from fathometer.table.task import class_labels

    column = source[spec.name]
    return np.asarray(column.numbers if spec.kind is Kind.NUMBER else class_labels(column))


def _groups(values: np.ndarray) -> np.ndarray:
    """A number for each group; rows without one are each a group of their own."""
    words = np.array([str(each) for each in values])
    codes = np.unique(words, return_inverse=True)[1]
    lost = words == ""
    return np.where(lost, len(words) + np.arange(len(words)), codes)


def _places(labels: np.ndarray, classes: tuple[str, ...]) -> np.ndarray:
    places = {label: place for place, label in enumerate(classes)}
    words = [str(each) for each in labels]
    if classes == ("0", "1"):  # as a column of truth values is taught
        words = [TRUTH_WORDS.get(word.lower(), word) for word in words]
    return np.array([places.get(word, -1) for word in words], dtype=np.int64)
