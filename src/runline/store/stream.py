"""A recorder's way into the log: events go in without waiting, the writer commits them soon after.

The queue is bounded and shared by the process. When it is full an emitter waits a moment, then drops;
what was dropped is counted and, as soon as there is room, recorded in the run as `events_dropped`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from runline.intake.accept import draft as make_draft
from runline.model.catalogue import END_TYPES
from runline.model.errors import NotFound, RunEnded
from runline.model.event import Draft

if TYPE_CHECKING:
    from runline.store.append import Appender
    from runline.store.writer import Writer

_ROOM_WAIT_S = 0.25
"""Longer than a batch takes on a busy machine: a loop that outruns the writer is slowed down, and loses nothing."""
_ROOM_POLL_S = 0.001


class Stream:
    """Appends to one run, best effort. `put` never raises.

    `dropped` events found no room, `refused` came after the end event, `given_up` were lost to a store
    that did not accept them.
    """

    def __init__(self, writer: Writer, run_id: str) -> None:
        self._writer = writer
        self.run_id = run_id
        self.dropped = 0
        self.refused = 0
        self.given_up = 0
        self.reporting = 0
        """How many dropped events are reported, the transaction under way included."""
        self._reported = 0
        self._refusing = 0

    def put(self, draft: Draft) -> None:
        """Queues an event; waits ≤ 250 ms for room, then drops it and counts."""
        writer = self._writer
        queue = writer.queue
        # A store that refuses makes no room soon: waiting would only slow the host down.
        if len(queue) >= writer.queue_size and (
            writer.failing is not None or not self._wait_for_room(_ROOM_WAIT_S)
        ):
            self._drop(1)
            return
        queue.append((self, draft))
        if writer.idle:
            writer.ring()

    def put_all(self, drafts: Sequence[Draft], *, timeout_s: float) -> None:
        """Queues many events at once, waiting for room up to `timeout_s` in all; the rest is dropped."""
        writer = self._writer
        if len(writer.queue) >= writer.queue_size and not self._wait_for_room(timeout_s):
            self._drop(len(drafts))
            return
        writer.queue.extend([(self, draft) for draft in drafts])
        if writer.idle:
            writer.ring()

    def flush(self, timeout_s: float) -> bool:
        """Whether everything put before is durable now; False also when anything was given up."""
        return self._writer.flush(timeout_s) and not self.given_up

    def close(self) -> None:
        """No more signs of life for this run; what is queued is still written."""
        self._writer.forget(self)

    def give_up(self, count: int) -> None:
        self.given_up += count

    def append(self, appender: Appender, drafts: list[Draft]) -> None:
        """In the writer's transaction: adds what can still be added."""
        count, self.reporting = self.dropped - self.reporting, self.dropped
        if count:
            lost = make_draft(
                "events_dropped",
                f"{count} events were dropped: the queue was full",
                {"count": count},
                source="runline",
                ts_ms=appender.now_ms,
            )
            drafts = [lost, *drafts]
        cut = next((n for n, draft in enumerate(drafts, 1) if draft.type in END_TYPES), len(drafts))
        try:
            cut -= appender.add(appender.entry(self.run_id), drafts[:cut]).not_stored
        except (RunEnded, NotFound):
            cut = 0
        self._refusing += len(drafts) - cut

    def committed(self) -> None:
        """The transaction of `append` is durable, and so is the report of what was dropped."""
        self._reported = self.reporting
        self.refused += self._refusing
        self._refusing = 0

    def rolled_back(self) -> None:
        """Nothing of it happened; what was dropped is reported another time."""
        self.reporting = self._reported
        self._refusing = 0

    def _drop(self, count: int) -> None:
        self.dropped += count
        if self._writer.failing is not None:
            self.given_up += count

    def _wait_for_room(self, timeout_s: float) -> bool:
        writer = self._writer
        deadline_s = time.monotonic() + timeout_s
        while len(writer.queue) >= writer.queue_size:
            if writer.queue_size == 0 or time.monotonic() >= deadline_s:
                return False  # closed, or out of time
            writer.ring()
            time.sleep(_ROOM_POLL_S)
        return True
