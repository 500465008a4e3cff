"""Stores: where runs live. `open_store(url)` gives a `Store`, whatever holds the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runline.store.sql_store import SqlStore


def open_store(url: str | None = None, *, read_only: bool = False, **options: Any) -> SqlStore:
    """Opens the store at `url` (`sqlite:///file.db`, a path; None: where `location` says), making it if need be.

    `read_only` neither creates nor migrates. `artifact_roots` are folders besides the store's own that artifacts
    may be read from. Raises NotFound, Invalid, Unavailable.
    """
    from runline.store.location import sqlite_path, store_url
    from runline.store.sql_store import open_sqlite

    where = store_url(url)
    path = sqlite_path(where)
    return open_sqlite(path, url=f"sqlite:///{path}", read_only=read_only, **options)
