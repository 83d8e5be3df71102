"""Everything that a reader of the verdict should doubt, gathered once the contest is over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from fathometer.table.metric import METRICS
from fathometer.table.task import TaskKind
from fathometer.trial.best import best_trial
from fathometer.trial.noise import find_noise
from fathometer.trial.shift import find_shift
from fathometer.trial.slips import find_slips
from fathometer.trial.trial import Trial
from fathometer.verdict.verdict import Verdict
from fathometer.wording import listed

if TYPE_CHECKING:
    from fathometer.app.preparation import Options, Understanding

FEWEST_OF_A_CLASS = 10  # unseen rows: with fewer, a share is known within 30 points at best
FEWEST_ROWS = 100  # in the lockbox
NAMED = 3


def doubts(
    verdict: Verdict, trials: Sequence[Trial], understanding: Understanding, options: Options
) -> tuple[str, ...]:
    """Warnings, the gravest first."""
    named = {trial.scorecard.name: trial for trial in trials}
    winner = named[verdict.winner]
    return (
        *(doubt.words for doubt in understanding.suspicions),
        *_shifted(understanding, options),
        *_noisy(_best(trials, verdict, winner), understanding),
        *_slipped(trials, understanding),
        *_unequal(verdict, named),
        *_shortened(trials),
        *_uncovered(winner),
        *_seen_before(verdict, winner, understanding),
        *_small(understanding),
    )


def _best(trials: Sequence[Trial], verdict: Verdict, winner: Trial) -> Trial:
    """The best contestant out of fold, who tells most of the labels."""
    named = {trial.scorecard.name: trial for trial in trials}
    return named[verdict.rivals[0]] if verdict.rivals else winner


def _shifted(understanding: Understanding, options: Options) -> Iterator[str]:
    """Rows divided at random are alike; only others are compared."""
    if options.group is None and options.time is None and options.test is None:
        return
    table, task, split = understanding.table, understanding.task, understanding.split
    divided_by = [name for name in (options.time, options.group) if name and name in table]
    shift = find_shift(table, task, split, without=divided_by, seed=split.seed)
    if shift is not None and shift.words:
        yield shift.words


def _noisy(best: Trial, understanding: Understanding) -> Iterator[str]:
    task, split = understanding.task, understanding.split
    if task.kind is not TaskKind.CLASSIFY or best.out_of_fold is None:
        return
    truth = task.encode(understanding.table[task.target])[split.train]
    noise = find_noise(truth, best.out_of_fold)
    if noise is not None:
        yield noise.words


def _slipped(trials: Sequence[Trial], understanding: Understanding) -> Iterator[str]:
    """Values of a numeric target that the best of both families take for wrong."""
    task, split = understanding.task, understanding.split
    if task.kind is not TaskKind.REGRESS:
        return
    best = [best_trial(trials, METRICS[task.metric], side) for side in ("traditional", "deep")]
    answers = [one.out_of_fold[:, 0] for one in best if one and one.out_of_fold is not None]
    if len(answers) < len(best):
        return
    truth = task.encode(understanding.table[task.target])[split.train]
    slips = find_slips(truth, answers)
    if slips is not None:
        row = int(split.train[slips.row])
        is_numbered = understanding.dropped_rows == 0
        yield replace(slips, row=row).words(task.target, is_numbered=is_numbered)


def _unequal(verdict: Verdict, named: Mapping[str, Trial]) -> Iterator[str]:
    """Families whose best learned from unlike numbers of rows, as longer fits do."""
    if verdict.gap is None:
        return
    pair = [named[name].scorecard for name in (verdict.gap.traditional, verdict.gap.deep)]
    few, many = sorted(pair, key=lambda card: card.learned_rows or 0)
    if few.learned_rows and many.learned_rows and few.learned_rows < many.learned_rows:
        yield (
            f"{many.name} learned from {many.learned_rows:,} rows, {few.name} from "
            f"{few.learned_rows:,}: a part of their difference may be the rows, not the methods. "
            "With --effort instead of --minutes all learn from the same."
        )


def _shortened(trials: Sequence[Trial]) -> Iterator[str]:
    """Those whose training was cut short, who might have answered better."""
    names = [one.scorecard.name for one in trials if one.scorecard.is_shortened and one.file]
    if names:
        more = [f"{len(names) - NAMED} more"] if len(names) > NAMED else []
        whose = listed([*names[:NAMED], *more])
        yield f"not all steps of {whose} were taken, for want of time: more may answer better."


def _uncovered(winner: Trial) -> Iterator[str]:
    """Intervals that held the truth less often than they state."""
    found = winner.scorecard.coverage
    if found is not None and found.high < found.stated:
        yield (
            f"intervals of {winner.scorecard.name} that state {found.stated:g} held the truth in "
            f"{found.held:.2f} [{found.low:.2f}, {found.high:.2f}] of the unseen rows: too narrow "
            "for rows like these."
        )


def _seen_before(verdict: Verdict, winner: Trial, understanding: Understanding) -> Iterator[str]:
    """What was trained elsewhere may know the rows that it is judged on, alone or in a mixture."""
    card = winner.scorecard
    mixed = card.chosen.split(" + ") if card.family == "both" else []
    parts = [part.split("% ", 1)[-1] for part in mixed]
    best = (verdict.winner, *parts, verdict.gap.deep if verdict.gap is not None else "")
    for name in understanding.trained_elsewhere:
        if name in best:
            yield (
                f"{name} was trained elsewhere: if the rows of {understanding.table.name} are "
                "public, it may have seen them, and its score flatters."
            )


def _small(understanding: Understanding) -> Iterator[str]:
    """Classes, or a lockbox, too small to judge."""
    task, split = understanding.task, understanding.split
    rows = len(split.lockbox)
    if rows < FEWEST_ROWS:
        yield (
            f"the lockbox has {rows:,} rows; below about {FEWEST_ROWS} only large differences show."
        )
    if task.kind is not TaskKind.CLASSIFY:
        return
    truth = task.encode(understanding.table[task.target])[split.lockbox]
    counts = np.bincount(truth, minlength=len(task.classes))
    small = [
        place for place in np.argsort(counts, kind="stable") if counts[place] < FEWEST_OF_A_CLASS
    ]
    if small:
        listed = ", ".join(f"{task.classes[place]} ({counts[place]})" for place in small[:NAMED])
        more = f" and {len(small) - NAMED} more" if len(small) > NAMED else ""
        one = "one class" if len(small) == 1 else f"{len(small)} classes"
        them = "by itself" if len(small) == 1 else "by themselves"
        yield f"too few unseen rows to judge {one} {them}: {listed}{more}."
