"""Dividing rows, once: those that teach, in folds, and those in the lockbox that judge.

Rows that belong together (the same features, or the same group) stay on one side; with a time
column the past teaches and the future judges. Nothing is known here of what learns from them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fathometer.errors import SplitError
from fathometer.table.split import Split
from fathometer.table.table import Table
from fathometer.table.task import Task, TaskKind
from fathometer.table.together import (
    DIFFERENT_SHARE,
    connected,
    group_codes,
    row_codes,
    time_values,
)

LOCKBOX_SHARE = 0.2
# The standard error of an accuracy of 0.9 on 20,000 rows is 0.002: more rows serve better to learn.
LOCKBOX_ROWS = 20_000
FEWEST_ROWS = 10
TARGET_BINS = 10  # strata of a number to predict, equally many rows in each
ROWS_A_BIN = 20
LARGE_UNIT = 0.05  # of the smallest part's rows: so large a unit is placed by itself


@dataclass(frozen=True)
class DivideOptions:
    """How to divide; the names are column names.

    `group`: rows that share its value stay on one side. `time`: its past teaches, its future
    judges. `max_train`: at most so many rows to learn from."""

    folds: int = 5
    group: str | None = None
    time: str | None = None
    max_train: int | None = None


def divide(
    table: Table,
    task: Task,
    options: DivideOptions = DivideOptions(),
    *,
    seed: int = 0,
    lockbox_rows: np.ndarray | None = None,
) -> Split:
    """Divide the rows, the same for the same table, options and seed.

    Every row of the table must have a target (`ask.answerable`). lockbox_rows: the row numbers of a
    lockbox of the user's own, else 20 % of the rows and at most 20,000 are drawn, stratified.

    Raises:
        ColumnError: there is no such group or time column.
        SplitError: too few rows or groups, or a time column that cannot be ordered.
    """
    _refuse_too_few(table, lockbox_rows)
    if options.group and options.time:
        raise SplitError(
            f'Rows were to be divided by the time "{options.time}" and by the group '
            f'"{options.group}" at once, which contradict each other where a group goes on.',
            details="give --time or --group, not both",
        )
    rows = _look_at(table, task, options, np.random.default_rng(seed))
    learn, lockbox = _part(rows, lockbox_rows)
    train = _capped(rows, learn)
    folds = _folds(rows, train)
    return Split(
        train, lockbox, folds, seed, _how(rows, (learn, train, lockbox), folds, lockbox_rows)
    )


@dataclass(frozen=True, eq=False)
class _Rows:
    """What is known of each row before it gets its place; all arrays are (rows,)."""

    task: Task
    options: DivideOptions
    random: np.random.Generator
    truth: np.ndarray  # class places or values
    copies: np.ndarray  # equal for rows with the same features
    times: np.ndarray | None
    groups: np.ndarray | None

    @property
    def repeated(self) -> int:
        """How many rows repeat the features of an earlier one."""
        return len(self.copies) - int(self.copies.max()) - 1

    @property
    def keeps_copies(self) -> bool:
        """Whether rows with the same features stay together; time goes before it."""
        different = len(self.copies) - self.repeated
        return self.times is None and different > DIFFERENT_SHARE * len(self.copies)

    @cached_property
    def units(self) -> np.ndarray:
        """Which rows must stay together, int64 numbers from 0."""
        if self.groups is None:
            return self.copies if self.keeps_copies else np.arange(len(self.copies))
        return connected(self.groups, self.copies) if self.keeps_copies else self.groups

    def strata(self, rows: np.ndarray, bins: int) -> np.ndarray:
        """The class of each of these rows, or the part of the target's range it lies in."""
        if self.task.kind is TaskKind.CLASSIFY:
            return np.asarray(self.truth[rows])
        ranks = np.argsort(np.argsort(self.truth[rows], kind="stable"), kind="stable")
        return np.asarray(ranks * bins // max(1, len(rows)))


def _look_at(
    table: Table, task: Task, options: DivideOptions, random: np.random.Generator
) -> _Rows:
    truth = task.encode(table[task.target])
    _refuse_unanswered(truth, task)
    return _Rows(
        task,
        options,
        random,
        truth=truth,
        copies=row_codes(table, task),
        times=None if options.time is None else time_values(table, options.time),
        groups=None if options.group is None else group_codes(table, options.group),
    )


def _refuse_unanswered(truth: np.ndarray, task: Task) -> None:
    unknown = int((truth < 0).sum() if task.kind is TaskKind.CLASSIFY else np.isnan(truth).sum())
    if unknown:
        raise SplitError(
            f'{unknown:,} of {len(truth):,} rows have no value of the target "{task.target}" that '
            "can be learned or judged; they must be dropped first.",
            details="fathometer.table.ask.answerable(table, task) drops them",
        )


def _refuse_too_few(table: Table, lockbox_rows: np.ndarray | None) -> None:
    learn = len(table) - (0 if lockbox_rows is None else len(lockbox_rows))
    if learn < FEWEST_ROWS:
        raise SplitError(
            f"{table.name} has {learn:,} rows with a target to learn from; at least {FEWEST_ROWS} "
            "are needed to hold some back and to compare on them.",
        )


def _part(rows: _Rows, lockbox_rows: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers to learn from and of the lockbox, ascending.

    Raises: SplitError where all rows belong together."""
    count = len(rows.truth)
    if lockbox_rows is not None:
        lockbox = np.unique(np.asarray(lockbox_rows, dtype=np.int64))
        return np.setdiff1d(np.arange(count), lockbox, assume_unique=True), lockbox
    share = min(LOCKBOX_SHARE, LOCKBOX_ROWS / count)
    if rows.times is not None:
        late = rows.times >= cut_moments(rows.times, [1 - share])[0]
        return np.flatnonzero(~late), np.flatnonzero(late)
    if rows.units.max() == 0:
        raise _all_linked(rows)
    place = _places(rows, np.arange(count), np.array([share, 1 - share]))
    if not (place == 0).any():  # a few large units, of which none fits
        place[rows.units == np.bincount(rows.units).argmin()] = 0
    if rows.groups is not None:
        _fill_up(place, rows)
    return np.flatnonzero(place == 1), np.flatnonzero(place == 0)


def _fill_up(place: np.ndarray, rows: _Rows) -> None:
    """Let at least two groups judge, the smallest ones, where two units stay to learn from: of one
    nobody can tell how much another would differ."""
    assert rows.groups is not None
    while len(np.unique(rows.groups[place == 0])) < 2:
        units, sizes = np.unique(rows.units[place == 1], return_counts=True)
        if len(units) < 3:
            return
        place[rows.units == units[sizes.argmin()]] = 0


def _all_linked(rows: _Rows) -> SplitError:
    """The error where no row can judge what another one teaches."""
    different = len(rows.copies) - rows.repeated
    return SplitError(
        f'Every "{rows.options.group}" shares a row with the same features with another one, and '
        "so all are linked: no row could be judged on without its like among those learned from.",
        details=f"{len(rows.copies):,} rows, {different:,} of them different; divide without "
        "--group, or keep a column that tells the rows apart",
    )


def cut_moments(times: np.ndarray, shares: list[float]) -> np.ndarray:
    """The moments at which parts begin, so that about these shares of the rows come before.

    No moment is the first, and equal times are never parted, so there may be fewer."""
    moments, counts = np.unique(times, return_counts=True)
    if len(moments) < 2:
        return np.zeros(0)
    before = np.cumsum(counts)[:-1]  # rows before moments[1:]
    wanted = np.array(shares) * len(times)
    nearest = np.abs(before[None, :] - wanted[:, None]).argmin(axis=1)
    return np.asarray(moments[1:][np.unique(nearest)])


def _places(rows: _Rows, chosen: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Deal these rows to parts of these shares (parts,), stratified, units whole.

    Returns: (chosen,) the part of each row."""
    units, first, sizes = np.unique(rows.units[chosen], return_index=True, return_counts=True)
    of_unit = np.searchsorted(units, rows.units[chosen])
    strata = _unit_strata(rows, chosen, of_unit, first)
    place = np.empty(len(units), dtype=np.int64)
    order = rows.random.permutation(len(units))
    order = order[np.argsort(strata[order], kind="stable")]
    for members in np.split(order, np.flatnonzero(np.diff(strata[order])) + 1):
        place[members] = _deal(sizes[members], shares, rows.random)
    return np.asarray(place[of_unit])


def _unit_strata(
    rows: _Rows, chosen: np.ndarray, of_unit: np.ndarray, first: np.ndarray
) -> np.ndarray:
    """(units,) the rarest class in each unit, so that rare classes are spread, or its part of the
    target's range."""
    bins = int(np.clip(len(first) // ROWS_A_BIN, 1, TARGET_BINS))
    strata = rows.strata(chosen, bins)
    if len(first) == len(chosen) or rows.task.kind is not TaskKind.CLASSIFY:
        return np.asarray(strata[first])
    rarest_first = np.argsort(np.bincount(strata), kind="stable")
    rank = np.argsort(rarest_first, kind="stable")[strata]
    lowest = np.full(len(first), len(rarest_first), dtype=np.int64)
    np.minimum.at(lowest, of_unit, rank)
    return np.asarray(rarest_first[lowest])


def _deal(sizes: np.ndarray, shares: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Deal units in this order to parts of these shares → (units,) part.

    Large units go one by one, by chance, to a part that has room for them; the small ones then fill
    the parts up, laid end to end."""
    turned = random.permutation(len(shares))  # else the first part would get every odd row
    room = shares[turned] * sizes.sum()
    place = np.empty(len(sizes), dtype=np.int64)
    is_large = sizes > max(1.0, LARGE_UNIT * room.min())
    for unit in np.flatnonzero(is_large):
        fits = np.where(room >= sizes[unit], room, 0.0)
        place[unit] = random.choice(len(room), p=fits / fits.sum()) if fits.any() else room.argmax()
        room[place[unit]] -= sizes[unit]
    small = sizes[~is_large]
    room = np.maximum(room, 0.0)
    ends = np.cumsum(room * small.sum() / max(room.sum(), 1e-9))
    middles = np.cumsum(small) - small / 2
    place[~is_large] = np.minimum(np.searchsorted(ends, middles), len(room) - 1)
    return np.asarray(turned[place])


def _capped(rows: _Rows, learn: np.ndarray) -> np.ndarray:
    """At most `max_train` of these rows: the latest, or a stratified draw that keeps a few rows of
    every class."""
    limit = rows.options.max_train
    if limit is None or limit >= len(learn):
        return learn
    if rows.times is not None:
        latest = np.argsort(rows.times[learn], kind="stable")[-limit:]
        return np.sort(learn[latest])
    mixed = rows.random.permutation(learn)
    strata = rows.strata(mixed, TARGET_BINS)
    order = np.argsort(strata, kind="stable")
    counts = np.bincount(strata)
    rank = np.empty(len(mixed), dtype=np.int64)
    rank[order] = np.arange(len(mixed)) - np.repeat(np.cumsum(counts) - counts, counts)
    urgency = np.where(rank < rows.options.folds, -1.0, rank / counts[strata])
    return np.sort(mixed[np.argsort(urgency, kind="stable")[:limit]])


def _folds(rows: _Rows, train: np.ndarray) -> tuple[np.ndarray, ...]:
    """The rows that each fold validates, ascending; fewer folds for few rows or units.

    Raises: SplitError where there are not two parts to make."""
    count = max(2, min(rows.options.folds, len(train) // 2))
    if rows.times is not None:
        starts = cut_moments(rows.times[train], [k / count for k in range(1, count)])
        place = np.searchsorted(starts, rows.times[train], side="right")
    else:
        count = min(count, len(np.unique(rows.units[train])))
        place = _places(rows, train, np.full(count, 1 / count))
    folds = [train[place == fold] for fold in range(int(place.max()) + 1)]
    folds = [fold for fold in folds if len(fold)]
    if len(folds) < 2:
        raise SplitError(
            f"The {len(train):,} rows to learn from all belong together, by features, group or "
            "time, and cannot be divided into folds.",
            details="name another column for --group or --time, or none",
        )
    return tuple(folds)


def _how(
    rows: _Rows,
    parts: tuple[np.ndarray, np.ndarray, np.ndarray],
    folds: tuple[np.ndarray, ...],
    lockbox_rows: np.ndarray | None,
) -> str:
    """The division in words, with what is unusual about it."""
    learn, train, lockbox = parts
    words = [f"{len(folds)} folds", *_order_words(rows)]
    if len(train) < len(learn):
        drawn = "the latest" if rows.times is not None else "drawn"
        words.append(f"{len(train):,} of {len(learn):,} rows to learn, {drawn}")
    if lockbox_rows is not None:
        words += ["lockbox as given", *_shared_words(rows, train, lockbox)]
    elif LOCKBOX_SHARE * len(rows.truth) > LOCKBOX_ROWS:
        words.append(f"lockbox capped at {LOCKBOX_ROWS:,} rows")
    if rows.task.kind is TaskKind.CLASSIFY:
        counts = np.bincount(rows.truth[lockbox], minlength=len(rows.task.classes))
        unseen = int((counts == 0).sum())
        if unseen:
            words.append(
                f"{unseen:,} rare {'class' if unseen == 1 else 'classes'} not in the lockbox"
            )
    return ", ".join(words)


def _order_words(rows: _Rows) -> list[str]:
    if rows.options.time is not None:
        assert rows.times is not None
        lost = int(np.isneginf(rows.times).sum())
        unknown = [f"{lost:,} rows without a time taken as the oldest"] if lost else []
        return [f"blocks of {rows.options.time}, the latest judge", *unknown]
    words = ["stratified"]
    if rows.options.group is not None:
        words.append(f"each {rows.options.group} on one side")
    if rows.repeated and rows.keeps_copies:
        words.append(f"{rows.repeated:,} repeated rows beside their originals")
    elif rows.repeated:
        words.append("repeated rows not kept together, for nearly all are")
    return words


def _shared_words(rows: _Rows, train: np.ndarray, lockbox: np.ndarray) -> list[str]:
    words = []
    copied = int(np.isin(rows.copies[train], rows.copies[lockbox]).sum())
    if copied:
        words.append(f"{copied:,} rows to learn also occur in it")
    if rows.groups is not None:
        shared = int(np.isin(rows.groups[train], rows.groups[lockbox]).sum())
        words += (
            [f"{shared:,} rows to learn share a {rows.options.group} with it"] if shared else []
        )
    return words
