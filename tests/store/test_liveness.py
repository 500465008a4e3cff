"""Signs of life: one row a run, renewed, never an event."""

from __future__ import annotations

import os

import pytest

from runline.model.clock import ManualClock
from runline.model.errors import NotFound
from runline.store import liveness
from runline.store.sql_store import SqlStore


def test_a_sign_of_life_is_a_row_and_no_event(store: SqlStore, clock: ManualClock) -> None:
    run_id = store.create_run("alive").run_id
    for n in range(3):
        clock.advance(s=5)
        liveness.heartbeat(store, run_id, "host", n)
    run = store.get_run(run_id)
    assert (run.last_seq, run.last_seen_at_ms, run.host, run.pid) == (1, clock.now_ms(), "host", 2)
    store.heartbeat(run_id)
    assert store.engine.query("SELECT count(*) FROM liveness") == [(1,)]


def test_a_recorder_says_who_it_is_from_the_start(store: SqlStore) -> None:
    run = store.create_run("announced", announced=True)
    assert (run.pid, run.status) == (os.getpid(), "running")


def test_a_run_that_is_not_there_gives_no_sign(store: SqlStore) -> None:
    with pytest.raises(NotFound):
        store.heartbeat("nobody")
