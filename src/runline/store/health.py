"""How the store itself is: versions and sizes, for `runline doctor` and the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from runline.store.sql_store import SqlStore


class Health(Struct, frozen=True, kw_only=True):
    """`free_bytes` lie inside the file and will be used again; `schema` is the newest migration applied."""

    sqlite_version: str
    schema: int
    journal_mode: str
    size_bytes: int
    free_bytes: int
    wal_bytes: int
    event_count: int


def health(store: SqlStore) -> Health:
    query = store.engine.query
    return Health(
        sqlite_version=query("SELECT sqlite_version()")[0][0],
        schema=query("SELECT max(number) FROM migrations")[0][0],
        journal_mode=query("PRAGMA journal_mode")[0][0],
        event_count=query("SELECT coalesce(sum(last_seq), 0) FROM runs")[0][0],
        **store.engine.sizes(),
    )
