"""From finished contestants to a `Verdict`: who is better, how sure that is, and who wins.

The best of each family is chosen by its out-of-fold score and then judged once on the lockbox, so
that trying more candidates does not buy a better looking result. Differences are paired, row by
row. Knows numbers; the sentences are written in `words`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fathometer.errors import LearnerError
from fathometer.table.metric import METRICS, Metric
from fathometer.table.task import Task
from fathometer.trial.best import standing
from fathometer.trial.resample import FEWEST_RESAMPLES
from fathometer.trial.scorecard import Scorecard
from fathometer.trial.spread import Spread
from fathometer.verdict.bench import Bench, Rows
from fathometer.verdict.enough import rows_needed
from fathometer.verdict.expert_words import expert_sentences
from fathometer.verdict.pairs import all_pairs
from fathometer.verdict.resampled import fold_gap
from fathometer.verdict.verdict import Call, FoldGap, Gap, Pair, Verdict
from fathometer.verdict.words import Findings, headline, sentences
from fathometer.verdict.worth import worth_of

SURE = 0.95

# Half-width of the zone in which a difference has no practical meaning. One point of a share (area,
# accuracy, F1) is the customary width (Benavoli et al., JMLR 18, 2017); the same number of nats or
# of squared probability is about what one point of accuracy costs a calibrated model.
ZONES = {
    "roc_auc": 0.01,
    "accuracy": 0.01,
    "macro_f1": 0.01,
    "log_loss": 0.01,
    "brier": 0.01,
    "r2": 0.01,  # one hundredth of the variance
}
# Errors have the target's unit, so their zone is this share of what the best constant would err.
ERROR_SHARE = 0.01
# Below a tenth of the zone even a certain difference is not worth a larger file.
TRIFLE = 0.1


@dataclass(frozen=True, eq=False)
class Contestant:
    """A finished contestant with its answers."""

    scorecard: Scorecard
    lockbox_scores: np.ndarray  # (lockbox rows, outputs) float64
    out_of_fold_scores: np.ndarray  # (train rows, outputs) float64


def decide(
    finished: Sequence[Contestant],
    *,
    task: Task,
    lockbox: Rows,
    train: Rows,
    seed: int,
    zone: float | None = None,
    data: str = "this table",
) -> Verdict:
    """Give the verdict on the finished contestants.

    A family is called better when the probability that it is better by more than the zone is at
    least 0.95 and the 95 % interval of the difference leaves out 0; so in a world without a
    difference about one verdict in twenty names a family, or fewer. Measured in worlds of 30 to 300
    rows by `benchmarks/verdict_simulation.py --worlds 200`: 2 % by ROC AUC, 4 % by accuracy and
    4 % by RMSE, each within half a point; 5.5 % in the worst kind of world for RMSE. The two are
    called equivalent when the probability of a difference within the zone is at least 0.95.
    Otherwise the call is undecided.

    The winner is the contestant with the smallest file among those that the best one, by
    out-of-fold score, does not clearly beat: its 95 % interval of the difference reaches 0, on the
    lockbox and out of fold too, for a tiny lockbox alone must not crown the constant. (A lead below
    a tenth of the zone counts as none.) Where a family is called better, the other one's are passed
    over, for they were judged through their best. The size of a file is the same in every run, as
    times are not, so a repeated run names the same winner.

    Args:
        zone: half-width of the zone of practical equivalence, in the metric's unit; by default
            see `zone_of`.
        data: what the headline calls that which was learned from.

    Raises:
        LearnerError: if no contestant has finished with a score.
    """
    metric = METRICS[task.metric]
    known = [each for each in finished if _is_scored(each)]
    if not known:
        raise LearnerError(
            f"no contestant could be judged: {len(finished)} finished, none with a score.",
            details="; ".join(f"{each.scorecard.name}: no score" for each in finished),
        )
    width = zone_of(metric, train.truth) if zone is None else zone
    court = _Court(metric, known, lockbox, train, seed)
    gap = _family_gap(court, width, len(lockbox.truth))
    rivals = court.rivals(width)
    call = call_of(gap)
    winner = min(
        _of_the_better(rivals, call), key=lambda each: (_file_bytes(each), each.scorecard.name)
    )
    findings = Findings(
        metric=metric,
        cards=tuple(each.scorecard for each in court.contestants),
        call=call,
        gap=gap,
        winner=winner.scorecard.name,
        rivals=tuple(each.scorecard.name for each in rivals),
        rows=len(lockbox.truth),
        together=_ensemble_gain(court),
        fold_gap=court.fold_gap(width),
        pairs=court.pairs(),
        data=data,
    )
    return Verdict(
        call=findings.call,
        headline=headline(findings),
        sentences=sentences(findings),
        winner=findings.winner,
        gap=gap,
        rivals=findings.rivals,
        ranking=court.ranking(),
        expert=expert_sentences(findings),
        fold_gap=findings.fold_gap,
        pairs=findings.pairs,
        worth=worth_of(findings),
    )


def zone_of(metric: Metric, truth: np.ndarray) -> float:
    """The half-width within which a difference in this metric has no practical meaning.

    One point of a share, or, for errors in the target's unit, 1 % of what the best constant errs on
    the training rows: whoever halves that error has gained fifty zones.

    Args:
        truth: the training rows' true answers, shape (rows,).
    """
    if metric.name in ZONES:
        return ZONES[metric.name]
    return ERROR_SHARE * _constant_error(metric, truth)


def _constant_error(metric: Metric, truth: np.ndarray) -> float:
    """The error of the constant that suits the metric best."""
    if metric.name == "mae":
        best = float(np.median(truth))
    elif metric.name == "rmsle":
        best = float(np.expm1(np.log1p(np.clip(truth, 0, None)).mean()))
    else:
        best = float(truth.mean())
    return metric.score(truth, np.full((len(truth), 1), best))


def call_of(gap: Gap | None) -> Call:
    """The call that a gap supports; undecided where a family is absent. See `decide`."""
    if gap is None:
        return "undecided"
    if gap.deep_better >= SURE and gap.low > 0:
        return "deep"
    if gap.traditional_better >= SURE and gap.high < 0:
        return "traditional"
    return "equivalent" if gap.equivalent >= SURE else "undecided"


class _Court:
    """All contestants before the same rows: best first by out-of-fold score, and how any two of
    them differ."""

    def __init__(
        self,
        metric: Metric,
        contestants: Sequence[Contestant],
        lockbox: Rows,
        train: Rows,
        seed: int,
    ) -> None:
        self.metric = metric
        self.contestants = sorted(contestants, key=lambda each: standing(each.scorecard, metric))
        self._lockbox = Bench(metric, lockbox, seed)
        self._train_rows = train
        self._train = Bench(metric, train, seed + 1, most_resamples=FEWEST_RESAMPLES)

    @property
    def best(self) -> Contestant:
        """The best contestant by out-of-fold score."""
        return self.contestants[0]

    @property
    def best_single(self) -> Contestant:
        """The best contestant that is no mixture, by out-of-fold score."""
        single = (each for each in self.contestants if each.scorecard.family != "both")
        return next(single, self.best)

    def best_of(self, family: str) -> Contestant | None:
        """The best contestant of a family by out-of-fold score."""
        found = (each for each in self.contestants if each.scorecard.family == family)
        return next(found, None)

    def turned(self, score: float | None) -> float:
        """A score turned so that more is better; the worst where there is none."""
        if score is None or math.isnan(score):
            return -math.inf
        return score if self.metric.greater_is_better else -score

    def ranking(self) -> tuple[str, ...]:
        """The names of all contestants, best first on the lockbox."""
        cards = [each.scorecard for each in self.contestants]
        cards.sort(key=lambda card: -self.turned(card.quality.value if card.quality else None))
        return tuple(card.name for card in cards)

    def on_lockbox(self, one: Contestant, other: Contestant) -> Spread:
        """By how much one is better than the other on the lockbox."""
        return self._lockbox.gap(one.lockbox_scores, other.lockbox_scores)

    def out_of_fold(self, one: Contestant, other: Contestant) -> Spread:
        """By how much one is better than the other on the training rows, out of fold."""
        return self._train.gap(one.out_of_fold_scores, other.out_of_fold_scores)

    def fold_gap(self, zone: float) -> FoldGap | None:
        """The best of both families over the folds."""
        deep, traditional = self.best_of("deep"), self.best_of("traditional")
        if deep is None or traditional is None:
            return None
        scores = deep.out_of_fold_scores, traditional.out_of_fold_scores
        learned = [one.scorecard.learned_rows for one in (deep, traditional)]
        taught = min((rows for rows in learned if rows is not None), default=None)
        return fold_gap(self.metric, self._train_rows, *scores, zone, taught=taught)

    def pairs(self) -> tuple[Pair, ...]:
        """Every two contestants on the lockbox, corrected for their number."""
        named = [(each.scorecard.name, each.lockbox_scores) for each in self.contestants]
        return all_pairs(self._lockbox, named)

    def rivals(self, zone: float) -> list[Contestant]:
        """The best contestant and those that are not clearly beaten, best first.

        On the lockbox they meet the best; out of fold they meet the best single one, since a
        mixture has chosen its weights by the very answers that would be judged there."""
        return [
            each
            for each in self.contestants
            if each is self.best
            or (
                not _is_clear(self.on_lockbox(self.best, each), zone)
                and not _is_clear(self.out_of_fold(self.best_single, each), zone)
            )
        ]


def _of_the_better(rivals: Sequence[Contestant], call: Call) -> Sequence[Contestant]:
    """Those of the family that is called better, and mixtures; all of them where none is."""
    if call not in ("deep", "traditional"):
        return rivals
    own = [each for each in rivals if each.scorecard.family in (call, "both")]
    return own or rivals


def _is_clear(gap: Spread, zone: float) -> bool:
    """Whether a lead is beyond noise, and more than a trifle."""
    return gap.low > 0 and gap.value > TRIFLE * zone


def _family_gap(court: _Court, zone: float, rows: int) -> Gap | None:
    """The best deep contestant against the best traditional one, or None where one is absent."""
    deep, traditional = court.best_of("deep"), court.best_of("traditional")
    if deep is None or traditional is None:
        return None
    spread = court.on_lockbox(deep, traditional)
    deep_better, not_worse = spread.above(zone), spread.above(-zone)
    return Gap(
        deep=deep.scorecard.name,
        traditional=traditional.scorecard.name,
        value=spread.value,
        low=spread.low,
        high=spread.high,
        zone=zone,
        deep_better=deep_better,
        equivalent=not_worse - deep_better,
        traditional_better=1.0 - not_worse,
        rows=rows,
        rows_needed=rows_needed(spread, rows, zone),
    )


def _ensemble_gain(court: _Court) -> Spread | None:
    """By how much both families together beat the best single contestant on the lockbox."""
    together = court.best_of("both")
    return court.on_lockbox(together, court.best_single) if together else None


def _is_scored(contestant: Contestant) -> bool:
    card = contestant.scorecard
    return (
        card.state == "finished"
        and card.quality is not None
        and math.isfinite(card.quality.value)
        and bool(np.isfinite(contestant.lockbox_scores).all())
        and bool(np.isfinite(contestant.out_of_fold_scores).all())
    )


def _file_bytes(contestant: Contestant) -> float:
    bill = contestant.scorecard.bill
    return math.inf if bill is None else bill.file_bytes
