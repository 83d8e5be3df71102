"""The log of a run, `run.sqlite`: the trial of every contestant that is through.

SQLite in WAL mode with full synchronisation: when `finish` returns, it is on the disk, and a
process killed at any moment leaves a log that opens. A run is named by a key over everything that
decides its results; a run with the same key goes on where it stopped. Knows scorecards and arrays,
nothing of learners."""

from __future__ import annotations

import hashlib
import io
import json
import math
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fathometer.errors import StoreError
from fathometer.trial.files import make_folder
from fathometer.trial.scorecard import Bill, Coverage, Distillation, Quality, Scorecard

NAME = "run.sqlite"
UNFINISHED = ".unfinished"
APPLICATION = 0x4641_5448  # "FATH", so that no other program's database is taken for ours
SCHEMA = 2

BUSY_SECONDS = 2.0  # how long to wait for a run that is just ending

TABLES = (
    "CREATE TABLE run (key TEXT NOT NULL, words TEXT NOT NULL, state TEXT NOT NULL)",
    "CREATE TABLE trials (name TEXT PRIMARY KEY, scorecard TEXT NOT NULL, content BLOB, "
    "lockbox BLOB, out_of_fold BLOB, plain BLOB, digest TEXT NOT NULL)",
)

ELSEWHERE = "--out OTHER"

# What SQLite reports, in words, for the faults that a user can mend.
FAULTS: dict[int, str] = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_TOOBIG: "a model file is larger than 1 GB",
    sqlite3.SQLITE_BUSY: "another run is writing in this folder",
    sqlite3.SQLITE_READONLY: "it may not be written to",
    sqlite3.SQLITE_PERM: "it may not be written to",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened",
    sqlite3.SQLITE_IOERR: "the disk reported an error",
}


@dataclass(frozen=True, eq=False)
class StoredTrial:
    """One contestant's trial as it is kept: all that is needed to go on without repeating it.

    What a failed contestant does not have is None."""

    scorecard: Scorecard
    content: bytes | None = None  # the model file
    lockbox: np.ndarray | None = None  # (lockbox rows, outputs) float64
    out_of_fold: np.ndarray | None = None  # (train rows, outputs) float64
    plain: np.ndarray | None = None  # the same before its probabilities were corrected, if they are


class RunStore:
    """The log of one run; open it with `RunStore.open`. Safe to use from several threads."""

    def __init__(self, path: Path, connection: sqlite3.Connection, key: str) -> None:
        self.path = path
        self._key = key
        self._connection = connection
        self._lock = threading.Lock()

    @staticmethod
    def open(folder: Path, key: str, *, words: str = "") -> RunStore:
        """Open the log of this run in its folder, new or continued.

        A run with the same key is continued, or, if complete, read again. A run with another key
        gives way to this one if it has written its files, or has nothing to lose.

        Args:
            key: from `run_key`.
            words: the run in words, for the message to whoever meets it unfinished.

        Raises:
            StoreError: if an unfinished run with another key lies there, the log is damaged or held
                by a running process, or the folder cannot be written to.
        """
        make_folder(folder)
        path = folder / NAME
        with _faults(path):
            connection = _connect(path)
            try:
                _prepare(connection, path)
                _claim(connection, path, key, words)
            except BaseException:
                connection.close()
                raise
        return RunStore(path, connection, key)

    def close(self) -> None:
        """Close the log; it can be opened again."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> RunStore:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    @property
    def is_complete(self) -> bool:
        """Whether the run had come to its end before: what is not in it was left out."""
        return self._rows("SELECT state FROM run") == [("complete",)]

    def stop(self) -> None:
        """Note that the user ended the run early, with the files of the best so far written."""
        self._write("UPDATE run SET state = 'stopped'")

    def complete(self) -> None:
        """Note that the run came to its end, with all its files written."""
        self._write("UPDATE run SET state = 'complete'")
        for left in self.path.parent.glob(f".*{UNFINISHED}*"):
            left.unlink(missing_ok=True)

    def checkpoint(self, name: str) -> Path:
        """Where a contestant may save how far its fit has come; gone once it is finished.

        The run's key is part of the file's name: other rows or options never go on from it."""
        slug = "".join(letter if letter.isalnum() else "-" for letter in name)
        return self.path.with_name(f".{slug}.{self._key[:16]}{UNFINISHED}")

    def finish(self, trial: StoredTrial) -> None:
        """Keep a contestant's trial; one of the same name is replaced."""
        parts = (
            json.dumps(trial.scorecard.as_json(), ensure_ascii=False),
            trial.content,
            _packed(trial.lockbox),
            _packed(trial.out_of_fold),
            _packed(trial.plain),
        )
        name = trial.scorecard.name
        self._write(
            "INSERT OR REPLACE INTO trials VALUES (?, ?, ?, ?, ?, ?, ?)",
            (name, *parts, _digest(name, *parts)),
        )
        self.checkpoint(name).unlink(missing_ok=True)

    def finished(self, name: str) -> StoredTrial | None:
        """The trial of a contestant that is through, or None where it is not.

        Raises:
            StoreError: if what was stored has changed since.
        """
        rows = self._rows(
            "SELECT name, scorecard, content, lockbox, out_of_fold, plain, digest "
            "FROM trials WHERE name = ?",
            (name,),
        )
        return _stored_trial(self.path, *rows[0]) if rows else None

    def names(self) -> tuple[str, ...]:
        """The contestants that are through, in the order in which they were stored."""
        return tuple(row[0] for row in self._rows("SELECT name FROM trials ORDER BY rowid"))

    def _write(self, statement: str, values: tuple[object, ...] = ()) -> None:
        with self._lock, _faults(self.path):
            self._connection.execute(statement, values)  # a transaction of its own

    def _rows(self, statement: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        with self._lock, _faults(self.path):
            return self._connection.execute(statement, values).fetchall()


def run_key(parts: Mapping[str, object]) -> str:
    """The name of a run: a hash over everything that decides its results.

    Args:
        parts: JSON values, such as the data's hash, the options and the versions; order of keys
            does not matter.
    """
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def scorecard_from(values: Mapping[str, Any]) -> Scorecard:
    """The scorecard whose `as_json` this was."""
    quality, bill = values["quality"], values["bill"]
    distillation = values.get("distillation")
    coverage = values.get("coverage")
    parts = {
        "coverage": Coverage(**coverage) if coverage else None,
        "quality": Quality(**quality) if quality else None,
        "bill": Bill(**_known(bill)) if bill else None,
        "distillation": Distillation(**distillation) if distillation else None,
    }
    return Scorecard(**{**values, **parts})


def _known(bill: Mapping[str, Any]) -> dict[str, Any]:
    """What JSON has no number for is not known: a challenger's training."""
    return {name: math.nan if value is None else value for name, value in bill.items()}


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    # The exclusive lock keeps a second run out of the folder; the system drops it with the process.
    for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = FULL"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    return connection


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing; what an error or a kill leaves behind is rolled back."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Make the tables of a new log, or check those of an old one.

    Raises:
        StoreError: if the file is another program's, of another version, or damaged.
    """
    [(application,)] = connection.execute("PRAGMA application_id").fetchall()
    [(schema,)] = connection.execute("PRAGMA user_version").fetchall()
    [(tables,)] = connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
    if not (application or schema or tables):
        with _transaction(connection):
            for statement in TABLES:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute(f"PRAGMA user_version = {SCHEMA}")
        return
    if (application, schema) != (APPLICATION, SCHEMA):
        raise StoreError(
            f"{path} is not a log that this version can go on with.",
            details=f"found application {application}, version {schema}; "
            f"expected {APPLICATION}, version {SCHEMA}",
            try_next=ELSEWHERE,
        )
    check = connection.execute("PRAGMA quick_check(1)").fetchall()
    if check != [("ok",)]:
        raise _damaged(path, str(check[0][0]))


def _claim(connection: sqlite3.Connection, path: Path, key: str, words: str) -> None:
    """Make the log this run's.

    Raises:
        StoreError: if an unfinished run with another key holds it.
    """
    with _transaction(connection):
        runs = connection.execute("SELECT key, words, state FROM run").fetchall()
        if runs and runs[0][0] == key:
            connection.execute("UPDATE run SET state = 'running' WHERE state = 'stopped'")
            return
        [(done,)] = connection.execute("SELECT count(*) FROM trials").fetchall()
        if done and runs and runs[0][2] == "running":
            raise StoreError(
                f"{path.parent} holds an unfinished run of other data, options or versions.",
                details=f"found: {runs[0][1] or 'another run'}, {done} contestants finished; "
                f"asked for: {words or 'this run'}\n"
                "repeat that run's command to finish it, or delete the folder to drop it",
                try_next=ELSEWHERE,
            )
        for table in ("run", "trials"):
            connection.execute(f"DELETE FROM {table}")
        connection.execute("INSERT INTO run VALUES (?, ?, 'running')", (key, words))


def _packed(scores: np.ndarray | None) -> bytes | None:
    """An array in NumPy's plain format."""
    if scores is None:
        return None
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(scores, dtype=np.float64), allow_pickle=False)
    return buffer.getvalue()


def _unpacked(content: bytes | None) -> np.ndarray | None:
    if content is None:
        return None
    return np.asarray(np.load(io.BytesIO(content), allow_pickle=False))


def _digest(name: str, scorecard: str, *contents: bytes | None) -> str:
    """SHA-256 over a trial's parts, each with its length before it; an absent one has length -1."""
    digest = hashlib.sha256()
    for part in (name.encode(), scorecard.encode(), *contents):
        length = -1 if part is None else len(part)
        digest.update(length.to_bytes(8, "little", signed=True))
        digest.update(part or b"")
    return digest.hexdigest()


def _stored_trial(path: Path, name: str, scorecard: str, *stored: Any) -> StoredTrial:
    """A trial from its row.

    Raises:
        StoreError: if the row does not have the digest it was stored with.
    """
    *contents, digest = stored
    if _digest(name, scorecard, *contents) != digest:
        raise _damaged(path, f"the trial of {name} is not the one that was stored")
    content, *scores = contents
    return StoredTrial(scorecard_from(json.loads(scorecard)), content, *map(_unpacked, scores))


@contextmanager
def _faults(path: Path) -> Iterator[None]:
    """Turn what SQLite reports into a StoreError; its misuse by us stays a bug."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # higher bits are details of it
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise _damaged(path, str(error)) from error
        if code not in FAULTS:
            raise
        raise StoreError(
            f"{path} could not be written: {FAULTS[code]}.", details=str(error), try_next=ELSEWHERE
        ) from error


def _damaged(path: Path, found: str) -> StoreError:
    return StoreError(
        f"{path} is damaged, so the run cannot go on from it.",
        details=f"{found}; delete the file to start this run afresh",
        try_next=ELSEWHERE,
    )
