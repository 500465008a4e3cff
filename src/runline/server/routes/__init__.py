"""The routes, one file per noun; every handler says what it is with `runline.server.route`."""

from __future__ import annotations

from litestar.handlers.http_handlers.base import HTTPRouteHandler

from runline.server.routes import events, pipelines, streams, system

HANDLERS: list[HTTPRouteHandler] = [
    *system.HANDLERS,
    *events.HANDLERS,
    *streams.HANDLERS,
    *pipelines.HANDLERS,
]
