"""A server for tests: a real one on a free port, or one in this process without a network."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from runline.server.serve import Listening, listen
from runline.server.settings import Settings

if TYPE_CHECKING:
    from litestar.testing import TestClient

    from runline.server.app import Application
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


def client(store: SqlStore, settings: Settings | None = None) -> TestClient[Application]:
    """Asks the application directly; use it as a context manager so that streams flow."""
    from litestar.testing import TestClient

    from runline.server.app import create_app

    app = create_app(store, settings or Settings())
    return TestClient(app, base_url="http://localhost:8080", raise_server_exceptions=False)
