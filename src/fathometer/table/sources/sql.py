"""SQLite and PostgreSQL through ADBC: a URL and a query → columns."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import ModuleType
from urllib.parse import quote, urlsplit

import pyarrow as pa

from fathometer.errors import MissingPackageError, OptionError, SourceError
from fathometer.table.sources.address import (
    database_name,
    driver_url,
    passwords_of,
    without_password,
)
from fathometer.table.sources.raw import Raw

# URL scheme → the driver's module; one row a database.
DRIVERS = {
    "sqlite": "adbc_driver_sqlite.dbapi",
    "postgresql": "adbc_driver_postgresql.dbapi",
    "postgres": "adbc_driver_postgresql.dbapi",
}
# What a server says stands behind its severity; the driver adds the query and a code after it.
SERVER_WORDS = re.compile(r"(?:ERROR|FATAL):\s+(.*?)(?:\n|$)(.*)", re.DOTALL)
LOGIN = re.compile(r"authentication|no password supplied|role .* does not exist", re.IGNORECASE)


def is_database(source: str) -> bool:
    """Whether a source is a database's URL."""
    return "://" in source and source.split("://")[0].lower() in DRIVERS


def _is_sqlite(url: str) -> bool:
    return url.split("://")[0].lower() == "sqlite"


def read_sql(url: str, query: str | None) -> Raw:
    """Run one query and take its rows; a query that would change the database is refused.

    Raises: OptionError without a query; MissingPackageError without the driver; SourceError where
    the database cannot be reached or refuses. No message holds the password."""
    scheme = url.split("://")[0].lower()
    if not query:
        raise OptionError(
            f"{database_name(url)} is a database: say which rows with a query.",
            try_next='--query "SELECT * FROM table_name"',
        )
    try:
        driver = importlib.import_module(DRIVERS[scheme])
        faults = importlib.import_module("adbc_driver_manager")
    except ImportError as error:
        package = DRIVERS[scheme].split(".")[0].replace("_", "-")
        raise MissingPackageError(
            f"Reading {scheme}:// needs the package {package}, which is not installed.",
            try_next=f"pip install {package}",
        ) from error
    address = _address(url)
    try:
        connection = driver.connect(address)
    except faults.Error as error:
        # Not "from error": its text may hold the URL, and a traceback would print it.
        raise _not_reached(url, str(error)) from None
    with connection:
        table = _rows(connection, faults, url, query)
    return Raw(table, f"{scheme}, one query", table.nbytes)


def _rows(connection: object, faults: ModuleType, url: str, query: str) -> pa.Table:
    try:
        with connection.cursor() as cursor:  # type: ignore[attr-defined]
            if not _is_sqlite(url):  # whose file is opened for reading only
                cursor.execute("SET TRANSACTION READ ONLY")
            cursor.execute(query)
            return cursor.fetch_arrow_table()
    except faults.Error as error:
        said, where = _server_words(str(error), url)
        raise SourceError(
            f"{database_name(url)} refused the query: {said}.", details=where
        ) from None


def _not_reached(url: str, text: str) -> SourceError:
    said, _ = _server_words(text, url)
    name = database_name(url)
    if LOGIN.search(said):
        return SourceError(
            f"{name} refused the login: {said}.",
            details="the password is taken from PGPASSWORD, or from the URL: "
            "postgresql://user:password@host/database",
        )
    return SourceError(
        f"{name} could not be reached: {said}.",
        details="a URL is postgresql://user@host:5432/database, with the password in PGPASSWORD",
    )


def _server_words(text: str, url: str) -> tuple[str, str]:
    """What the database said, and where in the query, without the driver's own words."""
    found = SERVER_WORDS.search(text)
    if found:
        said, where = found.groups()
        lines = [line for line in where.splitlines() if line.startswith("LINE")]
        return said.rstrip(". "), "".join(lines[:1])
    # Not the server's words but the driver's, which may repeat the URL or a part of it.
    said = text.replace(url, without_password(url)).rpartition("Failed to connect:")[2]
    for password in passwords_of(url):
        said = said.replace(password, "…")
    return said.strip().partition("\n")[0].rstrip(". "), ""


def _address(url: str) -> str:
    """What the driver takes. A SQLite file that is absent is refused: SQLite would create it."""
    if not _is_sqlite(url):
        return driver_url(url)
    parts = urlsplit(url)
    path = Path(parts.path.removeprefix("/"))  # sqlite:///relative.db, sqlite:////absolute.db
    if not path.is_file():
        path = Path(parts.path)
    if not path.is_file():
        raise SourceError(
            f'There is no SQLite file "{parts.path.removeprefix("/")}".',
            details="a URL is sqlite:///relative/path.db or sqlite:////absolute/path.db",
        )
    return f"file:{quote(str(path))}?mode=ro"
