"""Rows out of a real PostgreSQL: a private server on loopback, which the tests start and stop."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow.csv
import pytest

from command import fathom
from fathometer.errors import SourceError
from fathometer.table.kind import Kind
from fathometer.table.read import read

manager = pytest.importorskip("adbc_driver_manager")
driver = pytest.importorskip("adbc_driver_postgresql.dbapi")

USER, PASSWORD, ENCODED = "owner", "Sesam/öffne@dich", "Sesam%2F%C3%B6ffne%40dich"
SECONDS = 30  # to start and to stop
PASSENGERS = """CREATE TABLE passengers (passenger_id int, survived int, pclass smallint, name text,
  sex varchar(10), age numeric(7, 4), sib_sp bigint, parch int, ticket text,
  fare double precision, cabin text, embarked char(1))"""
# Rows i = 1 … 60 of every type; the third is NULL.
VARIED = {
    "amount": "(i * 1.25)::numeric(8, 2)",
    "long_key": "(12345678901234567890 + i)::numeric",
    "day": "DATE '2020-02-28' + i",
    "moment": "TIMESTAMPTZ '2020-02-28 12:00+02' + i * INTERVAL '1 hour'",
    "is_even": "i % 2 = 0",
    "lasting": "i * INTERVAL '1 day 1 second'",
    "cash": "(i + 0.5)::numeric::money",
    "key": "md5(i::text)::uuid",
    "mood": "(CASE WHEN i % 2 = 0 THEN 'glad' ELSE 'sad' END)::mood",
    "pair": "ARRAY[i, i]",
    "document": "jsonb_build_object('a', i)",
    "address": "'10.0.0.1'::inet",
}


@dataclass(frozen=True)
class Server:
    """A running server, and how to reach it."""

    port: int

    def url(self, password: str = ENCODED, database: str = "postgres") -> str:
        return f"postgresql://{USER}:{password}@127.0.0.1:{self.port}/{database}"


def binary(name: str) -> str:
    """A program of the server; skips where it is not installed."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = shutil.which(name, path=os.pathsep.join([*map(str, folders), os.environ["PATH"]]))
    return found or pytest.skip(f"no PostgreSQL server to start: {name} is not installed")


def account() -> str | None:
    """Whom to start the server as: it refuses to run as root."""
    if os.geteuid() != 0:
        return None
    import pwd

    known = {each.pw_name for each in pwd.getpwall()}
    names = [name for name in ("postgres", "nobody") if name in known]
    return names[0] if names else pytest.skip("no account but root to start PostgreSQL with")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    # Not in pytest's own folder, which other accounts may not enter.
    with tempfile.TemporaryDirectory(prefix="fathometer-postgres-") as folder:
        cluster, secret, user = Path(folder) / "cluster", Path(folder) / "password", account()
        secret.write_text(PASSWORD, encoding="utf-8")
        if user is not None:
            shutil.chown(folder, user)
            shutil.chown(secret, user)
        words = [binary("initdb"), "-D", cluster, "-U", USER, f"--pwfile={secret}", "--no-sync"]
        words += ["--auth=scram-sha-256", "-E", "UTF8", "--locale=C"]
        subprocess.run(words, user=user, cwd=folder, check=True, capture_output=True)
        port = free_port()
        words = [binary("postgres"), "-D", cluster, "-p", str(port), "-k", folder, "-F"]
        words += ["-c", "listen_addresses=127.0.0.1"]
        quiet = subprocess.DEVNULL
        running = subprocess.Popen(words, user=user, cwd=folder, stdout=quiet, stderr=quiet)
        try:
            fill(Server(port))
            yield Server(port)
        finally:
            running.terminate()
            running.wait(SECONDS)


def fill(server: Server) -> None:
    """Load the passengers and the varied types, once the server answers."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            connection = driver.connect(server.url())
            break
        except manager.Error:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
    path = Path(__file__).parents[3] / "src" / "fathometer" / "samples" / "titanic.csv"
    options = pyarrow.csv.ConvertOptions(strings_can_be_null=True)
    rows = pyarrow.csv.read_csv(path, convert_options=options)
    columns = ", ".join(
        f"CASE WHEN i <> 3 THEN {how} END AS {what}" for what, how in VARIED.items()
    )
    with connection, connection.cursor() as cursor:
        cursor.adbc_ingest("raw_passengers", rows, mode="create")
        cursor.execute(PASSENGERS)
        cursor.execute("INSERT INTO passengers SELECT * FROM raw_passengers")
        cursor.execute("CREATE TYPE mood AS ENUM ('sad', 'glad')")
        cursor.execute(f"CREATE TABLE varied AS SELECT {columns} FROM generate_series(1, 60) AS i")
        connection.commit()


def test_a_server_gives_the_passengers_of_the_file(server: Server, passengers_path: Path) -> None:
    told = read(server.url(), query="SELECT * FROM passengers ORDER BY passenger_id").table
    expected = read(passengers_path).table
    assert [(c.name, c.kind) for c in told] == [(c.name, c.kind) for c in expected]
    for column in expected:
        assert told[column.name].values.equals(column.values), column.name


def test_every_type_is_read_or_left_out_and_said(server: Server) -> None:
    table = read(server.url(), query="SELECT * FROM varied").table
    assert {column.name: column.kind for column in table} == {
        "amount": Kind.NUMBER,
        "long_key": Kind.IDENTIFIER,
        "day": Kind.DATE,
        "moment": Kind.DATE,
        "is_even": Kind.BOOLEAN,
        "lasting": Kind.NUMBER,
        "cash": Kind.NUMBER,
        "key": Kind.IDENTIFIER,
        "mood": Kind.CATEGORY,
    }
    assert all(column.missing == 1 for column in table)
    assert table["amount"].values.to_pylist()[:3] == [1.25, 2.5, None]
    assert table["lasting"].values[1].as_py() == 2 * (24 * 60 * 60 + 1)
    assert table["moment"].values[0].as_py() == 1582887600  # 2020-02-28 11:00 in UTC
    assert any("smallest unit" in note for note in table.notes)
    assert any("pair, document, address" in note for note in table.notes)


def test_an_endless_date_is_missing_and_said(server: Server) -> None:
    query = (
        "SELECT unnest(ARRAY['infinity', '-infinity', '2020-01-01', '0044-03-15 BC']::{}[]) AS a"
    )
    for kind in ("date", "timestamp", "timestamptz"):
        table = read(server.url(), query=query.format(kind)).table
        assert table["a"].missing == 3, kind
        assert "2 infinite moments" in table.notes[0]
        assert "1 moment outside the years 1 to 9999" in table.notes[1]


MISTAKES = {
    "a wrong password": ({"password": "Wrong-word"}, "SELECT 1", "refused the login"),
    "an absent database": ({"database": "absent"}, "SELECT 1", '"absent" does not exist'),
    "a misspelt query": ({}, "SELEKT 1", 'near "SELEKT"'),
    "an absent table": ({}, "SELECT * FROM absent", '"absent" does not exist'),
    "a query that fails on a row": ({}, "SELECT 1 / (i - 5) FROM generate_series(1, 9) i", "zero"),
    "a query that deletes": ({}, "DELETE FROM passengers RETURNING *", "read-only"),
    "a password that breaks the URL": ({"password": "Se%cr@et/?"}, "SELECT 1", "refused the login"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_answered_in_the_servers_words(server: Server, mistake: str) -> None:
    where, query, said = MISTAKES[mistake]
    with pytest.raises(SourceError) as caught:
        read(server.url(**where), query=query)
    assert said in caught.value.message
    told = " ".join((caught.value.message, caught.value.details, caught.value.try_next))
    assert not any(word in told for word in (PASSWORD, where.get("password", ENCODED)))


def test_an_absent_server_is_answered() -> None:
    with pytest.raises(SourceError, match=r"could not be reached.*refused") as caught:
        read(Server(free_port()).url(), query="SELECT 1")
    assert ENCODED not in str(caught.value)


def test_a_run_on_a_server_leaves_no_password_anywhere(server: Server, tmp_path: Path) -> None:
    query = "SELECT survived, pclass, sex, age, fare, embarked FROM passengers"
    words = ["compare", server.url(), "--query", query, "--target", "survived", "--out", "run"]
    done = fathom(*words, "--only", "constant,logistic", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    written = [path for path in (tmp_path / "run").rglob("*") if path.is_file()]
    assert {"run.sqlite", "report.html", "winner.onnx"} <= {path.name for path in written}
    contents = [path.read_bytes() for path in written] + [(done.stdout + done.stderr).encode()]
    for secret in (PASSWORD, ENCODED):
        assert not any(secret.encode() in content for content in contents)
    repeat = f"fathom compare postgresql://{USER}@127.0.0.1:{server.port}/postgres"
    assert repeat in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("words", [[], ["--target", "survived"], ["--query", "SELECT 1"]])
def test_a_forgotten_option_is_answered_without_the_password(
    server: Server, tmp_path: Path, words: list[str]
) -> None:
    done = fathom("compare", server.url(), *words, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error  ")
    assert "Traceback" not in done.stderr
    assert f"{USER}@127.0.0.1" in done.stderr
    assert ENCODED not in done.stderr + done.stdout
