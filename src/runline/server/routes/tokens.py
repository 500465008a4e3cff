"""Tokens and who is asking: made, listed, revoked; a browser signed in and out."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, Response
from msgspec import Struct

from runline.model.wire.quantity import about
from runline.model.wire.tokens import (
    NewTokenView,
    TokenList,
    TokenView,
    new_token_view,
    token_list,
    token_view,
)
from runline.server.bodies import read_json
from runline.server.cookie import session_cookie
from runline.server.identity import Identity, verify
from runline.server.route import delete, get, post
from runline.server.server import Server
from runline.store.sql_store import SqlStore


class NewTokenBody(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What a token shall be."""

    name: Annotated[str, about("What will show it.", "ci")]
    scopes: Annotated[tuple[str, ...], about("Of `ingest`, `read`, `operate`, `admin`.", ["ingest", "read"])]
    tenant: Annotated[
        str | None, about("Good for this tenant alone; null: for all that the caller sees.")
    ] = None
    expires_in_days: Annotated[float | None, about("Null: it never expires.", 90)] = None


class SessionBody(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What a browser signs in with."""

    token: Annotated[str, about("A token's secret.")]


class Me(Struct, kw_only=True, frozen=True):
    """Who asks, as the server sees it."""

    name: Annotated[
        str | None, about("The token's name; `local` on a server without tokens; null: nobody any more.")
    ]
    tenant: Annotated[str | None, about("All that the caller sees is this tenant's; null: every tenant's.")]
    scopes: tuple[str, ...]
    auth: Annotated[
        str,
        about("`token`, `server_token`, `open` (nobody is asked for one) or `none` (signed out).", "token"),
    ]


class TenantList(Struct, frozen=True):
    """Tenants that a run or a token names, in alphabetical order."""

    tenants: tuple[str, ...]


_NOBODY = Me(name=None, tenant=None, scopes=(), auth="none")


@get("/api/tokens", scope="admin", answer=TokenList, summary="List tokens", tag="Tokens", tenants=True)
def list_tokens(store: SqlStore) -> TokenList:
    """Newest first, the expired and the revoked ones too; never a secret. Of a tenant's admin, that tenant's."""
    return token_list(store.list_tokens())


@post(
    "/api/tokens",
    scope="admin",
    body=NewTokenBody,
    answer=NewTokenView,
    status=201,
    summary="Make a token",
    tag="Tokens",
    tenants=True,
)
def create_token(store: SqlStore, body: bytes) -> NewTokenView:
    """`secret` is told in this answer and never again. A tenant's admin makes tokens of that tenant alone."""
    asked = read_json(body, NewTokenBody)
    made = store.create_token(
        asked.name, scopes=asked.scopes, tenant=asked.tenant, expires_in_days=asked.expires_in_days
    )
    return new_token_view(made)


@delete(
    "/api/tokens/{token_id:str}",
    scope="admin",
    answer=TokenView,
    errors=(404,),
    summary="Revoke a token",
    tag="Tokens",
    tenants=True,
)
def revoke_token(store: SqlStore, token_id: str) -> TokenView:
    """It is refused from the next request on. Revoking it again changes nothing."""
    return token_view(store.revoke_token(token_id))


@post(
    "/api/session",
    scope="public",
    body=SessionBody,
    answer=Me,
    errors=(401,),
    summary="Sign a browser in",
    tag="Tokens",
)
def open_session(request: Request[Any, Any, Any], server: Server, body: bytes) -> Response[Me]:
    """Puts the token into a cookie that no script can read and no other site can send."""
    secret = read_json(body, SessionBody).token
    caller = verify(server.store, server.settings, secret.encode("utf-8", "surrogatepass"))
    secure = request.scope["scheme"] == "https"
    return Response(_me(caller), cookies=[session_cookie(secret, secure=secure)])


@delete("/api/session", scope="public", answer=Me, summary="Sign a browser out", tag="Tokens")
def close_session() -> Response[Me]:
    """Takes the cookie away; the token stays good."""
    return Response(_NOBODY, cookies=[session_cookie(None)])


@get("/api/me", scope="any", answer=Me, summary="Tell who is asking", tag="Tokens")
def show_me(caller: Identity) -> Me:
    """What the token or the cookie may do."""
    return _me(caller)


@get("/api/tenants", answer=TenantList, summary="List tenants", tag="Server", tenants=True)
def list_tenants(store: SqlStore) -> TenantList:
    """A tenant is there when a run or a token names it. A tenant's token sees itself alone."""
    return TenantList(tuple(store.tenants()))


def _me(caller: Identity) -> Me:
    return Me(name=caller.name, tenant=caller.tenant, scopes=caller.scopes, auth=caller.auth)


HANDLERS = [
    list_tokens,
    create_token,
    revoke_token,
    open_session,
    close_session,
    show_me,
    list_tenants,
]
