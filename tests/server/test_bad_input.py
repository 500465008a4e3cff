"""The corpus of bad input against a real server: never a server error, never a wait, and what is accepted comes back."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest

from runline.server.settings import Settings
from runline.store.sql_store import SqlStore
from runline.testing.corpus import BAD_JSON, BAD_TEXTS, PATHS, TERMINAL
from runline.testing.serving import Serving, serving

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    from runline.store import open_local

    with (
        open_local(str(tmp_path_factory.mktemp("bad") / "x.db")) as store,
        serving(store, Settings(port=0, body_timeout_s=0.5)) as running,
    ):
        yield running


@pytest.fixture(scope="module")
def http(server: Serving) -> Iterator[httpx.Client]:
    # A second is the limit: whatever takes longer fails here.
    with httpx.Client(base_url=server.url, timeout=1.0) as client:
        yield client


@pytest.fixture(scope="module")
def run(http: httpx.Client) -> str:
    return str(http.post("/api/runs", json={"name": "target"}).json()["run_id"])


def asked(server: Serving, request: bytes) -> bytes:
    """What is answered to these bytes, at most a second later; nothing when the connection is closed."""
    where = urlsplit(server.url)
    with socket.create_connection((where.hostname, where.port), 2) as connection:
        connection.sendall(request)
        try:
            return connection.recv(65536)
        except ConnectionResetError:
            return b""


# -- HTTP itself

REQUESTS = {
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "old http without a host": b"GET /healthz HTTP/1.0\r\n\r\n",
    "two hosts": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n",
    "evil host": b"GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    "a proxy's request": b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "connect": b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    "nonsense": b"\x00\x01\x02\r\n\r\n",
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "unknown method": b"BREW /pot HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "both lengths": b"POST /api/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "negative length": b"POST /api/runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    "length that is none": b"POST /api/runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
    "giant length": b"POST /api/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: 99999999999999999999\r\n\r\n",
    "bad chunk": b"POST /api/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "raw bytes in the path": b"GET /api/runs/\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "nul in the path": b"GET /api/runs/%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "bad escape": b"GET /api/runs/%zz?q=%zz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "query that is no utf-8": b"GET /api/runs?q=%ff%fe HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "non-ascii token": b"GET /api/runs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \xe9\xff\r\n\r\n",
    "websocket": b"GET /api/runs HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
    "many ranges": b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\nRange: bytes="
    + b",".join(b"0-0" for _ in range(5_000))
    + b"\r\n\r\n",
    "many headers": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
    + b"".join(b"X-%d: 1\r\n" % n for n in range(2_000))
    + b"\r\n",
    "long path": b"GET /" + b"a" * 60_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "many parameters": b"GET /api/runs?"
    + b"&".join(b"a=1" for _ in range(5_000))
    + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
}


@pytest.mark.parametrize("name", REQUESTS)
def test_odd_requests_are_answered_or_cut_off(server: Serving, name: str) -> None:
    answer = asked(server, REQUESTS[name])
    assert not answer.startswith(b"HTTP/1.1 5"), answer[:300]
    assert httpx.get(f"{server.url}/healthz").status_code == 200


def test_an_evil_name_is_refused_on_a_stream_too(server: Serving, run: str) -> None:
    request = (
        f"GET /api/runs/{run}/events HTTP/1.1\r\nHost: evil.example\r\nAccept: text/event-stream\r\n\r\n"
    )
    assert asked(server, request.encode()).startswith(b"HTTP/1.1 403")


# -- bodies


@pytest.mark.parametrize("name", BAD_JSON)
@pytest.mark.parametrize(
    "path", ["/api/runs", "/api/runs/{run}/events", "/api/runs/{run}/notes", "/api/timeline/notes"]
)
def test_bad_documents_are_refused_or_stored(http: httpx.Client, run: str, path: str, name: str) -> None:
    made = BAD_JSON[name]
    body = made() if callable(made) else made
    raw = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
    for media in ("application/json", "application/x-ndjson"):
        answer = http.post(path.format(run=run), content=raw, headers={"Content-Type": media})
        assert answer.status_code < 500, answer.text
        assert answer.status_code < 400 or answer.json()["error"]


@pytest.mark.parametrize("ratio", [10, 1000])
def test_bombs_go_nowhere(http: httpx.Client, run: str, ratio: int) -> None:
    bomb = gzip.compress(b" " * 9_000_000 if ratio == 1000 else b'{"type":"log"}\n' * 600_000)
    headers = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
    assert http.post(f"/api/runs/{run}/events", content=bomb, headers=headers).status_code == 413


@pytest.mark.parametrize("text", [*BAD_TEXTS.values(), *TERMINAL.values()], ids=[*BAD_TEXTS, *TERMINAL])
def test_texts_come_back_as_a_store_keeps_them(http: httpx.Client, text: str) -> None:
    body = json.dumps(
        {"type": "log", "message": text, "step": text, "source": text, "data": {"k": text, text: 1}}
    )
    made = http.post("/api/runs", content=json.dumps({"name": f"n {text}", "tags": [text]}), headers=JSON)
    assert made.status_code == 201, made.text
    run_id = made.json()["run_id"]
    stored = http.post(f"/api/runs/{run_id}/events", content=body, headers=JSON)
    assert stored.status_code == 200, stored.text
    told = http.get(f"/api/runs/{run_id}/events").json()["events"][-1]
    if text.isprintable() and text.strip() and text == text.strip() and len(text) < 100:
        assert told["message"] == text
        assert told["payload"]["k"] == text
    seen: list[Any] = []
    http.post(f"/api/runs/{run_id}/end", json={"status": "completed"})
    with http.stream("GET", f"/api/runs/{run_id}/events", headers={"Accept": "text/event-stream"}) as stream:
        seen = [json.loads(line[5:]) for line in stream.iter_lines() if line.startswith("data:")]
    assert [event["seq"] for event in seen] == [1, 2, 3]
    assert seen[1]["message"] == told["message"]
    assert seen[1]["data"] == told["payload"]


# -- names in paths


@pytest.mark.parametrize(
    "name", [*filter(None, PATHS), "%2e%2e", "%252e%252e%252f", "a" * 300, "con", "run\u202eid"]
)
def test_ids_and_names_never_lead_out(http: httpx.Client, run: str, name: str) -> None:
    told = name.encode("utf-8", "surrogatepass")
    for path in (
        f"/api/runs/{quote(told, safe='')}",
        f"/api/runs/{quote(told, safe='')}/events",
        f"/api/runs/{quote(told, safe='')}/artifacts/_run/x",
        f"/api/runs/{run}/artifacts/{quote(told, safe='')}/passwd",
        f"/api/runs/{run}/artifacts/_run/{quote(told, safe='')}",
        f"/api/runs/{run}/artifacts/_run/{quote(told, safe='')}?raw=true",
    ):
        # As it stands: the client would resolve dots by itself.
        answer = http.get("/", extensions={"target": path.encode()})
        assert 400 <= answer.status_code < 500, (path, answer.status_code)
        assert b"root:" not in answer.content


@pytest.mark.parametrize("last", ["-1", "abc", "2" * 30, str(2**70), "", "1.5", "\u0661", "99999999"])
def test_last_event_ids_that_nobody_gave_out(http: httpx.Client, run: str, last: str) -> None:
    headers = [(b"Accept", b"text/event-stream"), (b"Last-Event-ID", last.encode("utf-8"))]
    with http.stream("GET", f"/api/runs/{run}/events", headers=headers) as stream:
        assert stream.status_code in (200, 204, 400)
    with http.stream("GET", "/api/events", headers=headers) as stream:
        assert stream.status_code in (200, 400)


def test_a_store_that_nobody_disturbed_is_whole(http: httpx.Client, server: Serving) -> None:
    store: SqlStore = server.app.server.store
    assert store.verify().ok
    assert http.get("/readyz").status_code == 200
