"""The report's tables: leaderboard, further measures, failures, columns, rejected lines, files."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fathometer.report.content import Confusion, ReportContent, Side
from fathometer.report.drawing import mark
from fathometer.report.markup import Markup, tag, together
from fathometer.table.metric import METRICS
from fathometer.trial.scorecard import Bill, Coverage, Quality, Scorecard
from fathometer.verdict.quantities import (
    DASH,
    duration,
    file_size,
    fixed,
    latency,
    places_for,
    shared_places,
    significant,
    training_energy,
    with_interval,
)
from fathometer.wording import counted

COLUMNS_SHOWN = 500  # a table of 10,000 columns must not make the page slow
REJECTED_SHOWN = 100
CLASSES_SHOWN = 15
UPRIGHT = 6  # with more classes, their names stand upright over narrow columns


@dataclass(frozen=True)
class Cell:
    """What a cell says, and the number it sorts by; words sort by themselves."""

    said: str
    number: float | None = None


@dataclass(frozen=True)
class Heading:
    """A column's heading; `numeric` columns are set to the right."""

    said: str
    numeric: bool = False
    hint: str = ""


def table(
    headings: Sequence[Heading], rows: Sequence[Sequence[Cell]], *, sorts: bool = False
) -> Markup:
    """A table that scrolls in its own box; with `sorts`, its headings sort it."""
    head = tag("tr", {}, *[_heading(heading, sorts) for heading in headings])
    body = [
        tag("tr", {}, *[_cell(cell, at) for cell, at in zip(row, headings, strict=True)])
        for row in rows
    ]
    written = tag("table", {"class": "sorts"} if sorts else {}, tag("thead", {}, head),
                  tag("tbody", {}, *body))  # fmt: skip
    return tag("div", {"class": "scroll", "tabindex": "0", "role": "group"}, written)


def _heading(heading: Heading, sorts: bool) -> Markup:
    looks = {"class": "number"} if heading.numeric else {}
    hint = {"title": heading.hint} if heading.hint else {}
    if not sorts:
        return tag("th", {"scope": "col", **looks, **hint}, heading.said)
    button = tag("button", {"type": "button", **hint}, heading.said)
    return tag("th", {"scope": "col", **looks}, button)


def _cell(cell: Cell, heading: Heading) -> Markup:
    looks: dict[str, str | float] = {"class": "number"} if heading.numeric else {}
    if cell.number is not None:
        looks["data-value"] = repr(float(cell.number))
    return tag("td", looks, cell.said)


def family_mark(family: Side) -> Markup:
    """The family's shape and colour, small, before its name."""
    shape = mark(family, 8, 8, 5)
    return tag("svg", {"class": "key", "viewBox": "0 0 16 16", "aria-hidden": "true"}, shape)


@dataclass(frozen=True)
class Charge:
    """One column of the leaderboard that is taken from the bill."""

    heading: Heading
    cell: Callable[[Bill], Cell]


CHARGES = (
    Charge(Heading("train", True), lambda b: _figure(duration(b.train_seconds), b.train_seconds)),
    Charge(Heading("energy", True, "≈: estimated, the machine's counter was not readable"),
           lambda b: _figure(training_energy(b), b.energy_joules)),
    Charge(Heading("memory", True, "growth while fitting; 1 MB is 1,000,000 bytes"),
           lambda b: _figure(file_size(peak := b.peak_bytes or math.nan), peak)),
    Charge(Heading("file", True, "1 KB is 1,000 bytes"),
           lambda b: _figure(file_size(b.file_bytes), b.file_bytes)),
    Charge(Heading("one row p50", True, "one raw row to its answer, one thread, median"),
           lambda b: _figure(latency(b.latency_ms_p50), b.latency_ms_p50)),
    Charge(Heading("p99", True, "99 of 100 rows are answered within this"),
           lambda b: _figure(latency(b.latency_ms_p99), b.latency_ms_p99)),
    Charge(Heading("batch, rows/s", True),
           lambda b: _figure(significant(b.rows_per_second, 2), b.rows_per_second)),
)  # fmt: skip


def _figure(said: str, value: float) -> Cell:
    return Cell(said, value if math.isfinite(value) else None)


def leaderboard(content: ReportContent) -> Markup:
    """Every finished contestant with its quality and its bill, best first."""
    cards = content.finished
    places = shared_places([card.quality for card in cards if card.quality])
    metric = METRICS[content.task.metric]
    headings = [
        Heading("model"),
        Heading("family"),
        Heading(f"{metric.label} [95 %]", True, "on the lockbox, with 95 % bootstrap interval"),
        *[charge.heading for charge in CHARGES],
        Heading("calibration error [95 %]", True, "expected calibration error, 0 is best"),
        Heading(
            "intervals hold",
            True,
            "share of unseen rows in which 90 % intervals or sets "
            "held the truth, with its 95 % interval",
        ),
        Heading("reads as"),
    ]
    return table(headings, [_card_row(card, content, places) for card in cards], sorts=True)


def _card_row(card: Scorecard, content: ReportContent, places: int) -> list[Cell]:
    wins = card.name == content.verdict.winner
    star = tag("span", {"class": "star", "title": "winner"}, " ★")
    name = tag("strong", {}, card.name, star) if wins else card.name
    bill, quality = card.bill, card.quality
    score = Cell(with_interval(quality, places), quality.value) if quality else Cell(DASH)
    error = card.calibration_error
    return [
        Cell(name),
        Cell(together(family_mark(card.family), card.family)),
        score,
        *[charge.cell(bill) if bill else Cell(DASH) for charge in CHARGES],
        _ranged(error, card.intervals.get("calibration_error")),
        _coverage(card.coverage),
        Cell(card.reads_as or DASH),
    ]


def further_measures(content: ReportContent) -> Markup:
    """The other metrics, the out-of-fold score, what was tried and how exact the file is."""
    cards = content.finished
    others = list(dict.fromkeys(name for card in cards for name in card.others))
    headings = [
        Heading("model"),
        *[Heading(METRICS[name].label if name in METRICS else name, True) for name in others],
        Heading(f"{METRICS[content.task.metric].label} out of fold", True),
        Heading("settings tried", True),
        Heading("fits", True),
        Heading("parity", True, "largest relative deviation of the file from the model"),
        Heading("chosen"),
    ]
    return table(headings, [_further_row(card, others) for card in cards], sorts=True)


def _further_row(card: Scorecard, others: Sequence[str]) -> list[Cell]:
    parity = Cell(DASH) if card.parity is None else Cell(f"{card.parity:.0e}", card.parity)
    return [
        Cell(card.name),
        *[_ranged(card.others.get(name), card.intervals.get(name)) for name in others],
        _ranged(card.out_of_fold, card.intervals.get("out_of_fold")),
        Cell(f"{card.configurations:,}", card.configurations),
        Cell(f"{card.fits:,}", card.fits),
        parity,
        Cell(card.chosen or DASH),
    ]


def _ranged(value: float | None, ends: Sequence[float] | None) -> Cell:
    """A number with its 95 % interval, at the places that the interval deserves."""
    if value is None:
        return Cell(DASH)
    if ends is None or not ends[1] > ends[0]:
        return Cell(significant(value, 4), value)
    places = places_for((ends[1] - ends[0]) / 2)
    return Cell(with_interval(Quality("", value, *ends), places), value)


def _coverage(found: Coverage | None) -> Cell:
    if found is None:
        return Cell(DASH)
    low, high = (fixed(100 * end, 0) for end in (found.low, found.high))
    said = f"{fixed(100 * found.held, 0)} % [{low}, {high}] of {100 * found.stated:g} %"
    return Cell(said, found.held)


def failures(cards: Sequence[Scorecard]) -> Markup:
    """Contestants without a score, and why."""
    rows = [
        [Cell(card.name), Cell(together(family_mark(card.family), card.family)), Cell(card.state),
         Cell(card.failure or "no reason was recorded")]
        for card in cards
    ]  # fmt: skip
    return table([Heading("model"), Heading("family"), Heading("state"), Heading("why")], rows)


def columns_table(content: ReportContent) -> Markup:
    """What every column was taken for and what was made of it."""
    shown = content.columns[:COLUMNS_SHOWN]
    rows = [
        [Cell(line.name), Cell(line.kind), Cell(line.reason or DASH), _missing(line.missing),
         Cell(line.treatment or DASH)]
        for line in shown
    ]  # fmt: skip
    headings = [Heading("column"), Heading("kind"), Heading("why"), Heading("missing", True),
                Heading("what was done to it")]  # fmt: skip
    return together(
        table(headings, rows, sorts=True), _more(len(content.columns) - len(shown), "column")
    )


def _missing(missing: int) -> Cell:
    return Cell(f"{missing:,}" if missing else DASH, missing)


def _more(count: int, noun: str) -> Markup:
    return tag("p", {"class": "note"}, f"{counted(count, noun)} more.") if count > 0 else Markup()


def rejected_table(content: ReportContent) -> Markup:
    """The first lines that were refused, with their reasons."""
    shown = content.rejected[:REJECTED_SHOWN]
    rows = [
        [Cell(f"{one.line:,}", one.line), Cell(one.reason), Cell(tag("code", {}, one.text[:300]))]
        for one in shown
    ]
    headings = [Heading("line", True), Heading("reason"), Heading("text")]
    return together(table(headings, rows), _more(content.rejected_count - len(shown), "line"))


def files_table(content: ReportContent) -> Markup:
    """The files of the run's folder."""
    rows = [
        [Cell(tag("code", {}, one.name)), Cell(file_size(one.size_bytes), one.size_bytes),
         Cell(tag("code", {"class": "hash"}, one.sha256))]
        for one in content.files
    ]  # fmt: skip
    return table([Heading("file"), Heading("size", True), Heading("SHA-256")], rows)


def folded(drawn: Confusion) -> tuple[tuple[str, ...], list[list[int]]]:
    """The classes with most rows and their counts; the rest is folded into one last class."""
    totals = [sum(row) for row in drawn.counts]
    if len(totals) <= CLASSES_SHOWN:
        return drawn.classes, [list(row) for row in drawn.counts]
    often = sorted(range(len(totals)), key=lambda place: -totals[place])[:CLASSES_SHOWN]
    kept = sorted(often)
    seat = {place: number for number, place in enumerate(kept)}
    counts = [[0] * (len(kept) + 1) for _ in range(len(kept) + 1)]
    for true, row in enumerate(drawn.counts):
        for answered, count in enumerate(row):
            counts[seat.get(true, len(kept))][seat.get(answered, len(kept))] += count
    names = tuple(drawn.classes[place] for place in kept)
    return (*names, f"{len(totals) - len(kept):,} others"), counts


def confusion_table(drawn: Confusion) -> Markup:
    """True classes down, answers across; a cell is the darker, the larger its share of the row."""
    names, counts = folded(drawn)
    many = len(names) > UPRIGHT
    head = [tag("th", {"scope": "col"}, tag("span", {}, name)) for name in names]
    body = []
    for place, row in enumerate(counts):
        total = sum(row)
        cells = [_count_cell(count, total, column == place) for column, count in enumerate(row)]
        found = fixed(100 * row[place] / total, 0) + " %" if total else DASH
        body.append(tag("tr", {}, tag("th", {"scope": "row"}, names[place]), *cells,
                        tag("td", {"class": "number found"}, found)))  # fmt: skip
    corner = tag("th", {"class": "corner"}, "true ↓ answered →")
    end = tag("th", {"scope": "col", "class": "number"}, "found")
    rows = tag("thead", {}, tag("tr", {}, corner, *head, end)), tag("tbody", {}, *body)
    written = tag("table", {"class": "confusion many" if many else "confusion"}, *rows)
    return tag("div", {"class": "scroll", "tabindex": "0", "role": "group"}, written)


def _count_cell(count: int, total: int, right: bool) -> Markup:
    shade = round(8 * count / total) if total else 0
    kind = f"number shade-{shade} {'right' if right else 'wrong'}{'' if count else ' none'}"
    return tag("td", {"class": kind}, f"{count:,}")
