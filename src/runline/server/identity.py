"""Who is calling: the owner of a loopback server, the holder of the server's token, or of one from the store."""

from __future__ import annotations

import hmac
from typing import Literal

from msgspec import Struct

from runline.model.errors import Unauthorized
from runline.server.settings import Settings
from runline.store.sql_store import SqlStore

COOKIE = "runline_session"
ALL_SCOPES = ("ingest", "read", "operate", "admin")
Auth = Literal["open", "server_token", "token"]


class Identity(Struct, frozen=True, kw_only=True):
    """`tenant` None: sees all. `auth`: nobody was asked, the server's own token, or one of the store."""

    name: str
    tenant: str | None
    scopes: tuple[str, ...]
    auth: Auth


OWNER = Identity(name="local", tenant=None, scopes=ALL_SCOPES, auth="open")


def identify(
    store: SqlStore, settings: Settings, authorization: list[bytes], cookies: list[bytes]
) -> Identity | None:
    """The caller; None: no credentials where some are needed. Raises Unauthorized for wrong ones."""
    secret = _bearer(authorization) if authorization else _cookie(cookies)
    if secret is None:
        return None if settings.needs_token else OWNER
    return verify(store, settings, secret)


def verify(store: SqlStore, settings: Settings, secret: bytes) -> Identity:
    """Whose secret it is. Raises Unauthorized when nobody's."""
    if settings.token is not None and hmac.compare_digest(secret, settings.token.encode()):
        return Identity(name="server token", tenant=None, scopes=ALL_SCOPES, auth="server_token")
    token = store.find_token(secret)
    if token is None:
        raise Unauthorized(
            "This token is unknown, expired or revoked; ask for one made by `runline token create`."
        )
    return Identity(name=token.name, tenant=token.tenant, scopes=token.scopes, auth="token")


def _bearer(values: list[bytes]) -> bytes:
    scheme, _, secret = values[0].partition(b" ")
    if len(values) > 1 or scheme.lower() != b"bearer" or not secret.strip():
        raise Unauthorized("Send one header `Authorization: Bearer <token>`.")
    return secret.strip()


def _cookie(values: list[bytes]) -> bytes | None:
    """By hand: cookies know no ports, and what another program of this machine sets need not be well formed."""
    for pair in b";".join(values).split(b";"):
        name, _, value = pair.strip().partition(b"=")
        if name == COOKIE.encode():
            return value.strip(b'"') or None
    return None
