"""The sections that show rows themselves: samples of each class, confused pairs, worst mistakes."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from fathometer.report.content import ReportContent
from fathometer.report.gallery import ConfusedPair, Exhibit, Gallery
from fathometer.report.markup import Markup, tag, together
from fathometer.report.pieces import figure, paragraph
from fathometer.verdict.chances import percent
from fathometer.wording import counted

PNG = b"\x89PNG"


def samples(content: ReportContent) -> Markup:
    """Training rows of each class, as they are learned from."""
    return together(*[_samples(one) for one in content.galleries if one.samples or one.notes])


def mistakes(content: ReportContent) -> Markup:
    """The most confused classes and the worst answers, with the rows themselves."""
    return together(*[_mistakes(one) for one in content.galleries])


def _samples(gallery: Gallery) -> Markup:
    rows = [
        tag("div", {"class": "shelf"}, tag("h4", {}, name), _shelf(exhibits, says=False))
        for name, exhibits in gallery.samples
        if exhibits
    ]
    caption = f"The first training rows of each class, column “{gallery.column}”."
    shown = figure(caption, *rows, kind="gallery") if rows else Markup()
    return together(*[paragraph(note) for note in gallery.notes], shown)


def _mistakes(gallery: Gallery) -> Markup:
    parts = []
    if gallery.pairs:
        caption = (
            f"The classes that {gallery.model} confuses most on unseen rows, the surest wrong "
            f"answers first, column “{gallery.column}”."
        )
        shelves = [_pair(pair) for pair in gallery.pairs]
        parts += [tag("h3", {}, "Most confused"), figure(caption, *shelves, kind="gallery")]
    if gallery.worst:
        wrong = "wrong answers it was surest of" if gallery.pairs else "answers farthest off"
        caption = f"The {wrong}: {gallery.model} on unseen rows, column “{gallery.column}”."
        shelf = _shelf(gallery.worst, says=True)
        parts += [tag("h3", {}, "Worst mistakes"), figure(caption, shelf, kind="gallery")]
    return together(*parts)


def _pair(pair: ConfusedPair) -> Markup:
    title = f"{pair.truth} taken for {pair.answered}, {counted(pair.count, 'row')}"
    shelf = _shelf(pair.exhibits, says=False)
    return tag("div", {"class": "shelf"}, tag("h4", {}, title), shelf)


def _shelf(exhibits: Sequence[Exhibit], *, says: bool) -> Markup:
    kind = "pictures" if exhibits and exhibits[0].picture else "texts"
    return tag("ul", {"class": kind}, *[_exhibit(one, says=says) for one in exhibits])


def _exhibit(one: Exhibit, *, says: bool) -> Markup:
    words = f"{one.truth} → {one.answered}" if says else ""
    if one.sureness is not None:
        words = f"{words} {percent(round(100 * one.sureness))}".strip()
    said = tag("small", {}, words) if words else Markup()
    if not one.picture:
        return tag("li", {}, tag("q", {}, one.text or "(empty)"), said)
    kind = "png" if one.picture.startswith(PNG) else "jpeg"
    source = f"data:image/{kind};base64,{base64.b64encode(one.picture).decode()}"
    hint = f"{one.truth}, answered {one.answered}" if one.answered else one.truth
    return tag("li", {}, tag("img", {"src": source, "alt": hint, "title": hint}), said)
