"""Tokens as JSON; their secrets only in the answer that makes them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from msgspec import Struct

from runline.model.clock import parse_instant, to_iso
from runline.model.token import NewToken, Token
from runline.model.wire.quantity import Instant, about, iso, ms_of


class TokenView(Struct, frozen=True, kw_only=True):
    """What is known of a token."""

    id: Annotated[str, about("For revoking it; not the secret.", "tok_0f1e2d3c4b5a")]
    name: Annotated[str, about("What shows it.", "ci")]
    tenant: Annotated[str | None, about("It is good for this tenant alone; null: for all.")]
    scopes: Annotated[
        tuple[str, ...], about("Of `ingest`, `read`, `operate` and `admin`.", ["ingest", "read"])
    ]
    created_at: Instant
    expires_at: Annotated[Instant | None, about("Null: never.")]
    revoked_at: Annotated[Instant | None, about("Null: it is still good.")]
    last_used_at: Annotated[Instant | None, about("To the minute; null: never.")]


class TokenList(Struct, frozen=True):
    """Newest first, the expired and the revoked ones too."""

    tokens: tuple[TokenView, ...]


class NewTokenView(Struct, frozen=True, kw_only=True):
    """A token just made."""

    token: TokenView
    secret: Annotated[str, about("To be sent as `Authorization: Bearer …`. Nobody can see it again.")]


def token_view(token: Token) -> TokenView:
    return TokenView(
        id=token.id,
        name=token.name,
        tenant=token.tenant,
        scopes=token.scopes,
        created_at=to_iso(token.created_at_ms),
        expires_at=iso(token.expires_at_ms),
        revoked_at=iso(token.revoked_at_ms),
        last_used_at=iso(token.last_used_at_ms),
    )


def token_list(tokens: Iterable[Token]) -> TokenList:
    return TokenList(tuple(map(token_view, tokens)))


def new_token_view(made: NewToken) -> NewTokenView:
    return NewTokenView(token=token_view(made.token), secret=made.secret)


def token_of(view: TokenView) -> Token:
    """The token that the view was made of."""
    return Token(
        id=view.id,
        name=view.name,
        tenant=view.tenant,
        scopes=view.scopes,
        created_at_ms=parse_instant(view.created_at),
        expires_at_ms=ms_of(view.expires_at),
        revoked_at_ms=ms_of(view.revoked_at),
        last_used_at_ms=ms_of(view.last_used_at),
    )


def new_token_of(view: NewTokenView) -> NewToken:
    return NewToken(token=token_of(view.token), secret=view.secret)
