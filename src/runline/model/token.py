"""A token: what a program or a person shows to a server instead of a name and a password."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from runline.model.clock import from_ms

SCOPES = ("ingest", "read", "operate", "admin")
"""What a token may do: write events; see; cancel, pin and delete; manage tokens and the store."""


class Token(Struct, frozen=True, kw_only=True):
    """What is known of a token, its secret excepted. `tenant` None: it is good for all tenants."""

    id: str
    name: str
    tenant: str | None
    scopes: tuple[str, ...]
    """In the order of `SCOPES`."""
    created_at_ms: int
    expires_at_ms: int | None = None
    revoked_at_ms: int | None = None
    last_used_at_ms: int | None = None
    """To the minute; None: never used."""

    @property
    def created_at(self) -> datetime:
        return from_ms(self.created_at_ms)

    def state(self, now_ms: int) -> str:
        """`active`, `expired` or `revoked`."""
        if self.revoked_at_ms is not None:
            return "revoked"
        return "expired" if self.expires_at_ms is not None and self.expires_at_ms <= now_ms else "active"


class NewToken(Struct, frozen=True, kw_only=True):
    """A token just made, with its secret: the only time that anybody can see it."""

    token: Token
    secret: str
