"""`--with model.onnx`: challengers from elsewhere, judged on the lockbox beside the winner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fathometer.table.metric import METRICS
from fathometer.table.split import Split
from fathometer.table.table import Table
from fathometer.table.task import Task, TaskKind
from fathometer.trial.challenger import Challenger, challenger_from, judged_scores
from fathometer.trial.contest import Trial
from fathometer.trial.interval import draw, interval
from fathometer.trial.measure import calibration_error
from fathometer.trial.reliance import further_intervals
from fathometer.trial.scorecard import Scorecard
from fathometer.verdict.bench import Rows, paired_gap
from fathometer.verdict.verdict import ChallengerGap, Verdict
from fathometer.verdict.words import counted, fixed, places_for


def challenger_trials(
    options: Sequence[str], table: Table, task: Task, split: Split, groups: np.ndarray | None
) -> tuple[Trial, ...]:
    """Each challenger's answers to the lockbox, judged; asked before anything is trained, so that
    one that cannot answer ends the command early.

    Args:
        options: "model.onnx" or "model.onnx:mapping.toml" each.

    Raises:
        OptionError, ModelFileError, ColumnError: if one cannot enter or answer.
    """
    found: list[Trial] = []
    for option in options:
        challenger = challenger_from(option, task)
        taken = [trial.scorecard.name for trial in found]
        name = f"{challenger.name} {len(found) + 1}" if challenger.name in taken else None
        if name is not None:
            challenger = replace(challenger, name=name)
        found.append(_judged(challenger, table, task, split, groups))
    return tuple(found)


def _judged(
    challenger: Challenger, table: Table, task: Task, split: Split, groups: np.ndarray | None
) -> Trial:
    rows = table.rows(split.lockbox)
    scores = judged_scores(challenger, rows)
    truth = task.encode(rows[task.target])
    among = None if groups is None else groups[split.lockbox]
    metric = METRICS[task.metric]
    weights = draw(metric, truth, seed=split.seed, groups=among)
    classify = task.kind is TaskKind.CLASSIFY
    card = Scorecard(
        challenger.name,
        "challenger",
        quality=interval(metric, truth, scores, groups=among, weights=weights),
        others={
            other.name: other.score(truth, scores)
            for other in METRICS.values()
            if other.kind is task.kind and other is not metric
        },
        calibration_error=calibration_error(truth, scores) if classify else None,
        bill=challenger.bill(rows),
        chosen=challenger.note,
        intervals=further_intervals(task, truth, scores, weights, among),
    )
    return Trial(card, None, scores)


def with_challengers(
    verdict: Verdict, trials: Sequence[Trial], task: Task, lockbox: Rows, seed: int
) -> Verdict:
    """The verdict with each challenger set beside the winner, on the same rows."""
    winner = next(trial for trial in trials if trial.scorecard.name == verdict.winner)
    challengers = [trial for trial in trials if trial.scorecard.family == "challenger"]
    if not challengers or winner.lockbox is None:
        return verdict
    metric, gaps = METRICS[task.metric], []
    for trial in challengers:
        assert trial.lockbox is not None  # one that cannot answer has ended the command
        gap = paired_gap(metric, lockbox, trial.lockbox, winner.lockbox, seed=seed)
        gaps.append(
            ChallengerGap(trial.scorecard.name, verdict.winner, gap.value, gap.low, gap.high)
        )
    cards = {trial.scorecard.name: trial.scorecard for trial in trials}
    sign = -1.0 if metric.greater_is_better else 1.0

    def rank(name: str) -> float:
        quality = cards[name].quality
        return sign * quality.value if quality is not None else float("inf")

    return replace(
        verdict,
        challengers=tuple(gaps),
        ranking=tuple(sorted((*verdict.ranking, *(gap.name for gap in gaps)), key=rank)),
        sentences=(
            *verdict.sentences,
            *(_sentence(gap, metric.label, len(lockbox.truth)) for gap in gaps),
        ),
    )


def _sentence(gap: ChallengerGap, label: str, rows: int) -> str:
    places = places_for((gap.high - gap.low) / 2)
    low, high = (gap.low, gap.high) if gap.value >= 0 else (-gap.high, -gap.low)
    side = "better" if gap.value >= 0 else "worse"
    judged = "beyond noise" if gap.low > 0 or gap.high < 0 else "within noise"
    return (
        f"The challenger {gap.name} is {fixed(abs(gap.value), places)} [{fixed(low, places)}, "
        f"{fixed(high, places)}] {label} {side} than {gap.winner} on the same "
        f"{counted(rows, 'row')}, {judged}; it was not trained here and may have seen them."
    )
