"""The process's way to one server: a thread that gathers, redacts and packs, and one that sends.

The first one is never held up by the network, so a program that records is not either. The lines' events and
their limits are those of the local writer; nothing reaches the disk before it is redacted.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from concurrent.futures import Future
from pathlib import Path

from runline.intake.redact import Redactor
from runline.model.clock import Clock
from runline.model.errors import RunlineError, Unavailable
from runline.model.event import Draft
from runline.store.remote.client import Client
from runline.store.remote.line import RemoteLine
from runline.store.remote.outbox import Outbox
from runline.store.remote.parcel import Parcel
from runline.store.remote.sender import Sender

log = logging.getLogger("runline")
_POLL_S = 0.002
_ACTIVE_POLLS = 25  # without anything to do, before the thread goes to sleep
_BATCH = 5_000
Item = tuple[RemoteLine, Draft] | Future[int]


class RemoteWriter:
    """Takes what recorders bring. Safe from any thread."""

    def __init__(
        self, client: Client, outbox: Outbox, clock: Clock, redactor: Redactor, *, queue_size: int
    ) -> None:
        self.outbox = outbox
        self.clock = clock
        self.redactor = redactor
        self.queue_size = queue_size
        self.sender = Sender(client, outbox)
        self._start_fresh()

    def _start_fresh(self) -> None:
        self.queue: deque[Item] = deque()
        self.idle = False
        self._bell = threading.Event()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._closing = False
        self._lost = 0

    @property
    def failing(self) -> RunlineError | None:
        """Why there is no room: neither the server nor the disk takes anything."""
        trouble = self.outbox.trouble
        return (
            Unavailable(f"Events cannot wait on disk: {trouble}.") if trouble and self.outbox.away else None
        )

    def line(self, run_id: str, *, announced: bool) -> RemoteLine:
        """A way for one recorder to tell of one run; gives signs of life while open when `announced`."""
        self.start()
        line = RemoteLine(self, run_id)
        if announced:
            self.sender.live(line)
        return line

    def forget(self, line: RemoteLine) -> None:
        self.sender.forget(line)

    def ring(self) -> None:
        self._bell.set()

    def start(self) -> None:
        with self._starting:
            if self._thread is None and not self._closing:
                self._thread = threading.Thread(target=self._run, name="runline-writer", daemon=True)
                self._thread.start()
                self.sender.start()

    def hold(self, parcel: Parcel) -> bool:
        """Keeps a creation that the server could not be told of."""
        self.start()
        self.outbox.failed()
        return self.outbox.add(parcel, None)

    def flush(self, timeout_s: float) -> bool:
        """Whether the server has acknowledged everything queued before this call, within the time."""
        if self._thread is None or self._closing:
            return not self.queue and not self._lost and not self.outbox.left
        deadline_s = time.monotonic() + timeout_s
        packed: Future[int] = Future()
        self.queue.append(packed)
        self._bell.set()
        try:
            number = packed.result(timeout_s)
        except TimeoutError:
            return False
        since = self.outbox.tries
        self.sender.nudge()
        return self.outbox.wait(number, since, deadline_s)

    def shut(self, timeout_s: float) -> bool:
        """Sends what it can within that time and lets go; whether everything was acknowledged.

        What was not lies on disk, where the next recorder or command finds it.
        """
        deadline_s = time.monotonic() + timeout_s
        with self._starting:
            self._closing = True
        self._bell.set()
        if self._thread is not None:
            self._thread.join(timeout_s + 5)
        self.sender.stop(max(0.0, deadline_s - time.monotonic()))
        left = self.outbox.left
        self._lost += self.outbox.close()
        self.queue_size = 0  # from now on lines drop at once, and count
        if self._lost:
            log.error("runline: %d events were lost: %s", self._lost, self.outbox.trouble)
        elif left:
            log.warning(
                "runline: %d events wait in %s; the next recorder or command that uses %s sends them",
                left,
                self.folder,
                self.sender.url,
            )
        return not left and not self._lost

    @property
    def folder(self) -> Path:
        """Where events wait."""
        return self.outbox.spool.folder

    def fork(self) -> None:
        """In a forked child: the parent's queue stays the parent's."""
        self._start_fresh()
        self.outbox.forked()
        self.sender.forked()

    def _run(self) -> None:
        quiet = 0
        while True:
            items = self._take()
            if items:
                quiet = 0
                try:
                    self._pack(items)
                except Exception:
                    log.exception("runline: events could not be packed")
                    self._give_up(items)
            elif self._closing:
                return
            else:
                quiet = self._rest(quiet)

    def _take(self) -> list[Item]:
        items: list[Item] = []
        try:
            while len(items) < _BATCH:
                items.append(self.queue.popleft())
        except IndexError:
            pass
        return items

    def _rest(self, quiet: int) -> int:
        if quiet < _ACTIVE_POLLS:
            self._bell.wait(_POLL_S)
            self._bell.clear()
            return quiet + 1
        self.idle = True
        # Whoever appends after this line sees `idle` and rings; whoever appended before is seen here.
        if not self.queue and not self._closing:
            self._bell.wait()
        self.idle = False
        self._bell.clear()
        return 0

    def _pack(self, items: list[Item]) -> None:
        clean = iter(self.redactor.batch([item[1] for item in items if not isinstance(item, Future)]))
        waiting: dict[RemoteLine, list[Draft]] = {}
        for item in items:
            if isinstance(item, Future):
                self._hand_over(waiting)
                item.set_result(self.outbox.added)
            else:
                waiting.setdefault(item[0], []).append(next(clean))
        self._hand_over(waiting)

    def _hand_over(self, waiting: dict[RemoteLine, list[Draft]]) -> None:
        now_ms = self.clock.now_ms()
        for line, drafts in waiting.items():
            line.pack(self.outbox, drafts, now_ms)
        waiting.clear()

    def _give_up(self, items: list[Item]) -> None:
        for item in items:
            if not isinstance(item, Future):
                item[0].give_up(1)
                self._lost += 1
            elif not item.done():
                item.set_result(self.outbox.added)
