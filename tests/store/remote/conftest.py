"""A server that answers as scripted, a client of it, and no spool outside the test's folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from runline.model.clock import ManualClock
from runline.store import open_local
from runline.store.remote.client import Client, Connections
from runline.store.remote.http_store import HttpStore, open_http
from runline.store.sql_store import SqlStore
from runline.testing.serving import serving
from tests.store.remote.scripted import Scripted, scripted


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNLINE_SPOOL", str(tmp_path / "spool"))
    monkeypatch.delenv("RUNLINE_TOKEN", raising=False)


@pytest.fixture
def server() -> Iterator[Scripted]:
    with scripted() as told:
        yield told


@pytest.fixture
def client(server: Scripted) -> Iterator[Client]:
    made = Client(Connections(server.url, token="rl_secret"))
    yield made
    made.close()


class Both(NamedTuple):
    """One store, asked directly and through a server."""

    local: SqlStore
    remote: HttpStore


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def both(tmp_path: Path, clock: ManualClock) -> Iterator[Both]:
    with (
        open_local(str(tmp_path / "x.db"), clock=clock) as local,
        serving(local) as served,
        open_http(served.url, clock=clock) as remote,
    ):
        yield Both(local, remote)
