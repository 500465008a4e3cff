"""One connection: bounds before a request is one, and news of a client's leaving for all its requests."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from runline.server import protocol
from runline.store.sql_store import SqlStore
from runline.testing.serving import Serving, serving


@pytest.fixture
def server(store: SqlStore) -> Iterator[Serving]:
    with serving(store) as running:
        yield running


@contextmanager
def connected(server: Serving) -> Iterator[socket.socket]:
    where = urlsplit(server.url)
    with socket.create_connection((where.hostname, where.port), 10) as connection:
        yield connection


def everything(connection: socket.socket) -> bytes:
    """Until the server hangs up."""
    told = b""
    try:
        while piece := connection.recv(65536):
            told += piece
    except ConnectionResetError:
        pass
    return told


def refusal(server: Serving, *pieces: bytes) -> tuple[int, str]:
    """Status and code of what comes back."""
    with connected(server) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass
        head, _, body = everything(connection).partition(b"\r\n\r\n")
    assert b"nosniff" in head
    return int(head.split()[1]), json.loads(body)["code"]


@pytest.mark.parametrize(
    "request_",
    [b"BREW /pot HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\x16\x03\x01\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"],
)
def test_what_is_no_request_is_told_so(
    server: Serving, request_: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    assert refusal(server, request_) == (400, "bad_request")
    assert not caplog.records


def test_a_head_has_so_many_bytes(server: Serving) -> None:
    start = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: "
    assert refusal(server, start, *[b"a" * 10_000] * 20) == (431, "head_too_large")


def test_a_head_has_so_many_lines(server: Serving) -> None:
    lines = b"".join(b"X-%d: a\r\n" % n for n in range(250))
    request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + lines + b"\r\n"
    assert refusal(server, request) == (431, "head_too_large")


def test_a_head_has_so_much_time(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_S", 0.2)
    with serving(store) as server:
        assert refusal(server, b"GET /healthz HTTP/1.1\r\nHost: loc") == (408, "timeout")
        assert refusal(server) == (408, "timeout")
        with connected(server) as connection:  # the second request of a connection as well
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /hea")
            told = everything(connection)
        assert told.startswith(b"HTTP/1.1 200")


def test_an_upgrade_is_answered_as_it_stands(server: Serving, caplog: pytest.LogCaptureFixture) -> None:
    with connected(server) as connection:
        connection.sendall(
            b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        )
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")
    assert not caplog.records


def test_nonsense_behind_a_stream_ends_it(server: Serving, store: SqlStore) -> None:
    run = store.create_run("job").run_id
    with connected(server) as connection:
        connection.sendall(
            f"GET /api/runs/{run}/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n".encode()
        )
        assert b"200" in connection.recv(15)
        connection.sendall(b"\x00\x01 nonsense\r\n\r\n")
        assert b"HTTP/1.1 400" not in everything(connection)
    until_nobody_follows(server)


@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
def test_a_client_that_goes_is_missed_by_all_its_requests(server: Serving, method: bytes) -> None:
    for _ in range(5):
        with connected(server) as connection:
            connection.sendall(
                method
                + b" /api/stream HTTP/1.1\r\nHost: localhost\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
            )
            assert b"200" in connection.recv(15)
    until_nobody_follows(server)


def until_nobody_follows(server: Serving) -> None:
    hub = server.app.server.hub
    for _ in range(500):
        if not hub.followers:
            return
        time.sleep(0.01)  # between two looks
    pytest.fail(f"{hub.followers} streams are left")
