"""PostgreSQL through psycopg: one writing connection a process, a pool of others for reading.

Writers of many processes and machines share it: what SQLite's one write lock does for a whole store, the lock on
a run's row does here for one run. Driver errors become `RunlineError` here and nowhere else.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
from psycopg import pq
from psycopg_pool import ConnectionPool

from runline.model.errors import Invalid, Unavailable
from runline.store.engine import Parameters, Row
from runline.store.notices import Announcer, Listener
from runline.store.postgres_clock import ServerTime
from runline.store.postgres_connection import Connection, Session, configured, connect, fetch, options
from runline.store.postgres_errors import translate
from runline.store.postgres_schema import TABLES, Schema
from runline.store.postgres_url import reachable

_POOL = 32
_WAIT_S = 10.0
_RESOLVE_S = 0.25


class NoReserve:
    """Deleting on a full disk is PostgreSQL's own business."""

    def release(self) -> bool:
        return False

    def keep(self) -> None: ...


class PostgresEngine:
    """The engine over one PostgreSQL database (one schema of it). `read_only` neither creates nor migrates."""

    def __init__(self, url: str, *, read_only: bool, artifacts: Path) -> None:
        self.place = url
        self.read_only = read_only
        self.artifacts = artifacts
        self.reserve = NoReserve()
        self.commit_s = 0.0
        self._conninfo = reachable(url)
        self._write: Connection | None = None
        self._pool: ConnectionPool[Connection] | None = None
        self._pool_lock = threading.Lock()
        self._inherited: list[object] = []
        self._closed = False
        self.time = ServerTime()
        self._listener = Listener(self._connect)
        self._announcer = Announcer(self._connect)
        try:
            first = self._connect()
            try:
                Schema(first, self.place, self.time).prepare(read_only=read_only)
            except BaseException:
                first.close()
                raise
        except psycopg.Error as error:
            raise translate(error, self.place) from error
        if read_only:
            first.close()
        else:
            self._write = first

    def _connect(self) -> Connection:
        connection = connect(self._conninfo, read_only=self.read_only)
        self.time.set(connection)
        return connection

    # -- reading

    def _readers(self) -> ConnectionPool[Connection]:
        if self._closed:
            raise Unavailable("This store is closed.", code="closed")
        with self._pool_lock:
            if self._pool is None:
                self._pool = ConnectionPool(
                    self._conninfo,
                    kwargs={"autocommit": True, **options(self._conninfo)},
                    configure=self._configure,
                    min_size=0,
                    max_size=_POOL,
                    timeout=_WAIT_S,
                    num_workers=1,
                    open=True,
                )
            return self._pool

    def _configure(self, connection: Connection) -> None:
        configured(connection, read_only=True)
        self.time.set(connection)

    @contextmanager
    def reader(self) -> Iterator[Connection]:
        """A read-only connection from the pool."""
        try:
            with self._readers().connection() as connection:
                if self.time.is_old:
                    self.time.set(connection)
                yield connection
        except psycopg.Error as error:
            if self._closed:
                raise Unavailable("This store is closed.", code="closed") from error
            raise translate(error, self.place) from error

    def query(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        try:
            with self.reader() as connection:
                return fetch(connection, sql, parameters)
        except Unavailable as error:
            if error.code != "away":
                raise
        # A connection that lay in the pool while the server went and came: once more with living ones.
        self._readers().check()
        with self.reader() as connection:
            return fetch(connection, sql, parameters)

    def pages(self, sql: str, parameters: dict[str, Any], *, size: int) -> Iterator[list[Row]]:
        parameters = {**parameters, "limit": size}
        while rows := self.query(sql, parameters):
            yield rows
            if len(rows) < size:
                return
            parameters["after"] = rows[-1][0]

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """Several reads that see one state of the store; keep it short."""
        with self.reader() as connection:
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            try:
                yield Session(connection, self._apart)
            finally:
                if connection.info.transaction_status != pq.TransactionStatus.UNKNOWN:
                    connection.execute("ROLLBACK")

    # -- writing

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        if self.read_only:
            raise Invalid("This store was opened read-only.", code="read_only")
        if self._closed:
            raise Unavailable("This store is closed.", code="closed")
        try:
            write = self._begun()
            try:
                yield Session(write, self._apart)
                self._commit(write)
            except BaseException:
                self._roll_back(write)
                raise
        except psycopg.Error as error:
            raise translate(error, self.place) from error
        self._announcer.ring()

    def _begun(self) -> Connection:
        """The writing connection with its transaction begun; a new one when the server has let go of the old."""
        if self._write is not None and not self._write.closed:
            with suppress(psycopg.OperationalError):
                if self.time.is_old:
                    self.time.set(self._write)
                self._write.execute("BEGIN")
                return self._write
            self._write.close()
        self._write = self._connect()
        self._write.execute("BEGIN")
        return self._write

    def _commit(self, write: Connection) -> None:
        # Also refuses a transaction in which a statement has failed, which COMMIT would roll back without a word.
        (xid,) = fetch(write, "SELECT CAST(pg_current_xact_id_if_assigned() AS TEXT)")[0]
        began_s = time.monotonic()
        try:
            write.execute("COMMIT")
        except psycopg.OperationalError:
            if xid is None or not self._was_committed(xid):
                raise
            return
        self.commit_s = time.monotonic() - began_s

    def _was_committed(self, xid: str) -> bool:
        """What became of a commit whose answer was lost: nobody can go on without knowing, so waits until it is known."""
        while not self._closed:
            try:
                with connect(self._conninfo, read_only=True) as asking:
                    (status,) = fetch(asking, "SELECT pg_xact_status(CAST(? AS XID8))", (xid,))[0]
            except psycopg.Error:
                status = None
            if status in ("committed", "aborted"):
                return bool(status == "committed")
            time.sleep(_RESOLVE_S)
        raise Unavailable(
            "The store was closed before it told whether it had stored the last events.", code="away"
        )

    def _roll_back(self, write: Connection) -> None:
        with suppress(psycopg.Error):
            write.execute("ROLLBACK")
            write.execute("SELECT pg_advisory_unlock_all()")  # had taking ids failed half way
            return
        write.close()

    def _apart(self, sql: str, parameters: Parameters) -> list[Row]:
        with connect(self._conninfo, read_only=False) as connection:
            return fetch(connection, sql, parameters)

    # -- the rest

    def changed(self) -> Any:
        if self._closed:
            raise Unavailable("This store is closed.", code="closed")
        try:
            return self._listener.heard()
        except psycopg.Error as error:
            raise translate(error, self.place) from error

    def holds(self, path: Path) -> bool:
        """Whether the file is part of the database: its files are the server's."""
        del path
        return False

    @property
    def scratch(self) -> None:
        """Large temporary files go where the system puts them."""

    def vacuum(self, pages: int) -> int:
        """PostgreSQL gives back no pages on request; see `tidy`."""
        del pages
        return 0

    def tidy(self) -> None:
        self._apart(f"VACUUM (ANALYZE) {', '.join(TABLES)}", ())

    def checkpoint(self, *, wait: bool) -> None:
        """The server's own business."""
        del wait

    def backup(self, destination: str) -> list[str]:
        raise Invalid(
            "A PostgreSQL store is backed up with PostgreSQL's own tools: "
            f"`pg_dump --format=custom --file={destination} '{self.place}'`. "
            "`runline copy` makes a SQLite store of it.",
            code="use_pg_dump",
        )

    def sizes(self) -> dict[str, int]:
        """`size_bytes`, `free_bytes` (will be used again, as far as statistics tell), `wal_bytes` (none of ours)."""
        (size, free) = self.query(_SIZES)[0]
        return {"size_bytes": size, "free_bytes": free, "wal_bytes": 0}

    def disk_free_bytes(self) -> None:
        """The disk is the server's."""

    def fork(self) -> None:
        # psycopg leaves connections of another process alone, also when they are collected.
        self._inherited += [self._pool, self._write, self._listener, self._announcer]
        self._pool = self._write = None
        self._pool_lock = threading.Lock()
        self._listener, self._announcer = Listener(self._connect), Announcer(self._connect)

    def close(self) -> None:
        self._closed = True
        self._announcer.close()
        self._listener.close()
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()
        if self._write is not None:
            self._write.close()
            self._write = None


_SIZES = """
SELECT CAST(coalesce(sum(size), 0) AS BIGINT), CAST(coalesce(sum(size * greatest(0, 1 - live)), 0) AS BIGINT)
FROM (
  SELECT pg_total_relation_size(c.oid) AS size, CASE WHEN c.reltuples < 0 THEN 1 ELSE
    c.reltuples * (28 + (SELECT coalesce(sum(s.avg_width), 0) FROM pg_stats AS s
      WHERE s.schemaname = current_schema() AND s.tablename = c.relname
    )) / greatest(pg_relation_size(c.oid), 1) END AS live
  FROM pg_class AS c WHERE c.relkind = 'r' AND c.relnamespace = CAST(current_schema() AS REGNAMESPACE)
) AS tables
"""
"""What the rows need, by the statistics that `tidy` and autovacuum keep; the rest is free, in tables and indexes alike."""
