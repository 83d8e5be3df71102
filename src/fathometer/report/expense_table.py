"""The table of what every contestant takes and, at the user's prices, costs."""

from __future__ import annotations

from collections.abc import Callable

from fathometer.report.content import ReportContent
from fathometer.report.markup import Markup, tag, together
from fathometer.report.pieces import paragraph
from fathometer.report.tables import Cell, Heading, table
from fathometer.verdict.prices import in_money
from fathometer.verdict.quantities import DASH, bare, duration, energy, file_size, latency
from fathometer.verdict.verdict import Expenses, PricedBill


def expense_table(content: ReportContent) -> Markup:
    """Every bill in money; nothing without prices."""
    expenses = content.verdict.expenses
    if expenses is None:
        return Markup()
    headings = [
        Heading("model"),
        Heading(f"{expenses.currency} to train", True),
        Heading("time", True),
        Heading("energy", True),
        Heading("memory", True, "growth while fitting; 1 MB is 1,000,000 bytes"),
        Heading(f"{expenses.currency} a million rows", True, "asked in batches"),
        Heading("time", True),
        Heading("energy", True, "at the watts of training"),
        Heading("one row", True, "one raw row to its answer, one thread, median"),
        Heading("file", True, "1 KB is 1,000 bytes"),
    ]
    rows = [_row(bill) for bill in expenses.bills]
    return together(
        tag("h3", {}, "What each costs at your prices"),
        table(headings, rows, sorts=True),
        paragraph(_terms(expenses), kind="note"),
    )


def _row(bill: PricedBill) -> list[Cell]:
    return [
        Cell(bill.name),
        _cell(bill.train_money, in_money),
        _cell(bill.train_seconds, duration),
        _cell(bill.train_joules, energy),
        _cell(bill.peak_bytes, file_size),
        _cell(bill.predict_money, in_money),
        _cell(bill.predict_seconds, duration),
        _cell(bill.predict_joules, energy),
        _cell(bill.latency_ms, latency),
        _cell(bill.file_bytes, file_size),
    ]


def _cell(value: float | None, written: Callable[[float], str]) -> Cell:
    return Cell(DASH) if value is None else Cell(written(value), value)


def _terms(expenses: Expenses) -> str:
    prices = (
        f"{bare(expenses.per_kwh, 4)} {expenses.currency} a kilowatt hour and "
        f"{bare(expenses.per_cpu_hour, 4)} {expenses.currency} an hour of one core"
    )
    is_single = expenses.cores == 1
    counted_cores = (
        "its one core counts" if is_single else f"all {expenses.cores} cores of the machine count"
    )
    return (
        f"{prices}; {counted_cores} while it trains or answers. The joules of answers are "
        "estimates, at the watts of training."
    )
