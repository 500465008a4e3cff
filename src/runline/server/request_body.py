"""A request's body, bounded: its type, its size also once unzipped, and the time it takes to arrive."""

from __future__ import annotations

import asyncio
import zlib
from typing import Any

from litestar.handlers import BaseRouteHandler

from runline.model.errors import Invalid
from runline.server.errors import TooLarge, TooSlow, UnsupportedMedia
from runline.server.headers import Headers
from runline.server.route import route_of
from runline.server.settings import Settings


class RequestBody:
    """Checked when somebody first asks for it, which is when the route is known."""

    def __init__(self, scope: Any, receive: Any, headers: Headers, settings: Settings) -> None:
        self._scope = scope
        self._receive = receive
        self._headers = headers
        self._settings = settings
        self._most = settings.request_bytes
        self._seen = 0
        self._unzip: Any = None
        self._started = False
        self._complete = False
        self._due_s = 0.0
        self._piece_by_piece = False
        """Each piece has its time, since the whole is of any size and goes to a file."""

    async def receive(self) -> Any:
        """As ASGI's, with the body unzipped. Raises what `problem` tells."""
        if self._complete:
            return await self._receive()
        if not self._started:
            self._start()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(self._due_s or loop.time() + self._settings.body_timeout_s) as due:
                self._due_s = 0.0 if self._piece_by_piece else due.when() or 0.0
                message = await self._receive()
        except TimeoutError as error:
            raise TooSlow(
                f"The body did not arrive within {self._settings.body_timeout_s:g} seconds."
            ) from error
        if message["type"] != "http.request":
            return message
        self._complete = not message.get("more_body", False)
        body = message.get("body", b"")
        message["body"] = self._unzipped(body) if self._unzip else body
        self._seen += len(message["body"])
        if self._seen > self._most:
            raise self._too_large()
        return message

    def _start(self) -> None:
        self._started = True
        handler = self._scope.get("route_handler")
        route = route_of(handler) if isinstance(handler, BaseRouteHandler) else None
        if route is None:  # pragma: no cover - the gate refuses such a handler before it asks for a body
            return
        self._most = route.max_bytes or self._settings.request_bytes
        self._piece_by_piece = route.streams
        length = self._headers.one(b"content-length")
        if length.isascii() and length.isdigit() and int(length[:19]) > self._most:
            raise self._too_large()
        encoding = self._headers.one(b"content-encoding").lower()
        if encoding in ("gzip", "x-gzip"):
            self._unzip = zlib.decompressobj(wbits=31)
        elif encoding not in ("", "identity"):
            raise UnsupportedMedia(f"Content-Encoding {encoding[:40]!r} is not understood; use gzip or none.")
        has_body = length not in ("", "0") or self._headers.one(b"transfer-encoding")
        media = self._headers.one(b"content-type").partition(";")[0].strip().lower()
        if has_body and "*/*" not in route.consumes and media not in route.consumes:
            raise UnsupportedMedia(
                f"Send the body as {' or '.join(route.consumes)}, not {media[:60] or 'without a Content-Type'!r}."
            )

    def _unzipped(self, piece: bytes) -> bytes:
        try:
            # One byte more than may come tells that it is too much, without unzipping the rest.
            body: bytes = self._unzip.decompress(piece, self._most - self._seen + 1)
        except zlib.error as error:
            raise Invalid(f"The body is not gzip: {error}.", code="bad_encoding") from error
        if self._unzip.unconsumed_tail:
            raise self._too_large()
        if self._unzip.unused_data:
            raise Invalid("Something follows the end of the gzip body.", code="bad_encoding")
        if self._complete and not self._unzip.eof:
            raise Invalid("The gzip body ends too early.", code="bad_encoding")
        return body

    def _too_large(self) -> TooLarge:
        return TooLarge(f"A request here has at most {self._most:,} bytes, also once unzipped; send several.")
