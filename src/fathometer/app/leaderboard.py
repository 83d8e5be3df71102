"""The table of contestants: while the contest runs, and with the whole bill at its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fathometer.app.lines import print_hanging
from fathometer.app.standing import Standing, preview_words
from fathometer.table.metric import Metric
from fathometer.trial.scorecard import Bill, Scorecard
from fathometer.verdict.prices import in_money
from fathometer.verdict.quantities import (
    DASH,
    duration,
    file_size,
    is_estimate,
    latency,
    shared_places,
    significant,
    training_energy,
    with_interval,
)
from fathometer.verdict.verdict import Expenses, Verdict

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as Grid

FAMILY_STYLES = {"traditional": "yellow", "deep": "cyan", "both": "magenta", "challenger": "green"}
SHORTEST_NAME = 8


@dataclass(frozen=True)
class Heading:
    """One column of the table: its title, and whether it is kept when the terminal is narrow.

    The highest `gives_way` goes first; 0 stays."""

    title: str
    gives_way: int
    on_the_right: bool = False


MONEY = (
    Heading("to train", 3, on_the_right=True),
    Heading("a million", 2, on_the_right=True),
)


def final_headings(metric: Metric, expenses: Expenses | None = None) -> tuple[Heading, ...]:
    """What the closing table shows, from left to right; who gave prices sees the money early."""
    currency = "" if expenses is None else expenses.currency
    money = [replace(each, title=f"{currency} {each.title}") for each in MONEY]
    return (
        Heading("model", 0),
        Heading("family", 1),
        Heading(f"{metric.label} (95 %)", 0),
        Heading("fit", 4, on_the_right=True),
        Heading("energy", 7, on_the_right=True),
        Heading("memory", 9, on_the_right=True),
        Heading("file", 6, on_the_right=True),
        Heading("one row", 5, on_the_right=True),
        Heading("rows/s", 10, on_the_right=True),
        *(money if expenses is not None else ()),
        Heading("reads as", 8),
    )


def final_rows(
    cards: Sequence[Scorecard], winner: str, expenses: Expenses | None = None
) -> list[tuple[str, ...]]:
    """The cells of the closing table, a row for each card that has a quality."""
    places = shared_places(card.quality for card in cards if card.quality is not None)
    return [
        (
            card.name + (" ★" if card.name == winner else ""),
            card.family,
            with_interval(card.quality, places),
            *bill_cells(card.bill),
            *money_cells(card.name, expenses),
            card.reads_as or DASH,
        )
        for card in cards
        if card.quality is not None
    ]


def bill_cells(bill: Bill | None) -> tuple[str, ...]:
    """Fit, energy, memory, file, one row and rows/s."""
    if bill is None:
        return (DASH,) * 6
    return (
        duration(bill.train_seconds),
        training_energy(bill),
        file_size(bill.peak_bytes) if bill.peak_bytes else DASH,
        file_size(bill.file_bytes),
        latency(bill.latency_ms_p50),
        significant(bill.rows_per_second, 2),
    )


def money_cells(name: str, expenses: Expenses | None) -> tuple[str, ...]:
    """To train and a million rows; nothing without prices."""
    if expenses is None:
        return ()
    bill = next((each for each in expenses.bills if each.name == name), None)
    if bill is None:
        return (DASH,) * len(MONEY)
    return in_money(bill.train_money), in_money(bill.predict_money)


def fitting(
    headings: Sequence[Heading], rows: Sequence[Sequence[str]], width: int
) -> tuple[int, ...]:
    """Places of the columns that fit side by side into so many characters."""
    from rich.cells import cell_len

    wide = [
        max(cell_len(text) for text in (heading.title, *(row[place] for row in rows)))
        for place, heading in enumerate(headings)
    ]
    kept = set(range(len(headings)))
    while sum(wide[place] + 2 for place in kept) + 1 > width:
        loose = [place for place in kept if headings[place].gives_way]
        if not loose:
            break
        kept.remove(max(loose, key=lambda place: headings[place].gives_way))
    return tuple(sorted(kept))


def grid_of(headings: Sequence[Heading], rows: Sequence[Sequence[str]], width: int) -> Grid:
    """A table of the columns that fit; a first column that is still too wide ends in "…"."""
    from rich.table import Table as Grid

    kept = fitting(headings, rows, width - 1)
    grid = Grid(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for place in kept:
        grid.add_column(
            headings[place].title if place else " " + headings[place].title,
            justify="right" if headings[place].on_the_right else "left",
            no_wrap=True,
            overflow="ellipsis",
            min_width=None if place else SHORTEST_NAME,
        )
    for row in rows:
        first, *others = (row[place] for place in kept)
        grid.add_row(" " + first, *others, style=row_style(row))
    return grid


def row_style(row: Sequence[str]) -> str:
    """Colour by family, bold for the winner; colour is never the only sign."""
    return FAMILY_STYLES.get(row[1], "") + (" bold" if row[0].endswith("★") else "")


def print_leaderboard(
    console: Console, cards: Sequence[Scorecard], verdict: Verdict, metric: Metric
) -> None:
    """Print the closing table, and why the others have no place in it."""
    rows = final_rows(cards, verdict.winner, verdict.expenses)
    if rows:
        console.print(grid_of(final_headings(metric, verdict.expenses), rows, console.width))
    if any(card.bill and is_estimate(card.bill) for card in cards):
        print_hanging(console, " ≈ ", "estimated from processor time, not metered", style="dim")
    for card in cards:
        if card.family == "challenger":
            print_hanging(console, " challenger ", f"{card.name}: {card.chosen}", style="dim")
        if card.state != "finished":
            print_hanging(console, f" {card.state} ", f"{card.name}: {card.failure}", style="dim")


def live_grid(standing: Standing, *, width: int, rows: int) -> Grid:
    """The best contestants so far, at most so many rows."""
    headings = (
        Heading("so far", 0),
        Heading("family", 1),
        Heading(f"{standing.metric.label} out of fold", 0, on_the_right=True),
        Heading("fit", 2, on_the_right=True),
        Heading("reads as", 3),
    )
    cells = [live_cells(card) for card in standing.best_first()[:rows]]
    return grid_of(headings, cells, width)


def live_cells(card: Scorecard) -> tuple[str, ...]:
    """The cells of one contestant while others still learn."""
    fit = duration(card.bill.train_seconds) if card.bill else DASH
    return card.name, card.family, preview_words(card), fit, card.reads_as or DASH
