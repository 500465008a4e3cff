"""Time as Runline keeps it: whole milliseconds since 1970 UTC, and one 24-character text for it.

The clock is injected wherever time decides something, so that tests move it instead of sleeping.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Protocol

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MIN_MS = -62_135_596_800_000
"""0001-01-01T00:00:00.000Z, the first instant that the text can carry."""
MAX_MS = 253_402_300_799_999
"""9999-12-31T23:59:59.999Z, the last one."""
_MILLISECONDS = tuple(f".{ms:03d}Z" for ms in range(1000))
"""Formatting them costs more than all the rest, and a page has a hundred."""


class Clock(Protocol):
    """Gives the present as milliseconds since 1970 UTC. It may step back; nothing is ordered by it."""

    def now_ms(self) -> int: ...


class SystemClock:
    """The machine's wall clock."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


class ManualClock:
    """A clock that stands still until it is moved; for tests and replays."""

    def __init__(self, start_ms: int = 1_795_200_000_000) -> None:
        self._now_ms = start_ms

    def now_ms(self) -> int:
        return self._now_ms

    def advance(self, *, ms: int = 0, s: float = 0) -> None:
        self._now_ms += ms + round(s * 1000)


def to_iso(ms: int) -> str:
    """`YYYY-MM-DDTHH:MM:SS.mmmZ`, always 24 characters; instants outside years 1–9999 are clamped."""
    if not MIN_MS <= ms <= MAX_MS:
        ms = min(max(ms, MIN_MS), MAX_MS)
    return _second_text(ms // 1000) + _MILLISECONDS[ms % 1000]


@lru_cache(1024)
def _second_text(second: int) -> str:
    """Neighbouring events share their second, and this part is what costs."""
    at = from_ms(second * 1000)
    return f"{at.year:04d}-{at.month:02d}-{at.day:02d}T{at:%H:%M:%S}"


def from_ms(ms: int) -> datetime:
    """The aware UTC datetime of an instant."""
    return _EPOCH + timedelta(milliseconds=min(max(ms, MIN_MS), MAX_MS))


def to_ms(at: datetime) -> int:
    """Milliseconds of a datetime, truncated; one without a zone is taken as UTC."""
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return (at - _EPOCH) // timedelta(milliseconds=1)


def parse_instant(text: str) -> int:
    """Milliseconds of an ISO 8601 instant (no zone reads as UTC). Raises ValueError when it is none."""
    return min(max(to_ms(datetime.fromisoformat(text.strip())), MIN_MS), MAX_MS)
