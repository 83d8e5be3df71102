"""The top of the page: the answer in a sentence, how sure it is, and what it rests on."""

from __future__ import annotations

from fathometer.report.charts import gap_chart, three_way_bar
from fathometer.report.content import ReportContent
from fathometer.report.markup import Markup, tag, together
from fathometer.report.pieces import both_widths, figure, paragraph, sentence
from fathometer.report.tables import family_mark
from fathometer.table.metric import METRICS
from fathometer.table.task import TaskKind
from fathometer.verdict.chances import chances, percent
from fathometer.verdict.quantities import (
    bare,
    duration,
    file_size,
    latency,
    places_for,
    shared_places,
    signed,
    with_interval,
)
from fathometer.verdict.verdict import Gap
from fathometer.wording import counted


def verdict(content: ReportContent) -> Markup:
    """The top of the page: the answer in a sentence, how sure it is, and what it rests on."""
    answer = content.verdict
    question = (
        f"{content.source} · {counted(content.rows, 'row')}, "
        f"{counted(len(content.columns), 'column')} · "
        f"{'classify' if content.task.kind is TaskKind.CLASSIFY else 'predict'} "
        f"“{content.task.target}”"
    )
    theme = tag("button", {"type": "button", "id": "theme", "hidden": "", "aria-label":
                           "Switch between light and dark"}, "◐")  # fmt: skip
    top = tag("div", {"class": "top"}, tag("p", {"class": "question"}, question), theme)
    sentences = [paragraph(words) for words in answer.sentences]
    return tag(
        "header",
        {},
        top,
        tag("h1", {}, answer.headline),
        _probabilities(answer.gap),
        tag("div", {"class": "sentences"}, *sentences),
        _paired_difference(content, answer.gap),
        _key_figures(content),
    )


def _probabilities(gap: Gap | None) -> Markup:
    if gap is None:
        words = "Only one family has a finished contestant, so there is no comparison to make."
        return paragraph(words, kind="note")
    found = chances(gap)
    parts = (
        ("traditional", "traditional better", found.traditional),
        ("equal", "practically equal", found.equal),
        ("deep", "deep better", found.deep),
    )
    labels = [
        tag("li", {"class": f"{kind} most" if whole == max(found) else kind},
            tag("b", {}, percent(whole)), " ", tag("span", {}, words))
        for kind, words, whole in parts
    ]  # fmt: skip
    return tag("div", {"class": "three"}, three_way_bar(gap), tag("ul", {}, *labels))


def _paired_difference(content: ReportContent, gap: Gap | None) -> Markup:
    if gap is None:
        return Markup()
    metric = METRICS[content.task.metric].label
    places = places_for((gap.high - gap.low) / 2)
    caption = (
        f"{sentence(metric)}, {gap.deep} minus {gap.traditional} on the same unseen rows, "
        f"turned so that right is better for deep: {signed(gap.value, places)} "
        f"[{signed(gap.low, places)}, {signed(gap.high, places)}], 95 % interval. Shaded: "
        f"differences within {bare(gap.zone)} that have no "
        "practical meaning."
    )
    return figure(caption, both_widths(lambda width: gap_chart(gap, metric, width)), kind="gap")


def _key_figures(content: ReportContent) -> Markup:
    card = content.winner
    if card is None or card.quality is None:
        return Markup()
    metric = METRICS[content.task.metric]
    # Those of the leaderboard, where the same score stands again.
    places = shared_places(one.quality for one in content.finished if one.quality)
    marked = together(family_mark(card.family), card.name)
    facts = [("winner", marked), (f"{metric.label}, 95 %", with_interval(card.quality, places))]
    if bill := card.bill:
        facts += [
            ("to train", duration(bill.train_seconds)),
            ("one row", latency(bill.latency_ms_p50)),
            ("model file", file_size(bill.file_bytes)),
        ]
    if card.reads_as:
        facts.append(("reads as", card.reads_as))
    pairs = [tag("div", {}, tag("dt", {}, name), tag("dd", {}, value)) for name, value in facts]
    return tag("dl", {"class": "key-figures"}, *pairs)
