"""The Timeline's summary: counts by stage and severity, and how long it has taken."""

from __future__ import annotations

from runline.model.clock import ManualClock
from runline.store.sql_store import SqlStore


def test_counts_by_stage_and_severity(store: SqlStore, clock: ManualClock) -> None:
    run_id = store.create_run("summary").run_id
    for n in range(7):
        clock.advance(s=1)
        step, level = (None, "fetch")[n % 2], ("info", "warn", "error")[n % 3]
        store.append(run_id, [{"message": f"m{n}", "step": step, "level": level}])
    told = store.summary(run_id)
    assert told.by_stage == {"fetch": 3, "run": 5}
    assert told.by_severity == {"info": 4, "warn": 2, "error": 2}
    assert (told.event_count, told.warn_event_count, told.error_event_count) == (8, 2, 2)
    assert (told.last_message, told.last_stage, told.status) == ("m6", "run", "running")


def test_a_stage_that_is_named_run_is_the_run(store: SqlStore) -> None:
    run_id = store.create_run("summary").run_id
    store.append(run_id, [{"message": "named", "step": "run"}])
    assert store.summary(run_id).by_stage == {"run": 2}
    assert store.summary(run_id).last_stage == "run"


def test_every_event_may_have_a_step(store: SqlStore, clock: ManualClock) -> None:
    events = [{"type": "run_started", "step": "only", "data": {"name": "imported"}}]
    store.import_run({"run_id": "imported"}, [event | {"ts": clock.now_ms()} for event in events])
    assert store.summary("imported").by_stage == {"only": 1}


def test_a_duration_runs_on_while_the_run_does(store: SqlStore, clock: ManualClock) -> None:
    run_id = store.create_run("duration").run_id
    clock.advance(s=2)
    store.append(run_id, [{"message": "m"}])
    clock.advance(s=3)
    assert store.summary(run_id).duration_s == 5.0
    store.end_run(run_id)
    clock.advance(s=100)
    assert store.summary(run_id).duration_s == 5.0
    early = store.create_run("early", started_at_ms=clock.now_ms() + 10_000).run_id
    assert store.summary(early).duration_s == 0.0
