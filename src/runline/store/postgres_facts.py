"""What a PostgreSQL server is like, for `runline doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from runline.store.postgres import PostgresEngine

_SELECT = """
SELECT current_setting('server_version'), current_setting('fsync'),
  (SELECT reset_val FROM pg_settings WHERE name = 'synchronous_commit'), current_setting('autovacuum'),
  CAST(current_setting('max_connections') AS INTEGER),
  (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
  (SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0) FROM pg_stat_activity
   WHERE datname = current_database() AND state LIKE 'idle in transaction%'),
  (SELECT value FROM counters) - next_stable_id()
"""


class PostgresFacts(Struct, frozen=True, kw_only=True):
    """Settings as the server gives them to a new connection.

    `waiting_ids`: ids of events that those who follow all runs may not be told yet, because the transaction that took
    the first of them is under way. `skew_ms`: how far this machine's clock is ahead.
    """

    version: str
    fsync: str
    synchronous_commit: str
    autovacuum: str
    max_connections: int
    connections: int
    idle_transaction_s: float
    waiting_ids: int
    skew_ms: int


def facts(engine: PostgresEngine) -> PostgresFacts:
    version, fsync, commit, autovacuum, most, now, idle_s, waiting = engine.query(_SELECT)[0]
    return PostgresFacts(
        version=version,
        fsync=fsync,
        synchronous_commit=commit,
        autovacuum=autovacuum,
        max_connections=most,
        connections=now,
        idle_transaction_s=float(idle_s),
        waiting_ids=waiting,
        skew_ms=engine.time.skew_ms,
    )
