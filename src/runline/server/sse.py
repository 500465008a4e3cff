"""Server-sent events: the text of a frame, and the response that carries a stream of them.

A frame's data is JSON on one line, and JSON has no raw line break, so nothing that a caller wrote can end a
frame or begin another.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, Protocol

import msgspec
from litestar import Response
from litestar.types import ASGIApp, Receive, Send

from runline.model.errors import RunlineError
from runline.model.event import Event
from runline.model.run import Run
from runline.model.wire.events import stream_event
from runline.model.wire.runs import run_summary
from runline.server.scope import ONLY_HEAD, STILL_GOOD

RETRY_MS = 3000
OPENING = b"retry: %d\n\n" % RETRY_MS
"""How long a client waits before it comes back."""
HEARTBEAT = b": still here\n\n"
CAUGHT_UP = b": caught up\n\n"
"""What follows is news. A comment, so it is for those alone who look for it, like a store behind a server."""
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]
_BREAKS = [(char.encode(), b"\\u%04x" % ord(char)) for char in "\x85\u2028\u2029"]
_encode = msgspec.json.Encoder().encode


def event_frame(event: Event, id: str | None = None) -> bytes:
    """One event under its own id, or under a cursor."""
    shown = stream_event(event)
    name = shown.state.encode()
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (
        str(id or event.id).encode(),
        name,
        _on_one_line(_encode(shown)),
    )


def run_frame(run: Run) -> bytes:
    """A run as it is now. It has no id: whoever comes back is told the active runs anew."""
    return b"event: run\ndata: %b\n\n" % _on_one_line(_encode(run_summary(run)))


def _on_one_line(told: bytes) -> bytes:
    """Without the line breaks that only Unicode knows: they end no line of a stream, but clients split there too."""
    for raw, escaped in _BREAKS:
        if raw in told:
            told = told.replace(raw, escaped)
    return told


class Chunks(Protocol):
    """Where a stream takes its bytes from."""

    def chunks(self) -> AsyncGenerator[bytes, None]:
        """Pieces of the stream until its end."""
        ...

    def leave(self) -> None:
        """Ends the stream now; may be called at any time, and again."""
        ...


class EventStream(Response[None]):
    """The response. It ends with the stream, and the stream with its client."""

    def __init__(self, source: Chunks) -> None:
        super().__init__(None)
        self._source = source

    def to_asgi_response(self, *_: Any, **__: Any) -> ASGIApp:  # type: ignore[override]
        """Litestar calls what this returns, and asks nothing else of it."""
        return self._stream

    async def _stream(self, scope: Any, receive: Receive, send: Send) -> None:
        source = self._source
        watching = [
            asyncio.create_task(_until_gone(receive, source)),
            asyncio.create_task(_until_refused(scope, source)),
        ]
        try:
            await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
            if not scope.get(ONLY_HEAD):
                await send({"type": "http.response.body", "body": OPENING, "more_body": True})
                async for chunk in source.chunks():
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            source.leave()
            for task in watching:
                task.cancel()


async def _until_refused(scope: Any, source: Chunks) -> None:
    """A token that expires or is revoked ends its streams too, soon after."""
    while True:
        await asyncio.sleep(scope["litestar_app"].state.server.settings.heartbeat_s)
        try:
            scope[STILL_GOOD]()
        except RunlineError:
            source.leave()
            return


async def _until_gone(receive: Receive, source: Chunks) -> None:
    """A client that goes away while nothing is sent is noticed here, and nowhere else."""
    while (await receive())["type"] != "http.disconnect":
        pass
    source.leave()
