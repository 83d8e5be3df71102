"""What the winner of a contest looks at, on rows of its lockbox.

The lockbox judges each contestant once. Here it judges nobody: the verdict has been said, nothing
is chosen, fitted or ranked by what is found, which only describes the one file that has won."""

from __future__ import annotations

import time
from dataclasses import replace

from fathometer.errors import OutOfTimeError, TaskError
from fathometer.explain.permutation import drawn_rows, permutation_importance
from fathometer.learners.contract import Budget, Progress
from fathometer.modelfile.feeds import feeds_from
from fathometer.modelfile.load import ModelFile
from fathometer.table.metric import METRICS
from fathometer.trial.contest import Contest
from fathometer.trial.event import Event
from fathometer.trial.side_fit import LeftOut
from fathometer.verdict.bench import Rows
from fathometer.verdict.importance import Importance

LOOKS = "what the winner looks at"
TIME_SHARE = 0.15  # of --minutes' rest; credit and learning curves are fits, and come after


def winner_importance(contest: Contest, file: ModelFile) -> Importance | LeftOut:
    """The importance of the winner's columns within the contest's time, or why it is left out."""
    table, task, split = contest.table, contest.task, contest.split
    if contest.terms.stopped():
        return LeftOut("the run was stopped")
    if not file.columns:
        return LeftOut(f"{file.name} takes no columns")

    def report(progress: Progress) -> None:
        contest.watch(Event("progress", LOOKS, "both", progress.done))

    now, deadline = time.monotonic(), contest.terms.deadline
    if deadline is not None:
        deadline = now + TIME_SHARE * (deadline - now)
    budget = Budget(deadline, report, contest.terms.stopped)
    names = {spec.name for spec in file.columns}
    columns = tuple(column for column in table if column.name in names)
    metric, truth = METRICS[task.metric], task.encode(table[task.target])
    # Drawn before they are taken: the pictures of a whole lockbox may be gigabytes.
    places = drawn_rows(file, truth[split.lockbox], metric, seed=split.seed)
    drawn = split.lockbox[places]
    rows = Rows(truth[drawn], None if contest.groups is None else contest.groups[drawn])
    try:
        feeds, _ = feeds_from(replace(table, columns=columns).rows(drawn), file.columns)
        found = permutation_importance(file, feeds, rows, metric, seed=split.seed, budget=budget)
    except TaskError as error:
        return LeftOut(error.message.rstrip("."))
    except OutOfTimeError:
        stopped = contest.terms.stopped()
        return LeftOut("the run was stopped" if stopped else "the time did not suffice")
    finally:
        file.release()
    contest.watch(Event("progress", LOOKS, "both", 1.0))
    return found
