"""What a chart is made of."""

from __future__ import annotations

from xml.etree import ElementTree


def parts(svg: str, kind: str) -> list[ElementTree.Element]:
    """All elements of a class, in the order in which they are drawn."""
    root = ElementTree.fromstring(svg)
    return [each for each in root.iter() if kind in (each.get("class") or "").split()]
