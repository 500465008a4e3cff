from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from runline.fold.snapshot import RunState, call_view, snapshot, step_view
from runline.fold.state import RunFold
from runline.model.run import Run
from runline.model.step import Usual

Tell = Callable[..., RunFold]
FIGURES = {"p50_ms": 10, "p90_ms": 20, "n": 3}


def full(tell: Tell) -> RunFold:
    steps = [
        {"id": "extract", "persona": "reader", "max_attempts": 3},
        {"id": "load", "dependencies": ["extract"], "optional": True},
    ]
    usual = {**FIGURES, "steps": {"load": FIGURES}, "calls": {"grep": FIGURES}}
    return tell(
        ("run_started", {"name": "nightly", "tags": ["x"], "plan": {"steps": steps}, "usual": usual}, 0),
        ("log", "stage"),
        ("tool_call", "extract", {"name": "grep", "@message": "grep x", "@correlation_id": "c"}),
        ("step_failed", "extract", {"@message": "boom 1"}),
        ("error", {"@message": "boom 2", "name": "E"}),
        ("level_started", {"level_index": 0, "total_count": 3}),
        ("queue_stats", {"pending": 1}),
        ("scan_started", {}),
        ("scan_progress", {"node_count": 2}),
        ("generation_started", {"plan_id": "p"}),
    )


def test_a_snapshot_has_everything(tell: Tell) -> None:
    fold = full(tell)
    state = snapshot(fold)
    assert (state.run_id, state.seq, state.event_count, state.status, state.name) == (
        "r",
        10,
        10,
        "running",
        "nightly",
    )
    assert [(s.step_id, s.state, s.index) for s in state.steps] == [
        ("extract", "failed", 0),
        ("load", "blocked", 1),
    ]
    assert [(s.step_id, s.index, s.event_count) for s in state.stages] == [("stage", -1, 1)]
    assert state.blocked == ("load",)
    load = state.steps[1]
    assert (load.dependencies, load.optional, load.usual, load.updated_at_ms) == (
        ("extract",),
        True,
        Usual(10, 20, 3),
        None,
    )
    assert (state.steps[0].persona, state.steps[0].max_attempts) == ("reader", 3)
    assert [(c.name, c.detail, c.status, c.usual) for c in state.open_calls] == [
        ("grep", "grep x", "open", Usual(10, 20, 3))
    ]
    assert state.first_error is not None and state.last_error is not None
    assert (state.first_error.message, state.last_error.message, state.last_error.name) == (
        "boom 1",
        "boom 2",
        "E",
    )
    assert len(state.first_error.fingerprint) == len(state.last_error.fingerprint) == 16
    assert [level.total_count for level in state.levels] == [3]
    assert (state.queue, state.scan) == ({"pending": 1}, {"node_count": 2})
    assert state.generation == {"plan_id": "p", "state": "running"}
    assert state.types["log"] == 1
    assert sum(state.histogram.events) == 10
    assert state.eta is not None and state.eta.basis == "history"


def test_a_snapshot_does_not_change_with_the_fold(tell: Tell) -> None:
    fold = full(tell)
    state = snapshot(fold)
    before = msgspec.json.encode(state)
    tell(
        ("level_completed", {"level_index": 0, "generated_count": 9}),
        ("generation_completed", {"total_generated": 1}),
        ("queue_stats", {"pending": 7}),
        ("scan_started", {}),
        onto=fold,
    )
    assert msgspec.json.encode(state) == before
    assert msgspec.json.decode(before, type=RunState) == state


def test_an_empty_run_has_a_snapshot() -> None:
    state = snapshot(RunFold("r", 0))
    assert (state.seq, state.steps, state.first_error, state.last_error, state.eta) == (
        0,
        (),
        None,
        None,
        None,
    )


@pytest.mark.parametrize(
    ("end", "became", "progress"),
    [
        ("completed", "completed", 100),
        ("failed", "cancelled", 40),
        ("cancelled", "cancelled", 40),
        ("interrupted", "cancelled", 40),
    ],
)
def test_the_end_of_the_run_ends_its_running_steps(tell: Tell, end: str, became: str, progress: int) -> None:
    fold = tell(
        ("step_started", "a", 1000),
        ("step_progress", "a", {"progress": 40}, 2000),
        ("run_ended", {"status": end}, 5000),
    )
    (step,) = snapshot(fold).steps
    assert (step.state, step.progress, step.duration_ms, step.completed_at_ms) == (
        became,
        progress,
        4000,
        1_005_000,
    )
    assert step.estimated_completion_ms is None
    assert fold.steps["a"].state == "running"


def test_a_step_that_was_never_started_has_no_duration_at_the_end(tell: Tell) -> None:
    fold = tell(("step_retrying", "a"), ("run_ended", {"status": "failed"}))
    (step,) = snapshot(fold).steps
    assert (step.state, step.duration_ms) == ("cancelled", None)


def test_a_run_whose_writer_is_gone_shows_no_running_step(tell: Tell) -> None:
    fold = tell(("step_started", "a", 1000))
    run = Run(
        run_id="r",
        tenant_id="default",
        kind="run",
        name="n",
        status="interrupted",
        started_at_ms=0,
        updated_at_ms=0,
        window_start_ms=0,
    )
    view = step_view(run, fold.steps["a"])
    assert (view.state, view.completed_at_ms, view.duration_ms) == ("cancelled", None, None)


def test_a_running_step_has_an_estimate_and_is_never_blocked(tell: Tell) -> None:
    fold = tell(("step_progress", "a", {"estimated_time_ms": 700}))
    view = step_view(fold, fold.steps["a"], blocked=True)
    assert (view.state, view.estimated_completion_ms) == ("running", 700)


def test_a_call_is_shown_with_what_is_usual(tell: Tell) -> None:
    fold = tell(("tool_call", {"@correlation_id": "c1"}), ("tool_result", {"@correlation_id": "c1"}))
    (call,) = fold.touched.calls.values()
    view = call_view(call, Usual(1, 2, 3))
    assert (view.correlation_id, view.status, view.usual, view.duration_ms) == (
        "c1",
        "done",
        Usual(1, 2, 3),
        1000,
    )
    assert call_view(call).usual is None
