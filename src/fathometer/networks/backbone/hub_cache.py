"""Where Hugging Face's tools keep what was fetched from its hub before."""

from __future__ import annotations

import os
import re
from pathlib import Path

HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")  # "owner/name", or the name alone of the oldest


def fetched(name: str) -> Path | None:
    """The folder of a network fetched under this name, its newest main version; None if there is
    none. Nothing is downloaded.

    The layout is huggingface_hub's (guide "Understand caching"): a folder `models--owner--name`,
    in it `refs/main` with the version, and the files of it in `snapshots/VERSION`."""
    if HUB_NAME.fullmatch(name) is None or ".." in name:
        return None
    own = _cache() / f"models--{name.replace('/', '--')}"
    try:
        version = (own / "refs" / "main").read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    folder = own / "snapshots" / version
    return folder if version.isalnum() and folder.is_dir() else None


def _cache() -> Path:
    """As huggingface_hub finds it."""
    told = os.environ.get("HF_HUB_CACHE")
    if told:
        return Path(told).expanduser()
    home = os.environ.get("HF_HOME")
    if home:
        return Path(home).expanduser() / "hub"
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "huggingface" / "hub"
