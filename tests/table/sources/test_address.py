"""Promises about databases' URLs: no password of one is ever shown."""

from __future__ import annotations

import pytest

from fathometer.table.sources.address import database_name, driver_url, without_password


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("postgresql://ada:secret@host:5432/shop", "postgresql://ada@host:5432/shop"),
        ("POSTGRES://ada:se@cr/et@host/shop", "POSTGRES://ada@host/shop"),
        ("--test=postgresql://ada:secret@host/shop", "--test=postgresql://ada@host/shop"),
        ("postgresql://ada@host/shop?password=secret", "postgresql://ada@host/shop"),
        ("postgresql://h/s?sslpassword=x&a=1&password=y", "postgresql://h/s?a=1"),
        ("postgresql://:secret@host/shop", "postgresql://@host/shop"),
        ("sqlite:///shop.db", "sqlite:///shop.db"),
        ("SELECT 'http://ada:secret@host'", "SELECT 'http://ada:secret@host'"),
        ("rows.csv?", "rows.csv?"),
    ],
)
def test_a_password_is_cut_out_and_nothing_else(typed: str, shown: str) -> None:
    assert without_password(typed) == shown


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("POSTGRESQL://ada:a@b/c@host/shop", "postgresql://ada:a%40b%2Fc@host/shop"),
        ("postgresql://ada:a%40b@host/shop", "postgresql://ada:a%40b@host/shop"),
        ("postgresql://ada:50%zoll@host/shop", "postgresql://ada:50%25zoll@host/shop"),
        ("postgresql://ada@host/shop", "postgresql://ada@host/shop"),
    ],
)
def test_the_driver_gets_the_password_that_was_meant(typed: str, read: str) -> None:
    assert driver_url(typed) == read


def test_a_database_is_called_by_its_host_and_name() -> None:
    assert database_name("postgresql://ada:se@cret@host:5432/shop") == "host/shop"
    assert database_name("postgres://ada:secret@[::1/shop") == "the database"
    assert database_name("sqlite:///folder/shop.db") == "shop.db"
