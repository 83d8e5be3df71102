"""The small parts that sections share: paragraphs, lists, figures, choices and programs."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from fathometer.report.charts import NARROW, WIDE
from fathometer.report.content import Side
from fathometer.report.markup import Markup, tag, together
from fathometer.report.tables import family_mark

BEFORE_UNIT = re.compile(r"(?<=\d) (?=%|[KMG]?B\b|[nmµ]?s\b|min\b|h\b|[kM]?J\b)")


def paragraph(*parts: str, kind: str = "") -> Markup:
    """One paragraph."""
    return tag("p", {"class": kind} if kind else {}, *map(unparted, parts))


def sentence(words: str) -> str:
    """The words with a capital at their start."""
    return words[:1].upper() + words[1:]


def bullets(lines: Sequence[str]) -> Markup:
    """A list of short lines."""
    return tag("ul", {}, *[tag("li", {}, unparted(line)) for line in lines])


def unparted(words: str) -> str:
    """The words with no number parted from its unit at a line's end; `Markup` as it is."""
    return words if isinstance(words, Markup) else BEFORE_UNIT.sub("\N{NO-BREAK SPACE}", words)


def figure(caption: str, *parts: str, kind: str = "") -> Markup:
    """Charts with their caption."""
    looks = {"class": kind} if kind else {}
    return tag("figure", looks, *parts, tag("figcaption", {}, caption))


def both_widths(draw: Callable[[int], Markup]) -> Markup:
    """A chart drawn twice; the style sheet shows the one that fits."""
    return together(
        tag("div", {"class": "wide"}, draw(WIDE)), tag("div", {"class": "narrow"}, draw(NARROW))
    )


def opened_by(title: str, *parts: str) -> Markup:
    """Parts that stay folded until their title is clicked."""
    return tag("details", {}, tag("summary", {}, title), *parts)


def choice(group: str, name: str, panels: Sequence[tuple[str, str, Markup]]) -> tuple[Markup, ...]:
    """Small radio buttons that choose which panel is seen, and the panels, each (key, title, body).

    The buttons stand before everything that they choose, since the style sheet shows what follows
    the checked one; so they work without a script."""
    inputs, labels, bodies = [], [], []
    for place, (key, title, body) in enumerate(panels):
        checked = {"checked": ""} if place == 0 else {}
        inputs.append(tag("input", {"type": "radio", "name": group, "id": key, **checked}))
        labels.append(tag("label", {"for": key}, title))
        bodies.append(tag("div", {"class": f"panel {key}"}, tag("h4", {}, title), body))
    buttons = tag("div", {"class": "choice", "role": "group", "aria-label": name}, *labels)
    return together(*inputs), buttons, together(*bodies)


def model_title(model: str, family: Side, winner: str) -> Markup:
    """A contestant's name over its chart, with its family's mark and the winner's star."""
    star = tag("span", {"class": "star"}, " ★") if model == winner else Markup()
    return tag("h4", {}, family_mark(family), model, star)


def program(text: str) -> Markup:
    """Text to copy: a program or a command."""
    copy = tag("button", {"type": "button", "class": "copy", "hidden": ""}, "copy")
    return tag("div", {"class": "code"}, copy, tag("pre", {"tabindex": "0"}, tag("code", {}, text)))


def inline(words: str) -> Markup:
    """A command or a name within a sentence."""
    return tag("code", {}, words)
