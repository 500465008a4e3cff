"""The verbs that a database must offer; every noun of the store is functions over them.

Reading takes a short-lived connection from a pool and never leaves a statement open, so no reader holds
a transaction beyond one call. Writing happens only in the writer thread, in `transaction()`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

Row = tuple[Any, ...]
Parameters = Sequence[Any] | dict[str, Any]


class Reading(Protocol):
    """A connection inside a transaction: its reads see one state of the store."""

    def execute(self, sql: str, parameters: Parameters = ()) -> list[Row]: ...


class Writing(Reading, Protocol):
    """The one writing connection, inside a transaction."""

    def executemany(self, sql: str, rows: Sequence[Row]) -> int:
        """Runs the statement for each row; how many rows of the database changed."""
        ...


class Engine(Protocol):
    """A database that can hold a Runline store. Driver errors come out as `RunlineError`."""

    def query(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """All rows of one read, from any thread."""
        ...

    def snapshot(self) -> AbstractContextManager[Reading]:
        """Several reads that see one state of the store; keep it short."""
        ...

    def transaction(self) -> AbstractContextManager[Writing]:
        """Begins with the write lock held, commits durably on leaving, rolls back on an exception."""
        ...

    def changed(self) -> Any:
        """A token that differs from the last one when anybody has committed since."""
        ...

    def pages(self, sql: str, parameters: dict[str, Any], *, size: int) -> Iterator[list[Row]]:
        """Reads of `size` rows, each its own short read; the SQL continues after `:after` (first column)."""
        ...

    def fork(self) -> None:
        """In a forked child: forget the parent's connections without touching them."""
        ...

    def close(self) -> None: ...
