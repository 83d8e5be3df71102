"""`--prefer small=0.02`: what one would rather have, as the largest loss of quality one accepts.

Who answers a preference is chosen by out-of-fold scores; what the choice costs is then read off the
lockbox, with its interval. So asking for a preference does not spend the lockbox."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fathometer.errors import OptionError
from fathometer.table.metric import METRICS, Metric
from fathometer.trial.best import standing
from fathometer.trial.scorecard import Scorecard
from fathometer.verdict.bench import Rows, paired_gap
from fathometer.verdict.decide import Contestant, zone_of
from fathometer.verdict.quantities import bare, duration, file_size, fixed, latency, places_for
from fathometer.verdict.verdict import Preferred, Verdict
from fathometer.verdict.words import CONSTANT
from fathometer.verdict.worth import million_seconds


@dataclass(frozen=True)
class Preference:
    """A wish and the largest loss that one accepts for it; None: the zone of practical equality."""

    wish: str
    most_loss: float | None = None


def preference_from(option: str) -> Preference:
    """ "small" or "small=0.02" as a preference.

    Raises:
        OptionError: if it names no wish, or its loss is no number of 0 or more.
    """
    wish, equals, loss = option.strip().partition("=")
    if wish not in WISHES:
        raise OptionError(
            f'--prefer was given "{option}"; it takes fast, small, readable or cheap, each with '
            "the largest loss of quality that you accept, such as small=0.02.",
            try_next="--prefer small",
        )
    if not equals:
        return Preference(wish)
    try:
        most = float(loss)
    except ValueError:
        most = math.nan
    if not 0 <= most < math.inf:
        raise OptionError(
            f'--prefer was given a loss of "{loss}"; it takes a number of 0 or more, in the unit '
            "of the metric.",
            try_next=f"--prefer {wish}=0.01",
        )
    return Preference(wish, most)


def with_preference(
    verdict: Verdict,
    preference: Preference,
    contestants: Sequence[Contestant],
    *,
    metric: Metric,
    lockbox: Rows,
    learned: np.ndarray,
    seed: int,
) -> Verdict:
    """The verdict with the answer to a preference, and the sentence that says it.

    learned: the training rows' true answers, which the zone is measured on."""
    zone = verdict.gap.zone if verdict.gap else zone_of(metric, learned)
    most = zone if preference.most_loss is None else preference.most_loss
    best, chosen = _chosen(preference.wish, most, contestants, metric)
    loss = paired_gap(
        metric, lockbox, best.lockbox_scores, chosen.lockbox_scores, seed=seed
    ) if chosen else None  # fmt: skip
    answer = Preferred(
        wish=preference.wish,
        most_loss=most,
        name=chosen.scorecard.name if chosen else "",
        best=best.scorecard.name,
        loss=loss.value if loss else None,
        low=loss.low if loss else None,
        high=loss.high if loss else None,
    )
    said = sentence(answer, chosen.scorecard if chosen else None, metric.name)
    return replace(verdict, preferred=answer, sentences=(*verdict.sentences, said))


def _chosen(
    wish: str, most: float, contestants: Sequence[Contestant], metric: Metric
) -> tuple[Contestant, Contestant | None]:
    """The best out of fold, and of those within the loss out of fold the one with least of what the
    wish counts; None where no card has it."""
    sign = 1.0 if metric.greater_is_better else -1.0
    scored = [
        (sign * each.scorecard.out_of_fold, each)
        for each in contestants
        if each.scorecard.out_of_fold is not None and math.isfinite(each.scorecard.out_of_fold)
    ]
    top, best = min(scored, key=lambda pair: standing(pair[1].scorecard, metric))
    fitting = []
    for score, each in scored:
        count = WISHES[wish](each.scorecard)
        if count is not None and top - score <= most:
            fitting.append((count, each.scorecard.name, each))
    return best, min(fitting, key=lambda found: found[:2])[2] if fitting else None


def _row_milliseconds(card: Scorecard) -> float | None:
    return card.bill.latency_ms_p50 if card.bill else None


def _file_bytes(card: Scorecard) -> float | None:
    return card.bill.file_bytes if card.bill else None


def _reading_letters(card: Scorecard) -> float | None:
    if not card.reads_as or card.name == CONSTANT:
        return None
    return len(card.reading)


def _seconds_in_all(card: Scorecard) -> float | None:
    """To train, and to answer a million rows."""
    return card.bill.train_seconds + million_seconds(card.bill) if card.bill else None


# What each wish counts, less is better; a card without it cannot answer the wish. Of those that
# can be read, the one that says least is the most readable.
WISHES: dict[str, Callable[[Scorecard], float | None]] = {
    "fast": _row_milliseconds,
    "small": _file_bytes,
    "readable": _reading_letters,
    "cheap": _seconds_in_all,
}


def sentence(answer: Preferred, card: Scorecard | None, metric: str) -> str:
    """The answer in plain words."""
    label, most = METRICS[metric].label, bare(answer.most_loss, 6)
    if card is None or answer.loss is None or answer.low is None or answer.high is None:
        return (
            f"You prefer {answer.wish}: no contestant answers that within a loss of {most} {label}."
        )
    places = places_for((answer.high - answer.low) / 2)
    taken = _taken(answer.wish, card)
    if answer.name == answer.best:
        return f"You prefer {answer.wish}: {answer.name} ({taken}), which is the best out of fold."
    verb, ends = "loses", (answer.loss, answer.low, answer.high)
    if answer.loss < 0:
        verb, ends = "gains", (-answer.loss, -answer.high, -answer.low)
    value, low, high = (fixed(each, places) for each in ends)
    return (
        f"You prefer {answer.wish} and would lose up to {most} {label}: take {answer.name} "
        f"({taken}), which {verb} {value} [{low}, {high}] against {answer.best} on the unseen rows."
    )


def _taken(wish: str, card: Scorecard) -> str:
    """What the wish counts, of this card."""
    bill = card.bill
    if wish == "readable" or bill is None:
        return card.reads_as
    if wish == "fast":
        return f"{latency(bill.latency_ms_p50)} a row"
    if wish == "small":
        return file_size(bill.file_bytes)
    return (
        f"{duration(bill.train_seconds)} to train, {duration(million_seconds(bill))} a million rows"
    )
