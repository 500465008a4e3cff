"""Stores: where runs live. `open_store(url)` gives a `Store`, whatever holds the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runline.store.recording_store import RecordingStore
    from runline.store.sql_store import SqlStore


def open_store(url: str | None = None, *, read_only: bool = False, **options: Any) -> RecordingStore:
    """Opens the store at `url` (`sqlite:///file.db`, a path, `postgresql://host/database`, `http://host:port`).

    None: where `location` says. A file is made if need be; `read_only` neither creates nor migrates. `artifact_roots` are folders besides the
    store's own that artifacts may be read from. What one may do on a server, `token` decides, else
    `RUNLINE_TOKEN`. Raises NotFound, Invalid, Unavailable.
    """
    from runline.store.location import is_remote, server_url, store_url

    where = store_url(url)
    if not is_remote(where):
        return open_local(where, read_only=read_only, **options)
    from runline.store.remote.http_store import open_http

    return open_http(server_url(where), **options)


def open_local(url: str | None = None, *, read_only: bool = False, **options: Any) -> SqlStore:
    """The same for a store that this process opens itself, with all that only such a one has. Raises Invalid for a server's URL."""
    from runline.store.location import sqlite_path, store_url
    from runline.store.postgres_url import is_postgres
    from runline.store.sql_store import open_sqlite

    where = store_url(url)
    if is_postgres(where):
        from runline.store.postgres_store import open_postgres

        return open_postgres(where, read_only=read_only, **options)
    path = sqlite_path(where)
    return open_sqlite(path, url=f"sqlite:///{path}", read_only=read_only, **options)
