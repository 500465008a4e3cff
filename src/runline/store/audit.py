"""The audit: a row for every control action, in the transaction of what it tells.

An action of many transactions has one row all the same: `Tally` writes it with the first of them and brings it
up to date in each of the others, so that it is true however far the action came.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from runline.intake.names import clean_name
from runline.model.audit import AuditEntry
from runline.model.errors import Invalid
from runline.model.page import Page
from runline.store.engine import Writing
from runline.store.given import is_text
from runline.store.projection import json_text

if TYPE_CHECKING:
    from runline.store.sql_store import SqlStore

MAX_PAGE = 1000


@cache
def process_user() -> str:
    """`user@host` of this process: who acts when nobody else is named."""
    import getpass

    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in a container
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def check_actor(store: SqlStore, who: str) -> str:
    """The name of somebody who acts, as it is stored. Raises Invalid for a blank one."""
    name = clean_name(who, redactor=store.redactor) if is_text(who) else ""
    if not name:
        raise Invalid("Say who acts: a name, not a blank.", fields={"who": "blank"})
    return name


def write(
    store: SqlStore,
    tx: Writing,
    action: str,
    *,
    target: str | None = None,
    tenant: str | None = None,
    **detail: Any,
) -> int:
    """Writes the row; its id. `detail` must hold nothing that was not cleaned before."""
    rows = tx.execute(
        "INSERT INTO audit (at, who, tenant, action, target, detail) VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
        (store.clock.now_ms(), store.who, tenant, action, target, json_text(detail)),
    )
    return int(rows[0][0])


class Tally:
    """The row of an action of many transactions. No transaction, no row."""

    def __init__(
        self,
        store: SqlStore,
        action: str,
        *,
        target: str | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        self._store = store
        self._action = action
        self._target = target
        self._row: tuple[int | None, dict[str, Any]] = (None, dict(detail or {}))
        self._pending: tuple[int | None, dict[str, Any]] = self._row

    def add(self, tx: Writing, **counts: int) -> None:
        """In a transaction, which may yet fail and be tried again: these counts come on top."""
        row, detail = self._row
        summed = detail | {name: detail.get(name, 0) + count for name, count in counts.items()}
        if row is None:
            tenant = self._store.tenant
            row = write(self._store, tx, self._action, target=self._target, tenant=tenant, **summed)
        else:
            tx.execute("UPDATE audit SET detail = ? WHERE id = ?", (json_text(summed), row))
        self._pending = (row, summed)

    def committed(self) -> None:
        """The last transaction is durable."""
        self._row = self._pending


def listed(store: SqlStore, *, limit: int, cursor: str | None) -> Page[AuditEntry]:
    """Newest first; of a tenant's view, what was about that tenant. Raises Invalid for a bad cursor."""
    if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        raise Invalid(
            "The cursor is not one that this store gave out.",
            code="bad_cursor",
            fields={"cursor": "unreadable"},
        )
    whose = "" if store.tenant is None else "AND tenant = :tenant "
    rows = store.engine.query(
        "SELECT id, at, who, tenant, action, target, detail FROM audit WHERE id < :before "
        f"{whose}ORDER BY id DESC LIMIT :limit",
        {
            "before": 2**62 if cursor is None else int(cursor),
            "limit": limit + 1,
            **({} if store.tenant is None else {"tenant": store.tenant}),
        },
    )
    items = [
        AuditEntry(
            id=id_,
            at_ms=at_ms,
            who=who,
            tenant=tenant,
            action=action,
            target=target,
            detail=msgspec.json.decode(detail),
        )
        for id_, at_ms, who, tenant, action, target, detail in rows[:limit]
    ]
    more = len(rows) > limit
    return Page(items, str(items[-1].id) if more else None, more)
