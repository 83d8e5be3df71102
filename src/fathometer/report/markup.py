"""Writing HTML and SVG so that no foreign string can become markup.

`Markup` is text that is already HTML; a plain `str` is escaped wherever it enters an element or an
attribute. So a column named `<script>` is harmless without anybody thinking of it."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping

VOID = frozenset({"meta", "input", "br", "img"})  # the elements we use that have no end tag
# Not allowed in HTML text, or not encodable as UTF-8.
UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")

Attributes = Mapping[str, str | float]


class Markup(str):
    """Text that is already HTML."""

    __slots__ = ()


def text(value: str) -> Markup:
    """The value as HTML text: escaped, unless it is `Markup`; control characters become �."""
    if isinstance(value, Markup):
        return value
    return Markup(html.escape(UNPRINTABLE.sub("\ufffd", value), quote=True))


def tag(name: str, attributes: Attributes, *children: str) -> Markup:
    """One element with its attributes and children, each escaped unless it is `Markup`.

    Numbers are written with two decimals at most."""
    written = "".join(f' {key}="{_attribute(value)}"' for key, value in attributes.items())
    if name in VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{together(*children)}</{name}>")


def together(*parts: str) -> Markup:
    """Parts one after another, each escaped unless it is `Markup`."""
    return Markup("".join(text(part) for part in parts))


def _attribute(value: str | float) -> str:
    if isinstance(value, str):
        return text(value)
    return f"{value:.2f}".rstrip("0").rstrip(".")
