"""SQLite through apsw: WAL, `synchronous=FULL`, one writing connection, read-only ones for reading.

apsw brings its own SQLite: every SQLite before 3.51.3 can corrupt a WAL under concurrent checkpoints.
Driver errors become `RunlineError` here and nowhere else.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import apsw

from runline.intake.forking import inside, was_quiet
from runline.model.errors import Invalid, NotFound, RunlineError, Unavailable
from runline.store import migrate
from runline.store.engine import Parameters, Row
from runline.store.reserve import Reserve
from runline.store.sqlite_connection import READ_ONLY, WRITE, Session, connect, fetch, unwritable, uri
from runline.store.sqlite_errors import translate


class SqliteEngine:
    """The engine over one SQLite file. `read_only` neither creates nor migrates."""

    def __init__(self, path: str, *, read_only: bool, now_ms: int, vfs: str | None = None) -> None:
        self.path = self.place = path
        self.artifacts = Path(path).parent / "artifacts"
        self.read_only = read_only
        self._vfs = vfs
        self._pool: deque[apsw.Connection] = deque()
        self._busy: set[apsw.Connection] = set()
        self._watch: apsw.Connection | None = None
        self._watch_lock = threading.Lock()
        self._write: apsw.Connection | None = None
        self._inherited: list[object] = []
        self._closed = False
        self.reserve = Reserve(path)
        self.commit_s = 0.0
        """How long the last commit took."""
        if read_only:
            self._check_readable()
        else:
            with inside():
                self._prepare(now_ms)

    def _check_readable(self) -> None:
        if not Path(self.path).exists():
            raise NotFound(
                f"There is no store at {self.path}. Record a run first, for example `runline exec -- make`.",
                code="no_store",
            )
        try:
            with self.snapshot() as source:
                applied = migrate.applied(source)
        except RunlineError as error:
            if "no such table" in error.message:
                raise Invalid(f"{self.path} is not a Runline store.", code="not_a_store") from error
            if error.code == "read_only":
                raise unwritable(Path(self.path).parent) from error
            raise
        if migrate.pending(applied):
            raise Invalid(
                f"{self.path} was made by an older version of Runline. Open it once for writing, for example "
                "`runline doctor`, to bring it up to date.",
                code="store_older",
            )

    def _prepare(self, now_ms: int) -> None:
        """Creates the file if need be and brings the schema up to date."""
        folder = Path(self.path).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write = self._connect(WRITE)
        except (apsw.Error, OSError) as error:
            if folder.is_dir() and not os.access(folder, os.W_OK):
                raise unwritable(folder) from error
            if isinstance(error, OSError):
                raise Invalid(
                    f"{self.path} cannot be created: {error.strerror}. Name another place with --store.",
                    code="cannot_create",
                ) from error
            raise translate(error, self.path) from error
        self._write = write
        try:
            has_schema = write.execute("SELECT 1 FROM sqlite_schema WHERE name = 'migrations'").fetchall()
            if not has_schema:
                if write.execute("SELECT count(*) FROM sqlite_schema").fetchall()[0][0]:
                    raise Invalid(
                        f"{self.path} is a database of something else. Name another file with --store.",
                        code="not_a_store",
                    )
                write.execute("PRAGMA auto_vacuum = INCREMENTAL").fetchall()
            if write.execute("PRAGMA journal_mode").fetchall()[0][0] != "wal":
                write.execute("PRAGMA journal_mode = WAL").fetchall()
            if not has_schema or migrate.pending(migrate.applied(Session(write))):
                with self.transaction() as tx:
                    # Asked again under the lock: another process may have been faster.
                    tx.execute(migrate.RECORD)
                    for step in migrate.pending(migrate.applied(tx)):
                        migrate.apply(tx, step, now_ms)
        except apsw.Error as error:
            write.close()
            raise translate(error, self.path) from error
        except RunlineError:
            write.close()
            raise
        self.reserve.keep()

    def _connect(self, flags: int) -> apsw.Connection:
        return connect(self.path, flags, self._vfs)

    @contextmanager
    def reader(self) -> Iterator[apsw.Connection]:
        """A read-only connection from the pool; finish every statement before leaving."""
        if self._closed:
            raise Unavailable("This store is closed.", code="closed")
        pool = self._pool  # not another one's that a fork in between made
        try:
            with inside():
                try:
                    connection = pool.pop()
                except IndexError:
                    connection = self._connect(READ_ONLY)
                self._busy.add(connection)
                try:
                    yield connection
                finally:
                    self._busy.discard(connection)
                    if self._closed:
                        connection.close()
                    else:
                        pool.append(connection)
        except apsw.Error as error:
            raise translate(error, self.path) from error

    def query(self, sql: str, parameters: Parameters = ()) -> list[Row]:
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
    def transaction(self) -> Iterator[Session]:
        if self.read_only:
            raise Invalid("This store was opened read-only.", code="read_only")
        if self._closed:
            raise Unavailable("This store is closed.", code="closed")
        try:
            if self._write is None:
                self._write = self._connect(WRITE)
            write = self._write
            with inside():
                write.execute("BEGIN IMMEDIATE").fetchall()
                try:
                    yield Session(write)
                    began_s = time.monotonic()
                    write.execute("COMMIT").fetchall()
                    self.commit_s = time.monotonic() - began_s
                except BaseException:
                    if write.in_transaction:
                        write.execute("ROLLBACK").fetchall()
                    raise
        except apsw.Error as error:
            raise translate(error, self.path) from error
        with suppress(OSError):
            self.reserve.keep(os.stat(self.path + "-wal").st_size)  # noqa: PTH116 - at every commit

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """Several reads that see one state of the store; keep it short."""
        with self.reader() as connection:
            connection.execute("BEGIN").fetchall()
            try:
                yield Session(connection)
            finally:
                if connection.in_transaction:  # a failing disk ends it by itself
                    connection.execute("ROLLBACK").fetchall()

    def holds(self, path: Path) -> bool:
        database = Path(self.path).resolve()
        return path.parent == database.parent and path.name.startswith(database.name)

    @property
    def scratch(self) -> str:
        return str(Path(self.path).parent)

    def vacuum(self, pages: int) -> int:
        """Gives up to `pages` free pages back to the file system; how many are still free."""
        write = self._write
        if write is None:
            return 0
        try:
            with inside():
                write.execute(f"PRAGMA incremental_vacuum({pages})").fetchall()
                return int(write.pragma("freelist_count"))
        except apsw.Error as error:
            raise translate(error, self.path) from error

    def tidy(self) -> None:
        """Free pages are used again as they are."""

    def checkpoint(self, *, wait: bool) -> None:
        """Moves the WAL into the database, as far as readers let it; `wait` for them and empty the WAL file."""
        mode = apsw.SQLITE_CHECKPOINT_TRUNCATE if wait else apsw.SQLITE_CHECKPOINT_PASSIVE
        # Busy, or no room for the database to grow: the next checkpoint goes on from there.
        with suppress(apsw.Error), inside():
            if self._write is not None:
                self._write.wal_checkpoint(mode=mode)

    def changed(self) -> Any:
        with inside(), self._watch_lock:
            if self._closed:
                raise Unavailable("This store is closed.", code="closed")
            try:
                if self._watch is None:
                    self._watch = self._connect(READ_ONLY)
                return self._watch.pragma("data_version")
            except apsw.Error as error:
                raise translate(error, self.path) from error

    def backup(self, destination: str) -> list[str]:
        """An online copy, consistent as of now, into an empty file; what `quick_check` has to say against it."""
        try:
            target = apsw.Connection(uri(destination), flags=WRITE)
            try:
                # One read transaction: without it the copy starts over whenever somebody commits.
                with self.reader() as source:
                    source.execute("BEGIN; SELECT 1 FROM sqlite_schema").fetchall()
                    try:
                        with target.backup("main", source, "main") as copy:
                            while not copy.done:
                                copy.step(2000)
                    finally:
                        source.execute("ROLLBACK").fetchall()
                said = [row[0] for row in target.execute("PRAGMA quick_check(10)")]
            finally:
                target.close()
        except apsw.Error as error:
            raise translate(error, destination) from error
        return [line for line in said if line != "ok"]

    def sizes(self) -> dict[str, int]:
        """`size_bytes`, `free_bytes` (reusable inside the file), `wal_bytes`."""
        pages, free, page_size = (
            int(self.query(f"PRAGMA {name}")[0][0]) for name in ("page_count", "freelist_count", "page_size")
        )
        wal = Path(self.path + "-wal")
        return {
            "size_bytes": pages * page_size,
            "free_bytes": free * page_size,
            "wal_bytes": wal.stat().st_size if wal.exists() else 0,
        }

    def disk_free_bytes(self) -> int:
        return shutil.disk_usage(Path(self.path).parent).free

    def fork(self) -> None:
        inherited = [*self._pool, *filter(None, (self._watch, self._write))]
        if was_quiet():
            for connection in inherited:
                connection.close()
        else:
            self._inherited += inherited  # collected, they would be closed
        self._pool = deque()
        self._watch = self._write = None
        self._watch_lock = threading.Lock()

    def close(self) -> None:
        """What still reads is interrupted: it would only keep the process from ending."""
        self._closed = True
        for reading in list(self._busy):
            reading.interrupt()
        while self._pool:
            self._pool.pop().close()
        with self._watch_lock:
            # The writing one last: only it can move the WAL into the database, and the last to close does.
            for connection in (self._watch, self._write):
                if connection is not None:
                    connection.close()
            self._watch = self._write = None
