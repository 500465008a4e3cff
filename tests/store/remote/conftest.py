"""A server that answers as scripted, a client of it, and no spool outside the test's folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runline.store.remote.client import Client, Connections
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
