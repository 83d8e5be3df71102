"""`--with model.onnx`: challengers from elsewhere, judged on the lockbox beside the winner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fathometer.table.metric import METRICS
from fathometer.table.task import Task
from fathometer.trial.challenger import Challenger, challenger_from, judged_scores
from fathometer.trial.jury import Jury
from fathometer.trial.scorecard import Scorecard
from fathometer.trial.trial import Trial
from fathometer.verdict.bench import Rows, paired_gap
from fathometer.verdict.quantities import fixed, places_for
from fathometer.verdict.verdict import ChallengerGap, Verdict
from fathometer.wording import counted


def challenger_trials(options: Sequence[str], jury: Jury) -> tuple[Trial, ...]:
    """Each challenger's answers to the lockbox, judged; asked before anything is trained, so that
    one that cannot answer ends the command early.

    Args:
        options: "model.onnx" or "model.onnx:mapping.toml" each.

    Raises:
        OptionError, ModelFileError, ColumnError: if one cannot enter or answer.
    """
    found: list[Trial] = []
    for option in options:
        challenger = challenger_from(option, jury.task)
        taken = [trial.scorecard.name for trial in found]
        name = f"{challenger.name} {len(found) + 1}" if challenger.name in taken else None
        if name is not None:
            challenger = replace(challenger, name=name)
        found.append(_judged(challenger, jury))
    return tuple(found)


def _judged(challenger: Challenger, jury: Jury) -> Trial:
    rows = jury.table.rows(jury.split.lockbox)
    scores = judged_scores(challenger, rows)
    card = Scorecard(
        challenger.name,
        "challenger",
        quality=jury.quality(scores),
        others=jury.others(scores),
        calibration_error=jury.calibration_error(scores),
        bill=challenger.bill(rows),
        chosen=challenger.note,
        intervals=jury.further_intervals(scores),
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
