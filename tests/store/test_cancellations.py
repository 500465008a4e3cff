"""Stopping a run: asked once, forced at once, and noticed by its writer."""

from __future__ import annotations

import pytest

from runline.model.clock import ManualClock
from runline.model.errors import NotFound, RunEnded
from runline.store.sql_store import SqlStore
from runline.testing.streams import tagged, whole


def test_a_request_is_recorded_once(store: SqlStore) -> None:
    run_id = store.create_run("asked").run_id
    assert not store.get_run(run_id).cancel_requested
    assert [store.cancel(run_id) for _ in range(3)] == ["cancelling"] * 3
    assert store.get_run(run_id).cancel_requested
    assert [event.type for event in whole(store, run_id)] == ["run_started", "cancel_requested"]
    store.append(run_id, tagged("goes on", 1))
    assert store.engine.query("SELECT force FROM cancellations") == [(0,)]


def test_force_ends_the_run_and_fences_its_writer(store: SqlStore) -> None:
    run_id = store.create_run("forced").run_id
    stream = store.stream(run_id)
    assert store.cancel(run_id) == "cancelling"
    assert store.cancel(run_id, force=True) == "cancelled"
    assert [event.type for event in whole(store, run_id)][1:] == ["cancel_requested", "run_ended"]
    with pytest.raises(RunEnded):
        store.append(run_id, tagged("late", 1))
    assert stream.flush(10)
    run = store.get_run(run_id)
    assert (run.status, run.cancelled_at_ms is None) == ("cancelled", False)
    assert store.engine.query("SELECT force FROM cancellations") == [(1,)]


def test_a_silent_run_is_ended_with_its_request_recorded(store: SqlStore, clock: ManualClock) -> None:
    run_id = store.create_run("silent").run_id
    clock.advance(s=3600)
    assert store.cancel(run_id) == "cancelled"
    events = whole(store, run_id)
    assert [event.type for event in events][1:] == ["cancel_requested", "run_ended"]
    assert events[1].data == {"force": False}


def test_an_unknown_run_cannot_be_stopped(store: SqlStore) -> None:
    with pytest.raises(NotFound):
        store.cancel("nobody")
