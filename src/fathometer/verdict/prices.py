"""A user's prices, and in their money every contestant's bill and what the families differ by."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fathometer.trial.scorecard import Bill, Scorecard
from fathometer.trial.toml_file import TomlFile
from fathometer.verdict.quantities import DASH, significant
from fathometer.verdict.verdict import Expenses, PricedBill, Verdict, Worth
from fathometer.verdict.words import bill_sentence
from fathometer.verdict.worth import million_joules, million_seconds

JOULES_PER_KWH = 3_600_000
SECONDS_PER_HOUR = 3600
LARGEST_FILE = 100_000  # bytes; a price list has three lines
TAKES = 'lines such as:  currency = "EUR"   per_kwh = 0.30   per_cpu_hour = 0.04'


@dataclass(frozen=True)
class Prices:
    """What a user pays: for a kilowatt hour, and for an hour of one processor core."""

    currency: str
    per_kwh: float
    per_cpu_hour: float

    def money(self, seconds: float, joules: float, cores: int) -> float:
        """The price of so many seconds on so many cores that took so many joules."""
        hours = seconds * cores / SECONDS_PER_HOUR
        return joules / JOULES_PER_KWH * self.per_kwh + hours * self.per_cpu_hour

    def money_if_known(
        self, seconds: float | None, joules: float | None, cores: int
    ) -> float | None:
        """The same, or None where something that it takes was not measured."""
        if seconds is None or (joules is None and self.per_kwh > 0):
            return None
        return self.money(seconds, joules or 0.0, cores)


def prices_from(path: Path) -> Prices:
    """The prices in a TOML file of `currency`, `per_kwh` and `per_cpu_hour`; the last two may be
    left out and count as 0, but not both.

    Raises:
        OptionError: if the file cannot be read or says something else.
    """
    file = TomlFile(path, "the price file", TAKES, "--prices ")
    said = file.read(most_bytes=LARGEST_FILE)
    file.only(said, {"currency", "per_kwh", "per_cpu_hour"})
    currency = said.get("currency")
    if not isinstance(currency, str) or not 0 < len(currency) <= 10:
        raise file.refused("names no currency")
    found = [said.get(name, 0.0) for name in ("per_kwh", "per_cpu_hour")]
    if any(isinstance(p, bool) or not isinstance(p, int | float) for p in found):
        raise file.refused("has a price that is no number")
    if not all(0 <= price < 1e9 for price in found) or not any(found):
        raise file.refused("has no price above 0")
    return Prices(currency, float(found[0]), float(found[1]))


def priced(verdict: Verdict, prices: Prices, cards: Sequence[Scorecard], *, cores: int) -> Verdict:
    """The verdict with every bill and the difference in money, and words that say the latter.

    cards: of all contestants. cores: of the machine; all of them train, and all answer a large
    batch. A verdict that was priced before gets the new prices alone."""
    verdict = replace(verdict, expenses=_expenses(verdict, prices, cards, cores))
    worth = verdict.worth
    if worth is None:
        return verdict
    before = money_sentence(worth)
    worth = replace(
        worth,
        currency=prices.currency,
        train_money=prices.money(worth.train_seconds, worth.train_joules, cores),
        predict_money=prices.money(worth.predict_seconds, worth.predict_joules, cores),
    )
    said = _with_money(
        [each for each in verdict.sentences if each != before],
        bill_sentence(verdict.gap, cards),
        money_sentence(worth),
    )
    return replace(verdict, worth=worth, sentences=said)


def _with_money(sentences: Sequence[str], bill: str, money: str) -> tuple[str, ...]:
    """Behind the sentence of the bill, for the two are one matter; else at the end."""
    if not bill or not any(each.startswith(bill) for each in sentences):
        return (*sentences, money)
    return tuple(f"{bill} {money}" if each.startswith(bill) else each for each in sentences)


def _expenses(verdict: Verdict, prices: Prices, cards: Sequence[Scorecard], cores: int) -> Expenses:
    """Every bill, as the verdict ranks those who sent it."""
    places = {name: place for place, name in enumerate(verdict.ranking)}
    bills = [
        _priced_bill(card.name, card.bill, prices, cores)
        for card in sorted(cards, key=lambda card: places.get(card.name, len(places)))
        if card.bill is not None
    ]
    return Expenses(prices.currency, prices.per_kwh, prices.per_cpu_hour, cores, tuple(bills))


def _priced_bill(name: str, bill: Bill, prices: Prices, cores: int) -> PricedBill:
    train_seconds, train_joules = _known(bill.train_seconds), _known(bill.energy_joules)
    asked = million_seconds(bill) or None  # 0 is no rate
    # Joules of answers are counted at the watts of training, so they are not known without it.
    answered = None if train_joules is None or asked is None else million_joules(bill)
    return PricedBill(
        name=name,
        train_seconds=train_seconds,
        train_joules=train_joules,
        peak_bytes=bill.peak_bytes or None,
        file_bytes=bill.file_bytes,
        latency_ms=bill.latency_ms_p50,
        predict_seconds=asked,
        predict_joules=answered,
        train_money=prices.money_if_known(train_seconds, train_joules, cores),
        predict_money=prices.money_if_known(asked, answered, cores),
    )


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def money_sentence(worth: Worth) -> str:
    """ "At your prices X costs 0.0013 EUR more than Y to train, and 0.12 EUR less for …"; empty
    where nothing is priced."""
    if worth.train_money is None or worth.predict_money is None:
        return ""
    return (
        f"At your prices {worth.better} costs {_dearer(worth.train_money, worth.currency or '')} "
        f"than {worth.other} to train, and {_dearer(worth.predict_money, worth.currency or '')} "
        "for a million predictions."
    )


def _dearer(money: float, currency: str) -> str:
    return f"{in_money(abs(money))} {currency} {'more' if money >= 0 else 'less'}"


def in_money(money: float | None) -> str:
    """An amount without its currency, at the two digits that one run tells: "0.0013"."""
    return DASH if money is None else significant(money, 2)
