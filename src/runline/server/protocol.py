"""HTTP on one connection: uvicorn's, with bounds on what comes before a request is one.

A head has a size and a time; what is no HTTP is told so once, as JSON, and not to the log; and when a client goes
away every request of its connection learns it, not only the newest.
"""

from __future__ import annotations

import asyncio
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from runline.model.errors import Invalid, RunlineError
from runline.server.errors import TooSlow, problem

_MOST_HEAD_BYTES = 64 * 1024
_MOST_HEADERS = 200
HEAD_S = 10.0
"""How long a request may take to say what it is."""
_REASONS = {400: "Bad Request", 408: "Request Timeout", 431: "Request Header Fields Too Large"}


class HeadTooLarge(RunlineError):
    """Target and headers of the request are larger than any program's."""

    code = "head_too_large"
    status = 431


class Connection(HttpToolsProtocol):
    """One client. Everything happens in the event loop."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._in_head = True
        self._head_bytes = 0
        self._due: asyncio.TimerHandle | None = None
        self._refusal: RunlineError | None = None
        self._unanswered: list[RequestResponseCycle] = []

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)
        self.pipeline.clear()
        for cycle in self._unanswered:
            if not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
        self._unanswered.clear()

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if self._in_head:
            self._head_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # there is nothing to upgrade to; the request is answered as it stands
        except httptools.HttpParserError:
            self._refuse(self._refusal or Invalid("This is no HTTP request.", code="bad_request"))
        if self._in_head and self._head_bytes > _MOST_HEAD_BYTES:
            self._refuse(HeadTooLarge(f"A request's head has at most {_MOST_HEAD_BYTES:,} bytes."))

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        if self._due is None:
            self._await_head()

    def on_header(self, name: bytes, value: bytes) -> None:
        if len(self.headers) >= _MOST_HEADERS:
            self._refusal = HeadTooLarge(f"A request has at most {_MOST_HEADERS} headers.")
            raise self._refusal
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_bytes = 0
        self._stop_waiting()
        super().on_headers_complete()
        self._unanswered = [cycle for cycle in self._unanswered if not cycle.response_complete]
        self._unanswered.append(self.cycle)

    def _await_head(self) -> None:
        self._due = asyncio.get_running_loop().call_later(HEAD_S, self._too_slow)

    def _stop_waiting(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _too_slow(self) -> None:
        self._due = None
        self._refuse(TooSlow(f"The request's head did not arrive within {HEAD_S:g} seconds."))

    def _refuse(self, error: RunlineError) -> None:
        """Says why and hangs up; only hangs up while an answer is under way, which this would be taken for."""
        self._stop_waiting()
        if self.transport.is_closing():  # pragma: no cover - bytes that were already under way
            return
        if any(not cycle.response_complete for cycle in self._unanswered):
            self.transport.abort()
            return
        status, headers, body = problem(error, "")
        head = [f"HTTP/1.1 {status} {_REASONS[status]}", "connection: close", f"content-length: {len(body)}"]
        head += [f"{name}: {value}" for name, value in headers.items()]
        self.transport.write("\r\n".join((*head, "x-content-type-options: nosniff", "", "")).encode() + body)
        self.transport.close()
