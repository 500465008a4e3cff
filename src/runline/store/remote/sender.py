"""The thread that empties the outbox: in order, again and again while the server is away, and never twice."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time

from runline.model.errors import RunlineError
from runline.model.status import HEARTBEAT_S
from runline.store.line import Line
from runline.store.remote.client import Client, part
from runline.store.remote.delivery import TRIES, Delivery, is_broken, is_unknown, may_pass, send_left_behind
from runline.store.remote.outbox import Outbox
from runline.store.remote.parcel import Parcel

log = logging.getLogger("runline")
_PAUSES_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0)
_UNKNOWN_TRIES = 10
"""For a run that nobody knows."""
_REST_S = HEARTBEAT_S
"""Between looks, should a wake-up have been lost."""


class Sender:
    """One for a process and store. What other processes have left behind goes first."""

    def __init__(self, client: Client, outbox: Outbox) -> None:
        self.url = client.url
        self._client = client
        self._outbox = outbox
        self._start_fresh()

    def _start_fresh(self) -> None:
        self._thread: threading.Thread | None = None
        self._delivery = Delivery(self._client)
        self._lines: frozenset[Line] = frozenset()
        self._lock = threading.Lock()
        self._alive_due_s = 0.0
        self._bell = threading.Event()
        self._stopping = False
        self._away = 0
        """Attempts in a row that failed."""
        self._tries = 0
        """Attempts at the parcel under way over which the server itself failed."""

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="runline-sender", daemon=True)
        self._thread.start()

    def forked(self) -> None:
        self._start_fresh()

    def live(self, line: Line) -> None:
        """From now on the run of that line gives signs of life."""
        with self._lock:
            if not self._lines:
                self._alive_due_s = time.monotonic() + HEARTBEAT_S
            self._lines |= {line}
        self.nudge()

    def forget(self, line: Line) -> None:
        with self._lock:
            self._lines -= {line}

    def nudge(self) -> None:
        """Somebody waits: try again now."""
        self._bell.set()
        with self._outbox.changed:
            self._outbox.changed.notify_all()

    def stop(self, timeout_s: float) -> None:
        """Sends what is left, for at most that long, and ends at the first attempt that fails."""
        with self._outbox.changed:
            self._stopping = self._outbox.stopping = True
        self.nudge()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        self._others_first()
        while True:
            first = self._outbox.head(self._rest_s())
            self._alive()
            if first is None:
                if self._stopping:
                    return
                continue
            parcel, line = first
            self._outbox.tries += 1
            try:
                missing = self._delivery.deliver(parcel, self._outbox.spool.path.with_suffix(".files"))
            except Exception as error:  # noqa: BLE001 - nothing may end this thread
                if not self._refused(parcel, line, error):
                    if self._stopping:
                        return
                    self._pause()
                    continue
            else:
                if line is not None:
                    line.refused += missing
                self._came_back()
            self._tries = 0
            self._outbox.done()

    def _refused(self, parcel: Parcel, line: Line | None, error: Exception) -> bool:
        """Whether the parcel is lost: the server said no, and would say it again."""
        if isinstance(error, RunlineError) and may_pass(error):
            self._went_away(error)
            return False
        broken = not isinstance(error, RunlineError) or is_broken(error)
        self._tries += 1
        if self._tries < (TRIES if broken else _UNKNOWN_TRIES if is_unknown(error) else 1):
            self._went_away(error)
            return False
        if line is not None:
            if broken:
                line.give_up(parcel.count)
            else:
                line.refused += parcel.count
        log.log(
            logging.ERROR if broken else logging.WARNING,
            "runline: %d events of run %s were refused: %s",
            parcel.count,
            parcel.run_id,
            error,
        )
        return True

    def _went_away(self, error: Exception) -> None:
        self._outbox.failed()
        if not self._away:
            log.warning("runline: events wait in %s: %s", self._outbox.spool.folder, error)
        self._away += 1

    def _came_back(self) -> None:
        if self._away or self._outbox.away:
            log.warning("runline: %s takes events again", self.url)
            self._away = 0
            self._outbox.came_back()
            self._others_first()

    def _others_first(self) -> None:
        try:
            send_left_behind(self._outbox.spool.folder, self.url, self._client)
        except Exception as error:  # noqa: BLE001 - they keep; this process's own may still pass
            log.debug("runline: what was left behind waits on: %s", error)

    def _pause(self) -> None:
        pause_s = _PAUSES_S[min(self._away - 1, len(_PAUSES_S) - 1)]
        self._bell.wait(max(pause_s, self._client.busy_s()))
        self._bell.clear()

    def _rest_s(self) -> float:
        if not self._lines:
            return _REST_S
        return min(_REST_S, max(0.0, self._alive_due_s - time.monotonic()))

    def _alive(self) -> None:
        """Every five seconds a sign of life for each run that is being recorded."""
        if not self._lines or time.monotonic() < self._alive_due_s:
            return
        self._alive_due_s = time.monotonic() + HEARTBEAT_S
        if self._away:
            return  # and the runs it would name may not even exist there yet
        body = b'{"host": "%b", "pid": %d}' % (socket.gethostname().encode("ascii", "replace"), os.getpid())
        for line in self._lines:
            try:
                self._client.send(
                    "POST", f"/api/runs/{part(line.run_id)}/heartbeat", object, body, timeout_s=HEARTBEAT_S
                )
            except RunlineError as error:
                log.debug("runline: no sign of life for %s: %s", line.run_id, error)
