"""Headers: how a request's are read, and which ones every answer has so that no browser is used against us."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from runline.server.settings import Settings

_HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"same-origin",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"cross-origin-resource-policy": b"same-origin",
    b"cache-control": b"no-store",
}


class Headers:
    """A request's headers, names in lower case."""

    def __init__(self, pairs: Iterable[tuple[bytes, bytes]]) -> None:
        self._pairs = list(pairs)

    def all(self, name: bytes) -> list[bytes]:
        return [value for key, value in self._pairs if key == name]

    def one(self, name: bytes) -> str:
        """The last value; blank when there is none."""
        found = self.all(name)
        return found[-1].decode("latin-1").strip() if found else ""


def guarded(send: Any, headers: Headers, settings: Settings) -> Any:
    """An ASGI `send` that adds them."""
    origin = headers.one(b"origin")
    more = dict(_HEADERS)
    if origin and origin in settings.origins:
        more |= {
            b"access-control-allow-origin": origin.encode("latin-1"),
            b"access-control-allow-credentials": b"true",
            b"access-control-allow-methods": b"GET, POST, PUT, PATCH, DELETE",
            b"access-control-allow-headers": b"authorization, content-type, idempotency-key, last-event-id",
            b"cross-origin-resource-policy": b"cross-origin",
            b"vary": b"origin",
        }

    async def sending(message: Any) -> None:
        if message["type"] == "http.response.start":
            present = {name.lower() for name, _ in message["headers"]}
            message["headers"] = [*message["headers"], *((k, v) for k, v in more.items() if k not in present)]
        await send(message)

    return sending
