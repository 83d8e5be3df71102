"""The verdict for an expert: the same findings in the field's own terms, a line each."""

from __future__ import annotations

from collections.abc import Callable

from fathometer.verdict.chances import chances
from fathometer.verdict.quantities import (
    bare,
    by_how_much,
    duration,
    energy,
    file_size,
    fixed,
    latency,
    places_for,
)
from fathometer.verdict.verdict import FoldGap, Gap, Worth
from fathometer.verdict.words import CONSTANT, Findings
from fathometer.verdict.worth import worth_of
from fathometer.wording import counted, listed

CLEAR = 0.05


def expert_sentences(found: Findings) -> tuple[str, ...]:
    """How the headline was found: posterior, folds, all pairs, what the gain costs, effort."""
    said = (
        _posterior(found),
        _folds(found),
        _pairs(found),
        _rivals(found),
        _worth(worth_of(found)),
        _effort(found),
    )
    return tuple(line for line in said if line)


def _posterior(found: Findings) -> str:
    gap = found.gap
    if gap is None:
        return ""
    places = max(found.places, places_for((gap.high - gap.low) / 2))
    return (
        f"Lockbox, n = {found.rows:,}: {gap.deep} − {gap.traditional} = "
        f"{_interval(gap.value, gap.low, gap.high, places)} {found.metric.label} (paired, 95 %); "
        f"region of practical equivalence ±{bare(gap.zone)}: {_three_way(gap)}."
    )


def _folds(found: Findings) -> str:
    view = found.fold_gap
    if view is None:
        return ""
    places = places_for((view.high - view.low) / 2)
    return (
        f"{view.folds} folds, corrected resampled t (Nadeau and Bengio): "
        f"{_interval(view.value, view.low, view.high, places)}, p = {view.p_value:.2g}; "
        f"{_three_way(view)}."
    )


def _three_way(view: Gap | FoldGap) -> str:
    traditional, equal, deep = chances(view)
    return (
        f"P(deep better) {deep / 100:.2f}, P(equivalent) {equal / 100:.2f}, "
        f"P(traditional better) {traditional / 100:.2f}"
    )


def _pairs(found: Findings) -> str:
    if len(found.pairs) < 2:
        return ""
    clear = [pair for pair in found.pairs if pair.p_value < CLEAR]
    best = found.cards[0].name
    beaten = [pair.other for pair in clear if pair.one == best and pair.value > 0]
    said = f"{len(clear)} of {len(found.pairs)} pairs differ at 5 % over all pairs (max-t)"
    return f"{said}; {best} beats {len(beaten)} of {len(found.cards) - 1}."


def _rivals(found: Findings) -> str:
    if len(found.rivals) < 2:
        return ""
    return f"Not beaten at 95 %, pair by pair: {', '.join(found.rivals)}."


def _worth(worth: Worth | None) -> str:
    """ "net takes, beside tree, +41 s to train, +300 J of energy for it, … and +80 KB of file." """
    if worth is None:
        return ""
    parts: tuple[tuple[float | None, Callable[[float], str], str], ...] = (
        (worth.train_seconds, duration, "to train"),
        (worth.train_joules, energy, "of energy for it"),
        (worth.peak_bytes, file_size, "of memory while training"),
        (worth.latency_ms, latency, "for a row"),
        (worth.predict_seconds, duration, "for a million rows"),
        (worth.file_bytes, file_size, "of file"),
    )
    told = [f"{by_how_much(value, written)} {what}" for value, written, what in parts if value]
    return f"{worth.better} takes, beside {worth.other}, {listed(told)}." if told else ""


def _effort(found: Findings) -> str:
    """What each family tried and spent in all, so that an unequal contest can be seen."""
    if found.gap is None:
        return ""
    told = [_spent(found, family) for family in ("traditional", "deep")]
    return f"The traditional side had {told[0]}; the deep side {told[1]}."


def _spent(found: Findings, family: str) -> str:
    """ "19 settings, 95 fits and 41 s"."""
    cards = [card for card in found.cards if card.family == family and card.name != CONSTANT]
    settings, fits = sum(c.configurations for c in cards), sum(c.fits for c in cards)
    seconds = sum(card.bill.train_seconds for card in cards if card.bill is not None)
    return f"{counted(settings, 'setting')}, {counted(fits, 'fit')} and {duration(seconds)}"


def _interval(value: float, low: float, high: float, places: int) -> str:
    return f"{fixed(value, places)} [{fixed(low, places)}, {fixed(high, places)}]"
