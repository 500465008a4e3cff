"""Addresses of PostgreSQL stores: `postgresql://[user[:password]@]host[:port]/database[?parameter=value…]`.

A store's URL is shown, logged and compared, so a password is taken out of it at once and remembered here, for this
process to connect with and to hand to child processes.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from runline.model.errors import Invalid

_SCHEME = re.compile(r"postgres(?:ql)?://", re.IGNORECASE)
_passwords: dict[str, str] = {}
"""By the URL without it."""


def is_postgres(url: str) -> bool:
    """Whether the URL names a PostgreSQL database."""
    return _SCHEME.match(url) is not None


def postgres_url(url: str) -> str:
    """The URL without its password, which is remembered. Raises Invalid."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise _refused() from error
    said = parse_qsl(parts.query, keep_blank_values=True)
    user, at, host = parts.netloc.rpartition("@")
    name, _, secret = user.partition(":")
    if (
        not parts.path.strip("/")
        or "/" in parts.path[1:]
        or parts.fragment
        or not url.isprintable()
        or " " in url
    ):
        raise _refused()
    kept = urlencode([pair for pair in said if pair[0] != "password"], quote_via=quote)
    address = urlunsplit(("postgresql", f"{name}{at}{host}", parts.path, kept, ""))
    if not host and address.startswith("postgresql:/") and not address.startswith("postgresql://"):
        address = address.replace("postgresql:", "postgresql://", 1)
    if password := dict(said).get("password") or unquote(secret):
        _passwords[address] = password
    return address


def reachable(url: str) -> str:
    """The URL with the password that belongs to it: for connecting, and for the environment of a child process."""
    password = _passwords.get(url) if is_postgres(url) else None
    if password is None:
        return url
    return f"{url}{'&' if '?' in url else '?'}password={quote(password, safe='')}"


def _refused() -> Invalid:
    """Without the URL: who knows where in it the password stands."""
    return Invalid(
        "That is no address of a database; write postgresql://user@host:5432/database.",
        code="bad_store_url",
        fields={"store": "not an address"},
    )
