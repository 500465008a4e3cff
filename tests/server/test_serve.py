"""Binding an address and running there."""

from __future__ import annotations

import errno
import signal
import socket
import threading
from pathlib import Path

import httpx
import pytest

from runline.model.errors import Conflict, Invalid
from runline.server import serve
from runline.server.serve import listen
from runline.server.settings import Settings
from runline.store.sql_store import SqlStore
from runline.testing.serving import serving

OPEN_FILES = Path("/proc/self/fd")


def test_it_answers_at_its_url(store: SqlStore) -> None:
    with serving(store) as server:
        assert httpx.get(f"{server.url}/healthz").json()["status"] == "ok"


@pytest.mark.parametrize(("bind", "shown"), [("::1", "[::1]"), ("[::1]", "[::1]"), ("0.0.0.0", "127.0.0.1")])
def test_the_url_can_be_opened_whatever_was_bound(store: SqlStore, bind: str, shown: str) -> None:
    with serving(store, Settings(bind=bind, port=0, token="t")) as server:
        assert server.url.startswith(f"http://{shown}:")
        assert httpx.get(f"{server.url}/healthz").status_code == 200


@pytest.mark.parametrize(
    ("bind", "port"), [("999.1.1.1", 0), ("no-such-name.invalid", 0), ("127.0.0.1", 70_000)]
)
def test_what_cannot_be_bound_is_told(store: SqlStore, bind: str, port: int) -> None:
    with pytest.raises(Invalid) as refused:
        listen(store, Settings(bind=bind, port=port))
    assert refused.value.code == "bad_address"


def test_a_taken_port_names_the_next_free_one(store: SqlStore) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Conflict) as refused:
            listen(store, Settings(port=port))
    assert refused.value.code == "port_taken"
    assert f"Port {port}" in refused.value.message


def test_without_any_free_port_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    class Taken(socket.socket):
        def bind(self, address: object) -> None:
            del address
            raise OSError(errno.EADDRINUSE, "taken")

    monkeypatch.setattr("socket.socket", Taken)
    with pytest.raises(Conflict, match="No port is free"):
        serve._bind("127.0.0.1", 8080)


def test_a_signal_ends_streams_first_and_the_second_one_all(store: SqlStore) -> None:
    listening = listen(store, Settings(port=0))
    stopped = threading.Event()
    listening.app.stop = stopped.set  # type: ignore[method-assign]
    server = listening._uvicorn
    server.handle_exit(signal.SIGTERM, None)
    assert stopped.is_set()
    assert server.should_exit
    server.handle_exit(signal.SIGINT, None)
    assert server.force_exit
    listening.close()


@pytest.mark.skipif(not OPEN_FILES.is_dir(), reason="this system does not list open files")
def test_nothing_is_left_open(store: SqlStore) -> None:
    def ask() -> int:
        with serving(store) as server:
            httpx.get(f"{server.url}/healthz")
        return len(list(OPEN_FILES.iterdir()))

    assert [ask() for _ in range(3)][-1] <= ask()
