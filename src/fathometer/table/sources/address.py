"""A database's URL: what to call it in messages, and how to write it without its password.

Light to import: the door of the command masks passwords even where nothing else is installed."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, urlsplit

# A word of a command line that is a URL with a password. Greedy up to the last @, since a password
# may hold an @ or a / that should have been written %40 or %2F.
PASSWORD = re.compile(r"^((?:--[\w-]+=)?[a-z][\w+.-]*://[^/@:?]*):(.*)@", re.IGNORECASE | re.DOTALL)
SECRET_OPTIONS = re.compile(r"(?<=[?&])(?:ssl)?password=[^&]*&?", re.IGNORECASE)
ODD_PERCENT = re.compile(r"%(?![0-9a-f]{2})", re.IGNORECASE)


def without_password(word: str) -> str:
    """A URL, or an option with one, without its passwords; any other word as it is.

    >>> without_password("postgresql://ada:secret@host/shop?password=secret&sslmode=require")
    'postgresql://ada@host/shop?sslmode=require'
    """
    if not re.match(r"(--[\w-]+=)?[a-z][\w+.-]*://", word, re.IGNORECASE):
        return word
    shown = SECRET_OPTIONS.sub("", PASSWORD.sub(r"\1@", word))
    return shown.rstrip("?&") if shown != word else word


def passwords_of(url: str) -> tuple[str, ...]:
    """The password before the host, as it stands in the URL and as it is typed at a prompt."""
    found = PASSWORD.match(url)
    return (found[2], unquote(found[2])) if found and found[2] else ()


def driver_url(url: str) -> str:
    """The URL as the driver reads it: the scheme in small letters, the password encoded.

    The driver splits at the first @ or /, and its message names what follows as the host."""
    scheme, _, rest = url.partition("://")
    url = f"{scheme.lower()}://{rest}"
    found = PASSWORD.match(url)
    if found is None:
        return url
    password = quote(ODD_PERCENT.sub("%25", found[2]), safe="%")
    return f"{found[1]}:{password}@{url[found.end() :]}"


def database_name(url: str) -> str:
    """What to call the database in messages: never its user or password."""
    try:
        parts = urlsplit(without_password(url))
    except ValueError:  # brackets that hold no address
        return "the database"
    if parts.scheme == "sqlite":
        return parts.path.rpartition("/")[2]
    return f"{parts.hostname or 'localhost'}{parts.path}"
