"""A recorder's way in: it never raises, waits a moment at most, and counts what it could not do."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from runline.intake.accept import draft
from runline.model.clock import ManualClock
from runline.model.errors import StoreFull
from runline.model.event import Draft
from runline.model.limits import Limits
from runline.store import stream
from runline.store.sql_store import SqlStore
from runline.testing.place import SqlitePlace
from runline.testing.streams import whole

PATIENCE_S = 20.0


@pytest.fixture
def place(tmp_path: Path) -> Iterator[SqlitePlace]:
    place = SqlitePlace(tmp_path)
    yield place
    place.close()


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


def test_events_reach_the_log_in_order(store: SqlStore) -> None:
    run_id = store.create_run("order").run_id
    way = store.stream(run_id)
    for n in range(300):
        way.put(line(f"{n}"))
    way.put_all([line(f"{n}") for n in range(300, 600)], timeout_s=1)
    assert way.flush(PATIENCE_S)
    assert messages(store, run_id) == [f"{n}" for n in range(600)]
    assert (way.dropped, way.refused, way.given_up) == (0, 0, 0)


@pytest.mark.parametrize("all_at_once", [False, True])
def test_a_sleeping_writer_is_woken(store: SqlStore, all_at_once: bool) -> None:
    run_id = store.create_run("asleep").run_id
    way = store.stream(run_id, announced=False)
    ends_s = time.monotonic() + PATIENCE_S
    while not store.writer.idle:
        assert time.monotonic() < ends_s
        time.sleep(0.001)
    if all_at_once:
        way.put_all([line("a")], timeout_s=0)
    else:
        way.put(line("a"))
    while store.get_run(run_id).last_seq == 1:
        assert time.monotonic() < ends_s
        time.sleep(0.001)
    assert messages(store, run_id) == ["a"]


def test_a_full_queue_drops_counts_and_tells_the_run(
    place: SqlitePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "_ROOM_WAIT_S", 0.002)
    store = place.open(queue_size=3)
    run_id = store.create_run("full").run_id
    way = store.stream(run_id)
    with held_up(store):
        for n in range(5):
            way.put(line(f"{n}"))
        way.put_all([line("x"), line("y")], timeout_s=0)
        assert way.dropped == 4
    assert way.flush(PATIENCE_S)
    way.put(line("after"))
    assert way.flush(PATIENCE_S)
    way.put(line("later"))
    assert way.flush(PATIENCE_S)
    told = messages(store, run_id)
    assert sorted(told) == sorted(
        ["0", "1", "2", "4 events were dropped: the queue was full", "after", "later"]
    )
    event = next(event for event in whole(store, run_id) if event.type == "events_dropped")
    assert (event.level, event.data, event.source) == ("warn", {"count": 4}, "runline")
    assert (way.dropped, way.given_up) == (4, 0)


def test_room_that_comes_in_time_is_waited_for(place: SqlitePlace) -> None:
    store = place.open(queue_size=2)
    run_id = store.create_run("room").run_id
    way = store.stream(run_id)
    with ThreadPoolExecutor(1) as pool, held_up(store) as go_on:
        way.put_all([line("0"), line("1")], timeout_s=0)
        waiting = pool.submit(way.put_all, [line("2")], timeout_s=PATIENCE_S)
        go_on.set()
        waiting.result(PATIENCE_S)
    assert way.flush(PATIENCE_S)
    assert messages(store, run_id) == ["0", "1", "2"]
    assert way.dropped == 0


def test_while_the_store_refuses_a_full_queue_drops_at_once(
    place: SqlitePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = place.open(queue_size=2)
    way = store.stream(store.create_run("refused").run_id)
    with held_up(store):
        store.writer.failing = StoreFull("The disk is full.")
        monkeypatch.setattr(stream.Stream, "_wait_for_room", lambda self, timeout_s: pytest.fail("waited"))
        for n in range(4):
            way.put(line(f"{n}"))
        assert (way.dropped, way.given_up) == (2, 2)
    assert not way.flush(PATIENCE_S)


def test_what_comes_after_the_end_is_refused(store: SqlStore) -> None:
    run_id = store.create_run("end").run_id
    way = store.stream(run_id)
    with held_up(store):
        for event in (line("a"), line("end", "run_ended", status="completed"), line("b"), line("c")):
            way.put(event)
    assert way.flush(PATIENCE_S)
    way.put(line("d"))
    assert way.flush(PATIENCE_S)
    assert messages(store, run_id) == ["a", "end"]
    assert (way.refused, way.given_up) == (3, 0)


def test_events_of_a_run_that_is_not_there_are_refused(store: SqlStore) -> None:
    way = store.stream("nobody")
    way.put(line("a"))
    assert way.flush(PATIENCE_S)
    assert way.refused == 1


def test_events_beyond_the_limit_count_as_refused(place: SqlitePlace) -> None:
    store = place.open(limits=Limits(run_events=3))
    run_id = store.create_run("limit").run_id
    way = store.stream(run_id)
    way.put_all([line(f"{n}") for n in range(6)], timeout_s=0)
    assert way.flush(PATIENCE_S)
    assert way.refused == 4
    assert messages(store, run_id)[:2] == ["0", "1"]


def test_a_job_stands_where_it_was_queued(store: SqlStore) -> None:
    run_id = store.create_run("between").run_id
    way = store.stream(run_id)
    with ThreadPoolExecutor(1) as pool:
        with held_up(store):
            way.put(line("before"))
            job = pool.submit(store.append, run_id, [{"message": "job"}])
            while len(store.writer.queue) < 2:
                time.sleep(0.001)
            way.put(line("after"))
        job.result(PATIENCE_S)
    assert way.flush(PATIENCE_S)
    assert messages(store, run_id) == ["before", "job", "after"]
