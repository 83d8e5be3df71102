"""What makes a score look better than it will be: columns that give the answer away, rows that
belong together or follow each other in time, keys taken for features, and repeated rows.

Everything is measured on training rows with one quick booster; of the lockbox only features are
read, to see whether they were learned from. What it finds are suspicions in words: nothing is
changed, and the user decides."""

from __future__ import annotations

import numpy as np

from fathometer.table.split import Split
from fathometer.table.table import Table
from fathometer.table.task import Task
from fathometer.table.together import DIFFERENT_SHARE, group_codes, row_codes
from fathometer.trial.belonging import groups, times
from fathometer.trial.giveaway import keys, too_good
from fathometer.trial.quick import Sample, enough_rows
from fathometer.trial.suspicion import Suspicion

__all__ = ["Suspicion", "investigate"]

FEWEST = 100  # rows to learn, below which any finding would be chance
COPIES = 0.01  # share of repeated rows from which they are mentioned


def investigate(
    table: Table, task: Task, split: Split, *, group: str | None, time: str | None, seed: int = 0
) -> tuple[Suspicion, ...]:
    """Look for what flatters a score, in the training rows alone.

    group, time: what the split was told already; it is then not looked for."""
    training = table.rows(split.train)
    shared = known_rows(table, task, split, group)
    if len(training) < FEWEST:
        return (*shared, *copies(training, task))
    random = np.random.default_rng(seed)
    few = np.sort(random.permutation(len(training))[: enough_rows(training)])
    sample = Sample.of(training.rows(few), task)
    found = [*too_good(sample, seed), *keys(sample)]
    if group is None and time is None:
        # A giveaway answers under any split, and would hide what the split flatters.
        names = [name for each in found for name in (each.column, *each.further) if name]
        honest = training.without(names)
        found += groups(honest, task, random, seed)
        found += times(Sample.of(honest.rows(few), task) if names else sample, seed)
    return (*shared, *found, *copies(training, task))


def known_rows(table: Table, task: Task, split: Split, group: str | None) -> tuple[Suspicion, ...]:
    """How many rows of the lockbox were learned from, or belong with such. A division at random
    leaves none; by time, and a lockbox that was handed in, may. Answers are not looked at."""
    codes = row_codes(table, task)
    lockbox, found = split.lockbox, []
    is_mixed = len(np.unique(codes)) <= DIFFERENT_SHARE * len(codes)
    seen = 0 if is_mixed else int(np.isin(codes[lockbox], codes[split.train]).sum())
    if seen >= max(1, COPIES * len(lockbox)):
        words = (
            f"{seen:,} of {len(lockbox):,} rows of the lockbox have the same features as a row "
            "learned from: scores flatter whoever remembers."
        )
        found.append(Suspicion("duplicates", None, words))
    groups = None if group is None else group_codes(table, group)
    shared = 0 if groups is None else int(np.isin(groups[lockbox], groups[split.train]).sum())
    if shared:
        words = (
            f"{shared:,} of {len(lockbox):,} rows of the lockbox share a {group} with rows learned "
            f"from: this is no test on new ones of {group}."
        )
        found.append(Suspicion("group", group, words))
    return tuple(found)


def copies(training: Table, task: Task) -> tuple[Suspicion, ...]:
    """How many rows repeat the features of another, and how many of those disagree."""
    codes = row_codes(training, task)
    different, first = np.unique(codes, return_index=True)
    repeated = len(codes) - len(different)
    if repeated < COPIES * len(codes) or len(different) <= DIFFERENT_SHARE * len(codes):
        return ()
    truth = task.encode(training[task.target])
    contrary = int((truth != truth[first[codes]]).sum())
    words = (
        f"{repeated:,} of {len(codes):,} rows to learn repeat the features of another row"
        + (f", {contrary:,} of them with another {task.target}" if contrary else "")
        + ": fewer rows than it seems."
    )
    return (Suspicion("duplicates", None, words),)
