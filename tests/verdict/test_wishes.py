"""Promises of preferences and prices: chosen out of fold, paid on the lockbox, said in words."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fathometer.errors import OptionError
from fathometer.table.metric import METRICS
from fathometer.trial.scorecard import Bill, Quality, Scorecard
from fathometer.verdict.bench import Rows
from fathometer.verdict.decide import Contestant
from fathometer.verdict.preference import Preference, preference_from, sentence, with_preference
from fathometer.verdict.prices import Prices, money_sentence, priced, prices_from
from fathometer.verdict.verdict import Gap, Preferred, Verdict, Worth
from fathometer.verdict.words import bill_sentence

VERDICT = Verdict("undecided", "…", ("first",), "large", None, ("large",), ("large",))


def contestant(
    name: str, hits: float, *, size: int, row_ms: float = 1.0, reads_as: str = ""
) -> Contestant:
    """One that hits this share of 1,000 rows, out of fold and on the lockbox."""
    said = np.eye(2)[(np.arange(1000) >= 1000 * hits).astype(int)]
    bill = Bill(1.0, 10.0, "estimated", 1, size, row_ms, row_ms, 1000 / row_ms)
    card = Scorecard(
        name,
        "traditional",
        quality=Quality("accuracy", hits, hits, hits),
        out_of_fold=hits,
        bill=bill,
        reads_as=reads_as,
        reading="x" * size,
    )
    return Contestant(card, said, said)


CAST = (
    contestant("large", 0.90, size=900, row_ms=3),
    contestant("middle", 0.88, size=100, row_ms=1),
    contestant("rules", 0.85, size=50, row_ms=2, reads_as="9 rules"),
    contestant("constant", 0.50, size=1, row_ms=0.1, reads_as="1 number"),
)


def asked(wish: str, loss: float | None) -> Verdict:
    return with_preference(
        VERDICT,
        Preference(wish, loss),
        CAST,
        metric=METRICS["accuracy"],
        lockbox=Rows(np.zeros(1000, dtype=int)),
        learned=np.zeros(1000),
        seed=0,
    )


@pytest.mark.parametrize(
    ("wish", "loss", "name"),
    [
        ("small", 0.01, "large"),
        ("small", 0.03, "middle"),
        ("small", 0.06, "rules"),
        ("fast", 0.06, "middle"),
        ("cheap", 0.06, "middle"),
        ("readable", 0.06, "rules"),
        ("readable", 0.5, "rules"),  # a constant can be read, and says nothing
    ],
)
def test_the_least_of_what_is_wished_within_the_loss_is_taken(
    wish: str, loss: float, name: str
) -> None:
    found = asked(wish, loss).preferred
    assert found is not None
    assert (found.name, found.best) == (name, "large")


def test_what_it_costs_is_read_off_the_lockbox_with_its_interval() -> None:
    verdict = asked("small", 0.03)
    found = verdict.preferred
    assert found is not None
    assert found.loss == pytest.approx(0.02)
    assert found.low is not None
    assert found.high is not None
    assert 0 < found.low < 0.02 < found.high < 0.04
    assert verdict.sentences[-1].startswith(
        "You prefer small and would lose up to 0.03 accuracy: take middle (100 B), which loses "
    )


def test_a_gain_is_called_one_and_the_users_own_loss_is_said_as_given() -> None:
    better = Preferred("small", 0.125, "middle", "large", -0.002, -0.01, 0.006)
    card = CAST[1].scorecard
    said = sentence(better, card, "accuracy")
    assert "would lose up to 0.125 accuracy" in said
    assert "which gains 0.0020 [−0.0060, 0.0100] against large" in said


def test_without_a_loss_the_zone_of_practical_equality_is_accepted() -> None:
    found = asked("small", None).preferred
    assert found is not None
    assert (found.most_loss, found.name) == (0.01, "large")


def test_a_wish_that_nobody_fulfils_is_said_to_be_so() -> None:
    verdict = asked("readable", 0.01)
    assert verdict.preferred is not None
    assert (verdict.preferred.name, verdict.preferred.loss) == ("", None)
    assert "no contestant answers that within a loss of 0.01 accuracy" in verdict.sentences[-1]


def test_a_preference_is_understood_or_refused() -> None:
    assert preference_from("small=0.02") == Preference("small", 0.02)
    assert preference_from("fast") == Preference("fast", None)
    for wrong in ("big", "small=", "small=-1", "small=much", "small=nan", ""):
        with pytest.raises(OptionError, match="--prefer was given"):
            preference_from(wrong)


def written(folder: Path, text: str) -> Path:
    path = folder / "prices.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_prices_are_read(tmp_path: Path) -> None:
    found = prices_from(written(tmp_path, 'currency = "EUR"\nper_kwh = 0.30\nper_cpu_hour = 0.04'))
    assert found == Prices("EUR", 0.30, 0.04)
    # An hour of two cores that took a kilowatt hour.
    assert found.money(3600, 3_600_000, 2) == pytest.approx(0.38)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("per_kwh = 1", "names no currency"),
        ('currency = "EUR"', "no price above 0"),
        ('currency = "EUR"\nper_kwh = "0.3"', "no number"),
        ('currency = "EUR"\nper_hour = 1', '"per_hour", which is not known'),
        ('currency = "EUR"\nper_kwh = -1', "no price above 0"),
        ("currency EUR", "not TOML"),
        pytest.param("currency = " + 40_000 * "[", "not TOML", id="too deep"),
        pytest.param("per_kwh = " + 5_000 * "1", "not TOML", id="a number beyond all bounds"),
    ],
)
def test_a_spoilt_price_file_is_refused(tmp_path: Path, text: str, found: str) -> None:
    with pytest.raises(OptionError, match=found):
        prices_from(written(tmp_path, text))
    with pytest.raises(OptionError, match="cannot be read"):
        prices_from(tmp_path / "absent.toml")


def test_the_difference_is_worth_its_price() -> None:
    worth = Worth("net", "tree", 0.02, 0.01, 0.03, 3600.0, 0.0, -1800.0, 0.0, 1000)
    verdict = priced(replace(VERDICT, worth=worth), Prices("EUR", 0.3, 0.04), (), cores=2)
    assert verdict.worth is not None
    assert verdict.worth.train_money == pytest.approx(0.08)
    assert verdict.worth.predict_money == pytest.approx(-0.04)
    assert verdict.sentences[-1] == money_sentence(verdict.worth)
    assert verdict.sentences[-1] == (
        "At your prices net costs 0.080 EUR more than tree to train, and 0.040 EUR less for a "
        "million predictions."
    )
    alone = priced(VERDICT, Prices("EUR", 1, 1), (), cores=2)  # nothing to compare
    assert (alone.worth, alone.sentences) == (None, VERDICT.sentences)


CARDS = tuple(each.scorecard for each in CAST)
EUR = Prices("EUR", 0.3, 0.04)


def test_every_bill_has_its_price_the_best_contestants_first() -> None:
    found = priced(replace(VERDICT, ranking=("rules", "large")), EUR, CARDS, cores=2).expenses
    assert found is not None
    assert [bill.name for bill in found.bills] == ["rules", "large", "middle", "constant"]
    rules = found.bills[0]  # a second and 10 joules to train, 2,000 seconds for a million rows
    assert rules.train_money == pytest.approx(EUR.money(1, 10, 2))
    assert rules.predict_seconds == pytest.approx(2000)
    assert rules.predict_money == pytest.approx(EUR.money(2000, 20_000, 2))
    assert (rules.peak_bytes, rules.file_bytes, rules.latency_ms) == (1, 50, 2)


def test_what_was_not_measured_has_no_price() -> None:
    """A challenger was trained elsewhere; what it draws is not known, how long it takes is."""
    bill = Bill(math.nan, math.nan, "estimated", 0, 90, 1.0, 1.0, 1000.0)
    card = Scorecard("theirs.onnx", "challenger", bill=bill)
    found = priced(VERDICT, EUR, [card], cores=2).expenses
    assert found is not None
    theirs = found.bills[0]
    assert (theirs.train_money, theirs.predict_money, theirs.peak_bytes) == (None, None, None)
    assert theirs.predict_seconds == pytest.approx(1000)
    by_the_hour = priced(VERDICT, Prices("EUR", 0.0, 0.04), [card], cores=2).expenses
    assert by_the_hour is not None
    assert by_the_hour.bills[0].predict_money == pytest.approx(0.04 * 2 * 1000 / 3600)


def test_money_stands_behind_the_bill_however_often_it_is_priced() -> None:
    gap = Gap("large", "rules", 0.05, 0.03, 0.07, 0.01, 0.99, 0.01, 0.0)
    bill = bill_sentence(gap, CARDS)
    worth = Worth("large", "rules", 0.05, 0.03, 0.07, 0.0, 0.0, 1.0, 10.0, 850)
    verdict = replace(VERDICT, gap=gap, worth=worth, sentences=("first", bill, "last"))
    once = priced(verdict, EUR, CARDS, cores=2)
    assert once.worth is not None
    assert once.sentences == ("first", f"{bill} {money_sentence(once.worth)}", "last")
    again = priced(priced(verdict, Prices("USD", 1, 1), CARDS, cores=2), EUR, CARDS, cores=2)
    assert again == once
