"""The process's one writing thread: everything that changes a store passes here and commits in groups.

Callers hand over a `Job` and wait for it, or put events into a `Stream` and go on. Each turn takes what
has queued up, redacts it in one search, and commits it in one transaction. While events keep coming
the thread looks every 2 ms instead of being woken for each: a wake-up costs an emitter more than its event.

A commit that fails because the disk is full or the database is away fails the jobs, whose callers can
decide, and keeps the streams' events for another try.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

from runline.intake.redact import Redactor
from runline.model.clock import Clock
from runline.model.errors import RunlineError, StoreFull, Unavailable
from runline.model.event import Draft
from runline.model.status import HEARTBEAT_S
from runline.store import liveness
from runline.store.append import Appender
from runline.store.batch import Batch
from runline.store.engine import Engine
from runline.store.jobs import Errand, Item, Job, nothing
from runline.store.stream import Stream
from runline.store.wake import Wake

log = logging.getLogger("runline")
T = TypeVar("T")
_POLL_S = 0.002
_ACTIVE_POLLS = 25  # without anything to do, before the thread goes to sleep
_BATCH = 5_000
_RETRY_S = (0.05, 0.1, 0.25, 0.5, 1.0)


class Writer:
    """Owns the writing connection. `submit` and the streams are safe from any thread."""

    def __init__(
        self,
        engine: Engine,
        appender: Appender,
        wake: Wake,
        clock: Clock,
        redactor: Redactor,
        *,
        queue_size: int,
    ) -> None:
        self.engine = engine
        self.appender = appender
        self.wake_followers = wake
        self.clock = clock
        self.redactor = redactor
        self.queue_size = queue_size
        self._start_fresh()

    def _start_fresh(self) -> None:
        self.queue: deque[Item] = deque()
        self.errands: deque[Errand[Any]] = deque()
        self.idle = False
        self.failing: RunlineError | None = None
        self._held: list[tuple[Stream, Draft]] = []
        self._failures = 0
        self._streams: set[Stream] = set()
        self._heartbeat_due_s = 0.0
        self._bell = threading.Event()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._closing = False
        self._lost = 0
        self._give_up_s = 0.0
        self._closed = False

    def submit(self, job: Job[T]) -> T:
        """Waits until the job's transaction is durable; its result, or its error."""
        return self.enqueue(job).result()

    def enqueue(self, job: Job[T]) -> Future[T]:
        """Hands the job over; what it comes to once its transaction is durable. It cannot be taken back."""
        self._check_open()
        job.future.set_running_or_notify_cancel()
        self.queue.append(job)
        self._look()
        return job.future

    def between(self, perform: Callable[[], T]) -> T:
        """Runs `perform` between two transactions, as the only writer of this process; its result, or its error."""
        self._check_open()
        errand = Errand(perform)
        self.errands.append(errand)
        self._look()
        return errand.future.result()

    def _check_open(self) -> None:
        if self._closed or self._closing:
            raise Unavailable("This store is closed.", code="closed")
        self.start()

    def _look(self) -> None:
        self._bell.set()
        if self._closed:  # it was closed in between, and nobody may wait for a thread that has gone
            self._abandon()

    def stream(self, run_id: str, *, announced: bool) -> Stream:
        """A way for one recorder to append to one run; renews its liveness while open when `announced`."""
        self.start()
        stream = Stream(self, run_id)
        if announced:
            with self._starting:
                if not self._streams:  # else the others' signs of life would be put off with each new stream
                    self._heartbeat_due_s = time.monotonic() + HEARTBEAT_S
                self._streams = self._streams | {stream}
        return stream

    def forget(self, line: Stream) -> None:
        """The stream's run needs no more signs of life."""
        with self._starting:
            self._streams = self._streams - {line}

    def ring(self) -> None:
        """Wakes the thread if it sleeps."""
        self._bell.set()

    def start(self) -> None:
        if self._thread is None:
            with self._starting:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="runline-writer", daemon=True)
                    self._thread.start()

    def flush(self, timeout_s: float) -> bool:
        """Whether everything queued before this call became durable within the time."""
        if self._thread is None or self._closed:
            return not self.queue and not self._lost
        deadline_s = time.monotonic() + timeout_s
        while True:
            # A job that was committed had everything before it committed too, held events first.
            job: Job[None] = Job(nothing)
            self.queue.append(job)
            self._look()
            try:
                job.future.result(max(0.0, deadline_s - time.monotonic()))
            except TimeoutError:
                return False
            except RunlineError:
                if self._closed or time.monotonic() >= deadline_s:
                    return False
                time.sleep(_POLL_S)  # the store refused this turn; the events are held for another
            else:
                return True

    def close(self, timeout_s: float) -> bool:
        """Commits what is queued, at most for that long, and ends the thread; whether all became durable."""
        thread = self._thread
        self._give_up_s = time.monotonic() + timeout_s
        self._closing = True
        self._bell.set()
        if thread is not None:
            thread.join(timeout_s + 5)
        self._closed = True
        self.failing = self.failing or Unavailable("This store is closed.", code="closed")
        self.queue_size = 0  # from now on streams drop at once, and count
        self._abandon()
        if self._lost:
            log.error("runline: %d events were not stored: %s", self._lost, self.failing)
        return not self._lost

    def fork(self) -> None:
        """In a forked child: the parent's queue stays the parent's."""
        self._start_fresh()
        self.appender.rolled_back()
        self.appender.forget_all()

    def _run(self) -> None:
        quiet = 0
        while True:
            items = self._take()
            if items:
                quiet = 0
                self._commit(items)
            if self.errands:
                self.errands.popleft().run()
            elif not items:
                if self._closing:
                    return
                quiet = self._rest(quiet)
            if self._closing and self._failures and time.monotonic() >= self._give_up_s:
                self._abandon()
                return

    def _abandon(self) -> None:
        """Time is up: nobody may wait for what will not happen. Each is taken out once, by whoever comes here."""
        error = self.failing or Unavailable("This store is closed.", code="closed")
        for stream, _ in self._held:
            stream.give_up(1)
            self._lost += 1
        self._held = []
        with suppress(IndexError):
            while True:
                item = self.queue.popleft()
                if isinstance(item, Job):
                    item.future.set_exception(error)
                else:
                    item[0].give_up(1)
                    self._lost += 1
        while self.errands:
            self.errands.popleft().future.set_exception(error)

    def _rest(self, quiet: int) -> int:
        if quiet < _ACTIVE_POLLS:
            self._bell.wait(_POLL_S)
            self._bell.clear()
            return quiet + 1
        self.idle = True
        # Whoever appends after this line sees `idle` and rings; whoever appended before is seen here.
        if not self.queue and not self._closing:
            wait_s = max(0.0, self._heartbeat_due_s - time.monotonic()) if self._streams else None
            self._bell.wait(wait_s)
        self.idle = False
        self._bell.clear()
        return 0

    def _take(self) -> list[Item]:
        queue, items = self.queue, list[Item](self._held)
        count = len(items)
        self._held = []
        with suppress(IndexError):
            while count < _BATCH:
                item = queue.popleft()
                items.append(item)
                count += 1 + len(item.drafts) if isinstance(item, Job) else 1
        if self._streams and time.monotonic() >= self._heartbeat_due_s:
            self._heartbeat_due_s = time.monotonic() + HEARTBEAT_S
            items.append(liveness.renewal([stream.run_id for stream in self._streams]))
        return items

    def _commit(self, items: list[Item]) -> None:
        batch = Batch(items)
        try:
            batch.redact(self.redactor)
            batch.commit(self.engine, self.appender, self.clock)
        except Exception as error:  # noqa: BLE001 - nothing may end the writer thread
            self._failed(items, error)
            return
        self.appender.committed()
        if self.failing is not None:
            log.warning("runline: the store accepts events again")
            self.failing = None
        self._failures = 0
        batch.committed()
        self.wake_followers.notify()

    def _failed(self, items: list[Item], error: Exception) -> None:
        if not isinstance(error, (StoreFull, Unavailable)) and len(items) > 1:
            # Something in this batch is at fault: one at a time, so that only it fails.
            for item in items:
                refused = self.failing
                if not self._held or refused is None:
                    self._commit([item])
                elif isinstance(item, Job):  # nothing may overtake what is held
                    item.future.set_exception(refused)
                else:
                    self._held.append(item)
            return
        reason = (
            error if isinstance(error, RunlineError) else RunlineError(f"{type(error).__name__}: {error}")
        )
        hopeless = not isinstance(error, (StoreFull, Unavailable))
        for item in items:
            if isinstance(item, Job):
                item.future.set_exception(reason)
            elif hopeless:
                item[0].give_up(1)
                self._lost += 1
            else:
                self._held.append(item)
        if hopeless:
            if not isinstance(items[0], Job):  # a job's caller has been told
                log.error("runline: an event could not be stored", exc_info=error)
            return
        if self.failing is None:
            log.warning("runline: events wait, the store does not accept them: %s", reason)
        self.failing = reason
        delay_s = _RETRY_S[min(self._failures, len(_RETRY_S) - 1)]
        self._failures += 1
        self._bell.wait(delay_s)
        self._bell.clear()
