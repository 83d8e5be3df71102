import io
from dataclasses import replace
from importlib.resources import files

import pytest
from rich.cells import cell_len
from rich.console import Console

from fathometer.app.overview import SHOWN_COLUMNS, print_understanding
from fathometer.app.preparation import Options, Understanding, prepare
from fathometer.table.kind import Kind
from fathometer.table.table import Table, column_from


def printed(understanding: Understanding, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width, markup=False, highlight=False, emoji=False)
    print_understanding(console, understanding)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def with_table(understanding: Understanding, table: Table) -> Understanding:
    return replace(understanding, reading=replace(understanding.reading, table=table), table=table)


def test_overview_says_what_was_read(understanding: Understanding) -> None:
    first = printed(understanding).splitlines()[0]
    assert first.startswith(" titanic.csv   891 rows · 12 columns · 60 KB · read in ")
    assert first.endswith("1 row refused")


def test_refused_line_is_shown_with_its_number_and_reason(understanding: Understanding) -> None:
    assert " refused line 12: 13 fields instead of 12" in printed(understanding)


@pytest.mark.parametrize(
    ("listed", "words"),
    [(40, "40 in all, listed in rejected.csv"), (30, "40 in all, the first 30 listed in rejected")],
)
def test_no_more_refused_lines_are_promised_than_are_listed(
    understanding: Understanding, listed: int, words: str
) -> None:
    refused = understanding.reading.rejected * listed
    reading = replace(understanding.reading, rejected=refused, rejected_count=40)
    assert words in printed(replace(understanding, reading=reading))


def test_target_stands_first_and_every_column_follows(understanding: Understanding) -> None:
    lines = printed(understanding, width=160).splitlines()
    heading = next(place for place, line in enumerate(lines) if line.startswith(" column"))
    shown = [line.split()[0] for line in lines[heading + 1 : heading + 13]]
    assert shown[0] == "survived"
    assert sorted(shown) == sorted(column.name for column in understanding.reading.table)


def test_each_column_says_why_and_how_many_are_missing(understanding: Understanding) -> None:
    age = next(line for line in printed(understanding).splitlines() if line.startswith(" age"))
    assert "number" in age
    assert understanding.reading.table["age"].reason in age
    assert age.endswith("177")


def test_split_terms_dropped_rows_and_suspicions_are_said(understanding: Understanding) -> None:
    shown = printed(understanding, width=120)
    assert "712 rows to learn (5 folds, stratified) · 179 in the lockbox, opened once" in shown
    assert "both families: 5 folds · metric ROC AUC" in shown
    assert "dropped  3 rows without a target" in shown
    assert "watch    rows share a ticket" in shown


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_overview_never_exceeds_the_terminal(understanding: Understanding, width: int) -> None:
    assert max(cell_len(line) for line in printed(understanding, width).splitlines()) <= width


def test_wide_table_is_counted_where_it_is_not_listed(understanding: Understanding) -> None:
    names = ["survived", *(f"column_{place}" for place in range(99))]
    table = Table(tuple(column_from(name, Kind.NUMBER, [0.0, 1.0]) for name in names))
    shown = printed(with_table(understanding, table))
    assert f"… {100 - SHOWN_COLUMNS} more columns: {100 - SHOWN_COLUMNS} number" in shown


def test_column_named_like_markup_is_printed_as_it_is(understanding: Understanding) -> None:
    table = Table((column_from("[bold]x[/] :smile:", Kind.NUMBER, [0.0, 1.0]),))
    assert "[bold]x[/] :smile:" in printed(with_table(understanding, table))


def test_a_column_that_groups_the_rows_is_shown_as_not_learned_from() -> None:
    passengers = str(files("fathometer") / "samples" / "titanic.csv")
    lines = printed(prepare(passengers, Options("survived", group="cabin")), 160).splitlines()
    cabin = next(line for line in lines if line.startswith(" cabin"))
    assert "identifier" in cabin
    assert "not learned from" in cabin
    assert cabin.endswith("687")
