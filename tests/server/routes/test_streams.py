"""Streams over many runs, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import pytest

from runline.model.wire.runs import run_summary
from runline.server.settings import Settings
from runline.store.follow import encode_cursor
from runline.store.sql_store import SqlStore
from runline.testing.serving import serving
from runline.testing.streams import tagged
from tests.server.streaming import PATIENCE_S, SSE, Frame, Parser, followed

if TYPE_CHECKING:
    from runline.testing.serving import Client


@pytest.fixture
def http(store: SqlStore) -> Iterator[httpx.Client]:
    with (
        serving(store, Settings(port=0)) as server,
        httpx.Client(base_url=server.url, timeout=PATIENCE_S) as http,
    ):
        yield http


def places(frames: list[Frame]) -> list[tuple[str, int]]:
    return [(frame.data["run_id"], frame.data["seq"]) for frame in frames]


def test_the_events_of_all_runs_go_on_from_their_cursor(http: httpx.Client, store: SqlStore) -> None:
    left, right = (store.create_run(f"r{n}").run_id for n in range(2))
    with ThreadPoolExecutor(1) as pool:
        start = f"/api/events?cursor={encode_cursor(0)}"
        stream = pool.submit(followed, http, start, until=lambda frame: frame.data["seq"] == 5)
        for run_id in (left, right, left):
            store.append(run_id, tagged("a", 2))
        frames = stream.result(PATIENCE_S)
    expected = [(left, 1), (right, 1), (left, 2), (left, 3), (right, 2), (right, 3), (left, 4), (left, 5)]
    assert places(frames) == expected
    assert frames[0].event == "started"

    def at_the_end(frame: Frame) -> bool:
        return bool(frame.data["seq"] == 5)

    for at in range(7):
        again = followed(http, "/api/events?cursor=nonsense", last_id=frames[at].id, until=at_the_end)
        assert places(again) == expected[at + 1 :]


def test_a_cursor_of_nobody_is_refused(api: Client) -> None:
    for headers, query in ((SSE, "?cursor=nonsense"), (SSE | {"last-event-id": "-1"}, "")):
        answer = api.get(f"/api/events{query}", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor")
    assert api.get("/api/events?after=3").json()["code"] == "bad_parameter"


def test_a_tenant_hears_of_its_own_runs_alone(http: httpx.Client, store: SqlStore) -> None:
    mine, others = store.scoped("mine"), store.scoped("others")
    with ThreadPoolExecutor(2) as pool:
        events = pool.submit(
            followed,
            http,
            f"/api/events?tenant=mine&cursor={encode_cursor(0)}",
            until=lambda frame: frame.data["seq"] == 2,
        )
        runs = pool.submit(
            followed, http, "/api/stream?tenant=mine", until=lambda frame: frame.data["status"] == "completed"
        )
        others.end_run(others.create_run("o").run_id)
        run_id = mine.create_run("m").run_id
        mine.end_run(run_id)
        assert places(events.result(PATIENCE_S)) == [(run_id, 1), (run_id, 2)]
        assert {frame.data["run_id"] for frame in runs.result(PATIENCE_S)} == {run_id}


def test_runs_are_told_as_summaries_the_active_ones_first(http: httpx.Client, store: SqlStore) -> None:
    active = store.create_run("active")
    store.end_run(store.create_run("over").run_id)
    with http.stream("GET", "/api/stream", headers=SSE) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        text = b""
        pieces = answer.iter_raw()
        while text.count(b"event: run") < 1:
            text += next(pieces)
        store.end_run(active.run_id)
        while text.count(b"event: run") < 2:
            text += next(pieces)
    assert text.startswith(b"retry: 3000\n\nevent: run\ndata: {")
    statuses = [frame.data["status"] for frame in Parser().feed(text)]
    assert statuses == ["running", run_summary(store.get_run(active.run_id)).status]
