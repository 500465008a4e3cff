"""A file as an answer, sent piece by piece and closed whatever becomes of the client."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import Any, BinaryIO
from urllib.parse import quote

from litestar import Response
from litestar.types import ASGIApp, Receive, Scope, Send

from runline.model.errors import RunlineError
from runline.server.threads import in_thread

_PIECE_BYTES = 256 * 1024
# What is in a file is somebody else's: no browser may show it as a page of ours, or run anything of it.
_SANDBOX = "sandbox; default-src 'none'"


class FileAnswer(Response[None]):
    """An open file, to be saved under `name`. It is this answer's to close."""

    def __init__(self, file: BinaryIO, name: str, *, media_type: str) -> None:
        super().__init__(None)
        self._file = file
        self._size_bytes = os.fstat(file.fileno()).st_size
        self._told = {
            "content-type": media_type,
            "content-length": str(self._size_bytes),
            "content-disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
            "content-security-policy": _SANDBOX,
        }

    def to_asgi_response(self, *_: Any, **__: Any) -> ASGIApp:  # type: ignore[override]
        """Litestar calls what this returns, and asks nothing else of it."""
        return self._send

    async def _send(self, _: Scope, receive: Receive, send: Send) -> None:
        # Nothing else notices a client that goes away: sending to it just does nothing.
        gone = asyncio.Event()
        watching = asyncio.create_task(_watch(receive, gone))
        try:
            headers = [(name.encode(), value.encode()) for name, value in self._told.items()]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            left = self._size_bytes
            while left and not gone.is_set():
                piece = await in_thread(self._file.read, min(left, _PIECE_BYTES))
                if not piece:
                    raise OSError("The file became shorter while it was sent.")
                left -= len(piece)
                await send({"type": "http.response.body", "body": piece, "more_body": left > 0})
            if not self._size_bytes:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._file.close()
            watching.cancel()


async def _watch(receive: Receive, gone: asyncio.Event) -> None:
    with suppress(RunlineError):  # of a body that nobody asked for
        while (await receive())["type"] != "http.disconnect":
            pass
        gone.set()
