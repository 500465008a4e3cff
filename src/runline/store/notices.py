"""Waking followers in other processes: NOTIFY after commits, on a connection of its own, and LISTEN.

A NOTIFY inside a commit makes all committers queue up. So a thread sends it afterwards, at most every few
milliseconds; what is lost costs a follower a quarter of a second, for it looks for itself that often.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress

import psycopg

from runline.store.postgres_connection import Connection

_PAUSE_S = 0.005
_HEAR_S = 0.05
_AGAIN_S = 0.25
_CHANNEL = "runline"


class Announcer:
    """Tells the other processes that something was committed. `ring` costs nothing."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._bell = threading.Event()
        self._thread: threading.Thread | None = None
        self._closed = False

    def ring(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="runline-notify", daemon=True)
            self._thread.start()
        self._bell.set()

    def _run(self) -> None:
        connection: Connection | None = None
        while True:
            self._bell.wait()
            self._bell.clear()
            if self._closed:
                break
            try:
                if connection is None or connection.closed:
                    connection = self._connect()
                connection.execute(f"NOTIFY {_CHANNEL}")
            except psycopg.Error:
                time.sleep(_AGAIN_S)  # followers look for themselves meanwhile
            time.sleep(_PAUSE_S)
        if connection is not None:
            connection.close()

    def close(self) -> None:
        self._closed = True
        self._bell.set()
        if self._thread is not None:
            self._thread.join()


class Listener:
    """Hears what others announce. For one thread at a time, apart from `close`."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._heard = 0
        self._closed = False

    def heard(self) -> int:
        """A number that has changed when anybody announced something since; waits a moment for it to."""
        with self._lock:
            if self._closed:
                return self._heard
            try:
                if self._connection is None:
                    self._connection = self._connect()
                    self._connection.execute(f"LISTEN {_CHANNEL}")
                    self._heard += 1
                for _ in self._connection.notifies(timeout=_HEAR_S, stop_after=1):
                    self._heard += 1
            except psycopg.Error:
                self._forget()
                time.sleep(_AGAIN_S)
                raise
            return self._heard

    def _forget(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error):
                connection.close()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._forget()
