"""What can be followed. A channel is read once for all its followers, and each frame is encoded once.

`position` is how far the pump has read; `told` is how far the followers that are attached have been told, and
changes only in the event loop. Both count seqs in one run and event ids in all of them.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Hashable, Mapping
from typing import Any

from msgspec import Struct

from runline.server.sse import CAUGHT_UP, event_frame, run_frame
from runline.store.follow import encode_cursor
from runline.store.sql_store import SqlStore


class Stretch(Struct, frozen=True):
    """What comes next: frames with the position of each, up to `upto`; `done`: nothing will follow."""

    frames: list[tuple[int, bytes]]
    upto: int
    done: bool = False


class Round(Struct, frozen=True):
    """Which runs have changed, as frames by id, and which are active."""

    changed: list[tuple[str, bytes]]
    active: frozenset[str]


class Channel:
    """`users` counts the followers that keep it in being, those that are still catching up too."""

    def __init__(self, key: Hashable) -> None:
        self.key = key
        self.users = 0
        self.followers: set[Any] = set()
        """Those that are attached."""


class EventChannel(Channel):
    """Events in an order, each with its position."""

    def __init__(self, key: Hashable, position: int) -> None:
        super().__init__(key)
        self.position = self.told = position
        self.over = False
        """Nothing will follow: the end event has been told, or the run is gone."""

    @abstractmethod
    def read(self, after: int, limit: int) -> Stretch:
        """From the store, at most so many frames. Raises NotFound when the run is gone."""

    def caught_up(self, position: int) -> bytes:
        """What tells a follower that it is at that position, and that this was all there is."""
        del position
        return CAUGHT_UP


class RunChannel(EventChannel):
    """One run's events through one filter, read as the tenant that asked."""

    def __init__(self, store: SqlStore, run_id: str, filters: Mapping[str, Any], position: int) -> None:
        super().__init__((store.tenant, run_id, tuple(sorted(filters.items()))), position)
        self.run_id = run_id
        self._store = store
        self._filters = filters

    def read(self, after: int, limit: int) -> Stretch:
        got = self._store.piece(self.run_id, after_seq=after, limit=limit, **self._filters)
        return Stretch([(event.seq, event_frame(event)) for event in got.events], got.position, got.done)


class AllChannel(EventChannel):
    """The events of all runs of a tenant, in commit order, each under the cursor after it."""

    def __init__(self, store: SqlStore, position: int) -> None:
        super().__init__((store.tenant, None), position)
        self._store = store

    def read(self, after: int, limit: int) -> Stretch:
        got = self._store.piece_of_all(after_id=after, limit=limit)
        return Stretch(
            [(event.id, event_frame(event, encode_cursor(event.id))) for event in got.events], got.position
        )

    def caught_up(self, position: int) -> bytes:
        """With the cursor: who comes back goes on from here, even when it has been told nothing yet."""
        return b"id: %b\n%b" % (encode_cursor(position).encode(), CAUGHT_UP)


class RunsChannel(Channel):
    """The runs of a tenant as they change. Only the newest state of each matters, so there is no position."""

    def __init__(self, store: SqlStore) -> None:
        super().__init__((store.tenant, "runs"))
        self.active: dict[str, bytes] = {}
        """The frame of each active run, for followers that come later; changes only in the event loop."""
        self.seen = -1
        """The count of commits when the pump looked last."""
        self.looked_s = -math.inf
        """And when that was."""
        self._changes = store.changes()

    def read(self) -> Round:
        """What has changed since it was asked last; the first time, all active runs."""
        changed = [(run.run_id, run_frame(run)) for run in self._changes.next()]
        return Round(changed, frozenset(self._changes.active))
