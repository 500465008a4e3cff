"""The PostgreSQL store keeps the contract that every engine keeps."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runline.testing.contract import StoreContract
from runline.testing.place import PostgresPlace
from runline.testing.postgres import PostgresServer


class TestPostgres(StoreContract):
    @pytest.fixture
    def place(self, postgres: PostgresServer, template: str) -> Iterator[PostgresPlace]:
        place = PostgresPlace(postgres, template)
        yield place
        place.close()
