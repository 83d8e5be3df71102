"""Who is best: by out-of-fold score, so before the lockbox is opened; equals by name."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fathometer.table.metric import Metric
from fathometer.trial.scorecard import Scorecard
from fathometer.trial.trial import Trial


def standing(card: Scorecard, metric: Metric) -> tuple[float, str]:
    """Sorts contestants best first: by out-of-fold score, then by name; those without one last."""
    score = card.out_of_fold
    if score is None or math.isnan(score):
        return math.inf, card.name
    return -score if metric.greater_is_better else score, card.name


def best_trial(trials: Sequence[Trial], metric: Metric, family: str | None = None) -> Trial | None:
    """The best finished contestant, of a family or of all; a student is none."""
    finished = [
        trial
        for trial in trials
        if family in (None, trial.scorecard.family)
        and trial.scorecard.distillation is None
        and trial.lockbox is not None
        and trial.out_of_fold is not None
        and math.isfinite(standing(trial.scorecard, metric)[0])
    ]
    return min(finished, key=lambda each: standing(each.scorecard, metric), default=None)
