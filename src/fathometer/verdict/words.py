"""The verdict in plain sentences, each resting on numbers that stand in it or on a scorecard.

Knows the findings; decides nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from fathometer.table.metric import Metric
from fathometer.trial.scorecard import Bill, Quality, Scorecard
from fathometer.trial.spread import Spread
from fathometer.verdict.chances import chances, percent
from fathometer.verdict.enough import rounded_up
from fathometer.verdict.quantities import (
    bare,
    duration,
    file_size,
    fixed,
    latency,
    places_for,
    scored,
    shared_places,
    significant,
    training_energy,
)
from fathometer.verdict.verdict import Call, FoldGap, Gap, Pair
from fathometer.wording import counted, listed

CONSTANT = "constant"  # the name of the contestant that answers the same to every row
READ_AT_MOST = 1_000  # rules or coefficients that a person can read
MOST_NAMED = 3
# From here on a ratio of costs is worth a sentence; times on a shared machine vary by half as much.
NOTABLE_RATIO = 1.5

FAMILIES = {
    "deep": "Deep learning",
    "traditional": "Traditional machine learning",
    "both": "Both families together",
}


@dataclass(frozen=True, eq=False)
class Findings:
    """What was decided, and the numbers that it rests on."""

    metric: Metric
    cards: tuple[Scorecard, ...]  # of all judged contestants, best first by out-of-fold score
    call: Call
    gap: Gap | None
    winner: str
    rivals: tuple[str, ...]  # best first by out-of-fold score, so the first is the best
    rows: int  # in the lockbox
    together: Spread | None = None  # by how much both families together beat the best single one
    fold_gap: FoldGap | None = None
    pairs: tuple[Pair, ...] = ()
    data: str = "this table"  # as the headline calls what was learned from

    def card(self, name: str) -> Scorecard:
        """The scorecard of this name."""
        return next(card for card in self.cards if card.name == name)

    @property
    def places(self) -> int:
        """Decimal places of every score, in the sentences as in the tables."""
        return shared_places(self.qualities)

    @property
    def qualities(self) -> tuple[Quality, ...]:
        """The qualities of all judged contestants."""
        return tuple(card.quality for card in self.cards if card.quality is not None)

    def score(self, name: str) -> str:
        """A contestant's quality: "0.868 ± 0.026"."""
        return scored(self.card(name).quality, self.places)


def headline(found: Findings) -> str:
    """The answer in one sentence."""
    if CONSTANT in found.rivals and len(found.cards) > 1:
        return f"Nothing here clearly beats a constant answer: no model has learned {found.data}."
    gap = found.gap
    if gap is None:
        family = next((c.family for c in found.cards if c.family != "both"), "both")
        return f"{FAMILIES[family]} finished alone, so the families are not compared."
    if found.call in ("deep", "traditional"):
        return f"{FAMILIES[found.call]} is better for {found.data}."
    winner = found.card(found.winner).family
    if found.call == "equivalent":
        cheaper = "traditional" if _is_traditional_lighter(found, gap) else "deep"
        enough = f"{FAMILIES[cheaper]} is enough for {found.data}"
        return f"{enough}: both families do equally well."
    is_lighter = winner != "deep" and _is_traditional_lighter(found, gap)
    if winner != "deep" and gap.deep_better < 0.5 and (gap.value <= 0 or is_lighter):
        return f"{FAMILIES['traditional']} is enough for {found.data}."
    if gap.traditional_better < 0.5 and not is_lighter:
        return f"{FAMILIES['deep']} is enough for {found.data}."
    leader = "deep learning" if gap.value > 0 else "traditional machine learning"
    rows = counted(found.rows, "unseen row")
    return f"Undecided: {leader} leads, but {rows} do not settle it."


def sentences(found: Findings) -> tuple[str, ...]:
    """What the headline rests on, in plain words, most important first."""
    said = (
        _comparison(found),
        _chances(found),
        _winner(found),
        _together(found),
        _readable(found),
        _bill(found),
        _more_rows(found),
    )
    return tuple(sentence for sentence in said if sentence)


def _comparison(found: Findings) -> str:
    gap = found.gap
    if gap is None:
        return ""
    places = max(found.places, places_for((gap.high - gap.low) / 2))
    leader, other = (gap.deep, gap.traditional) if gap.value > 0 else (gap.traditional, gap.deep)
    low, high = (gap.low, gap.high) if gap.value > 0 else (-gap.high, -gap.low)
    apart = f"{fixed(abs(gap.value), places)} [{fixed(low, places)}, {fixed(high, places)}]"
    judged = {
        "deep": "is beyond noise",
        "traditional": "is beyond noise",
        "equivalent": "has no practical meaning",
        "undecided": "is within noise"
        if gap.low <= 0 <= gap.high
        else "is beyond noise, but may be too small to matter",
    }[found.call]
    return (
        f"{leader} {found.score(leader)} against {other} {found.score(other)} "
        f"({found.metric.label}) on {counted(found.rows, 'unseen row')}: the difference of {apart} "
        f"{judged}."
    )


def _chances(found: Findings) -> str:
    """The three probabilities that the headline rests on."""
    gap = found.gap
    if gap is None:
        return ""
    traditional, equal, deep = map(percent, chances(gap))
    return (
        f"The chance that deep learning is better is {deep}, that traditional machine learning is "
        f"better {traditional}, and that they differ by no more than {bare(gap.zone)}, "
        f"too little to matter, {equal}."
    )


def _more_rows(found: Findings) -> str:
    """How many unseen rows would settle what these do not."""
    gap = found.gap
    if gap is None or found.call != "undecided" or CONSTANT in found.rivals:
        return ""
    if gap.rows_needed is None:
        return "A difference on the very edge of what matters is settled by no number of rows."
    return (
        f"To settle a difference of this size takes about "
        f"{counted(rounded_up(max(gap.rows_needed, found.rows + 1)), 'unseen row')}."
    )


def _winner(found: Findings) -> str:
    best = found.rivals[0]
    if len(found.cards) == 1:
        return f"{found.winner} wins: no other finished."
    if len(found.rivals) == 1:
        return f"{found.winner} wins: best out of fold, and clearly ahead of all others."
    rivals = [name for name in found.rivals if name != found.winner]
    passed = [name for name in rivals if _is_of_the_other(found, name)]
    tied = [name for name in rivals if name not in passed]
    why = "the best of the better family"
    if found.winner == best:
        why = "best out of fold" + (", with the smallest file" if tied else "")
    elif tied:
        bill = found.card(found.winner).bill
        why = "the smallest file" + (f", {file_size(bill.file_bytes)}," if bill else "")
    tie = f" of a tie with {_named(tied)}" if tied else ""
    also = f"; of the other family {_named(passed)} did as well by these rows" if passed else ""
    return f"{found.winner} wins: {why}{tie}{also}."


def _is_of_the_other(found: Findings, name: str) -> bool:
    """Whether a contestant's family is the one that the call puts behind."""
    return found.call in ("deep", "traditional") and (
        found.card(name).family not in (found.call, "both")
    )


def _together(found: Findings) -> str:
    card = next((card for card in found.cards if card.family == "both"), None)
    if card is None or card.quality is None or found.together is None:
        return ""
    gain = found.together
    judged = "no clear gain"
    if gain.low > 0:
        judged = f"a gain of {significant(gain.value, 2)} over the best single contestant"
    elif gain.high < 0:
        judged = "worse than the best single contestant"
    return f"{card.name} {fixed(card.quality.value, found.places)}: {judged}."


def _readable(found: Findings) -> str:
    listed = [card for card in found.cards if card.reads_as and card.name != CONSTANT]
    if any(card.name == found.winner and _parts(card) > READ_AT_MOST for card in listed):
        own = found.card(found.winner)
        return f"The largest of its {own.reads_as} can be read: see the report."
    readable = [card for card in listed if _parts(card) <= READ_AT_MOST]
    if not readable or readable[0].quality is None:
        return ""
    card, quality = readable[0], readable[0].quality
    if card.name == found.winner:
        return f"It can be read: {card.reads_as}, see the report."
    value = fixed(quality.value, found.places)
    return f"{card.name} ({card.reads_as}) reaches {value} and can be read: see the report."


def _parts(card: Scorecard) -> int:
    """How many rules or coefficients its reading has: what `reads_as` begins with."""
    number = card.reads_as.split()[0].replace(",", "")
    return int(number) if number.isdigit() else 0


def _bill(found: Findings) -> str:
    return bill_sentence(found.gap, found.cards)


def bill_sentence(gap: Gap | None, cards: Sequence[Scorecard]) -> str:
    """What the dearer of the two costs beside the other: time, energy, a row, bytes; empty where a
    family is absent or unmeasured."""
    bills = {card.name: card.bill for card in cards}
    deep, traditional = (bills.get(gap.deep), bills.get(gap.traditional)) if gap else (None, None)
    if gap is None or deep is None or traditional is None:
        return ""
    dearer = deep.train_seconds >= traditional.train_seconds
    one, other = (gap.deep, gap.traditional) if dearer else (gap.traditional, gap.deep)
    first, second = (deep, traditional) if dearer else (traditional, deep)
    return (
        f"{one} {_training(first, second, other)} and {training_energy(first)} against "
        f"{training_energy(second)}; it answers one row in {latency(first.latency_ms_p50)} against "
        f"{latency(second.latency_ms_p50)} from a file of {file_size(first.file_bytes)} against "
        f"{file_size(second.file_bytes)}."
    )


def _training(first: Bill, second: Bill, other: str) -> str:
    """How long the first took to train beside the second."""
    ratio = first.train_seconds / second.train_seconds if second.train_seconds > 0 else math.inf
    times = f"{duration(first.train_seconds)} against {duration(second.train_seconds)}"
    if ratio < NOTABLE_RATIO or not math.isfinite(ratio):
        return f"took {times} of {other} to train"
    return f"took {significant(ratio, 2)} times as long to train as {other} ({times})"


def _is_traditional_lighter(found: Findings, gap: Gap) -> bool:
    """Whether the winner is traditional; where it is of both families, whether the best traditional
    contestant has the smaller file."""
    family = found.card(found.winner).family
    if family in ("traditional", "deep"):
        return family == "traditional"
    deep, traditional = found.card(gap.deep).bill, found.card(gap.traditional).bill
    return deep is None or traditional is None or traditional.file_bytes <= deep.file_bytes


def _named(names: Sequence[str]) -> str:
    """Up to three names and how many more there are."""
    shown = list(names[:MOST_NAMED])
    if len(names) > MOST_NAMED:
        shown.append(f"{len(names) - MOST_NAMED} more")
    return listed(shown)
