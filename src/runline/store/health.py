"""How the store itself is: versions, sizes and counts, for `runline doctor` and the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from runline.store.sql_store import SqlStore


class StoreInfo(Struct, frozen=True, kw_only=True):
    """`free_bytes` lie inside the file and will be used again; `schema` is the newest migration applied."""

    version: str
    """Of the database, like `SQLite 3.53.0`."""
    schema: int
    journal_mode: str
    size_bytes: int
    free_bytes: int
    wal_bytes: int
    disk_free_bytes: int | None
    """On the disk that the store lies on; None: it is not this machine's."""
    run_count: int
    event_count: int


def info(store: SqlStore) -> StoreInfo:
    query = store.engine.query
    runs, events = query(
        "SELECT count(*), coalesce(sum(last_seq), 0) FROM runs "
        "WHERE (CAST(:tenant AS TEXT) IS NULL OR tenant = :tenant)",
        {"tenant": store.tenant},
    )[0]
    return StoreInfo(
        version=query("/* version */ SELECT 'SQLite ' || sqlite_version()")[0][0],
        schema=query("SELECT max(number) FROM migrations")[0][0],
        journal_mode=query("/* journal */ PRAGMA journal_mode")[0][0],
        disk_free_bytes=store.engine.disk_free_bytes(),
        run_count=runs,
        event_count=events,
        **store.engine.sizes(),
    )
