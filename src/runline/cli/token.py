"""`runline token`: who may ask a server, for what, and until when."""

from __future__ import annotations

from typing import Annotated

import typer

from runline.cli.invocation import Invocation
from runline.cli.moments import when
from runline.cli.options import JsonOption, words
from runline.cli.output import Column
from runline.cli.roles import Role, Span
from runline.model.clock import to_iso
from runline.model.token import SCOPES
from runline.model.wire.tokens import new_token_view, token_list

_ROLES: dict[str, Role] = {"active": "completed", "expired": "dim", "revoked": "failed"}


def complete_scope(incomplete: str) -> list[str]:
    return [scope for scope in SCOPES if scope.startswith(incomplete)]


def create(
    ctx: typer.Context,
    *,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What will show it, like the name of a host.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(
            "--scope",
            metavar="SCOPE",
            help="ingest, read, operate or admin; may be given again. ingest by default.",
            autocompletion=complete_scope,
        ),
    ] = None,
    tenant: Annotated[
        str | None, typer.Option("--tenant", metavar="NAME", help="Good for this tenant alone; else for all.")
    ] = None,
    expires_days: Annotated[
        float | None,
        typer.Option("--expires-days", metavar="N", help="Refused after so many days; else never."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Make a token. Its secret is printed, alone on a line, this once; the store keeps only a hash of it."""
    invocation = Invocation.of(ctx)
    with invocation.writing() as store:
        made = store.create_token(
            name, scopes=words(scope) or ("ingest",), tenant=tenant, expires_in_days=expires_days
        )
    if json:
        invocation.out.json(new_token_view(made))
        return
    invocation.out.line(made.secret)
    token = made.token
    invocation.hint(
        f"{token.id} may {' and '.join(token.scopes)}{f' for tenant {token.tenant}' if token.tenant else ''}. "
        f"Send it as `Authorization: Bearer …`; `runline token revoke {token.id}` ends it."
    )


def ls(ctx: typer.Context, *, json: JsonOption = False) -> None:
    """List tokens, newest first: what they may do, until when, and when they were last used."""
    invocation = Invocation.of(ctx)
    out, now_ms = invocation.out, invocation.now_ms()
    with invocation.reading() as store:
        tokens = store.list_tokens()
    if json:
        out.json(token_list(tokens))
        return
    if not tokens:
        invocation.hint("There is no token yet. Make one: `runline token create ci --scope ingest`.")
        return

    def moment(ms: int | None, unknown: str) -> Span:
        return Span(unknown if ms is None else when(ms, now_ms=now_ms, utc=invocation.utc), "dim")

    columns = (
        Column("ID"),
        Column("NAME", gives_way=True),
        Column("STATE"),
        Column("SCOPES"),
        Column("TENANT", gives_way=True),
        Column("MADE", from_width=80),
        Column("LAST USED"),
        Column("EXPIRES", from_width=100),
    )
    rows = [
        [
            Span(token.id, "bold"),
            Span(token.name),
            Span(token.state(now_ms), _ROLES[token.state(now_ms)]),
            Span(" ".join(token.scopes)),
            Span(token.tenant or "all", "dim"),
            moment(token.created_at_ms, ""),
            moment(token.last_used_at_ms, "never"),
            Span("never" if token.expires_at_ms is None else to_iso(token.expires_at_ms)[:10], "dim"),
        ]
        for token in tokens
    ]
    out.table(columns, rows)


def revoke(
    ctx: typer.Context,
    *,
    token_id: Annotated[
        str, typer.Argument(metavar="ID", help="As `runline token ls` shows it, not the secret.")
    ],
) -> None:
    """Refuse a token from now on; other processes see it with their next request."""
    invocation = Invocation.of(ctx)
    with invocation.writing() as store:
        token = store.revoke_token(token_id)
    invocation.out.line("revoked ", Span(token.id, "bold"), f"  {token.name}")
