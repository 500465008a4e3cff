"""Connections to one SQLite file, and what is read and written through them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import apsw

from runline.model.errors import Invalid
from runline.store.engine import Parameters, Row

_LOCK_TIMEOUT_S = 10.0
_WAL_LIMIT_BYTES = 48 * 1024 * 1024
CHECKPOINT_PAGES = 4_000
READ_ONLY = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
WRITE = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_URI


def fetch(connection: apsw.Connection, sql: str, parameters: Parameters) -> list[Row]:
    try:
        return connection.execute(sql, parameters).fetchall()
    except (OverflowError, UnicodeError) as error:
        raise Invalid(
            "A number is beyond 64 bits, or a text is not Unicode; neither can be looked up.",
            code="bad_value",
        ) from error


def uri(path: str) -> str:
    """The path as SQLite's file URI; a module for this would cost as much as opening the store."""
    for special, escaped in (("%", "%25"), ("?", "%3f"), ("#", "%23")):
        path = path.replace(special, escaped)
    return f"file:{path}"


def unwritable(folder: Path) -> Invalid:
    return Invalid(
        f"{folder} is not writable, and SQLite needs to write beside its file even to read it. "
        "Make the folder writable, or choose another with --store.",
        code="read_only",
    )


def connect(path: str, flags: int, vfs: str | None) -> apsw.Connection:
    """A connection as this store wants it: patient, durable, and read-only when the flags say so."""
    connection = apsw.Connection(uri(path), flags=flags, vfs=vfs, statementcachesize=200)
    deadline_s = _LOCK_TIMEOUT_S

    def wait_for_lock(tries: int) -> bool:
        # Short sleeps: with SQLite's own timeout the unluckiest of four writers waited 2.5 s, so 0.1 s.
        time.sleep(min(0.001, 0.0001 * (tries + 1)))
        return tries < deadline_s * 1000

    connection.set_busy_handler(wait_for_lock)
    connection.execute("PRAGMA synchronous = FULL").fetchall()
    connection.execute("PRAGMA foreign_keys = OFF").fetchall()
    if flags & apsw.SQLITE_OPEN_READONLY:
        connection.execute("PRAGMA query_only = ON").fetchall()
    else:
        # 16 MiB of WAL between checkpoints: hot pages are written back once, not at every other commit.
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}").fetchall()
        connection.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT_BYTES}").fetchall()
        connection.execute("PRAGMA cache_size = -4000").fetchall()
    return connection


class Session:
    """A connection inside a transaction."""

    shared = False

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        return fetch(self._connection, sql, parameters)

    def apart(self, sql: str, parameters: Parameters) -> list[Row]:
        """There is but one writer, which waits for nobody."""
        return self.execute(sql, parameters)

    def executemany(self, sql: str, rows: Sequence[Row]) -> int:
        """How many rows of the database changed."""
        before = self._connection.total_changes()
        self._connection.executemany(sql, rows).fetchall()
        return self._connection.total_changes() - before
