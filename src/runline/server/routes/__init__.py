"""The routes, one file per noun; every handler says what it is with `runline.server.route`."""

from __future__ import annotations

from litestar.handlers.http_handlers.base import HTTPRouteHandler

from runline.server.routes import (
    admin,
    artifacts,
    events,
    exports,
    notes,
    pipelines,
    run_control,
    run_views,
    runs,
    statistics,
    streams,
    system,
    timeline,
    tokens,
)

HANDLERS: list[HTTPRouteHandler] = [
    *system.HANDLERS,
    *events.HANDLERS,
    *streams.HANDLERS,
    *artifacts.HANDLERS,
    *pipelines.HANDLERS,
    *tokens.HANDLERS,
    *admin.HANDLERS,
    *runs.HANDLERS,
    *run_control.HANDLERS,
    *run_views.HANDLERS,
    *notes.HANDLERS,
    *exports.HANDLERS,
    *statistics.HANDLERS,
    *timeline.HANDLERS,
]
