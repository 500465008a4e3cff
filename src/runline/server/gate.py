"""The one gate: everything passes it, streams, ingest, static pages and unknown paths alike; deny by default.

Before routing: the Host header, where the request comes from, who sends it. After routing, when the route is
known and before its handler runs (`admit`): its scope and its parameters. While the body is read: its type, its
size also once unzipped, its time. On the way out: headers that keep a browser from being used against us.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import MethodNotAllowedException
from litestar.handlers import BaseRouteHandler

from runline.model.errors import Forbidden, Invalid, RunlineError, Unauthorized
from runline.server.errors import MissingRunId, problem
from runline.server.headers import Headers, guarded
from runline.server.identity import OWNER, Identity, identify
from runline.server.parameters import read_query, split
from runline.server.request_body import RequestBody
from runline.server.route import Route, route_of
from runline.server.scope import ADMISSION, IDENTITY, ONLY_HEAD, STILL_GOOD
from runline.server.server import Server
from runline.server.settings import Settings, is_loopback
from runline.store.sql_store import SqlStore

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?")


class Gate:
    """An ASGI application around the routes. `public`: exact paths that need no token."""

    def __init__(self, routes: Any, store: SqlStore, settings: Settings, *, public: Iterable[str]) -> None:
        self._routes = routes
        self._store = store
        self._settings = settings
        self._public = frozenset(public)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})  # there are no sockets here
            return
        path = _path(scope)
        headers = Headers(scope["headers"])
        send = guarded(send, headers, self._settings)
        if scope["method"] == "HEAD":
            # As GET, but never a stream; whoever speaks HTTP for us leaves the body out.
            kept = [pair for pair in scope["headers"] if pair[0] != b"accept"]
            scope = {**scope, "method": "GET", "headers": kept, ONLY_HEAD: True}
        try:
            host = self._check_host(headers)
            self._check_origin(scope["method"], scope["scheme"], host, headers)
            if scope["method"] == "OPTIONS" and headers.one(b"access-control-request-method"):
                await _preflight(send)
                return
            who = self._identify(path, headers)
            if who is None and path not in self._public:
                raise Unauthorized(
                    "This server asks for a token: send `Authorization: Bearer <token>`; "
                    "`runline token create` makes one."
                )
        except RunlineError as error:
            await _answer(send, error, path)
            return
        scope[IDENTITY] = who
        scope[STILL_GOOD] = functools.partial(self._identify, path, headers)
        await self._routes(scope, RequestBody(scope, receive, headers, self._settings).receive, send)

    def _identify(self, path: str, headers: Headers) -> Identity | None:
        credentials = headers.all(b"authorization")
        try:
            return identify(self._store, self._settings, credentials, headers.all(b"cookie"))
        except Unauthorized:
            if path in self._public:
                return None  # a monitor with an old token still learns that the server lives
            if credentials:
                raise
            # A cookie may be of another day, or of another server of this machine: it must keep nobody out who
            # needs none.
            if not self._settings.needs_token:
                return OWNER
            raise

    def _check_host(self, headers: Headers) -> str:
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

    def _check_origin(self, method: str, scheme: str, host: str, headers: Headers) -> None:
        """A page of another site may neither change anything here nor read it."""
        origins = {value.decode("latin-1").strip().lower() for value in headers.all(b"origin")}
        site = headers.one(b"sec-fetch-site").lower()
        if origins and origins <= set(self._settings.origins):
            return
        ours = {f"{scheme}://{host}", f"http://{host}", f"https://{host}"}  # a proxy may speak https for us
        foreign = not origins <= ours or site not in ("", "same-origin", "none")
        # A link to us may be followed; nothing of ours may stand inside another's page.
        followed = headers.one(b"sec-fetch-mode") == "navigate" and headers.one(b"sec-fetch-dest") in (
            "",
            "document",
        )
        if foreign and not (method in _SAFE and followed):
            origin = next(iter(origins), "")
            raise Forbidden(
                f"A page of {origin[:100] or 'another site'} may not call this server; allow it with --origin.",
                code="bad_origin",
            )


async def admit(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Once the route is known: may the caller, and are the parameters good? Leaves what the handler may ask for."""
    route = route_of(handler)
    scope: Any = connection.scope
    who: Identity | None = scope.get(IDENTITY)
    if route is None and scope["method"] == "OPTIONS":
        return  # the framework's own answer: which methods there are
    if route is None:
        raise Forbidden("This route declares no scope, so nobody may use it.")
    permit(who, route)
    if scope.get(ONLY_HEAD) and not route.head:
        raise MethodNotAllowedException
    server: Server = connection.app.state.server
    raw = scope["query_string"]
    tenant = _tenant(raw, who) if route.tenants else None if who is None else who.tenant
    try:
        given = read_query(
            raw, route.query, server.store.clock.now_ms(), more=("tenant",) if route.tenants else ()
        )
    except TypeError as error:  # a parameter without a default is missing; only Timeline routes have one
        raise MissingRunId(
            "Say which run: add run_id=… to the query.", fields={"run_id": "missing"}
        ) from error
    store = server.view(tenant, None if who is None else who.name)
    scope[ADMISSION] = {"store": store, "given": given, "caller": who, "server": server}


def _tenant(raw: bytes, who: Identity | None) -> str | None:
    """Whose runs the answer is about: those of `tenant=`, else all that the caller sees."""
    given = split(raw).get("tenant", []) if b"tenant" in raw else []
    if len(given) > 1:
        raise Invalid("tenant is given several times; give it once.", fields={"tenant": "several"})
    asked = given[0] if given else None
    own = None if who is None else who.tenant
    if own is not None and asked not in (None, "", own):
        raise Forbidden(f"This token sees the tenant {own!r} only.")
    return asked or own


def permit(who: Identity | None, route: Route) -> None:
    """Raises Unauthorized or Forbidden unless the caller has the route's scope."""
    if route.scope == "public":
        return
    if who is None:  # a public path with another method
        raise Unauthorized("This route asks for a token.")
    if route.scope != "any" and route.scope not in who.scopes and "admin" not in who.scopes:
        raise Forbidden(
            f"This needs the scope {route.scope!r}; the token {who.name!r} has {', '.join(who.scopes) or 'none'}.",
            code="missing_scope",
        )


async def _preflight(send: Any) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _answer(send: Any, error: RunlineError, path: str) -> None:
    status, headers, body = problem(error, path)
    encoded = [(k.encode(), v.encode("latin-1")) for k, v in headers.items()]
    encoded.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _path(scope: dict[str, Any]) -> str:
    """The path below where the application is mounted."""
    path, root = scope["path"], scope.get("root_path", "")
    return str(path.removeprefix(root) if root and path.startswith(root + "/") else path)
