"""The audit as JSON."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Struct

from runline.model.audit import AuditEntry
from runline.model.clock import parse_instant, to_iso
from runline.model.page import Page
from runline.model.wire.quantity import Instant, about


class AuditView(Struct, frozen=True, kw_only=True):
    """One control action."""

    id: int
    at: Instant
    who: Annotated[str, about("A token's name, or `user@host` of a process.", "ci")]
    tenant: Annotated[str | None, about("Whose run or token it was about; null: the store as a whole.")]
    action: Annotated[
        str,
        about(
            "`cancel`, `delete_run`, `prune`, `pin`, `rebuild`, `import_run`, `create_token`, `revoke_token`.",
            "cancel",
        ),
    ]
    target: Annotated[str | None, about("A run's or a token's id, if it had one.")]
    detail: Annotated[dict[str, Any], about("What it came to.", {"force": False, "status": "cancelling"})]


class AuditList(Struct, frozen=True, kw_only=True):
    """Newest first."""

    entries: tuple[AuditView, ...]
    next_cursor: Annotated[str | None, about("Opaque: for the page after this one; null on the last.")]
    has_more: bool


def audit_view(entry: AuditEntry) -> AuditView:
    return AuditView(
        id=entry.id,
        at=to_iso(entry.at_ms),
        who=entry.who,
        tenant=entry.tenant,
        action=entry.action,
        target=entry.target,
        detail=entry.detail,
    )


def audit_list(page: Page[AuditEntry]) -> AuditList:
    entries = tuple(map(audit_view, page.items))
    return AuditList(entries=entries, next_cursor=page.next_cursor, has_more=page.has_more)


def audit_of(view: AuditView) -> AuditEntry:
    """The entry that the view was made of."""
    return AuditEntry(
        id=view.id,
        at_ms=parse_instant(view.at),
        who=view.who,
        tenant=view.tenant,
        action=view.action,
        target=view.target,
        detail=view.detail,
    )
