"""The server's clock, which judges who is alive: the clocks of many machines disagree.

It is read when a connection is made and every few seconds of use after that; in between the machine's own time
goes on from there, so that asking for it costs nothing.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runline.store.postgres_connection import Connection

_KEPT_NS = 5_000_000_000
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # the former also counts a machine's sleep


class ServerTime:
    """A `Clock` that agrees with the server's to half of what a question takes."""

    def __init__(self) -> None:
        self._ahead_ns = time.time_ns() - time.clock_gettime_ns(_CLOCK)
        self._set_ns = -_KEPT_NS

    def now_ms(self) -> int:
        return (time.clock_gettime_ns(_CLOCK) + self._ahead_ns) // 1_000_000

    @property
    def is_old(self) -> bool:
        return time.clock_gettime_ns(_CLOCK) - self._set_ns > _KEPT_NS

    def set(self, connection: Connection) -> None:
        """Asks the server."""
        asked_ns = time.clock_gettime_ns(_CLOCK)
        (now_us,) = connection.execute(
            "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"
        ).fetchone() or (0,)
        told_ns = time.clock_gettime_ns(_CLOCK)
        self._ahead_ns = now_us * 1000 - (asked_ns + told_ns) // 2
        self._set_ns = told_ns

    @property
    def skew_ms(self) -> int:
        """How far the machine's clock is ahead of the server's."""
        return time.time_ns() // 1_000_000 - self.now_ms()
