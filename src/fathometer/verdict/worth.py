"""What the difference between the families is worth: seconds, joules, bytes and, priced, money.

Costs are those on the bills, measured on the exported files; nothing is assumed about a machine
that was not measured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from fathometer.trial.scorecard import Bill
from fathometer.trial.toml_file import TomlFile
from fathometer.verdict.quantities import significant
from fathometer.verdict.verdict import Verdict, Worth
from fathometer.verdict.words import Findings

MILLION = 1_000_000
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


def worth_of(found: Findings) -> Worth | None:
    """What the better family costs more than the other; None where one is absent or unmeasured."""
    gap = found.gap
    if gap is None:
        return None
    ahead = gap.value > 0
    better, other = (gap.deep, gap.traditional) if ahead else (gap.traditional, gap.deep)
    dear, cheap = found.card(better).bill, found.card(other).bill
    if dear is None or cheap is None:
        return None
    return Worth(
        better=better,
        other=other,
        gain=abs(gap.value),
        low=gap.low if ahead else -gap.high,
        high=gap.high if ahead else -gap.low,
        train_seconds=dear.train_seconds - cheap.train_seconds,
        train_joules=dear.energy_joules - cheap.energy_joules,
        predict_seconds=million_seconds(dear) - million_seconds(cheap),
        predict_joules=million_joules(dear) - million_joules(cheap),
        file_bytes=dear.file_bytes - cheap.file_bytes,
    )


def million_seconds(bill: Bill) -> float:
    """Seconds for a million rows in batches."""
    return MILLION / bill.rows_per_second if bill.rows_per_second > 0 else 0.0


def million_joules(bill: Bill) -> float:
    """Joules for a million rows, at the watts that training drew: an estimate."""
    watts = bill.energy_joules / bill.train_seconds if bill.train_seconds > 0 else 0.0
    return watts * million_seconds(bill)


def priced(verdict: Verdict, prices: Prices, *, cores: int) -> Verdict:
    """The verdict with the difference in money, and a sentence that says it.

    cores: of the machine; all of them train, and all answer a large batch."""
    worth = verdict.worth
    if worth is None:
        return verdict
    worth = replace(
        worth,
        currency=prices.currency,
        train_money=prices.money(worth.train_seconds, worth.train_joules, cores),
        predict_money=prices.money(worth.predict_seconds, worth.predict_joules, cores),
    )
    sentences = (*verdict.sentences, money_sentence(worth))
    return replace(verdict, worth=worth, sentences=sentences)


def money_sentence(worth: Worth) -> str:
    """ "At your prices X costs 0.0013 EUR more than Y to train, and 0.12 EUR less for …"."""
    assert worth.train_money is not None
    assert worth.predict_money is not None
    return (
        f"At your prices {worth.better} costs {_more(worth.train_money, worth.currency or '')} "
        f"than {worth.other} to train, and {_more(worth.predict_money, worth.currency or '')} "
        "for a million predictions."
    )


def _more(money: float, currency: str) -> str:
    return f"{significant(abs(money), 2)} {currency} {'more' if money >= 0 else 'less'}"
