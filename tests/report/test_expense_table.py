"""Promises of the table of costs in money: there with prices, and only then."""

import re
from dataclasses import replace

from fathometer.report.page import render
from fathometer.verdict.prices import Prices, priced


def paid(content):
    verdict = priced(content.verdict, Prices("EUR", 0.3, 0.04), content.scorecards, cores=2)
    return replace(content, verdict=verdict)


def test_every_bill_is_in_money_and_in_what_it_measures(binary):
    page = render(paid(binary))
    start = page.index("What each costs at your prices")
    written = page[start : page.index("</section>", start)]
    row = next(each for each in re.findall(r"<tr>.*?</tr>", written) if ">CatBoost<" in each)
    assert "EUR a million rows" in written
    assert "0.3 EUR a kilowatt hour and 0.04 EUR an hour of one core; all 2 cores" in written
    for said in ("0.000072", "3.1 s", "41 J", "38 µs", "212 KB"):
        assert f">{said}</" in row


def test_a_challenger_has_dashes_for_what_was_not_measured(binary):
    page = render(paid(binary))
    start = page.index("What each costs at your prices")
    row = next(r for r in re.findall(r"<tr>.*?</tr>", page[start:]) if ">theirs.onnx<" in r)
    assert row.count("–") == 6  # training, its memory, and the energy and money of answers
    assert "nan" not in row


def test_without_prices_there_is_no_such_table(binary):
    assert "at your prices" not in render(binary)
