"""The sections from the contest to the doubts, each a function of the content; empty where it has
nothing to say."""

from __future__ import annotations

from functools import partial

from fathometer.report import tables
from fathometer.report.charts import contest_chart
from fathometer.report.content import ReportContent, Side
from fathometer.report.cost_chart import COSTS, cost_chart, priced
from fathometer.report.expense_table import expense_table
from fathometer.report.markup import Markup, tag, together
from fathometer.report.pieces import (
    both_widths,
    bullets,
    choice,
    figure,
    opened_by,
    paragraph,
    sentence,
)
from fathometer.table.metric import METRICS
from fathometer.trial.scorecard import Scorecard
from fathometer.verdict.quantities import is_estimate
from fathometer.wording import counted

READING_SHOWN = 40_000  # letters; a long rule list must not fill the page's 2 MB
FAMILIES: tuple[tuple[Side, str], ...] = (
    ("traditional", "traditional machine learning"),
    ("deep", "deep learning"),
    ("both", "both together"),
    ("challenger", "challenger: not trained here, may have seen these rows"),
)


def contest(content: ReportContent) -> Markup:
    """Every contestant's interval on one axis."""
    if not content.finished:
        return paragraph("No contestant finished.")
    metric = METRICS[content.task.metric]
    zone = content.verdict.gap.zone if content.verdict.gap else 0.0
    sense = "more" if metric.greater_is_better else "less"
    caption = together(
        f"{sentence(metric.label)} on the lockbox, {sense} is better; lines are 95 % intervals. ",
        "Shaded: no practical difference from the winner. " if zone > 0 else "",
        "Two single intervals may overlap although the paired difference is clear, so the ",
        "verdict rests on the paired difference.",
    )
    chart = both_widths(
        lambda width: contest_chart(content.finished, content.verdict.winner, zone, width)
    )
    return together(_families(content), figure(caption, chart), _beaten_by_nobody(content))


def _families(content: ReportContent) -> Markup:
    present = {card.family for card in content.finished}
    keys = [
        tag("li", {}, tables.family_mark(family), words)
        for family, words in FAMILIES
        if family in present
    ]
    star = tag("li", {}, tag("span", {"class": "star"}, "★"), " winner")
    return tag("ul", {"class": "families"}, *keys, star)


def _beaten_by_nobody(content: ReportContent) -> Markup:
    rivals = content.verdict.rivals
    if len(rivals) < 2:
        return Markup()
    return paragraph("Not clearly beaten by the best: ", ", ".join(rivals), ".", kind="note")


def costs(content: ReportContent) -> Markup:
    """Quality against each cost that was measured, small radio buttons choose which is shown; and
    each bill in money, where there are prices."""
    cards, winner = content.finished, content.verdict.winner
    panels = [
        (f"cost-{cost.key}", cost.title, both_widths(partial(cost_chart, cards, winner, cost)))
        for cost in COSTS
        if priced(cards, cost)
    ]
    if not panels:
        return expense_table(content)
    caption = (
        "Towards the upper left is better and cheaper. The stepped line joins contestants that no "
        "other both undercuts and beats. Where a name does not fit, point at the mark."
    )
    inputs, buttons, charts = choice("cost", "Cost", panels)
    chart = together(inputs, buttons, figure(caption + _estimated(content), charts))
    return together(chart, expense_table(content))


def _estimated(content: ReportContent) -> str:
    bills = [card.bill for card in content.finished if card.bill]
    if any(map(is_estimate, bills)):
        return " Joules are estimates: the machine's energy counter could not be read."
    return ""


def board(content: ReportContent) -> Markup:
    """The table of all finished contestants."""
    if not content.finished:
        return Markup()
    return together(
        paragraph("Measured on the exported files. Click a heading to sort.", kind="note"),
        tables.leaderboard(content),
        opened_by("Further measures, and what each contestant tried",
                  tables.further_measures(content)),
    )  # fmt: skip


def absent(content: ReportContent) -> Markup:
    """Who failed or was not entered, and why."""
    return tables.failures(content.unfinished) if content.unfinished else Markup()


def readable(content: ReportContent) -> Markup:
    """Rules and coefficients, folded."""
    cards = [card for card in content.finished if card.reading]
    return together(*[_reading(card) for card in cards])


def _reading(card: Scorecard) -> Markup:
    title = f"{card.name}, {card.reads_as}" if card.reads_as else card.name
    shown = card.reading[:READING_SHOWN]
    more = "" if len(card.reading) <= READING_SHOWN else "\n… cut here"
    return opened_by(title, tag("pre", {"tabindex": "0"}, shown + more))


def columns(content: ReportContent) -> Markup:
    """The columns, what they were taken for and what was done to them."""
    return tables.columns_table(content) if content.columns else Markup()


def rejected(content: ReportContent) -> Markup:
    """How many lines could not be read as rows, and the first of them."""
    if not content.rejected_count:
        return paragraph("No line was refused.")
    listed, is_whole = content.rejected_listed, content.rejected_listed == content.rejected_count
    holds = "all that were refused" if is_whole else f"the first {listed:,} of them"
    words = f"{counted(content.rejected_count, 'line')} could not be read; rejected.csv holds "
    return together(paragraph(f"{words}{holds}."), tables.rejected_table(content))


def _of_verdict(content: ReportContent) -> tuple[str, ...]:
    """The verdict's warnings but those that stand below, as the table's."""
    return tuple(each for each in content.verdict.warnings if each not in content.suspicions)


def doubts(content: ReportContent) -> Markup:
    """Warnings of the verdict, suspicions about the table and what reading changed."""
    groups = (
        ("About the verdict", _of_verdict(content)),
        ("About the table", content.suspicions),
        ("While reading", content.notes),
    )
    parts = [together(tag("h3", {}, title), bullets(lines)) for title, lines in groups if lines]
    return together(*parts) if parts else paragraph("None.")
