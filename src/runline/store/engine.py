"""The verbs that a database must offer; every noun of the store is functions over them.

Reading takes a short-lived connection from a pool and never leaves a statement open, so no reader holds
a transaction beyond one call. Writing happens only in the writer thread, in `transaction()`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

Row = tuple[Any, ...]
Parameters = Sequence[Any] | dict[str, Any]
OVERTAKEN = "overtaken"
"""The code of an Unavailable after which the very same transaction may succeed: the writer tries it again itself."""


class Reading(Protocol):
    """A connection inside a transaction: its reads see one state of the store."""

    def execute(self, sql: str, parameters: Parameters = ()) -> list[Row]: ...


class Writing(Reading, Protocol):
    """The one writing connection, inside a transaction."""

    shared: bool
    """Other processes may write at the same time: what is read must be locked before it is changed."""

    def executemany(self, sql: str, rows: Sequence[Row]) -> int:
        """Runs the statement for each row; how many rows of the database changed."""
        ...

    def apart(self, sql: str, parameters: Parameters) -> list[Row]:
        """Executes at once, for good, where a lock held to the end would make other writers wait for each other."""
        ...


class KeptBack(Protocol):
    """Space kept back for the day the disk is full."""

    def release(self) -> bool: ...
    def keep(self) -> None: ...


class Engine(Protocol):
    """A database that can hold a Runline store. Driver errors come out as `RunlineError`."""

    place: str
    """Where it is, as people write it, without a password."""
    artifacts: Path
    """The folder of the artifact files that the store owns."""
    read_only: bool
    commit_s: float
    """How long the last commit took."""

    @property
    def scratch(self) -> str | None:
        """Where large temporary files go; None: where the system puts them."""
        ...

    @property
    def reserve(self) -> KeptBack: ...

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

    def holds(self, path: Path) -> bool:
        """Whether the file is part of the database itself."""
        ...

    def vacuum(self, pages: int) -> int:
        """Gives up to `pages` free pages back to the file system; how many are still free."""
        ...

    def tidy(self) -> None:
        """After much was removed: makes its room usable, and known to `sizes`. Others go on meanwhile."""
        ...

    def checkpoint(self, *, wait: bool) -> None:
        """Moves what was written to where it belongs, so that files stay small."""
        ...

    def backup(self, destination: str) -> list[str]:
        """A consistent copy into an empty file; what is wrong with it."""
        ...

    def sizes(self) -> dict[str, int]:
        """`size_bytes`, `free_bytes` (reusable inside it), `wal_bytes`."""
        ...

    def disk_free_bytes(self) -> int | None:
        """On the disk that it lies on; None: that is not this machine's."""
        ...

    def fork(self) -> None:
        """In a forked child: forget the parent's connections without touching them."""
        ...

    def close(self) -> None: ...
