"""Waking followers. Data and wake-up are separate: a lost wake-up costs latency, never an event.

A commit in this process wakes at once; commits of other processes are seen by one thread that asks the
engine every few milliseconds, and only while somebody follows.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from runline.model.errors import RunlineError
from runline.store.engine import Engine

POLL_S = 0.01


class Wake:
    """Counts commits. `wait` returns when the count has moved past what the follower has seen."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._condition = threading.Condition()
        self._count = 0
        self._followers = 0
        self._watching = False
        self._closed = False

    @property
    def count(self) -> int:
        return self._count

    @property
    def followers(self) -> int:
        return self._followers

    def notify(self) -> None:
        """Something was committed."""
        with self._condition:
            self._count += 1
            self._condition.notify_all()

    @contextmanager
    def following(self) -> Iterator[None]:
        """While inside, commits of other processes are noticed too."""
        with self._condition:
            self._followers += 1
            if not self._watching:
                self._watching = True
                threading.Thread(target=self._watch, name="runline-wake", daemon=True).start()
        try:
            yield
        finally:
            with self._condition:
                self._followers -= 1

    def wait(self, seen: int, timeout_s: float) -> int:
        """Blocks until the count differs from `seen`, the store closes or time is up; the count now."""
        with self._condition:
            self._condition.wait_for(lambda: self._count != seen or self._closed, timeout_s)
            return self._count

    def _watch(self) -> None:
        last = None
        while True:
            with self._condition:
                if self._followers == 0 or self._closed:
                    self._watching = False
                    return
            try:
                token = self._engine.changed()
            except RunlineError:
                token = object()  # cannot tell: let followers look for themselves
            if token != last:
                last = token
                self.notify()
            time.sleep(POLL_S)

    def fork(self) -> None:
        """In a forked child: nobody follows here yet."""
        self._condition = threading.Condition()
        self._followers = 0
        self._watching = False

    def close(self) -> None:
        with self._condition:
            self._closed = True
            self._condition.notify_all()
