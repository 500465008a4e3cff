"""A recorder's line into a run: events go in without waiting, and whoever takes them sends them on soon after.

The queue is bounded and shared by the process. When it is full an emitter waits a moment, then drops;
what was dropped is counted and, as soon as there is room, recorded in the run as `events_dropped`.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from typing import Any, Protocol

from runline.model.errors import RunlineError
from runline.model.event import Draft

_ROOM_WAIT_S = 0.25
"""Longer than a batch takes on a busy machine: a loop that outruns the writer is slowed down, and loses nothing."""
_ROOM_POLL_S = 0.001


class Taker(Protocol):
    """Who takes what the lines of a process bring: the thread behind the queue."""

    queue: deque[Any]
    queue_size: int
    idle: bool
    """It sleeps, and must be rung for."""

    @property
    def failing(self) -> RunlineError | None:
        """Why it can pass nothing on now."""

    def ring(self) -> None: ...
    def flush(self, timeout_s: float) -> bool: ...
    def forget(self, line: Any) -> None: ...


class Line:
    """One run's events, best effort. `put` never raises.

    `dropped` events found no room, `refused` came after the end event, `given_up` were lost to a store
    that did not accept them.
    """

    def __init__(self, taker: Taker, run_id: str) -> None:
        self._taker = taker
        self.run_id = run_id
        self.dropped = 0
        self.refused = 0
        self.given_up = 0
        self.reporting = 0
        """How many dropped events are reported, what is under way included."""

    def put(self, draft: Draft) -> None:
        """Queues an event; waits ≤ 250 ms for room, then drops it and counts."""
        taker = self._taker
        queue = taker.queue
        # A store that refuses makes no room soon: waiting would only slow the host down.
        if len(queue) >= taker.queue_size and (
            taker.failing is not None or not self._wait_for_room(_ROOM_WAIT_S)
        ):
            self._drop(1)
            return
        queue.append((self, draft))
        if taker.idle:
            taker.ring()

    def put_all(self, drafts: Sequence[Draft], *, timeout_s: float) -> None:
        """Queues many events at once, waiting for room up to `timeout_s` in all; the rest is dropped."""
        taker = self._taker
        if len(taker.queue) >= taker.queue_size and not self._wait_for_room(timeout_s):
            self._drop(len(drafts))
            return
        taker.queue.extend([(self, draft) for draft in drafts])
        if taker.idle:
            taker.ring()

    def flush(self, timeout_s: float) -> bool:
        """Whether everything put before is durable now; False also when anything was given up."""
        return self._taker.flush(timeout_s) and not self.given_up

    def close(self) -> None:
        """No more signs of life for this run; what is queued is still written."""
        self._taker.forget(self)

    def give_up(self, count: int) -> None:
        self.given_up += count

    def _drop(self, count: int) -> None:
        self.dropped += count
        if self._taker.failing is not None:
            self.given_up += count

    def _wait_for_room(self, timeout_s: float) -> bool:
        taker = self._taker
        deadline_s = time.monotonic() + timeout_s
        while len(taker.queue) >= taker.queue_size:
            if taker.queue_size == 0 or time.monotonic() >= deadline_s:
                return False  # closed, or out of time
            taker.ring()
            time.sleep(_ROOM_POLL_S)
        return True


def lost_event(count: int, now_ms: int) -> Draft:
    """The event that tells of so many dropped ones."""
    from runline.intake.accept import draft

    return draft(
        "events_dropped",
        f"{count} events were dropped: the queue was full",
        {"count": count},
        source="runline",
        ts_ms=now_ms,
    )
