"""Whether a PostgreSQL database can hold a store, and bringing its schema up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runline.model.errors import Invalid, NotFound
from runline.store import migrate
from runline.store.postgres_connection import Connection, Session, fetch

if TYPE_CHECKING:
    from runline.model.clock import Clock

LEAST_VERSION = 14
TABLES = ("runs", "events", "steps", "calls", "slots", "notes", "artifacts", "checkpoints")
_ENGINE = "postgres"


class Schema:
    """The schema that a connection works in, at `place`."""

    def __init__(self, connection: Connection, place: str, clock: Clock) -> None:
        self._connection = connection
        self._place = place
        self._clock = clock

    def prepare(self, *, read_only: bool) -> None:
        """Makes or migrates it, one process at a time; read-only only looks. Raises Invalid, NotFound."""
        self._check_server()
        applied = migrate.applied(self._session) if self._exists() else 0
        if read_only and not applied:
            raise NotFound(
                f"There is no store at {self._place}. Record a run first, for example `runline exec -- make`.",
                code="no_store",
            )
        if not migrate.pending(applied, _ENGINE):
            return
        if read_only:
            raise Invalid(
                f"{self._place} was made by an older version of Runline. Open it once for writing, for example "
                "`runline doctor`, to bring it up to date.",
                code="store_older",
            )
        with self._connection.transaction():
            self._migrate()

    def _migrate(self) -> None:
        tx = self._session
        tx.execute("SELECT pg_advisory_xact_lock(hashtext('runline migrations'))")
        # Asked again under the lock: another process may have been faster.
        if not self._exists():
            self._refuse_foreign()
            tx.execute(migrate.RECORD)
        for step in migrate.pending(migrate.applied(tx), _ENGINE):
            migrate.apply(tx, step, self._clock.now_ms())

    @property
    def _session(self) -> Session:
        return Session(self._connection, lambda sql, parameters: fetch(self._connection, sql, parameters))

    def _exists(self, table: str = "migrations") -> bool:
        return fetch(self._connection, "SELECT to_regclass(?) IS NOT NULL", (table,)) == [(True,)]

    def _check_server(self) -> None:
        info = self._connection.info
        if info.server_version < LEAST_VERSION * 10_000:
            raise Invalid(
                f"{self._place} is PostgreSQL {info.server_version // 10_000}; Runline needs {LEAST_VERSION} or newer.",
                code="server_too_old",
            )
        if (encoding := info.parameter_status("server_encoding")) != "UTF8":
            raise Invalid(
                f"{self._place} keeps its texts in {encoding}. Make a database for Runline with "
                "`createdb --encoding=UTF8 --template=template0`.",
                code="not_a_store",
            )

    def _refuse_foreign(self) -> None:
        if taken := [table for table in TABLES if self._exists(table)]:
            raise Invalid(
                f"{self._place} has a table {taken[0]!r} of something else. Name another database, or a schema of "
                "its own: ?options=-csearch_path%3Drunline.",
                code="not_a_store",
            )
