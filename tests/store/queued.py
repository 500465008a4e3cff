"""What the tests of lines and streams share."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from runline.intake.accept import draft
from runline.model.clock import ManualClock
from runline.model.event import Draft
from runline.store.sql_store import SqlStore
from runline.testing.streams import whole

PATIENCE_S = 20.0


def line(message: str, type: str = "log", **data: Any) -> Draft:
    return draft(type, message, data, ts_ms=ManualClock().now_ms())


def messages(store: SqlStore, run_id: str) -> list[str]:
    return [event.message for event in whole(store, run_id)[1:]]


@contextmanager
def held_up(store: SqlStore) -> Iterator[threading.Event]:
    """While inside, or until the event is set, nothing leaves the queue."""
    busy, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        busy.set()
        go_on.wait(PATIENCE_S)

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(store.writer.between, wait)
        busy.wait(PATIENCE_S)
        try:
            yield go_on
        finally:
            go_on.set()
            done.result(PATIENCE_S)
