"""A store in a folder of its own, on a clock that stands still, and a way to ask its server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runline.model.clock import ManualClock
from runline.store import open_local
from runline.store.sql_store import SqlStore
from runline.testing.serving import client

if TYPE_CHECKING:
    from runline.testing.serving import Client


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> Iterator[SqlStore]:
    with open_local(str(tmp_path / "x.db"), clock=clock) as opened:
        yield opened


@pytest.fixture
def api(store: SqlStore) -> Iterator[Client]:
    with client(store) as asked:
        yield asked
