from __future__ import annotations

import logging
import threading
from typing import Any

import pytest

import runline
from runline.model.errors import StoreFull
from runline.record import config
from runline.record.output import log_drafts
from runline.store import open_store
from runline.store.sql_store import SqlStore
from tests.record.conftest import local, told, types


def test_a_store_that_refuses_for_a_while_loses_nothing(store: SqlStore) -> None:
    with runline.run("r") as run:
        transaction = local(run).engine.transaction
        refused = threading.Event()

        def full() -> Any:
            refused.set()
            raise StoreFull("The disk is full.")

        local(run).engine.transaction = full  # type: ignore[method-assign]
        run.event("during")
        assert refused.wait(30)
        assert not run.flush(0.05)
        assert run.lost == 0
        local(run).engine.transaction = transaction  # type: ignore[method-assign]
        assert run.flush(10)
    assert types(store, run.id) == ["run_started", "during", "run_ended"]
    assert store.get_run(run.id).status == "completed"


def test_events_that_were_given_up_fail_the_run_and_are_told_once(store: SqlStore) -> None:
    runline.configure(queue_size=2)
    with runline.run("r") as run:
        transaction = local(run).engine.transaction

        def full() -> Any:
            raise StoreFull("The disk is full.")

        local(run).engine.transaction = full  # type: ignore[method-assign]
        while not run.lost:
            run.event("more")
        local(run).engine.transaction = transaction  # type: ignore[method-assign]
    events = told(store, run.id)
    (failed,) = (event for event in events if event.type == "ingest_failed")
    assert failed.level == "error"
    assert failed.data["count"] >= 1
    stored = store.get_run(run.id)
    assert stored.status == "failed"
    assert stored.error_message == f"{failed.data['count']} events could not be stored"
    assert not run.flush()


def test_a_closed_store_costs_the_host_nothing(caplog: pytest.LogCaptureFixture) -> None:
    runline.configure(flush_timeout_s=0.2)
    with runline.run("r", store=(own := open_store(config.settings().store))) as run:
        own.close()
        with caplog.at_level(logging.WARNING, "runline"):
            run.event("late")
            run.put_all(log_drafts(["late"], "x", 1), timeout_s=5)
            assert run.note("late") is None
            assert not run.cancel_requested
            assert not run.flush()
        assert run.lost >= 1
    assert run.ended


def test_a_store_that_cannot_be_opened_again_is_survived(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise StoreFull("The disk is full.")

    with runline.run("r") as run:
        assert runline.close(5)
        with monkeypatch.context() as patched:
            patched.setattr("runline.record.recording.store_for", refuse)
            run.event("lost")
            run.put_all(log_drafts(["lost", "too"], "x", 1), timeout_s=1)
            assert run.lost == 3
            run.end()
            assert run.lost == 4
        assert not run.flush()


def test_a_flush_that_raises_is_a_flush_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: float) -> bool:
        raise RuntimeError("broken")

    with runline.run("r") as run:
        with monkeypatch.context() as patched:
            patched.setattr(run._stream, "flush", broken)
            assert not run.flush()
        assert run.flush()


def test_many_events_at_once(store: SqlStore) -> None:
    with runline.run("r") as run:
        run.put_all(log_drafts([str(n) for n in range(1000)], "stdout", 1_795_000_000_000), timeout_s=10)
        run.put_all([], timeout_s=10)
        assert run.flush(10)
    assert [event.message for event in told(store, run.id)[1:-1]] == [str(n) for n in range(1000)]


def test_once_there_was_no_room_nobody_waits_long_for_it() -> None:
    runline.configure(queue_size=1)
    with runline.run("r") as run:
        blocked, go = threading.Event(), threading.Event()
        transaction = local(run).engine.transaction

        def slow() -> Any:
            blocked.set()
            go.wait(30)
            return transaction()

        local(run).engine.transaction = slow  # type: ignore[method-assign]
        run.event("first")
        assert blocked.wait(30)
        drafts = log_drafts(["x"], "stdout", 1)
        run.put_all(drafts, timeout_s=0.01)
        run.put_all(drafts, timeout_s=0.01)
        assert run.lost == 1
        run.put_all(drafts, timeout_s=3600)
        assert run.lost == 2
        go.set()
        local(run).engine.transaction = transaction  # type: ignore[method-assign]


def test_a_line_is_opened_once() -> None:
    with runline.run("r") as run:
        assert run._open() is run._stream
