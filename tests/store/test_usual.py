"""What a name usually takes: from its last fifty completed runs, taken when a run begins."""

from __future__ import annotations

import pytest

from runline.model.clock import ManualClock
from runline.store import usual
from runline.store.sql_store import SqlStore
from runline.testing.streams import whole


def record(
    store: SqlStore, clock: ManualClock, seconds: float, *, status: str = "completed", name: str = "job"
) -> None:
    run_id = store.create_run(name).run_id
    store.append(
        run_id,
        [
            {"type": "step_started", "step": "load"},
            {"type": "tool_call", "correlation_id": "c", "data": {"name": "read"}},
        ],
    )
    clock.advance(s=seconds)
    store.append(
        run_id,
        [
            {"type": "tool_result", "correlation_id": "c", "data": {"ok": status == "completed"}},
            {"type": "step_completed", "step": "load"},
        ],
    )
    store.end_run(run_id, status)


def test_it_counts_completed_runs_of_that_name(store: SqlStore, clock: ManualClock) -> None:
    assert usual.usual_of_name(store, "default", "job") is None
    for seconds in (1, 2, 3, 4, 100):
        record(store, clock, seconds)
    record(store, clock, 1_000, status="failed")
    record(store, clock, 1_000, name="other")
    told = usual.usual_of_name(store, "default", "job")
    figures = {"p50_ms": 3_000, "p90_ms": 100_000, "n": 5}
    assert told == {**figures, "steps": {"load": figures}, "calls": {"read": figures}}
    assert usual.usual_of_name(store, "another tenant", "job") is None
    run = store.create_run("job")
    assert whole(store, run.run_id)[0].data["usual"] == told
    assert run.usual is not None and run.eta is not None
    assert (run.usual.p50_ms, run.eta.basis, run.eta.ms, run.eta.high_ms) == (
        3_000,
        "history",
        3_000,
        100_000,
    )


def test_only_the_newest_fifty_count(store: SqlStore, clock: ManualClock) -> None:
    record(store, clock, 10_000)
    for _ in range(50):
        record(store, clock, 1)
    told = usual.usual_of_name(store, "default", "job")
    assert told is not None
    assert (told["n"], told["p90_ms"]) == (50, 1_000)


def test_a_partial_success_tells_nothing(store: SqlStore, clock: ManualClock) -> None:
    run_id = store.create_run("job").run_id
    clock.advance(s=5)
    store.append(run_id, [{"type": "run_ended", "data": {"status": "completed", "partial": True}}])
    assert store.get_run(run_id).partial
    assert usual.usual_of_name(store, "default", "job") is None


def test_no_more_names_are_kept_than_a_start_event_can_bear(
    store: SqlStore, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usual, "_NAMES", 3)
    run_id = store.create_run("wide").run_id
    for n in range(6):
        store.append(run_id, [{"type": kind, "step": f"s{n}"} for kind in ("step_started", "step_completed")])
    store.end_run(run_id)
    told = usual.usual_of_name(store, "default", "wide")
    assert told is not None
    assert len(told["steps"]) == 3  # type: ignore[arg-type]
