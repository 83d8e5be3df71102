"""What a contest finds out beside its winner: who deserves the credit, what more rows would change,
and what the winner looks at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fathometer.app.preparation import Options
from fathometer.explain.winner import winner_importance
from fathometer.learners.contract import Learner
from fathometer.table.metric import METRICS
from fathometer.table.table import Table
from fathometer.table.task import Task
from fathometer.table.together import time_values
from fathometer.trial.contest import Contest
from fathometer.trial.credit import corners
from fathometer.trial.curves import CurvePair, learning_curves
from fathometer.trial.encore import names_of
from fathometer.trial.entrants import Effort
from fathometer.trial.raw_entrants import has_pictures, has_prose
from fathometer.trial.side_fit import LeftOut
from fathometer.trial.trial import Trial
from fathometer.verdict.bench import Rows
from fathometer.verdict.credit import credit
from fathometer.verdict.decide import zone_of
from fathometer.verdict.forecast import forecast
from fathometer.verdict.forecast_words import forecast_sentences
from fathometer.verdict.importance import importance_sentence
from fathometer.verdict.verdict import Verdict

# At effort quick, learning curves are drawn where they cost seconds, not minutes.
QUICK_CLASSES = 10
OF_FIRST_FITS = "This is of the first fits, not of the longer ones."


def with_findings(
    verdict: Verdict,
    contest: Contest,
    learners: Sequence[Learner],
    trials: Sequence[Trial],
    options: Options,
) -> Verdict:
    """The verdict with credit, forecast and importance and a sentence of each, or why they are not
    there."""
    winner = next(one.file for one in trials if one.scorecard.name == verdict.winner)
    assert winner is not None  # the verdict chooses among finished contestants
    looks = winner_importance(contest, winner)  # first, since it takes the least time
    found = _with_forecast(_with_credit(verdict, contest, learners, trials), contest, learners,
                           trials, options)  # fmt: skip
    if isinstance(looks, LeftOut):
        return replace(found, no_importance=looks.why)
    sentences = (*found.sentences, importance_sentence(looks))
    return replace(found, importance=looks, sentences=sentences)


def _with_credit(
    verdict: Verdict, contest: Contest, learners: Sequence[Learner], trials: Sequence[Trial]
) -> Verdict:
    longer = (each.learner for fits in contest.longer.values() for each in fits)
    found = corners(contest, (*learners, *longer), trials)
    if found.missing:
        return replace(verdict, no_credit=found.missing)
    groups = None if contest.groups is None else contest.groups[contest.split.train]
    rows = Rows(_learned(contest), groups)
    divided = credit(found.scored, contest.task, rows, seed=contest.split.seed)
    if found.is_of_first_fits:
        divided = replace(divided, sentence=f"{divided.sentence} {OF_FIRST_FITS}")
    return replace(verdict, credit=divided, sentences=(*verdict.sentences, divided.sentence))


def _with_forecast(
    verdict: Verdict,
    contest: Contest,
    learners: Sequence[Learner],
    trials: Sequence[Trial],
    options: Options,
) -> Verdict:
    table, task, split = contest.table, contest.task, contest.split
    # Of the first fits, not of the longer ones: a curve fits its learner again three times.
    times = None if options.time is None else time_values(table, options.time)
    is_short = options.effort is Effort.QUICK and options.minutes is None
    if is_short and not _costs_little(task, table):
        pair = CurvePair(
            missing="at effort quick they are left out for pictures, texts and many classes; "
            "--effort standard or --minutes draws them"
        )
    else:
        pair = learning_curves(contest, learners, trials, times=times)
    metric, truth = METRICS[task.metric], _learned(contest)
    groups = None if contest.groups is None else contest.groups[split.train]
    rows = Rows(truth, groups)
    taught = len((contest.first or split).teaching)
    found = forecast(pair, metric, rows, zone_of(metric, truth), rows=taught, seed=split.seed)
    if found is None:
        return replace(verdict, no_forecast=pair.missing)
    longer = names_of(contest.longer)
    if any(one.scorecard.name in longer and one.file is not None for one in trials):
        found = replace(found, note=OF_FIRST_FITS)
    sentences = (*verdict.sentences, " ".join(forecast_sentences(found)))  # one matter
    return replace(verdict, forecast=found, sentences=sentences)


def _learned(contest: Contest) -> np.ndarray:
    """The training rows' true answers, encoded."""
    truth = contest.task.encode(contest.table[contest.task.target])
    return np.asarray(truth[contest.split.train])


def _costs_little(task: Task, table: Table) -> bool:
    is_raw = has_pictures(table, task) or has_prose(table, task)
    return not is_raw and len(task.classes) <= QUICK_CLASSES
