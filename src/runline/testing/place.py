"""Where the contract suite keeps a store: opened as often as wanted, each time as another process would."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import apsw
import psycopg

from runline.model.clock import Clock
from runline.model.limits import DEFAULT_LIMITS, Limits
from runline.store.interface import Store
from runline.store.postgres_store import open_postgres
from runline.store.sql_store import SqlStore, open_sqlite
from runline.testing.postgres import PostgresServer

if TYPE_CHECKING:
    from runline.store.remote.http_store import HttpStore
    from runline.testing.serving import Serving


class Place(Protocol):
    """What an engine gives the contract suite: one store, at first empty."""

    reads_ahead: bool
    """A follower may still be given what was on its way to it when its run was deleted."""

    def open(self, *, clock: Clock | None = None, limits: Limits = DEFAULT_LIMITS) -> Store:
        """A handle of its own, with its own connections, writer and caches."""
        ...

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        """What the public views answer, asked from outside."""
        ...

    def at_rest(self) -> bytes:
        """Every byte that is stored, so that nothing can hide in it."""
        ...


class SqlitePlace:
    """A store in one SQLite file; `close` closes every handle."""

    reads_ahead = False

    def __init__(self, folder: Path) -> None:
        self.path = folder / "runline.db"
        self._open: list[SqlStore] = []

    def open(
        self,
        *,
        clock: Clock | None = None,
        limits: Limits = DEFAULT_LIMITS,
        queue_size: int = 100_000,
        read_only: bool = False,
    ) -> SqlStore:
        store = open_sqlite(
            str(self.path),
            url=f"sqlite:///{self.path}",
            clock=clock,
            limits=limits,
            queue_size=queue_size,
            read_only=read_only,
        )
        self._open.append(store)
        return store

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        connection = apsw.Connection(str(self.path))
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def at_rest(self) -> bytes:
        return b"".join(path.read_bytes() for path in sorted(self.path.parent.glob("runline.db*")))

    def close(self) -> None:
        for store in self._open:
            store.close()
        self._open.clear()


class HttpPlace:
    """The same file behind servers: each handle is a server of its own and a store that asks it."""

    reads_ahead = True

    def __init__(self, folder: Path) -> None:
        self._file = SqlitePlace(folder)
        self._spool = folder / "spool"
        self._serving: list[tuple[HttpStore, Serving]] = []

    def open(self, *, clock: Clock | None = None, limits: Limits = DEFAULT_LIMITS) -> HttpStore:
        from runline.server.serve import listen
        from runline.server.settings import Settings
        from runline.store.remote.http_store import open_http
        from runline.testing.serving import Serving

        behind = self._file.open(clock=clock, limits=limits)
        serving = Serving(listen(behind, Settings(port=0)))
        store = open_http(serving.url, clock=clock, limits=limits, spool=self._spool)
        self._serving.append((store, serving))
        return store

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        return self._file.sql(query)

    def at_rest(self) -> bytes:
        """What the servers' file holds, and what waits for them."""
        waiting = b"".join(path.read_bytes() for path in sorted(self._spool.glob("**/*")) if path.is_file())
        return self._file.at_rest() + waiting

    def close(self) -> None:
        for store, serving in self._serving:
            store.close()
            serving.close()
        self._serving.clear()
        self._file.close()


class PostgresPlace:
    """A store in a new database of a server; `close` closes every handle and drops it."""

    reads_ahead = False

    def __init__(self, server: PostgresServer, template: str = "template0") -> None:
        self._server = server
        self.url = server.create(template)
        self._open: list[SqlStore] = []

    def open(
        self,
        *,
        clock: Clock | None = None,
        limits: Limits = DEFAULT_LIMITS,
        queue_size: int = 100_000,
        read_only: bool = False,
    ) -> SqlStore:
        store = open_postgres(
            self.url, clock=clock, limits=limits, queue_size=queue_size, read_only=read_only
        )
        self._open.append(store)
        return store

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(query.encode()).fetchall()

    def at_rest(self) -> bytes:
        """A dump of every table, and what the statistics have kept of their values."""
        tables = self.sql(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        with psycopg.connect(self.url) as connection, connection.cursor() as cursor:
            found = []
            for (table,) in [*tables, ("pg_stats",)]:
                with cursor.copy(f"COPY (SELECT * FROM {table}) TO STDOUT".encode()) as copy:
                    found += [bytes(piece) for piece in copy]
        return b"".join(found)

    def close(self) -> None:
        for store in self._open:
            store.close()
        self._open.clear()
        self._server.drop(self.url)
