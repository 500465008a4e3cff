"""The application as a whole, alone and mounted in others."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

import runline.server
from runline.server.app import create_app, declared
from runline.store.sql_store import SqlStore

if TYPE_CHECKING:
    from runline.testing.serving import Client


def test_every_route_says_what_it_is() -> None:
    for route in declared():
        assert route.summary, route.path
        assert route.description, route.path
        assert route.tag, route.path
        assert route.answers or route.status == 204, route.path


def test_no_two_routes_have_one_name() -> None:
    names = [route.name for route in declared()]
    assert len(names) == len(set(names))


def test_the_package_loads_the_framework_when_asked() -> None:
    assert runline.server.create_app is create_app
    assert runline.server.Application.__name__ == "Application"
    assert runline.server.Settings().port == 8080
    with pytest.raises(AttributeError):
        _ = runline.server.nothing


def test_mounted_under_a_prefix_it_answers_there(store: SqlStore) -> None:
    app = create_app(store)
    host = Starlette(routes=[Mount("/runs-of-ours", app=app)])
    run = store.create_run("job").run_id

    async def ask() -> None:
        transport = httpx.ASGITransport(app=host)
        async with (
            app.lifespan(),
            httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
        ):
            assert (await client.get("/runs-of-ours/healthz")).status_code == 200
            told = await client.get(f"/runs-of-ours/api/runs/{run}")
            assert told.json()["run"]["run_id"] == run
            assert (await client.get("/runs-of-ours/nowhere")).json()["code"] == "not_found"
            assert (await client.get("/runs-of-ours/", follow_redirects=True)).status_code == 200

    asyncio.run(ask())


def test_its_lifespan_can_be_entered_again(store: SqlStore) -> None:
    app = create_app(store)

    async def twice() -> None:
        for _ in range(2):
            async with app.lifespan():
                pass

    asyncio.run(twice())


def test_stopping_from_any_thread_leaves_the_store_open(api: Client, store: SqlStore) -> None:
    api.application.stop()
    assert store.create_run("job").status == "running"


def test_a_request_cut_off_by_the_end_of_the_server_is_no_failure(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app(store)

    async def cut_off(*_: object) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(app, "_gate", cut_off)

    async def ask() -> None:
        await app({"type": "http", "path": "/x"}, None, None)

    asyncio.run(ask())
