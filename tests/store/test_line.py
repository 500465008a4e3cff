"""A recorder's way in: it never raises, waits a moment at most, and counts what it could not do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from runline.model.errors import StoreFull
from runline.store.line import Line
from runline.store.sql_store import SqlStore
from runline.testing.place import SqlitePlace
from runline.testing.streams import whole
from tests.store.queued import PATIENCE_S, held_up, line, messages


@pytest.fixture
def place(tmp_path: Path) -> Iterator[SqlitePlace]:
    place = SqlitePlace(tmp_path)
    yield place
    place.close()


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
    monkeypatch.setattr("runline.store.line._ROOM_WAIT_S", 0.002)
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
        monkeypatch.setattr(Line, "_wait_for_room", lambda self, timeout_s: pytest.fail("waited"))
        for n in range(4):
            way.put(line(f"{n}"))
        assert (way.dropped, way.given_up) == (2, 2)
    assert not way.flush(PATIENCE_S)
