"""SQLite and PostgreSQL through ADBC: a URL and a query → columns."""

from __future__ import annotations

import importlib
from pathlib import Path
from urllib.parse import urlsplit

from fathometer.errors import MissingPackageError, OptionError, SourceError
from fathometer.table.sources.raw import Raw

# URL scheme → the driver's module; one row a database.
DRIVERS = {
    "sqlite": "adbc_driver_sqlite.dbapi",
    "postgresql": "adbc_driver_postgresql.dbapi",
    "postgres": "adbc_driver_postgresql.dbapi",
}


def is_database(source: str) -> bool:
    """Whether a source is a database's URL."""
    return "://" in source and source.split("://")[0].lower() in DRIVERS


def database_name(url: str) -> str:
    """What to call the database in messages: never its user or password."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return Path(parts.path).name
    return f"{parts.hostname or 'localhost'}{parts.path}"


def read_sql(url: str, query: str | None) -> Raw:
    """Run one query and take its rows.

    Raises: OptionError without a query; MissingPackageError without the driver; SourceError where
    the database refuses."""
    scheme = url.split("://")[0].lower()
    if not query:
        raise OptionError(
            f"{database_name(url)} is a database: say which rows with a query.",
            try_next='--query "SELECT * FROM table_name"',
        )
    try:
        driver = importlib.import_module(DRIVERS[scheme])
        manager = importlib.import_module("adbc_driver_manager")
    except ImportError as error:
        raise MissingPackageError(
            f"Reading {scheme}:// needs the package {DRIVERS[scheme].split('.')[0]}.",
            try_next="pip install fathometer[sql]",
        ) from error
    try:
        with driver.connect(_address(url)) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            table = cursor.fetch_arrow_table()
    except manager.Error as error:
        raise SourceError(f"{database_name(url)} refused the query: {error}") from error
    return Raw(table, f"{scheme}, one query", table.nbytes)


def _address(url: str) -> str:
    """What the driver takes. A SQLite file that is absent is refused: SQLite would create it."""
    parts = urlsplit(url)
    if parts.scheme != "sqlite":
        return url
    path = Path(parts.path.removeprefix("/"))  # sqlite:///relative.db, sqlite:////absolute.db
    if not path.is_file():
        path = Path(parts.path)
    if not path.is_file():
        raise SourceError(
            f'There is no SQLite file "{parts.path.removeprefix("/")}".',
            try_next="sqlite:///relative/path.db or sqlite:////absolute/path.db",
        )
    return f"file:{path}?mode=ro"
