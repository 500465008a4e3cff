"""A command that follows a run goes on when the server of its store comes back."""

from __future__ import annotations

import time

from runline.cli.invocation import Invocation
from runline.cli.roles import Span
from runline.model.errors import Unavailable

RETRY_S = 1.0
_AWAY = frozenset({"unreachable", "timeout", "stopping", "closed"})


class Patience:
    """Waits while the server is away, and says so once."""

    def __init__(self, invocation: Invocation) -> None:
        self._err = invocation.err
        self._away = False

    def wait(self, error: Unavailable) -> None:
        """Until the next try. Raises the error when waiting would not help."""
        if error.code not in _AWAY:
            raise error
        if not self._away:
            self._away = True
            self._err.line(Span("Disconnected · retrying", "warn"))
        time.sleep(RETRY_S)

    def back(self) -> None:
        """An answer came."""
        if self._away:
            self._away = False
            self._err.line(Span("Connected again", "dim"))
