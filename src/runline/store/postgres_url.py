"""Addresses of PostgreSQL stores: `postgresql://[user[:password]@]host[:port]/database[?parameter=value…]`."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from runline.model.errors import Invalid

_SCHEME = re.compile(r"postgres(?:ql)?://", re.IGNORECASE)
_PASSWORD = re.compile(r"^([^:@/]*):.*@")
_SECRET = ("password", "sslpassword", "passfile")


def is_postgres(url: str) -> bool:
    """Whether the URL names a PostgreSQL database."""
    return _SCHEME.match(url) is not None


def postgres_url(url: str) -> str:
    """The URL with its scheme as libpq writes it. Raises Invalid."""
    try:
        parts = urlsplit(url)
        _ = parts.port if "," not in parts.netloc else None
    except ValueError as error:
        raise _refused() from error
    if not parts.path.strip("/") or parts.fragment or not url.isprintable() or " " in url:
        raise _refused()
    return urlunsplit(("postgresql", *parts[1:]))


def shown(url: str) -> str:
    """The URL without its password, as it may be printed, logged and kept."""
    scheme, separator, rest = url.partition("://")
    place, mark, query = rest.partition("?")
    kept = [(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name not in _SECRET]
    told = f"?{urlencode(kept, quote_via=quote)}" if mark and kept else ""
    safe = _PASSWORD.sub(r"\1@", place)
    return f"{scheme}{separator}{safe}{told}"


def password(url: str) -> str | None:
    """The password that the URL holds."""
    parts = urlsplit(url)
    return parts.password or dict(parse_qsl(parts.query)).get("password")


def _refused() -> Invalid:
    """Without the URL: who knows where in it the password stands."""
    return Invalid(
        "That is no address of a database; write postgresql://user@host:5432/database.",
        code="bad_store_url",
        fields={"store": "not an address"},
    )
