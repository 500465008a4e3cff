"""A store in a folder of its own, on a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runline.model.clock import ManualClock
from runline.store import open_local
from runline.store.sql_store import SqlStore


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> Iterator[SqlStore]:
    with open_local(str(tmp_path / "x.db"), clock=clock) as opened:
        yield opened
