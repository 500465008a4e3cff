"""What handlers share."""

from __future__ import annotations

import runline
from runline.server.server import Server
from runline.server.settings import Settings
from runline.store.sql_store import SqlStore


def test_it_knows_its_parts(store: SqlStore) -> None:
    server = Server(store, Settings())
    assert server.store is store
    assert server.version == runline.__version__
    assert server.hub.followers == 0
