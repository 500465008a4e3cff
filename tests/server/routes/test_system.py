"""The server about itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import runline
from runline.model.errors import Unavailable
from runline.server.settings import Settings
from runline.store.sql_store import SqlStore
from runline.testing.serving import client

if TYPE_CHECKING:
    import pytest

    from runline.testing.serving import Client


def test_alive_and_ready(api: Client) -> None:
    assert api.get("/healthz").json() == {"status": "ok", "version": runline.__version__}
    assert api.get("/readyz").json()["status"] == "ok"


def test_not_ready_while_the_store_is_away(
    api: Client, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise Unavailable("The store is away.")

    monkeypatch.setattr(store.engine, "query", away)
    answer = api.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer.headers["retry-after"] == "1"
    assert api.get("/healthz").status_code == 200


def test_people_start_at_the_documentation(api: Client) -> None:
    answer = api.get("/", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "docs")


def test_a_printed_link_signs_a_browser_in_once(store: SqlStore) -> None:
    with client(store, Settings(token="s3cret")) as api:
        assert api.get("/docs").status_code == 401
        code = api.application.server.sign_in.issue("s3cret")
        answer = api.get(f"/signin?code={code}", follow_redirects=False)
        assert answer.status_code == 200
        assert b'http-equiv="refresh" content="0;url=."' in answer.content
        assert "HttpOnly" in answer.headers["set-cookie"]
        assert api.get("/docs").status_code == 200
        again = api.get(f"/signin?code={code}", follow_redirects=False)
        assert (again.status_code, again.json()["code"]) == (401, "unauthorized")
        assert api.get("/signin").status_code == 401
