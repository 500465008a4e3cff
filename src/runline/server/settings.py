"""What a server is told at its start."""

from __future__ import annotations

import ipaddress
from pathlib import Path

from msgspec import Struct

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


class Retention(Struct, frozen=True, kw_only=True):
    """What the server prunes by itself; None: no such rule."""

    older_than_days: float | None = 14
    keep: int | None = 500
    max_size_bytes: int | None = None


class Settings(Struct, frozen=True, kw_only=True):
    """How to serve a store. Sizes are bytes, times seconds."""

    bind: str = "127.0.0.1"
    port: int = 8080
    """0: any free one."""
    token: str | None = None
    """Admin of all tenants; those of `runline token create` are asked for in the store."""
    auth: bool = False
    """Ask for tokens on loopback too. Any other address always does."""
    hosts: tuple[str, ...] = ()
    """Names in the Host header that are ours besides the loopback ones; on another address empty means any."""
    origins: tuple[str, ...] = ()
    """Other sites whose pages may call the API, as `https://host[:port]`. None unless configured."""
    request_bytes: int = 8 * 1024 * 1024
    """Of a body, also once it has been unzipped."""
    artifact_bytes: int = 256 * 1024 * 1024
    body_timeout_s: float = 30.0
    heartbeat_s: float = 15.0
    """Silence after which a stream sends a comment, so that proxies keep it and vanished clients are noticed."""
    follower_bytes: int = 256 * 1024
    """What may wait for one follower before it is cut loose to catch up from the store."""
    max_waiting: int = 256
    """Requests that may wait for the writer at once; more are told to come back."""
    manifest: Path | None = None
    """Where pipelines and personas are defined; None: nowhere."""
    retention: Retention | None = None
    """None: nothing is removed by itself."""

    @property
    def on_loopback(self) -> bool:
        """Only this machine can reach it."""
        return is_loopback(self.bind)

    @property
    def needs_token(self) -> bool:
        """Callers must say who they are."""
        return self.auth or self.token is not None or not self.on_loopback


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine only."""
    name = host.strip("[]").lower()
    if name in LOOPBACK_NAMES or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
