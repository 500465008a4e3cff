"""A stream's events in the writer's transactions: what can be added is, and the rest is counted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from runline.model.limits import Limits
from runline.store.sql_store import SqlStore
from runline.testing.place import SqlitePlace
from tests.store.queued import PATIENCE_S, held_up, line, messages


@pytest.fixture
def place(tmp_path: Path) -> Iterator[SqlitePlace]:
    place = SqlitePlace(tmp_path)
    yield place
    place.close()


def test_events_reach_the_log_in_order(store: SqlStore) -> None:
    run_id = store.create_run("order").run_id
    way = store.stream(run_id)
    for n in range(300):
        way.put(line(f"{n}"))
    way.put_all([line(f"{n}") for n in range(300, 600)], timeout_s=1)
    assert way.flush(PATIENCE_S)
    assert messages(store, run_id) == [f"{n}" for n in range(600)]
    assert (way.dropped, way.refused, way.given_up) == (0, 0, 0)


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
