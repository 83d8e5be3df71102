"""What a contest finds out beside its winner: who deserves the credit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fathometer.learners.contract import Learner
from fathometer.trial.contest import Contest, Trial
from fathometer.trial.credit import corners
from fathometer.verdict.credit import credit
from fathometer.verdict.verdict import Verdict


def with_findings(
    verdict: Verdict, contest: Contest, learners: Sequence[Learner], trials: Sequence[Trial]
) -> Verdict:
    """The verdict with the credit of features and learner, where it could be told."""
    found = corners(contest, learners, trials)
    if found is None:
        return verdict
    task, split = contest.task, contest.split
    truth = task.encode(contest.table[task.target])[split.train]
    divided = credit(found, task, truth, seed=split.seed)
    return replace(verdict, credit=divided, sentences=(*verdict.sentences, divided.sentence))
