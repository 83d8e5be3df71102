"""What stands beside an answer: what holds the truth, and why a row is unlike what was learned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from fathometer.app.wishes import coverage_from
from fathometer.modelfile.load import ModelFile, intervals_of, ranges_of

BETWEEN = " | "  # the classes of a set


@dataclass(frozen=True)
class Beside:
    """Which columns to add to the answers."""

    coverage: float | None = None  # of intervals or sets
    unlike: bool = False


def with_reservations(
    answers: pa.Table,
    beside: Beside,
    model: ModelFile,
    feeds: Mapping[str, np.ndarray],
    scores: np.ndarray,
) -> tuple[pa.Table, tuple[str, ...]]:
    """The answers with the columns that were asked for, and what to say of them.

    Raises:
        ModelFileError: if the file holds none. OptionError: if it does not hold this coverage.
    """
    columns: dict[str, pa.Array] = {}
    notes: list[str] = []
    if beside.coverage is not None:
        coverage = coverage_from(beside.coverage)
        found = intervals_of(model).hold(scores, coverage)
        if model.task.kind == "classify":
            columns["set"] = _sets(found, model.task.classes)
        else:
            columns |= {"low": pa.array(found[:, 0]), "high": pa.array(found[:, 1])}
        notes += coverage_notes(model, coverage)
    if beside.unlike:
        reasons = ranges_of(model).reasons(feeds)
        columns["unlike"] = pa.array(reasons)
        count = sum(reason != "" for reason in reasons)
        notes.append(
            f"{count:,} of {len(reasons):,} rows are unlike the rows that were learned from; the "
            'column "unlike" says in which columns. About 1 % of rows like them would be, too'
        )
    for name, values in columns.items():
        answers = answers.append_column(free_name(name, answers.column_names), values)
    return answers, tuple(notes)


def coverage_notes(model: ModelFile, coverage: float) -> Iterator[str]:
    """What the coverage rests on, and what the lockbox said of it."""
    if model.intervals is None:
        return
    what = "sets" if model.task.kind == "classify" else "intervals"
    yield (
        f"{what} of {coverage:g}, calibrated on {model.intervals.rows:,} out-of-fold answers; it "
        "holds for rows like those"
    )
    if model.intervals.checked is not None:
        stated, held, low, high = model.intervals.checked
        yield (
            f"on unseen rows {what} of {stated:g} held the truth in {held:.3f} [{low:.3f}, "
            f"{high:.3f}]"
        )


def _sets(found: np.ndarray, classes: tuple[str, ...]) -> pa.Array:
    names = np.array(classes, dtype=object)
    return pa.array([BETWEEN.join(names[row]) for row in found], type=pa.string())


def free_name(name: str, taken: Sequence[str]) -> str:
    """The name, with underscores after it until no column is called so."""
    return free_name(name + "_", taken) if name in taken else name
