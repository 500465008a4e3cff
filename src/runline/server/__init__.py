"""The server: every contract of the store over HTTP, live.

`create_app(store)` is an ASGI application; `runline serve` runs it. Routes parse, call the store and show; none
has SQL or rules of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runline.server.app import Application, create_app
    from runline.server.settings import Settings

__all__ = ["Application", "Settings", "create_app"]


def __getattr__(name: str) -> Any:
    """Loads the framework only when somebody serves."""
    if name == "Settings":
        from runline.server.settings import Settings

        return Settings
    if name in ("Application", "create_app"):
        from runline.server import app

        return getattr(app, name)
    raise AttributeError(f"module 'runline.server' has no attribute {name!r}")
