"""The routes, one file per noun; every handler says what it is with `runline.server.route`."""

from __future__ import annotations

from litestar.handlers.http_handlers.base import HTTPRouteHandler

from runline.server.routes import pipelines, system

HANDLERS: list[HTTPRouteHandler] = [
    *system.HANDLERS,
    *pipelines.HANDLERS,
]
