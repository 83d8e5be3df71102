"""What the terminal says before training: what was read, what was understood, and the terms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from fathometer.app.lines import print_hanging
from fathometer.table.metric import METRICS
from fathometer.table.table import Column
from fathometer.verdict.quantities import DASH, duration, file_size
from fathometer.wording import counted

if TYPE_CHECKING:
    from rich.console import Console

    from fathometer.app.preparation import Understanding

# More columns than this scroll the rest away; the report lists every one.
SHOWN_COLUMNS = 30
SHOWN_REJECTED = 3
# Below this width a table of four columns breaks words; each column gets two lines instead.
NARROW = 64


def print_understanding(console: Console, understanding: Understanding) -> None:
    """Print what was read and inferred, the split, the terms and what looks suspicious."""
    name = understanding.reading.table.name
    print_hanging(console, f" {name}   ", size_words(understanding), lead_style="bold")
    for words in rejected_words(understanding):
        print_hanging(console, " refused ", words, lead_style="yellow")
    print_columns(console, understanding)
    for name, words in remarks(understanding):
        print_remark(console, name, words)
    for drawing in understanding.drawings:
        console.print(f"\n {drawing.replace(chr(10), chr(10) + ' ')}", soft_wrap=True)
    console.print()


def size_words(understanding: Understanding) -> str:
    """Rows, columns, bytes, seconds and refused rows, in one line."""
    reading = understanding.reading
    table = reading.table
    parts = [counted(len(table), "row"), counted(len(table.columns), "column")]
    if reading.bytes:
        parts.append(file_size(reading.bytes))
    parts.append(f"read in {duration(reading.seconds)}")
    parts.append(f"{counted(reading.rejected_count, 'row')} refused")
    return " · ".join(parts)


def rejected_words(understanding: Understanding) -> Iterator[str]:
    """The first refused rows, each with its place and the reason."""
    reading = understanding.reading
    for rejected in reading.rejected[:SHOWN_REJECTED]:
        where = rejected.text if rejected.is_picture else f"line {rejected.line:,}"
        yield f"{where}: {rejected.reason}"
    if reading.rejected_count > SHOWN_REJECTED:
        listed = len(reading.rejected)
        some = f"the first {listed:,} " if listed < reading.rejected_count else ""
        yield f"{reading.rejected_count:,} in all, {some}listed in rejected.csv"


def print_columns(console: Console, understanding: Understanding) -> None:
    """Print each column's kind, why, and how many values are missing; the target first."""
    target = understanding.task.target
    ordered = sorted(understanding.reading.table, key=lambda column: column.name != target)
    shown, rest = ordered[:SHOWN_COLUMNS], ordered[SHOWN_COLUMNS:]
    rows = [column_row(column, understanding) for column in shown]
    (print_narrow_rows if console.width < NARROW else print_wide_rows)(console, rows)
    if rest:
        kinds = Counter(understanding.table[column.name].kind.value for column in rest)
        listed = ", ".join(f"{number:,} {kind}" for kind, number in kinds.most_common())
        more = counted(len(rest), "more column")
        print_hanging(console, " … ", f"{more}: {listed}", style="dim")


Row = tuple[str, str, str, str]  # name, kind, why, missing


def column_row(column: Column, understanding: Understanding) -> Row:
    """What is said of one column: what it is used as, and what was missing when it was read."""
    missing = f"{column.missing:,}" if column.missing else DASH
    task, used = understanding.task, understanding.table[column.name]
    if column.name == task.target:
        return column.name, "target", task.reason or column.reason, missing
    return column.name, used.kind.value, used.reason, missing


def print_wide_rows(console: Console, rows: list[Row]) -> None:
    from rich.table import Table as Grid

    grid = Grid(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    grid.add_column(" column", no_wrap=True, max_width=28, overflow="ellipsis")
    grid.add_column("kind", no_wrap=True)
    grid.add_column("why", overflow="fold")
    grid.add_column("missing", justify="right", no_wrap=True)
    for name, kind, why, missing in rows:
        style = "bold" if kind == "target" else "dim" if kind in ("identifier", "constant") else ""
        grid.add_row(" " + name, kind, why, missing, style=style)
    console.print(grid)


def print_narrow_rows(console: Console, rows: list[Row]) -> None:
    for name, kind, why, missing in rows:
        absent = "" if missing == DASH else f" · {missing} missing"
        print_hanging(console, " ", f"{name}  {kind}{absent}", style="bold")
        print_hanging(console, "   ", why)


def remarks(understanding: Understanding) -> Iterator[tuple[str, str]]:
    """The lines below the columns: a word of what it is about, and the words."""
    split = understanding.split
    for note in understanding.table.notes:
        yield "note", note
    if understanding.dropped_rows:
        yield "dropped", f"{counted(understanding.dropped_rows, 'row')} without a target"
    how = f" ({split.how})" if split.how else ""
    learn = f"{counted(len(split.train), 'row')} to learn{how}"
    yield (
        "split",
        f"{learn} · {len(split.lockbox):,} in the lockbox, opened once · seed {split.seed}",
    )
    metric = METRICS[understanding.task.metric].label
    yield "terms", " · ".join((*understanding.terms, f"metric {metric}"))
    for suspicion in understanding.suspicions:
        yield "watch", str(suspicion)


def print_remark(console: Console, name: str, words: str) -> None:
    """Print a line under its name, in the same place for all."""
    print_hanging(console, f" {name:<9}", words, lead_style="yellow" if name == "watch" else "dim")
