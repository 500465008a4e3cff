"""The server's store as a whole: tokens, audit, pruning, checking, copying."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from runline.model.audit import AuditEntry
from runline.model.errors import Conflict, Invalid, Unauthorized
from runline.model.page import Page
from runline.model.token import NewToken, Token
from runline.model.wire.audit import AuditList, audit_of
from runline.model.wire.tokens import NewTokenView, TokenList, TokenView, new_token_of, token_of
from runline.store.health import StoreInfo
from runline.store.prune_report import PruneReport
from runline.store.remote.client import Client, part
from runline.store.verify import VerifyReport

_WORK_S = 3600.0
"""What looks at everything may take its time."""
Progress = Callable[[int], None] | None


class _Tenants(msgspec.Struct):
    tenants: list[str]


class _Rebuilt(msgspec.Struct):
    runs: int
    events: int = 0


class ServerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Which version answers, and as whom it takes the caller; `name` None: as nobody."""

    version: str
    name: str | None
    tenant: str | None
    scopes: tuple[str, ...]


class _Alive(msgspec.Struct):
    version: str


class _Me(msgspec.Struct):
    name: str | None
    tenant: str | None
    scopes: tuple[str, ...]


_NOBODY = _Me(None, None, ())


def server(client: Client) -> ServerFacts:
    alive = client.get("/healthz", _Alive)
    try:
        me = client.get("/api/me", _Me)
    except Unauthorized:
        me = _NOBODY
    return ServerFacts(version=alive.version, name=me.name, tenant=me.tenant, scopes=me.scopes)


def tenants(client: Client) -> list[str]:
    return client.get("/api/tenants", _Tenants).tenants


def create_token(
    client: Client,
    name: str,
    *,
    scopes: Sequence[str],
    tenant: str | None,
    expires_in_days: float | None,
) -> NewToken:
    body = {"name": name, "scopes": list(scopes), "tenant": tenant, "expires_in_days": expires_in_days}
    told = client.post(
        "/api/tokens", NewTokenView, {key: value for key, value in body.items() if value is not None}
    )
    return new_token_of(told)


def list_tokens(client: Client) -> list[Token]:
    return [token_of(token) for token in client.get("/api/tokens", TokenList).tokens]


def revoke_token(client: Client, token_id: str) -> Token:
    return token_of(client.send("DELETE", f"/api/tokens/{part(token_id)}", TokenView, again=True))


def list_audit(client: Client, *, limit: int, cursor: str | None) -> Page[AuditEntry]:
    told = client.get("/api/admin/audit", AuditList, {"limit": limit, "cursor": cursor})
    return Page([audit_of(entry) for entry in told.entries], told.next_cursor or None, told.has_more)


def info(client: Client) -> StoreInfo:
    return client.get("/api/admin/store", StoreInfo)


def prune(client: Client, asked: Mapping[str, Any]) -> PruneReport:
    return client.send("POST", "/api/admin/prune", PruneReport, msgspec.json.encode(asked), timeout_s=_WORK_S)


def verify(client: Client, run_id: str | None, *, on_progress: Progress) -> VerifyReport:
    """The progress is told once, when it is over."""
    body = b"{}" if run_id is None else msgspec.json.encode({"run_id": run_id})
    report = client.send("POST", "/api/admin/verify", VerifyReport, body, timeout_s=_WORK_S)
    if on_progress is not None:
        on_progress(report.events)
    return report


def rebuild(client: Client, run_id: str | None, *, on_progress: Progress) -> int:
    body = b"{}" if run_id is None else msgspec.json.encode({"run_id": run_id})
    told = client.send("POST", "/api/admin/rebuild", _Rebuilt, body, timeout_s=_WORK_S)
    if on_progress is not None:
        on_progress(told.events)
    return told.runs


def backup(client: Client, destination: str) -> None:
    """Fetches a copy of the whole store into a new file; none is left behind when that fails."""
    path = Path(destination)
    try:
        file = path.open("xb")
    except FileExistsError as error:
        raise Conflict(f"{destination} exists already; name a new file.", code="file_exists") from error
    except OSError as error:
        raise Invalid(f"{destination} cannot be made: {error.strerror}.", code="cannot_create") from error
    try:
        with file, client.stream("/api/admin/backup", media="*/*", silence_s=_WORK_S) as answer:
            for chunk in answer.iter_bytes():
                file.write(chunk)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
