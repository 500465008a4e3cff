"""The application: a store, its routes, the gate before them and the hub behind the streams.

It is plain ASGI and can be mounted under a prefix of another application, whose lifespan must enter
`application.lifespan()`, since hosts do not pass theirs on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar
from litestar.datastructures import State

from runline.server.errors import EXCEPTION_HANDLERS
from runline.server.gate import Gate, admit
from runline.server.route import Route, route_of
from runline.server.routes import HANDLERS
from runline.server.server import Server
from runline.server.settings import Settings
from runline.store.sql_store import SqlStore

log = logging.getLogger("runline")


class Application:
    """Serves one store. `stop` ends every stream; the store stays open, whoever opened it closes it."""

    def __init__(self, store: SqlStore, settings: Settings) -> None:
        self.server = Server(store, settings)
        self.server.routes = declared()
        self.litestar = Litestar(
            route_handlers=HANDLERS,
            guards=[admit],
            exception_handlers=EXCEPTION_HANDLERS,
            openapi_config=None,
            logging_config=None,
            state=State({"server": self.server}),
        )
        public = {route.path for route in self.server.routes if route.scope == "public"}
        self._gate = Gate(self.litestar, store, settings, public=public)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        try:
            await self._gate(scope, receive, send)
        except asyncio.CancelledError:
            # The server stops and waits no longer; that is no failure of the request.
            log.debug("runline: %s was cut off by the end of the server", scope.get("path"))

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """While inside, streams flow. For hosts that mount the application."""
        self.server.hub.start()
        self.server.pruning.start()
        try:
            yield
        finally:
            self.server.pruning.close()
            self.stop()

    def stop(self) -> None:
        """Ends every stream at once; safe from a signal handler and from any thread."""
        self.server.hub.close()

    async def _lifespan(self, receive: Any, send: Any) -> None:
        await receive()
        async with self.lifespan():
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


def declared() -> list[Route]:
    """The declaration of every route, in the order of their paths."""
    found = [route_of(handler) for handler in HANDLERS]
    return sorted((route for route in found if route is not None), key=lambda r: (r.path, r.method))


def create_app(store: SqlStore, settings: Settings | None = None) -> Application:
    """The ASGI application over an open store."""
    return Application(store, settings or Settings())
