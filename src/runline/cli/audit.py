"""`runline audit`: who did what to the store."""

from __future__ import annotations

from typing import Annotated

import typer

from runline.cli.invocation import Invocation
from runline.cli.moments import when
from runline.cli.options import JsonOption
from runline.cli.output import Column, json_text
from runline.cli.roles import Span
from runline.model.wire.audit import audit_list

_COLUMNS = (
    Column("WHEN"),
    Column("WHO", gives_way=True),
    Column("ACTION"),
    Column("TARGET", gives_way=True),
    Column("TENANT", gives_way=True, from_width=100),
    Column("DETAIL", gives_way=True),
)


def audit(
    ctx: typer.Context,
    *,
    limit: Annotated[int, typer.Option("--limit", "-n", metavar="N", help="How many, at most 1000.")] = 25,
    cursor: Annotated[
        str | None, typer.Option("--cursor", metavar="CURSOR", help="Go on from `next_cursor`.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Say who cancelled, deleted, pruned, pinned, imported, rebuilt, and made or revoked tokens; newest first."""
    invocation = Invocation.of(ctx)
    with invocation.reading() as store:
        page = store.list_audit(limit=limit, cursor=cursor)
    if json:
        invocation.out.json(audit_list(page))
        return
    now_ms = invocation.now_ms()
    rows = [
        [
            Span(when(entry.at_ms, now_ms=now_ms, utc=invocation.utc), "dim"),
            Span(entry.who),
            Span(entry.action, "bold"),
            Span(entry.target or ""),
            Span(entry.tenant or "", "dim"),
            Span(json_text(entry.detail), "dim"),
        ]
        for entry in page.items
    ]
    invocation.out.table(_COLUMNS, rows)
    if page.has_more:
        invocation.hint(f"There are more: `runline audit --cursor {page.next_cursor}`")
    if not rows:
        invocation.hint("Nobody has cancelled, deleted or pruned anything here.")
