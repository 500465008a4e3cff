"""A store in a folder of its own, on a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runline.model.clock import ManualClock
from runline.store import open_local
from runline.store.postgres_store import open_postgres
from runline.store.sql_store import SqlStore
from runline.testing.place import PostgresPlace
from runline.testing.postgres import PostgresServer


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> Iterator[SqlStore]:
    with open_local(str(tmp_path / "x.db"), clock=clock) as opened:
        yield opened


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A server of this process's own, as careless about power cuts as only tests may be."""
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def template(postgres: PostgresServer) -> str:
    """The name of a database with an empty store, to make others like it."""
    url = postgres.create()
    open_postgres(url).close()
    return postgres.name(url)


@pytest.fixture
def place(
    postgres: PostgresServer, template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[PostgresPlace]:
    """An empty store on PostgreSQL."""
    monkeypatch.setenv("RUNLINE_ARTIFACTS", str(tmp_path / "artifacts"))
    place = PostgresPlace(postgres, template)
    yield place
    place.close()
