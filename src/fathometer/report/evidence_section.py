"""The section for who wants to check the verdict: the same in the field's terms, and its tables."""

from __future__ import annotations

from collections.abc import Sequence

from fathometer.report.content import ReportContent
from fathometer.report.markup import Markup, tag, together
from fathometer.report.pieces import bullets, opened_by, paragraph
from fathometer.report.tables import Cell, Heading, table
from fathometer.table.metric import METRICS
from fathometer.verdict.chances import chances, percent
from fathometer.verdict.quantities import (
    by_how_much,
    duration,
    energy,
    file_size,
    fixed,
    latency,
    places_for,
    signed,
    significant,
)
from fathometer.verdict.verdict import FoldGap, Gap, Pair, Worth

PAIRS_SHOWN = 200


def evidence(content: ReportContent) -> Markup:
    """How the verdict was found: posterior on the lockbox and over the folds, all pairs, worth."""
    verdict = content.verdict
    parts = [bullets(verdict.expert)] if verdict.expert else []
    if verdict.gap is not None:
        parts.append(_views(verdict.gap, verdict.fold_gap, content))
    if verdict.worth is not None:
        parts += [tag("h3", {}, "What the difference is worth"), _worth(verdict.worth)]
    if verdict.pairs:
        parts.append(_pairs(content, verdict.pairs))
    return together(*parts)


def _views(gap: Gap, folds: FoldGap | None, content: ReportContent) -> Markup:
    """The same two contestants on the lockbox and over the folds."""
    views: list[tuple[str, Gap | FoldGap]] = [(f"lockbox, {gap.rows:,} rows", gap)]
    if folds is not None:
        views.append((f"{folds.folds} folds, corrected resampled t", folds))
    metric = METRICS[content.task.metric].label
    headings = [
        Heading("judged on"),
        Heading(f"{metric}, deep minus traditional [95 %]", True),
        Heading("P(traditional better)", True),
        Heading("P(practically equal)", True),
        Heading("P(deep better)", True),
    ]
    rows = [
        [
            Cell(name),
            Cell(_interval(view.value, view.low, view.high), view.value),
            *[Cell(percent(whole), whole) for whole in chances(view)],
        ]
        for name, view in views
    ]
    said = (
        f"{gap.deep} against {gap.traditional}. Both were chosen as the best of their family by "
        "the folds, so the folds flatter both; the lockbox was asked once and decides."
    )
    return together(
        tag("h3", {}, "Both families"), table(headings, rows), paragraph(said, kind="note")
    )


def _worth(worth: Worth) -> Markup:
    """The gain and the extra cost of the better family, a line each."""
    lines: list[tuple[str, str]] = [
        ("gain", _interval(worth.gain, worth.low, worth.high)),
        ("to train", _cost(worth.train_seconds, worth.train_joules)),
        ("a million predictions", _cost(worth.predict_seconds, worth.predict_joules)),
        ("one row", by_how_much(worth.latency_ms or 0.0, latency)),
        ("memory to train", by_how_much(worth.peak_bytes or 0, file_size)),
        ("file", by_how_much(worth.file_bytes, file_size)),
    ]
    if worth.train_money is not None and worth.predict_money is not None:

        def money(amount: float) -> str:
            return f"{significant(amount, 2)} {worth.currency or ''}"

        lines.append(("money to train", by_how_much(worth.train_money, money)))
        lines.append(("money, a million predictions", by_how_much(worth.predict_money, money)))
    said = f"{worth.better} against {worth.other}; joules of predictions are estimates."
    rows = [[Cell(name), Cell(figure)] for name, figure in lines]
    headings = [Heading("more than the other"), Heading(worth.better, True)]
    return together(table(headings, rows), paragraph(said, kind="note"))


def _pairs(content: ReportContent, pairs: Sequence[Pair]) -> Markup:
    """Every contestant against every other, corrected for how many there are; folded."""
    metric = METRICS[content.task.metric].label
    headings = [
        Heading("better out of fold"),
        Heading("other"),
        Heading(f"{metric}, first minus second [95 %, all at once]", True),
        Heading("p, adjusted", True),
    ]
    rows = [
        [
            Cell(pair.one),
            Cell(pair.other),
            Cell(_interval(pair.value, pair.low, pair.high), pair.value),
            Cell(fixed(pair.p_value, 4) if pair.p_value >= 5e-4 else "under 0.001", pair.p_value),
        ]
        for pair in pairs[:PAIRS_SHOWN]
    ]
    said = (
        "On the lockbox. Intervals and p-values allow for the number of pairs (max-t over the same "
        "resamples): the chance of one false difference among all of them is 5 %."
    )
    return opened_by(
        f"Every two contestants ({len(pairs):,} pairs)",
        table(headings, rows, sorts=True),
        paragraph(said, kind="note"),
    )


def _interval(value: float, low: float, high: float) -> str:
    places = places_for((high - low) / 2)
    return f"{signed(value, places)} [{signed(low, places)}, {signed(high, places)}]"


def _cost(seconds: float, joules: float) -> str:
    return f"{by_how_much(seconds, duration)}, {by_how_much(joules, energy)}"
