"""The SQLite store keeps the contract that every engine keeps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runline.testing.contract import StoreContract
from runline.testing.place import SqlitePlace


class TestSqlite(StoreContract):
    @pytest.fixture
    def place(self, tmp_path: Path) -> Iterator[SqlitePlace]:
        place = SqlitePlace(tmp_path)
        yield place
        place.close()
