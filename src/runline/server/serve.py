"""Running the application: one address, one event loop, and an end that waits for nobody.

uvicorn waits for open responses before it ends the application's lifespan, and a stream is a response that
never ends by itself. So the signal that stops the server ends the streams first.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn

from runline.model.errors import Conflict, Invalid
from runline.server.app import Application, create_app
from runline.server.protocol import Connection
from runline.server.settings import Settings
from runline.store.sql_store import SqlStore

log = logging.getLogger("runline")
_GRACE_S = 1.0
"""What is under way has this long to end by itself; Ctrl-C is to be done within three seconds."""
_BACKLOG = 2048


class Listening:
    """A bound address with its application; `run` serves until `stop`, SIGINT or SIGTERM."""

    def __init__(self, app: Application, bound: socket.socket) -> None:
        self.app = app
        self._bound = bound
        host, port = bound.getsockname()[:2]
        shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 - compared, not bound
        self.url = f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"
        self.started = threading.Event()
        config = uvicorn.Config(
            app,
            http=Connection,
            loop="auto",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            backlog=_BACKLOG,
            timeout_graceful_shutdown=_GRACE_S + 0.5,  # type: ignore[arg-type]  # waits take fractions
        )
        self._uvicorn = _Uvicorn(config, self)

    def run(self) -> None:
        """Serves in this thread; signals count when it is the main one."""
        try:
            self._uvicorn.run(sockets=[self._bound])
        finally:
            self.started.set()
            self.close()

    def close(self) -> None:
        """Lets go of the address."""
        self._bound.close()

    def stop(self) -> None:
        """Ends the streams, then the server; from any thread."""
        self._uvicorn.should_exit = True
        self.app.stop()


class _Uvicorn(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, listening: Listening) -> None:
        super().__init__(config)
        self._listening = listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._listening.started.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """A signal that ended the server is done with: it must not end the process too, which leaves with 0."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """A client that takes nothing would keep its connection, and the server, for ever: it is dropped."""
        dropping = asyncio.get_running_loop().call_later(_GRACE_S, self._drop_connections)
        await super().shutdown(sockets)
        dropping.cancel()

    def _drop_connections(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The second signal leaves at once."""
        self._listening.app.stop()
        super().handle_exit(sig, frame)


def listen(store: SqlStore, settings: Settings) -> Listening:
    """Binds the address. Raises Conflict when the port is taken, naming a free one; Invalid for a wrong address."""
    return Listening(create_app(store, settings), _bind(settings.bind, settings.port))


def _bind(host: str, port: int) -> socket.socket:
    name = host.strip("[]")
    family = socket.AF_INET6 if ":" in name else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((name, port))
        bound.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        bound.close()
        if isinstance(error, OSError) and error.errno in (errno.EADDRINUSE, errno.EACCES):
            free = _free_port(family, name, port)
            raise Conflict(
                f"Port {port} of {host} is taken or not allowed; --port {free} is free.", code="port_taken"
            ) from error
        raise Invalid(
            f"Nothing can listen on {host}:{port}: {error}.", code="bad_address", fields={"bind": str(error)}
        ) from error
    return bound


def _free_port(family: int, name: str, port: int) -> int:
    """The next one that is free; any, when none of the next hundred is."""
    for candidate in (*range(max(1024, port + 1), min(port + 101, 65536)), 0):
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((name, candidate))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise Conflict("No port is free here.", code="port_taken")
