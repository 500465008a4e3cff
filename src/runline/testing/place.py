"""Where the contract suite keeps a store: opened as often as wanted, each time as another process would."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import apsw

from runline.model.clock import Clock
from runline.model.limits import DEFAULT_LIMITS, Limits
from runline.store.interface import Store
from runline.store.sql_store import SqlStore, open_sqlite


class Place(Protocol):
    """What an engine gives the contract suite: one store, at first empty."""

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
