"""The server's clock as this process keeps it."""

from __future__ import annotations

import time

import pytest

from runline.store import postgres_clock
from runline.store.postgres_clock import ServerTime
from runline.testing.place import PostgresPlace
from runline.testing.postgres import PostgresServer


def test_it_agrees_with_the_server_however_wrong_the_machines_is(
    place: PostgresPlace, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: right() + 3600 * 10**9)
    store = place.open()
    ((server_ms,),) = place.sql("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)")
    assert abs(store.clock.now_ms() - server_ms) < 5_000
    assert 3_595_000 < store.engine.time.skew_ms < 3_605_000  # type: ignore[attr-defined]
    run = store.create_run("a run")
    store.heartbeat(run.run_id)
    assert store.get_run(run.run_id).status == "running"
    assert abs(run.started_at_ms - server_ms) < 5_000


def test_it_is_asked_again_after_a_while(place: PostgresPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    store = place.open()
    kept: ServerTime = store.engine.time  # type: ignore[attr-defined]
    store.engine.query("SELECT 1")
    assert not kept.is_old
    monkeypatch.setattr(postgres_clock, "_KEPT_NS", -1)
    kept._ahead_ns += 10**15
    store.engine.query("SELECT 1")
    assert abs(kept.skew_ms) < 60_000
    kept._ahead_ns += 10**15
    store.create_run("written")
    assert abs(kept.skew_ms) < 60_000


def test_before_it_was_asked_it_is_the_machines() -> None:
    assert abs(ServerTime().now_ms() - time.time_ns() // 1_000_000) < 1_000
    assert ServerTime().is_old
