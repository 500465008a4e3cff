"""For tests of streams: a client that can be cut, stall and resume, and a proxy that cuts."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
import msgspec

PATIENCE_S = 20.0
"""How long a test waits for what must come; reached only when it fails."""
SSE = {"accept": "text/event-stream"}


class Frame(NamedTuple):
    """One server-sent event."""

    id: str
    event: str
    data: dict[str, Any]


class Parser:
    """Bytes in any pieces to frames; what a broken connection left half is forgotten, as the standard says."""

    def __init__(self) -> None:
        self._rest = b""
        self.comments = 0
        self.retry: int | None = None

    def feed(self, piece: bytes) -> Iterator[Frame]:
        *blocks, self._rest = (self._rest + piece).split(b"\n\n")
        for block in blocks:
            fields: dict[str, str] = {}
            for line in block.split(b"\n"):
                name, _, value = line.decode().partition(":")
                assert name not in fields, f"two {name} lines in {block!r}"
                fields[name] = value.removeprefix(" ")
            if "" in fields:
                self.comments += 1
            if "retry" in fields:
                self.retry = int(fields["retry"])
            if "data" in fields:
                yield Frame(fields.get("id", ""), fields["event"], msgspec.json.decode(fields["data"]))


def followed(
    client: httpx.Client,
    url: str,
    *,
    last_id: str | None = None,
    until: Callable[[Frame], bool] | None = None,
) -> list[Frame]:
    """The frames of one connection until it ends, or until that frame."""
    parser, seen = Parser(), list[Frame]()
    headers = SSE | ({} if last_id is None else {"last-event-id": last_id})
    with client.stream("GET", url, headers=headers) as answer:
        assert answer.status_code == 200, answer.read()
        for piece in answer.iter_raw():
            for frame in parser.feed(piece):
                seen.append(frame)
                if until is not None and until(frame):
                    return seen
    return seen


def resumed(client: httpx.Client, url: str) -> list[Frame]:
    """What an EventSource would see: it comes back after each cut with its last id, until it is told to stop."""
    seen: list[Frame] = []
    give_up_s = monotonic() + 10 * PATIENCE_S
    while monotonic() < give_up_s:
        parser = Parser()
        # The proxy carries one request a connection.
        headers = SSE | {"connection": "close"} | ({"last-event-id": seen[-1].id} if seen else {})
        with suppress(httpx.TransportError), client.stream("GET", url, headers=headers) as answer:
            if answer.status_code == 204:
                return seen
            assert answer.status_code == 200, answer.read()
            for piece in answer.iter_raw():
                seen.extend(parser.feed(piece))
    raise AssertionError(f"after {len(seen)} events there was no end")


def opened(url: str, path: str, *, receive_bytes: int | None = None) -> socket.socket:
    """A connection that has asked for the stream and read nothing; a small window makes it stall soon."""
    at = urlsplit(url)
    connection = socket.socket()
    if receive_bytes is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    connection.settimeout(PATIENCE_S)
    connection.connect((at.hostname or "", at.port or 0))
    connection.sendall(
        f"GET {path} HTTP/1.0\r\nHost: {at.netloc}\r\nAccept: text/event-stream\r\n\r\n".encode()
    )
    return connection


def drained(connection: socket.socket) -> list[Frame]:
    """Everything that still comes on a connection of `opened`, to its end."""
    text = b""
    while piece := connection.recv(1 << 16):
        text += piece
    _, _, body = text.partition(b"\r\n\r\n")
    return list(Parser().feed(_unchunked(body)))


def _unchunked(body: bytes) -> bytes:
    text = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size, 16)
        text, body = text + body[:length], body[length + 2 :]
    return text


@contextmanager
def cutting(url: str, *, seed: int, most_bytes: int) -> Iterator[str]:
    """A proxy that cuts each connection after a random number of bytes; gives its address."""
    at = urlsplit(url)
    chance = random.Random(seed)
    listening = socket.create_server(("127.0.0.1", 0))
    closing = threading.Event()

    def serve() -> None:
        while not closing.is_set():
            try:
                near, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=carry, args=(near, chance.randint(1, most_bytes)), daemon=True).start()

    def carry(near: socket.socket, allowed: int) -> None:
        with suppress(OSError), near, socket.create_connection((at.hostname or "", at.port or 0)) as far:
            near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else each small piece waits 40 ms
            asked = near.recv(1 << 16)
            far.sendall(asked)
            while allowed > 0 and (piece := far.recv(min(allowed, 1 << 14))):
                near.sendall(piece)
                allowed -= len(piece)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        closing.set()
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(PATIENCE_S)


def eventually(condition: Callable[[], bool], what: str) -> None:
    """Waits until it holds, however long other work on the machine takes."""
    give_up_s = monotonic() + PATIENCE_S
    waiting = threading.Event()
    while not condition():
        assert monotonic() < give_up_s, what
        waiting.wait(0.005)
