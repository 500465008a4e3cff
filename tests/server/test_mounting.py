"""Each block of docs/mounting.md, run as it stands there."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import httpx
import pytest

TEXT = (Path(__file__).parents[2] / "docs" / "mounting.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"^## (\w+)\n.*?^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def built(name: str) -> Iterator[dict[str, Any]]:
    names: dict[str, Any] = {"__name__": "host"}
    exec(BLOCKS[name], names)
    yield names
    names["runs"].stop()
    names["store"].close()


def check(told: httpx.Response, run_id: str) -> None:
    assert told.status_code == 200
    assert told.json()["run"]["run_id"] == run_id


@pytest.mark.parametrize("name", ["Starlette", "FastAPI"])
@pytest.mark.usefixtures("folder")
def test_an_asgi_host(name: str) -> None:
    for names in built(name):
        store, app, runs = names["store"], names["app"], names["runs"]
        run_id = store.create_run("job").run_id
        store.end_run(run_id)

        async def ask(app: Any = app, runs: Any = runs, run_id: str = run_id) -> None:
            transport = httpx.ASGITransport(app=app)
            async with (
                runs.lifespan(),
                httpx.AsyncClient(transport=transport, base_url="http://localhost") as http,
            ):
                check(await http.get(f"/runs/api/runs/{run_id}"), run_id)
                assert (await http.get("/runs/docs")).status_code == 200
                headers = {"Accept": "text/event-stream"}
                stream = await http.get(f"/runs/api/runs/{run_id}/events", headers=headers)
                assert stream.text.count("data:") == 2

        asyncio.run(ask())


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.usefixtures("folder")
def test_a_wsgi_host() -> None:
    for names in built("Flask"):
        store = names["store"]
        run_id = store.create_run("job").run_id
        store.end_run(run_id)
        with make_server("127.0.0.1", 0, names["app"], handler_class=Quiet) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            url = f"http://127.0.0.1:{server.server_port}/runs"
            check(httpx.get(f"{url}/api/runs/{run_id}"), run_id)
            headers = {"Accept": "text/event-stream"}
            assert httpx.get(f"{url}/api/runs/{run_id}/events", headers=headers).text.count("data:") == 2
            server.shutdown()
            thread.join()
