"""A server for tests: a real one on a free port, or one in this process without a network."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from litestar.testing import TestClient

from runline.server.app import Application, create_app
from runline.server.serve import Listening, listen
from runline.server.settings import Settings

if TYPE_CHECKING:
    from runline.store.sql_store import SqlStore


class Serving:
    """A server that runs in a thread of this process, at `url`."""

    def __init__(self, listening: Listening) -> None:
        self.app = listening.app
        self.url = listening.url
        self._listening = listening
        self._thread = threading.Thread(target=listening.run, name="runline-serving", daemon=True)
        self._thread.start()
        listening.started.wait(10)

    def close(self) -> None:
        """As Ctrl-C would: streams end, then the server."""
        self._listening.stop()
        self._thread.join(10)
        assert not self._thread.is_alive()


@contextmanager
def serving(store: SqlStore, settings: Settings | None = None) -> Iterator[Serving]:
    """A real server on a free port of the loopback address."""
    server = Serving(listen(store, settings or Settings(port=0)))
    try:
        yield server
    finally:
        server.close()


def client(store: SqlStore, settings: Settings | None = None) -> Client:
    """Asks the application directly; use it as a context manager so that streams flow."""
    return Client(create_app(store, settings or Settings()))


class Client(TestClient[Any]):
    """Asks an application in this process, as its own machine would."""

    def __init__(self, application: Application) -> None:
        self.application = application
        super().__init__(application, base_url="http://127.0.0.1:8080", raise_server_exceptions=False)
