"""The licence that a checkpoint states of itself, as words to show."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

NOT_STATED = "not stated"
READ_BYTES = 1 << 16  # of a README or a licence
LONGEST = 60  # characters shown
# The licence in a README's front matter, as model hubs write it: "license: apache-2.0", and for one
# that no list knows "license_name: ...".
FRONT_MATTER = re.compile(r"\A\ufeff?---\r?\n(.*?)\r?\n---", re.DOTALL)
STATED = re.compile(r"^licen[cs]e(_name)?:[ \t]*([^#\r\n]*)", re.MULTILINE)
LISTED = re.compile(r"^licen[cs]e:[ \t]*\r?\n[ \t]*-[ \t]*(\S[^#\r\n]*)", re.MULTILINE)
# What the first lines of usual licences say.
TITLES = (
    ("Apache License", "Apache-2.0"),
    ("MIT License", "MIT"),
    ("Permission is hereby granted, free of charge", "MIT"),
    ("GNU GENERAL PUBLIC LICENSE", "GPL"),
    ("Creative Commons Attribution-NonCommercial", "CC BY-NC"),
    ("Redistribution and use in source and binary forms", "BSD"),
)
FILES = ("LICENSE", "LICENSE.txt", "LICENSE.md", "LICENCE", "COPYING")


def licence_of(folder: Path, metadata: Mapping[str, str]) -> str:
    """What the README's front matter says, or the licence file, or the weights' own metadata."""
    words = _in_readme(_beginning(folder / "README.md"))
    for name in FILES:
        words = words or _in_licence(_beginning(folder / name))
    for key in ("license", "licence", "modelspec.license"):
        words = words or metadata.get(key, "")
    return _plain(words) or NOT_STATED


def _in_readme(text: str) -> str:
    matter = FRONT_MATTER.match(text)
    if matter is None:
        return ""
    lines = str(matter[1])
    listed = LISTED.search(lines)
    stated = {key: value.strip() for key, value in STATED.findall(lines)}
    own = stated.get("", "").strip("\"'")
    if own == "other" and stated.get("_name"):
        return str(stated["_name"]).strip("\"'")
    return own or (str(listed[1]).strip() if listed else "")


def _in_licence(text: str) -> str:
    known = (short for title, short in TITLES if title in text)
    first = next((line.strip(" #*\t") for line in text.splitlines() if line.strip()), "")
    return next(known, first)


def _beginning(path: Path) -> str:
    if not path.is_file():
        return ""
    with path.open("rb") as stream:
        return stream.read(READ_BYTES).decode(errors="replace")


def _plain(words: str) -> str:
    """One short line without anything that a terminal obeys."""
    shown = "".join(letter if letter.isprintable() else " " for letter in words)
    return " ".join(shown.split())[:LONGEST]
