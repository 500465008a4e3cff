"""What handlers share."""

from __future__ import annotations

import pytest

import runline
from runline.server import server as server_module
from runline.server.server import Server
from runline.server.settings import Settings
from runline.store.sql_store import SqlStore


def test_it_knows_its_parts(store: SqlStore) -> None:
    server = Server(store, Settings())
    assert server.store is store
    assert server.version == runline.__version__
    assert server.hub.followers == 0


def test_views_are_kept_but_not_for_ever(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "_MOST_VIEWS", 2)
    server = Server(store, Settings())
    first = server.view("a", "me")
    assert server.view("a", "me") is first
    assert server.view(None, None) is store
    assert server.view("b", None).tenant == "b"
    assert server.view("a", "me") is not first
