"""The cookie that keeps a browser signed in."""

from __future__ import annotations

from litestar.datastructures import Cookie

from runline.server.identity import COOKIE


def session_cookie(token: str | None, *, secure: bool = False) -> Cookie:
    """Carries the token where no script can read it and no other site can send it; None: takes it away."""
    return Cookie(
        key=COOKIE,
        value=token or "",
        path="/",
        httponly=True,
        samesite="strict",
        secure=secure,
        max_age=None if token else 0,
    )
