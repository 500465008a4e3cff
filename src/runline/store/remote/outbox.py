"""What has been told and not yet acknowledged: parcels in order, in memory while the server takes them, else on disk.

What lies on disk comes before what lies in memory. Safe from any thread.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from msgspec import MsgspecError, Struct

from runline.store.remote.parcel import Parcel, read_parcel
from runline.store.remote.spool import Spool

if TYPE_CHECKING:
    from runline.store.remote.line import RemoteLine

log = logging.getLogger("runline")
KEEP_BYTES = 4 * 1024 * 1024
"""Beyond this, parcels go to disk although the server is there: it is slower than the program."""
MOST_BYTES = 16 * 1024 * 1024
"""What memory takes when the disk takes nothing."""


class Waiting(Struct, frozen=True):
    """A parcel in its place. `parcel` None: it lies on disk, at `place`."""

    line: RemoteLine | None
    count: int
    parcel: Parcel | None = None
    place: tuple[int, int] = (0, 0)


class Outbox:
    """First in, first out. `away`: the server cannot be reached, so everything goes to disk."""

    def __init__(self, spool: Spool) -> None:
        self.spool = spool
        self.away = False
        self.trouble: OSError | None = None
        """Why the disk takes nothing."""
        self.tries = 0
        """Attempts at delivery that have begun."""
        self._failed = 0
        """The last one that failed."""
        self.changed = threading.Condition()
        self._disk: deque[Waiting] = deque()
        self._memory: deque[Waiting] = deque()
        self._bytes = 0
        self._added = 0
        self._gone = 0
        self._closed = False
        self.stopping = False
        """Nobody waits for more to come."""

    def add(self, parcel: Parcel, line: RemoteLine | None, *, on_disk: bool = False) -> bool:
        """Puts it last; False when there is no room for it."""
        with self.changed:
            self._memory.append(Waiting(line, parcel.count, parcel))
            self._bytes += parcel.size
            if on_disk or self.away or self._disk or self._bytes > KEEP_BYTES:
                self._spill()
            if self._bytes > MOST_BYTES and not parcel.vital and self._memory:
                self._memory.pop()
                self._bytes -= parcel.size
                return False
            self._added += 1
            self.changed.notify_all()
            return True

    def head(self, timeout_s: float) -> tuple[Parcel, RemoteLine | None] | None:
        """The first one, which stays until it is `done`; None when none came in that time."""
        with self.changed:
            if not self._disk and not self._memory and not self.stopping:
                self.changed.wait(timeout_s)
            if self._disk:
                return self._read(self._disk[0])
            held = self._memory[0] if self._memory else None
            return None if held is None or held.parcel is None else (held.parcel, held.line)

    def _read(self, first: Waiting) -> tuple[Parcel, RemoteLine | None] | None:
        try:
            return read_parcel(self.spool.read(*first.place)), first.line
        except (OSError, MsgspecError) as error:
            log.warning("runline: %d events that waited on disk cannot be read: %s", first.count, error)
            if first.line is not None:
                first.line.give_up(first.count)
            self.done()
            return None

    def done(self) -> None:
        """The first one has been delivered, or never will be."""
        with self.changed:
            if self._closed:
                return  # what is left has been handed over to whoever comes next
            if self._disk:
                self._disk.popleft()
                self.spool.sent()
            else:
                parcel = self._memory.popleft().parcel
                self._bytes -= 0 if parcel is None else parcel.size
            self._gone += 1
            if not self._disk:
                self.spool.clear()
            self.changed.notify_all()

    def came_back(self) -> None:
        with self.changed:
            self.away = False

    def failed(self) -> None:
        """The server could not be reached: from now on nothing lies in memory alone."""
        with self.changed:
            self.away = True
            self._failed = self.tries
            self._spill()
            self.changed.notify_all()

    @property
    def added(self) -> int:
        """How many have been put in so far."""
        return self._added

    @property
    def left(self) -> int:
        """Events that wait."""
        with self.changed:
            return sum(waiting.count for waiting in (*self._disk, *self._memory))

    def wait(self, number: int, since: int, deadline_s: float) -> bool:
        """Whether the first `number` that were put in are delivered by then.

        False also as soon as an attempt fails that began after the first `since` ones: they wait on disk.
        """
        with self.changed:
            while self._gone < number:
                left_s = deadline_s - time.monotonic()
                if left_s <= 0 or self._failed > since:
                    return False
                self.changed.wait(left_s)
            return True

    def close(self) -> int:
        """Puts on disk what is left, for whoever comes next; how many events could not even be put there."""
        with self.changed:
            self._closed = True
            self._spill()
            lost = sum(waiting.count for waiting in self._memory)
            for waiting in self._memory:
                if waiting.line is not None:
                    waiting.line.give_up(waiting.count)
            self._memory.clear()
            if not self._disk:
                self.spool.end()
            self.spool.close()
            self.changed.notify_all()
            return lost

    def forked(self) -> None:
        """In a forked child: what waits is the parent's to send."""
        self.spool.close()
        self.__init__(self.spool)  # type: ignore[misc]  # everything anew, the lock too

    def _spill(self) -> None:
        """Moves what lies in memory to the disk, or all of it stays."""
        held = [(waiting, waiting.parcel) for waiting in self._memory if waiting.parcel is not None]
        if not held:
            return
        try:
            places = self.spool.append(
                [parcel.to_json() for _, parcel in held], vital=all(parcel.vital for _, parcel in held)
            )
        except OSError as error:
            if self.trouble is None:
                log.warning("runline: events cannot wait on disk, only some in memory: %s", error)
            self.trouble = error
            return
        self.trouble = None
        self._disk += [
            Waiting(waiting.line, waiting.count, None, place)
            for (waiting, _), place in zip(held, places, strict=True)
        ]
        self._memory.clear()
        self._bytes = 0
