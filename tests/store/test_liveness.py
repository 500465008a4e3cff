"""Signs of life: one row a run, renewed, never an event."""

from __future__ import annotations

import os

import pytest

from runline.model.clock import ManualClock
from runline.model.errors import Invalid, NotFound
from runline.store import liveness
from runline.store.liveness import RunWriter
from runline.store.sql_store import SqlStore


def test_a_sign_of_life_is_a_row_and_no_event(store: SqlStore, clock: ManualClock) -> None:
    run_id = store.create_run("alive").run_id
    for n in range(3):
        clock.advance(s=5)
        liveness.heartbeat(store, run_id, RunWriter("host", n))
    run = store.get_run(run_id)
    assert (run.last_seq, run.last_seen_at_ms, run.host, run.pid) == (1, clock.now_ms(), "host", 2)
    store.heartbeat(run_id)
    assert store.engine.query("SELECT count(*) FROM liveness") == [(1,)]
    kept = store.get_run(run_id)
    assert (kept.host, kept.pid) == ("host", 2)
    store.heartbeat(run_id, writer=RunWriter("elsewhere", 9))
    moved = store.get_run(run_id)
    assert (moved.host, moved.pid) == ("elsewhere", 9)


@pytest.mark.parametrize("pid", [-1, True, 2**64, 1.5])
def test_what_is_no_process_is_refused(store: SqlStore, pid: int) -> None:
    run_id = store.create_run("alive").run_id
    with pytest.raises(Invalid, match="process"):
        store.heartbeat(run_id, writer=RunWriter("host", pid))
    with pytest.raises(Invalid, match="process"):
        store.create_run("alive", announced=RunWriter("host", pid))


def test_the_name_of_a_machine_is_kept_without_secrets(store: SqlStore) -> None:
    run = store.create_run("far away", announced=RunWriter("token=ghp_" + "a1B2" * 9, 7))
    assert run.host is not None
    assert "a1B2" not in run.host
    assert run.pid == 7


def test_a_recorder_says_who_it_is_from_the_start(store: SqlStore) -> None:
    run = store.create_run("announced", announced=True)
    assert (run.pid, run.status) == (os.getpid(), "running")


def test_a_run_that_is_not_there_gives_no_sign(store: SqlStore) -> None:
    with pytest.raises(NotFound):
        store.heartbeat("nobody")
