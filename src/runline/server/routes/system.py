"""The server itself: is it alive, is it ready, its figures, its documentation."""

from __future__ import annotations

from typing import Annotated

from litestar import Response
from msgspec import Struct

from runline.model.errors import Unauthorized
from runline.server import docs, metrics, openapi
from runline.server.cookie import session_cookie
from runline.server.parameters import about
from runline.server.route import get
from runline.server.server import Server
from runline.store.sql_store import SqlStore


class Alive(Struct, frozen=True, kw_only=True):
    """`status` is always `ok`; that an answer came is the news."""

    status: str = "ok"
    version: str


_SIGNED_IN = (
    b'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Runline</title>'
    b'<meta http-equiv="refresh" content="0;url=."></head><body><a href=".">Signed in. Go on.</a></body></html>'
)


class SignInQuery(Struct, frozen=True, kw_only=True):
    """What the link that the server printed carries."""

    code: Annotated[str | None, about("From the link that `runline serve` printed; good once.")] = None


@get("/healthz", scope="public", answer=Alive, summary="Tell whether the process is alive", tag="Server")
def healthz(server: Server) -> Alive:
    """Answers without touching the store."""
    return Alive(version=server.version)


@get(
    "/readyz",
    scope="public",
    answer=Alive,
    summary="Tell whether it can read its store",
    tag="Server",
    errors=(503,),
)
def readyz(store: SqlStore, server: Server) -> Alive:
    """Reads one row of the store; 503 while that fails."""
    store.heads([])
    store.engine.query("SELECT 1")
    return Alive(version=server.version)


@get(
    "/metrics",
    answers={metrics.MEDIA: None},
    summary="Figures for a monitoring system",
    tag="Server",
)
def show_metrics(server: Server) -> Response[bytes]:
    """OpenMetrics text: appends, queue, commit times, followers and their lag, drops, size of the store."""
    return Response(metrics.exposition(server), media_type=metrics.MEDIA)


@get("/openapi.json", answer=dict, summary="This API as OpenAPI 3.1", tag="Server")
def show_openapi(server: Server) -> Response[bytes]:
    """The document that this page, generated types and test tools are made from."""
    return Response(openapi.document_json(server.routes, server.version), media_type="application/json")


@get("/docs", answers={"text/html": None}, summary="This API for people", tag="Server")
def show_docs(server: Server) -> Response[bytes]:
    """Every route with its parameters and answers; nothing is loaded from elsewhere."""
    return Response(docs.page(server.routes, server.version), media_type="text/html", headers=docs.HEADERS)


@get("/docs/style.css", answers={"text/css": None}, summary="How /docs looks", tag="Server")
def show_style() -> Response[bytes]:
    """The style sheet of /docs."""
    return Response(docs.STYLE, media_type="text/css")


@get("/", answers={"text/html": None}, status=307, summary="Where people start", tag="Server")
def show_start() -> Response[bytes]:
    """Leads to the documentation of the API."""
    return Response(b"", status_code=307, headers={"location": "docs"}, media_type="text/html")


@get(
    "/signin",
    scope="public",
    query=SignInQuery,
    answers={"text/html": None},
    errors=(401,),
    summary="Sign a browser in",
    head=False,
    tag="Tokens",
)
def sign_in(server: Server, given: SignInQuery) -> Response[bytes]:
    """Exchanges the one-time code of the printed link for a session cookie."""
    token = server.sign_in.redeem(given.code or "")
    if token is None:
        raise Unauthorized(
            "This link has been used or is too old; start `runline serve` anew, or sign in with a token."
        )
    # A page, not a redirect: whoever followed a link from another site would be redirected without the cookie.
    return Response(_SIGNED_IN, media_type="text/html", cookies=[session_cookie(token)])


HANDLERS = [healthz, readyz, show_metrics, show_openapi, show_docs, show_style, show_start, sign_in]
