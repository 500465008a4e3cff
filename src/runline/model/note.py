"""A note: what a person wrote beside a run, at any time, also after it ended."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from runline.model.clock import from_ms


class Note(Struct, frozen=True, kw_only=True):
    """One note; it is never part of the stream of events."""

    id: int
    run_id: str
    created_at_ms: int
    note: str
    author: str | None = None
    labels: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    event_seq: int | None = None
    """The event it is anchored to, None for the run as a whole."""

    @property
    def created_at(self) -> datetime:
        return from_ms(self.created_at_ms)
