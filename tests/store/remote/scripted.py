"""A server that answers what a test says, over a real socket; it keeps what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import msgspec

PATIENCE_S = 20.0


class Asked(NamedTuple):
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


class Answer(NamedTuple):
    """`cut`: the connection breaks after the body, although more was promised."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = {}  # noqa: RUF012 - never changed
    cut: bool = False


def refusal(status: int, code: str, error: str = "No.", **fields: str) -> Answer:
    return Answer(status, msgspec.json.encode({"error": error, "code": code, "fields": fields}))


class Scripted:
    """Answers from `script`, each once and in order, then with `answer`."""

    def __init__(self) -> None:
        self.script: list[Answer] = []
        self.answer: Callable[[Asked], Answer] = lambda _: Answer()
        self.asked: list[Asked] = []
        self.url = ""
        self._lock = threading.Lock()

    def reply(self, asked: Asked) -> Answer:
        with self._lock:
            self.asked.append(asked)
            return self.script.pop(0) if self.script else self.answer(asked)


@contextmanager
def scripted(port: int = 0) -> Iterator[Scripted]:
    """Serves on a free port, or on that one."""
    told = Scripted()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def handle_any(self) -> None:
            length = int(self.headers.get("content-length", 0))
            if self.headers.get("transfer-encoding") == "chunked":
                body = b""
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
            else:
                body = self.rfile.read(length)
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = told.reply(Asked(self.command, self.path, headers, body))
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if answer.status != 204:
                self.send_header("content-length", str(len(answer.body) + answer.cut))
            self.end_headers()
            self.wfile.write(answer.body)
            self.close_connection = answer.cut

        do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815 - the names that the library calls

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *_: object) -> None:
            """A client that has gone is what some tests are about."""

    server = Server(("127.0.0.1", port), Handler)
    told.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        thread.join(PATIENCE_S)
        server.server_close()
