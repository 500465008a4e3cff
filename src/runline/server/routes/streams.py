"""Streams over many runs: all their events, and the runs themselves as they change."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, Response
from msgspec import Struct

from runline.model.wire.events import StreamEvent
from runline.model.wire.runs import RunSummary
from runline.server.parameters import about
from runline.server.route import SSE, get
from runline.server.server import Server
from runline.server.sse import EventStream
from runline.store.sql_store import SqlStore


class StreamQuery(Struct, kw_only=True, frozen=True):
    """Where to go on."""

    cursor: Annotated[
        str | None, about("Goes on after the event whose `id:` this is; without one from now on.")
    ] = None


@get(
    "/api/events",
    query=StreamQuery,
    answers={SSE: StreamEvent},
    headers={"Last-Event-ID": "The last `id:` seen, an opaque cursor; it counts rather than `cursor`."},
    tenants=True,
    summary="The events of all runs, live",
    tag="Events",
)
async def stream_events(
    request: Request[Any, Any, Any], store: SqlStore, server: Server, given: StreamQuery
) -> Response[Any]:
    """Server-sent events in the order of their commits, in the shape of a run's stream. It never ends by itself."""
    cursor = request.headers.get("last-event-id") or given.cursor
    return EventStream(await server.hub.follow_all(store, cursor=cursor))


@get(
    "/api/stream",
    answers={SSE: RunSummary},
    tenants=True,
    summary="The runs as they change, live",
    tag="Runs",
)
async def stream_runs(store: SqlStore, server: Server) -> Response[Any]:
    """Server-sent events `run`: first each active run, then each run that changed, in its newest state.

    It has no ids: whoever comes back is told the active runs anew.
    """
    return EventStream(await server.hub.follow_runs(store))


HANDLERS = [stream_events, stream_runs]
