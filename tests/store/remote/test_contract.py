"""The store behind a server keeps the contract that every engine keeps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runline.testing.contract import StoreContract
from runline.testing.place import HttpPlace


class TestHttp(StoreContract):
    examples = 25  # a request costs what twenty commits do

    @pytest.fixture
    def place(self, tmp_path: Path) -> Iterator[HttpPlace]:
        place = HttpPlace(tmp_path)
        yield place
        place.close()
