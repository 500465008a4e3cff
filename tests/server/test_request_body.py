"""Bodies: their type, their size, their time."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest

from runline.server.headers import Headers
from runline.server.request_body import RequestBody
from runline.server.routes.exports import import_run
from runline.server.routes.runs import create_run
from runline.server.settings import Settings
from runline.store.sql_store import SqlStore
from runline.testing.serving import Serving, client, serving

if TYPE_CHECKING:
    from runline.testing.serving import Client

JSON = {"Content-Type": "application/json"}
GZIP = {**JSON, "Content-Encoding": "gzip"}
SMALL = Settings(port=0, request_bytes=1000, body_timeout_s=0.3)


@pytest.fixture
def small(store: SqlStore) -> Iterator[Client]:
    with client(store, SMALL) as asked:
        yield asked


@pytest.fixture
def server(store: SqlStore) -> Iterator[Serving]:
    with serving(store, SMALL) as running:
        yield running


def run_of(size: int) -> bytes:
    return json.dumps({"name": "x" * size}).encode()


@pytest.mark.parametrize(
    "media", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
def test_what_a_form_can_send_is_refused(api: Client, media: str) -> None:
    answer = api.post("/api/runs", content=b'{"name":"x"}', headers={"Content-Type": media})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


def test_a_charset_does_not_matter(api: Client) -> None:
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert api.post("/api/runs", content=b'{"name":"x"}', headers=headers).status_code == 201


def test_a_body_may_be_zipped(api: Client) -> None:
    answer = api.post("/api/runs", content=gzip.compress(b'{"name":"zipped"}'), headers=GZIP)
    assert (answer.status_code, answer.json()["pipeline_name"]) == (201, "zipped")


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "zstd"])
def test_other_encodings_are_named(api: Client, encoding: str) -> None:
    headers = {**JSON, "Content-Encoding": encoding}
    assert api.post("/api/runs", content=b"x", headers=headers).status_code == 415


@pytest.mark.parametrize("body", [b"not gzip", gzip.compress(b'{"name":"x"}', mtime=0)[:-9], b"\x1f\x8b"])
def test_what_is_no_gzip_is_refused(api: Client, body: bytes) -> None:
    answer = api.post("/api/runs", content=body, headers=GZIP)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_encoding")


def test_too_large_is_refused_before_it_is_read(small: Client) -> None:
    assert small.post("/api/runs", content=run_of(900), headers=JSON).status_code == 201
    answer = small.post("/api/runs", content=run_of(1000), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_too_large_without_saying_so_is_refused(server: Serving) -> None:
    pieces = (b"x" * 400 for _ in range(10))
    answer = httpx.post(f"{server.url}/api/runs", content=pieces, headers=JSON)
    assert answer.status_code == 413


def test_a_bomb_is_refused_without_unzipping_it(small: Client) -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    assert len(bomb) < 60_000
    with client(small.application.server.store, Settings(request_bytes=100_000)) as api:
        assert api.post("/api/runs", content=bomb, headers=GZIP).status_code == 413


def test_two_zips_in_a_row_are_one_body_too_many(api: Client) -> None:
    twice = gzip.compress(b'{"name":"x"}') + gzip.compress(b'{"name":"y"}')
    answer = api.post("/api/runs", content=twice, headers=GZIP)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_encoding")


@pytest.mark.parametrize("head", [b"Content-Length: 100", b"Transfer-Encoding: chunked"])
def test_a_body_that_does_not_come_is_not_waited_for_long(server: Serving, head: bytes) -> None:
    where = urlsplit(server.url)
    with socket.create_connection((where.hostname, where.port), 10) as connection:
        connection.sendall(
            b"POST /api/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            + head
            + b"\r\n\r\n"
        )
        assert connection.recv(1000).startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize(("handler", "deadlines"), [(create_run, 1), (import_run, 3)])
def test_a_body_has_its_time_and_one_for_a_file_has_it_for_each_piece(
    monkeypatch: pytest.MonkeyPatch, handler: object, deadlines: int
) -> None:
    given = list[float]()

    def timeout_at(when: float) -> asyncio.Timeout:
        given.append(when)
        return asyncio.Timeout(when)

    async def receive() -> dict[str, object]:
        loop = asyncio.get_running_loop()
        asked_s = loop.time()
        while loop.time() == asked_s:
            pass
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def three_pieces() -> None:
        headers = Headers([(b"content-type", b"application/json"), (b"content-length", b"3")])
        body = RequestBody({"route_handler": handler}, receive, headers, Settings())
        for _ in range(3):
            await body.receive()

    monkeypatch.setattr(asyncio, "timeout_at", timeout_at)
    asyncio.run(three_pieces())
    assert len(set(given)) == deadlines


def test_a_length_that_lies_is_the_callers_loss(server: Serving) -> None:
    where = urlsplit(server.url)
    with socket.create_connection((where.hostname, where.port), 10) as connection:
        connection.sendall(
            b"POST /api/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b'Content-Length: 5\r\n\r\n{"name":"x"}'
        )
        # What follows the body is no request, and may be seen before the body has been answered.
        assert connection.recv(1000).partition(b"\r\n")[0] in (b"", b"HTTP/1.1 400 Bad Request")
    assert httpx.get(f"{server.url}/healthz").status_code == 200
