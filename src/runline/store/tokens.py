"""Tokens: who may ask a server, for what, and until when.

A secret is `rl_` and 256 random bits; the store keeps its SHA-256. So many bits need no slow hash: nobody
guesses them, and a check must cost less than the request that it guards.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import secrets
from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

import msgspec

from runline.intake.names import clean_name
from runline.model.errors import Forbidden, Invalid, NotFound
from runline.model.event import Draft
from runline.model.token import SCOPES, NewToken, Token
from runline.store import audit
from runline.store.append import Appender
from runline.store.creation import check_tenant
from runline.store.engine import Row
from runline.store.given import is_list, is_text
from runline.store.jobs import Job
from runline.store.projection import json_text

if TYPE_CHECKING:
    from runline.store.sql_store import SqlStore

PREFIX = "rl_"
_SECRET_BYTES = 32
_MOST_SECRET_CHARS = 200
_DAY_MS = 86_400_000
_MOST_DAYS = 36_500
_USE_MS = 60_000
"""How often at most a use is written down."""
_COLUMNS = "id, name, tenant, scopes, created_at, expires_at, revoked_at, last_used_at"
_OF_VIEW = "(CAST(:tenant AS TEXT) IS NULL OR tenant = :tenant)"
_decode_scopes = msgspec.json.Decoder(tuple[str, ...]).decode


def create(
    store: SqlStore, name: str, *, scopes: Sequence[str], tenant: str | None, expires_in_days: float | None
) -> NewToken:
    """A tenant's view makes tokens of its own tenant alone. Raises Invalid, Forbidden."""
    shown = clean_name(name, redactor=store.redactor) if is_text(name) else ""
    if not shown:
        raise Invalid("A token needs a name, like the program that will show it.", fields={"name": "missing"})
    secret = PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
    now_ms = store.clock.now_ms()
    token = Token(
        id=f"tok_{secrets.token_hex(6)}",
        name=shown,
        tenant=_tenant_of(store, tenant),
        scopes=check_scopes(scopes),
        created_at_ms=now_ms,
        expires_at_ms=None if expires_in_days is None else now_ms + _span_ms(expires_in_days),
    )

    def perform(appender: Appender, _: Sequence[Draft]) -> None:
        appender.tx.execute(
            "INSERT INTO tokens (id, name, tenant, scopes, hash, created_at, expires_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                token.id,
                token.name,
                token.tenant,
                json_text(token.scopes),
                _hash(secret.encode()),
                token.created_at_ms,
                token.expires_at_ms,
            ),
        )
        audit.write(
            store,
            appender.tx,
            "create_token",
            target=token.id,
            tenant=token.tenant,
            name=token.name,
            scopes=token.scopes,
        )

    store.writer.submit(Job(perform))
    return NewToken(token=token, secret=secret)


def listed(store: SqlStore) -> list[Token]:
    """Newest first, the expired and the revoked ones too."""
    rows = store.engine.query(
        f"SELECT {_COLUMNS} FROM tokens WHERE {_OF_VIEW} ORDER BY created_at DESC, id",
        {"tenant": store.tenant},
    )
    return [_token(row) for row in rows]


def revoke(store: SqlStore, token_id: str) -> Token:
    """The token as it is now: refused from the next request on. Revoking it again changes nothing."""
    tenant = store.tenant

    def perform(appender: Appender, _: Sequence[Draft]) -> Token:
        given = {"id": token_id, "tenant": tenant, "now": appender.now_ms}
        changed = appender.tx.execute(
            f"UPDATE tokens SET revoked_at = :now WHERE id = :id AND revoked_at IS NULL AND {_OF_VIEW} "
            f"RETURNING {_COLUMNS}",
            given,
        )
        rows = changed or appender.tx.execute(
            f"SELECT {_COLUMNS} FROM tokens WHERE id = :id AND {_OF_VIEW}", given
        )
        if not rows:
            raise NotFound(
                f"There is no token {token_id!r}; `runline token ls` shows those there are.",
                code="token_not_found",
            )
        token = _token(rows[0])
        if changed:
            audit.write(
                store, appender.tx, "revoke_token", target=token.id, tenant=token.tenant, name=token.name
            )
        return token

    return store.writer.submit(Job(perform))


def find(store: SqlStore, secret: str | bytes) -> Token | None:
    """The good token of that secret; None for one that is unknown, expired or revoked."""
    raw = secret.encode("utf-8", "surrogatepass") if isinstance(secret, str) else secret
    if len(raw) > _MOST_SECRET_CHARS or not raw.startswith(PREFIX.encode()):
        return None
    wanted = _hash(raw)
    rows = store.engine.query(
        f"SELECT {_COLUMNS}, hash FROM tokens WHERE hash = :hash AND {_OF_VIEW}",
        {"hash": wanted, "tenant": store.tenant},
    )
    if not rows or not hmac.compare_digest(rows[0][-1].encode(), wanted.encode()):
        return None
    token, now_ms = _token(rows[0][:-1]), store.clock.now_ms()
    if token.state(now_ms) != "active":
        return None
    _note_use(store, token, now_ms)
    return token


def _note_use(store: SqlStore, token: Token, now_ms: int) -> None:
    """Has it written down, if the last time was a while ago; waits for nothing and misses nothing that matters."""
    last_ms = max(token.last_used_at_ms or 0, store.token_uses.get(token.id, 0))
    if now_ms - last_ms < _USE_MS or store.engine.read_only:
        return
    store.token_uses[token.id] = now_ms

    def perform(appender: Appender, _: Sequence[Draft]) -> None:
        appender.tx.execute("UPDATE tokens SET last_used_at = ? WHERE id = ?", (now_ms, token.id))

    store.writer.enqueue(Job(perform))


def check_scopes(scopes: Sequence[str]) -> tuple[str, ...]:
    """The scopes, each once, in the order of `SCOPES`. Raises Invalid, with a suggestion for a misspelt one."""
    if not is_list(scopes) or not scopes:
        raise Invalid(
            f"A token needs scopes: a list of {', '.join(SCOPES)}.", fields={"scopes": "not a list of scopes"}
        )
    for scope in scopes:
        if not is_text(scope) or scope not in SCOPES:
            near = get_close_matches(str(scope), SCOPES, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise Invalid(
                f"{str(scope)[:60]!r} is no scope.{hint} One of {', '.join(SCOPES)}.",
                fields={"scopes": "unknown scope"},
            )
    return tuple(scope for scope in SCOPES if scope in scopes)


def _tenant_of(store: SqlStore, tenant: str | None) -> str | None:
    if tenant is None:
        return store.tenant
    if store.tenant not in (None, tenant):
        raise Forbidden(f"Here tokens are made for tenant {store.tenant!r} alone.", code="other_tenant")
    return check_tenant(tenant)


def _span_ms(days: float) -> int:
    if not isinstance(days, int | float) or isinstance(days, bool) or not 0 < days <= _MOST_DAYS:
        raise Invalid(
            f"A token expires in more than 0 and at most {_MOST_DAYS:,} days, or, without a number, never.",
            fields={"expires_in_days": "out of range"},
        )
    return math.ceil(days * _DAY_MS)


def _hash(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def _token(row: Row) -> Token:
    id_, name, tenant, scopes, created_at, expires_at, revoked_at, last_used_at = row
    return Token(
        id=id_,
        name=name,
        tenant=tenant,
        scopes=_decode_scopes(scopes),
        created_at_ms=created_at,
        expires_at_ms=expires_at,
        revoked_at_ms=revoked_at,
        last_used_at_ms=last_used_at,
    )
