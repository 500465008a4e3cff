"""The one gate: everything passes it, streams, ingest, static pages and unknown paths alike; deny by default.

Before routing: the Host header, where the request comes from, who sends it. After routing, when the route is
known and before its handler runs (`admit`): its scope and its parameters. While the body is read: its type, its
size also once unzipped, its time. On the way out: headers that keep a browser from being used against us.
"""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import Iterable
from typing import Any, cast

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import ASGIApp, HTTPResponseStartEvent, Message, Receive, Scope, Send

from runline.model.errors import Forbidden, Invalid, RunlineError, Unauthorized
from runline.server.errors import MissingRunId, TooLarge, TooSlow, UnsupportedMedia, problem
from runline.server.identity import Identity, identify
from runline.server.parameters import read_query, split
from runline.server.route import Route, route_of
from runline.server.settings import Settings, is_loopback
from runline.store.sql_store import SqlStore

IDENTITY = "runline.identity"
GIVEN = "runline.given"
TENANT = "runline.tenant"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?")
_HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"same-origin",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"cross-origin-resource-policy": b"same-origin",
    b"cache-control": b"no-store",
}
_TIMELINE = "/api/timeline/"


class Gate:
    """An ASGI application around the routes. `public`: exact paths that need no token."""

    def __init__(
        self, routes: ASGIApp, store: SqlStore, settings: Settings, *, public: Iterable[str]
    ) -> None:
        self._routes = routes
        self._store = store
        self._settings = settings
        self._public = frozenset(public)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._routes(scope, receive, send)
            return
        path = _path(cast("dict[str, Any]", scope))
        headers = _Headers(scope["headers"])
        send = _guarded(send, headers, self._settings, only_head=scope["method"] == "HEAD")
        if scope["method"] == "HEAD":
            scope["method"] = cast("Any", "GET")
            scope["headers"] = [pair for pair in scope["headers"] if pair[0] != b"accept"]
        try:
            host = self._check_host(headers)
            self._check_origin(scope["method"], scope["scheme"], host, headers)
            if scope["method"] == "OPTIONS" and headers.one(b"access-control-request-method"):
                await _preflight(send)
                return
            who = identify(
                self._store, self._settings, headers.all(b"authorization"), headers.all(b"cookie")
            )
            if who is None and path not in self._public:
                raise Unauthorized(
                    "This server asks for a token: send `Authorization: Bearer <token>`; "
                    "`runline token create` makes one."
                )
        except RunlineError as error:
            await _answer(send, error, path)
            return
        scope[IDENTITY] = who  # type: ignore[literal-required]
        await self._routes(scope, _Body(scope, receive, headers, self._settings).receive, send)

    def _check_host(self, headers: _Headers) -> str:
        """The name that the caller thinks we have; a page elsewhere may have made it resolve to us."""
        given = headers.all(b"host")
        found = _HOST.fullmatch(given[0].decode("latin-1")) if len(given) == 1 else None
        if found is None:
            raise Invalid("Send exactly one Host header with this server's name.", code="bad_host")
        name, allowed = found[1].lower(), self._settings.hosts
        if not (is_loopback(name) or name in allowed or (not self._settings.on_loopback and not allowed)):
            raise Forbidden(
                f"This server does not answer to the name {name!r}; use localhost, or add it with --host-name.",
                code="bad_host",
            )
        return given[0].decode("latin-1").lower()

    def _check_origin(self, method: str, scheme: str, host: str, headers: _Headers) -> None:
        """A page of another site may neither change anything here nor read it."""
        origin = headers.one(b"origin")
        site = headers.one(b"sec-fetch-site")
        if origin in self._settings.origins:
            return
        ours = {f"{scheme}://{host}", f"http://{host}", f"https://{host}"}  # a proxy may speak https for us
        foreign = (bool(origin) and origin.lower() not in ours) or site in ("cross-site", "same-site")
        if foreign and (method not in _SAFE or headers.one(b"sec-fetch-mode") != "navigate"):
            raise Forbidden(
                f"A page of {origin[:100] or 'another site'} may not call this server; allow it with --origin.",
                code="bad_origin",
            )


async def admit(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Once the route is known: may the caller, and are the parameters good? Leaves `GIVEN` for the handler."""
    route = route_of(handler)
    who: Identity | None = connection.scope.get(IDENTITY)  # type: ignore[assignment]
    if route is None:
        raise Forbidden("This route declares no scope, so nobody may use it.")
    permit(who, route)
    raw = connection.scope["query_string"]
    now_ms = connection.app.state.server.store.clock.now_ms()
    if route.tenants:
        tenant = next(iter(split(raw).get("tenant", [])), None) or None
        if who is not None and who.tenant is not None and tenant not in (None, who.tenant):
            raise Forbidden(f"This token sees the tenant {who.tenant!r} only.")
        connection.scope[TENANT] = tenant  # type: ignore[literal-required]
    try:
        given = read_query(raw, route.query, now_ms, more=("tenant",) if route.tenants else ())
    except TypeError as error:  # a parameter without a default is missing; only Timeline routes have one
        raise MissingRunId(
            "Say which run: add run_id=… to the query.", fields={"run_id": "missing"}
        ) from error
    connection.scope[GIVEN] = given  # type: ignore[literal-required]


def permit(who: Identity | None, route: Route) -> None:
    """Raises Unauthorized or Forbidden unless the caller has the route's scope."""
    if route.scope == "public":
        return
    if who is None:
        raise Unauthorized("This route asks for a token.")
    if route.scope not in who.scopes and "admin" not in who.scopes:
        raise Forbidden(
            f"This needs the scope {route.scope!r}; the token {who.name!r} has {', '.join(who.scopes) or 'none'}.",
            code="missing_scope",
        )


class _Headers:
    def __init__(self, pairs: Iterable[tuple[bytes, bytes]]) -> None:
        self._pairs = list(pairs)

    def all(self, name: bytes) -> list[bytes]:
        return [value for key, value in self._pairs if key == name]

    def one(self, name: bytes) -> str:
        """The last value; blank when there is none."""
        found = self.all(name)
        return found[-1].decode("latin-1").strip() if found else ""


class _Body:
    """The request's body: checked when somebody first asks for it, when the route is known; then bounded."""

    def __init__(self, scope: Scope, receive: Receive, headers: _Headers, settings: Settings) -> None:
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

    async def receive(self) -> Message:
        """As ASGI's, with the body unzipped. Raises what `problem` tells."""
        if self._complete:
            return await self._receive()
        if not self._started:
            self._start()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(self._due_s or loop.time() + self._settings.body_timeout_s) as due:
                self._due_s = due.when() or 0.0
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
        if route is None:
            return
        self._most = route.max_bytes or self._settings.request_bytes
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
        if self._complete and not self._unzip.eof:
            raise Invalid("The gzip body ends too early.", code="bad_encoding")
        return body

    def _too_large(self) -> TooLarge:
        return TooLarge(f"A request here has at most {self._most:,} bytes, also once unzipped; send several.")


def _guarded(send: Send, headers: _Headers, settings: Settings, *, only_head: bool) -> Send:
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

    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            start = cast("HTTPResponseStartEvent", message)
            present = {name.lower() for name, _ in start["headers"]}
            start["headers"] = [*start["headers"], *((k, v) for k, v in more.items() if k not in present)]
        elif only_head and message["type"] == "http.response.body":
            message["body"] = b""
        await send(message)

    return guarded


async def _preflight(send: Send) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _answer(send: Send, error: RunlineError, path: str) -> None:
    status, headers, body = problem(error, path)
    encoded = [(k.encode(), v.encode("latin-1")) for k, v in headers.items()]
    encoded.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _path(scope: dict[str, Any]) -> str:
    """The path below where the application is mounted."""
    path, root = scope["path"], scope.get("root_path", "")
    return str(path.removeprefix(root) if root and path.startswith(root + "/") else path)
