"""Following a run over real HTTP: through cuts, stalls and vanishing clients, to the end and no further."""

from __future__ import annotations

import resource
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from time import monotonic

import httpx
import pytest

from runline.server.settings import Settings
from runline.store.sql_store import SqlStore
from runline.testing.corpus import BAD_TEXTS, TERMINAL
from runline.testing.place import SqlitePlace
from runline.testing.serving import Serving, serving
from runline.testing.streams import tagged, whole
from tests.server.streaming import (
    PATIENCE_S,
    SSE,
    Frame,
    cutting,
    drained,
    eventually,
    followed,
    opened,
    resumed,
)

STOP_S = 3.0


@pytest.fixture
def place(tmp_path: Path) -> Iterator[SqlitePlace]:
    place = SqlitePlace(tmp_path)
    yield place
    place.close()


@pytest.fixture
def store(place: SqlitePlace) -> SqlStore:
    return place.open()


@pytest.fixture
def server(store: SqlStore) -> Iterator[Serving]:
    with serving(store, Settings(port=0, heartbeat_s=0.05)) as server:
        yield server


@pytest.fixture
def http(server: Serving) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=PATIENCE_S) as http:
        yield http


def same(frames: list[Frame], store: SqlStore, run_id: str, after: int = 0) -> bool:
    """Each event of the run after that seq, once, in order, under its own id."""
    return [(int(frame.id), frame.data["seq"], frame.data["message"]) for frame in frames] == [
        (event.id, event.seq, event.message) for event in whole(store, run_id)[after:]
    ]


def test_old_events_and_new_ones_have_one_shape_and_the_stream_ends(
    http: httpx.Client, store: SqlStore, place: SqlitePlace
) -> None:
    run_id = store.create_run("r").run_id
    texts = [
        {"message": text, "step": text, "data": {text: text}} for text in (BAD_TEXTS | TERMINAL).values()
    ]
    store.append(run_id, texts)
    other = place.open()
    with ThreadPoolExecutor(1) as pool:
        stream = pool.submit(followed, http, f"/api/runs/{run_id}/events")
        for n in range(50):
            (store, other)[n % 2].append(run_id, tagged("live", n % 3 + 1))
        other.append(run_id, texts)
        store.end_run(run_id, "failed", error="no disk")
        frames = stream.result(PATIENCE_S)
    assert same(frames, store, run_id)
    assert (frames[0].event, frames[-1].event) == ("started", "failed")
    old, new = frames[1 : len(texts) + 1], frames[-1 - len(texts) : -1]
    own = {"id", "seq", "ts", "timestamp", "elapsed_s"}
    assert [{k: v for k, v in frame.data.items() if k not in own} for frame in old] == [
        {k: v for k, v in frame.data.items() if k not in own} for frame in new
    ]


def test_headers_and_the_time_to_come_back(server: Serving, store: SqlStore) -> None:
    run_id = store.create_run("r").run_id
    with closing(opened(server.url, f"/api/runs/{run_id}/events")) as connection:
        text = b""
        while b": still here\n\n" not in text:
            text += connection.recv(4096)
    head, _, body = text.partition(b"\r\n\r\n")
    headers = head.lower().split(b"\r\n")
    assert {b"x-accel-buffering: no", b"cache-control: no-cache"} <= set(headers)
    assert b"content-type: text/event-stream; charset=utf-8" in headers
    assert b"retry: 3000\n\n" in body[:30]
    assert body.index(b"retry: 3000") < body.index(b"id: ") < body.index(b": still here")


def test_a_filter_always_lets_the_end_through(http: httpx.Client, store: SqlStore) -> None:
    run_id = store.create_run("r").run_id
    store.append(run_id, [*tagged("a", 3), {"type": "rare"}])
    with ThreadPoolExecutor(1) as pool:
        stream = pool.submit(followed, http, f"/api/runs/{run_id}/events?types=rare,new&level=info")
        store.append(run_id, [{"type": "new"}, {"type": "new", "level": "warn"}])
        store.end_run(run_id)
        frames = stream.result(PATIENCE_S)
    assert [frame.data["type"] for frame in frames] == ["rare", "new", "run_ended"]


def test_where_a_stream_goes_on(http: httpx.Client, store: SqlStore) -> None:
    run_id = store.create_run("r").run_id
    store.append(run_id, tagged("a", 4))
    store.end_run(run_id)
    log = whole(store, run_id)
    url = f"/api/runs/{run_id}/events"
    assert same(followed(http, f"{url}?afterId={log[2].id}"), store, run_id, 3)
    assert same(followed(http, f"{url}?afterSeq=2"), store, run_id, 2)
    assert same(followed(http, f"{url}?afterId=1", last_id=str(log[3].id)), store, run_id, 4)
    for last_id in (log[-1].id, log[-1].id + 1, 2**70):
        again = http.get(url, headers=SSE | {"last-event-id": str(last_id)})
        assert (again.status_code, again.content) == (204, b"")
    assert http.get(f"{url}?afterId={log[-1].id}", headers=SSE).status_code == 204


def test_a_run_that_is_deleted_ends_its_stream_and_is_gone_for_who_comes_back(
    http: httpx.Client, store: SqlStore
) -> None:
    run_id = store.create_run("r").run_id
    store.end_run(run_id)
    store.delete_run(run_id)
    answer = http.get(f"/api/runs/{run_id}/events", headers=SSE | {"last-event-id": "1"})
    assert (answer.status_code, answer.json()["code"]) == (404, "pruned")


@pytest.mark.parametrize(
    ("events", "most_bytes"), [(1_500, 40_000), pytest.param(100_000, 3_000_000, marks=pytest.mark.e2e)]
)
def test_a_proxy_that_cuts_connections_loses_and_doubles_nothing(
    store: SqlStore, place: SqlitePlace, events: int, most_bytes: int
) -> None:
    run_id = store.create_run("r").run_id
    other = place.open()
    with (
        serving(store, Settings(port=0)) as server,
        cutting(server.url, seed=events, most_bytes=most_bytes) as url,
        httpx.Client(base_url=url, timeout=10 * PATIENCE_S) as http,
        ThreadPoolExecutor(3) as pool,
    ):
        streams = [pool.submit(resumed, http, f"/api/runs/{run_id}/events") for _ in range(3)]
        for n in range(events // 50):
            (store, other)[n % 2].append(run_id, tagged("w", 50, first=50 * n))
        store.end_run(run_id)
        for stream in streams:
            assert same(stream.result(20 * PATIENCE_S), store, run_id)


def test_a_reader_that_stalls_is_cut_loose_and_is_told_everything_in_the_end(store: SqlStore) -> None:
    run_id = store.create_run("r").run_id
    with serving(store, Settings(port=0, follower_bytes=20_000)) as server:
        hub = server.app.server.hub
        with (
            closing(opened(server.url, f"/api/runs/{run_id}/events", receive_bytes=4096)) as stalled,
            httpx.Client(base_url=server.url, timeout=PATIENCE_S) as http,
            ThreadPoolExecutor(1) as pool,
        ):
            eventually(lambda: hub.followers == 1, "it follows")
            brisk = pool.submit(followed, http, f"/api/runs/{run_id}/events")
            written = 0
            while not hub.cut_loose:
                store.append(run_id, [{"message": "m" * 1000, "data": {"n": written}}] * 50)
                written += 50
                assert written < 200_000
            store.end_run(run_id)
            assert same(brisk.result(PATIENCE_S), store, run_id)
            assert hub.lag_events > 0
            assert same(drained(stalled), store, run_id)
        eventually(lambda: hub.followers == 0, "nobody is left")


@pytest.mark.parametrize("kind", ["run", "all", "runs"])
def test_clients_that_vanish_leave_nothing(server: Serving, store: SqlStore, kind: str) -> None:
    run_id = store.create_run("r").run_id
    path = {"run": f"/api/runs/{run_id}/events", "all": "/api/events", "runs": "/api/stream"}[kind]
    hub = server.app.server.hub
    threads = threading.active_count()
    clients = [opened(server.url, path) for _ in range(200)]
    eventually(lambda: hub.followers == 200, "all follow")
    assert hub.channels == 1
    assert threading.active_count() <= threads + 8  # the loop's executor, the hub's readers, the watch
    for connection in clients:
        connection.close()
    eventually(lambda: (hub.followers, hub.channels) == (0, 0), "all are gone")
    eventually(lambda: store.wake.followers == 0, "and nobody watches the store")


@pytest.mark.parametrize("streams", [200, pytest.param(1_000, marks=pytest.mark.e2e)])
def test_a_server_with_many_open_streams_stops_at_once(store: SqlStore, streams: int) -> None:
    run_id = store.create_run("r").run_id
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 3 * streams)), hard))
    with serving(store, Settings(port=0)) as server:
        paths = (f"/api/runs/{run_id}/events", "/api/events", "/api/stream")
        clients = [opened(server.url, paths[n % 3]) for n in range(streams)]
        eventually(lambda: server.app.server.hub.followers == streams, "all follow")
        began_s = monotonic()
        server.close()
        took_s = monotonic() - began_s
    for connection in clients:
        with closing(connection):
            while connection.recv(1 << 16):
                pass
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert took_s <= STOP_S


def test_a_server_stops_although_a_client_takes_nothing(store: SqlStore) -> None:
    run_id = store.create_run("r").run_id
    store.append(run_id, [{"message": "m" * 10_000}] * 2_000)
    with (
        serving(store, Settings(port=0)) as server,
        closing(opened(server.url, f"/api/runs/{run_id}/events", receive_bytes=4096)),
    ):
        hub = server.app.server.hub
        eventually(lambda: hub.followers == 1, "it follows")
        behind, same_for = 0, 0
        with httpx.Client(base_url=server.url) as http:
            while same_for < 20:
                http.get("/healthz").raise_for_status()  # the loop has gone round
                same_for = same_for + 1 if hub.lag_events == behind else 0
                behind = hub.lag_events
        assert behind > 0
        began_s = monotonic()
        server.close()
        assert monotonic() - began_s <= STOP_S


def test_when_the_loop_falls_silent_a_heartbeat_is_heard(http: httpx.Client, store: SqlStore) -> None:
    run_id = store.create_run("r").run_id
    with http.stream("GET", f"/api/runs/{run_id}/events", headers=SSE) as answer:
        heard = 0
        for piece in answer.iter_raw():
            heard += piece.count(b": still here\n\n")
            if heard == 3:
                break
    assert heard == 3
