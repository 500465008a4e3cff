"""One-time links that sign a browser in, so that a token never stands in a URL."""

from __future__ import annotations

import secrets
import time

LIFE_S = 600.0


class SignIn:
    """Codes, each good for one use within ten minutes."""

    def __init__(self) -> None:
        self._codes: dict[str, tuple[str, float]] = {}

    def issue(self, token: str) -> str:
        """A code that becomes this token's cookie."""
        code = secrets.token_urlsafe(24)
        self._codes[code] = (token, time.monotonic() + LIFE_S)
        return code

    def redeem(self, code: str) -> str | None:
        """The token of a code that is good, and only once."""
        token, until_s = self._codes.pop(code, ("", 0.0))
        return token if time.monotonic() < until_s else None
