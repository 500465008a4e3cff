"""Two tenants on one server, each with a token that may do everything within its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from msgspec import Struct

from runline.server.settings import Settings
from runline.store.sql_store import SqlStore
from runline.testing.serving import client

if TYPE_CHECKING:
    import httpx

    from runline.testing.serving import Client


class Tenant(Struct, frozen=True):
    """Asks as one tenant. `run_id` is a run of its own."""

    api: Client
    headers: dict[str, str]
    run_id: str

    def ask(self, method: str, path: str, json: object = None) -> httpx.Response:
        return self.api.request(method, path, headers=self.headers, json=json)


@pytest.fixture
def tenants(store: SqlStore) -> Iterator[tuple[Tenant, Tenant]]:
    with client(store, Settings(auth=True)) as api:

        def tenant(name: str) -> Tenant:
            scopes = ("ingest", "read", "operate", "admin")
            secret = store.create_token(f"all of {name}", scopes=scopes, tenant=name).secret
            run_id = store.create_run(f"run of {name}", tenant=name).run_id
            return Tenant(api, {"Authorization": f"Bearer {secret}"}, run_id)

        yield tenant("acme"), tenant("other")
