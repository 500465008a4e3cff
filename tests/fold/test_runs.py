from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from runline.fold.state import RunFold

Tell = Callable[..., RunFold]
PLAN = {
    "sha256": "abc",
    "steps": [
        {"id": "extract", "persona": "reader", "max_attempts": 3},
        {"id": "load", "dependencies": ["extract"], "optional": True},
    ],
}


def test_the_start_event_carries_what_the_run_was_created_with(tell: Tell) -> None:
    data = {
        "name": "nightly",
        "kind": "pipeline",
        "tags": ["prod", "eu", "prod"],
        "parent_run_id": "p",
        "original_run_id": "o",
        "started_at": 500_000,
        "total_steps": 4,
    }
    fold = tell(("run_started", data, 0))
    assert (fold.name, fold.kind, fold.tags) == ("nightly", "pipeline", ("prod", "eu"))
    assert (fold.parent_run_id, fold.original_run_id) == ("p", "o")
    assert (fold.started_at_ms, fold.window_start_ms, fold.status) == (500_000, 1_000_000, "running")
    assert fold.total_steps == 4


@pytest.mark.parametrize(
    ("started_at", "ms"),
    [
        ("1970-01-01T00:01:00.000Z", 60_000),
        (0, 0),
        (None, 1_000_000),
        ("yesterday", 1_000_000),
        (True, 1_000_000),
        (10**17, 1_000_000),
        ({}, 1_000_000),
    ],
)
def test_the_start_is_what_it_says_else_its_own_time(tell: Tell, started_at: Any, ms: int) -> None:
    assert tell(("run_started", {"started_at": started_at}, 0)).started_at_ms == ms


def test_hostile_start_data_leaves_what_is_known(tell: Tell) -> None:
    wrong = dict.fromkeys(
        ("name", "kind", "tags", "parent_run_id", "original_run_id", "plan", "usual", "total_steps"), 7.5
    )
    fold = tell(("run_started", wrong, 0))
    assert (fold.name, fold.kind, fold.tags, fold.parent_run_id) == ("", "run", (), None)
    assert (fold.total_steps, fold.cold.usual, fold.status) == (0, None, "running")


def test_a_session_is_named_by_its_command(tell: Tell) -> None:
    fold = tell(("session_started", {"command": "generate"}, 0))
    assert (fold.kind, fold.name, fold.status) == ("session", "generate", "running")
    fold = tell(("session_started", {"command": "generate", "name": "g", "kind": "agent"}, 0))
    assert (fold.kind, fold.name) == ("agent", "g")
    assert tell(("run_started", {"command": "x"}, 0)).name == ""


def test_a_queued_run_is_pending_until_it_is_started(tell: Tell) -> None:
    fold = tell(("run_queued", {"name": "n", "plan": PLAN}, 0))
    assert (fold.status, fold.total_steps) == ("pending", 2)
    tell(("run_started", {"name": "other", "plan": PLAN}, 60_000), onto=fold)
    assert (fold.status, fold.name, fold.total_steps, fold.started_at_ms) == ("running", "n", 2, 1_000_000)


def test_a_stream_that_does_not_begin_with_a_start_is_folded_too(tell: Tell) -> None:
    fold = tell(("log", 500), onto=RunFold("r", 1_000_000))
    assert (fold.status, fold.started_at_ms, fold.window_start_ms) == ("pending", 1_000_000, 1_000_500)


def test_the_plan_declares_its_steps_in_order(tell: Tell) -> None:
    fold = tell(("run_started", {"plan": PLAN}, 0), ("step_started", "other"), ("step_started", "load"))
    assert {s.name: s.index for s in fold.steps.values()} == {"extract": 0, "load": 1, "other": 2}
    extract, load = fold.steps["extract"].plan, fold.steps["load"].plan
    assert extract is not None and (extract.persona, extract.max_attempts) == ("reader", 3)
    assert load is not None and (load.dependencies, load.optional) == (("extract",), True)
    assert (fold.cold.plan_sha256, fold.total_steps, fold.current_step_index) == ("abc", 3, 1)
    assert set(fold.touched.steps) == {"extract", "load", "other"}


def test_a_plan_of_odd_things_gives_the_steps_it_has(tell: Tell) -> None:
    steps = [None, "x", {}, {"id": 4}, {"id": "a", "dependencies": [1, "b", "b"]}, {"id": "a"}]
    fold = tell(("run_started", {"plan": {"steps": steps}}, 0))
    assert list(fold.steps) == ["a"]
    plan = fold.steps["a"].plan
    assert plan is not None and plan.dependencies == ("b",)
    assert tell(("run_started", {"plan": {"steps": 4}}, 0)).total_steps == 0


def test_a_plan_that_names_the_events_own_step(tell: Tell) -> None:
    fold = tell(("run_started", "load", {"plan": PLAN}, 0))
    assert {s.name: s.number for s in fold.steps.values()} == {"load": 1, "extract": 2}
    assert [fold.steps[n].index for n in ("extract", "load")] == [0, 1]


def test_a_plan_that_comes_after_steps_were_seen_is_not_taken(tell: Tell) -> None:
    fold = tell(("run_queued", {}, 0), ("log", "a"), ("run_started", {"plan": PLAN}))
    assert (list(fold.steps), fold.status) == (["a"], "running")


def test_what_is_usual_is_snapshotted(tell: Tell) -> None:
    figures = {"p50_ms": 10, "p90_ms": 20, "n": 3}
    usual = {**figures, "steps": {"extract": figures, "other": figures}, "calls": {"m": figures, "x": 4}}
    fold = tell(("run_started", {"usual": usual, "plan": PLAN}, 0))
    assert fold.cold.usual is not None and fold.cold.usual.n == 3
    assert list(fold.cold.call_usual) == ["m"]
    assert list(fold.cold.step_usual) == ["other"]
    extract = fold.steps["extract"].plan
    assert extract is not None and extract.usual is not None


@pytest.mark.parametrize("type_", ["run_ended", "session_ended"])
@pytest.mark.parametrize("status", ["completed", "failed", "cancelled", "interrupted"])
def test_an_end_has_its_status(tell: Tell, type_: str, status: str) -> None:
    fold = tell((type_, {"status": status, "partial": True}, 5000))
    assert (fold.status, fold.completed_at_ms, fold.partial) == (status, 1_005_000, True)
    assert fold.cancelled_at_ms == (1_005_000 if status == "cancelled" else None)
    assert fold.progress == (100 if status == "completed" else 0)


@pytest.mark.parametrize("status", [None, "great", ["failed"], 3])
def test_an_unknown_status_is_completed_unless_the_end_is_an_error(tell: Tell, status: Any) -> None:
    assert tell(("run_ended", {"status": status})).status == "completed"
    assert tell(("run_ended", {"status": status, "@level": "error"})).status == "failed"


def test_a_failed_run_says_why(tell: Tell) -> None:
    fold = tell(("error", {"@message": "boom"}), ("run_ended", {"status": "failed"}))
    assert fold.error_message == "boom"
    fold = tell(("error", {"@message": "boom"}), ("run_ended", {"status": "failed", "error": "exit code 3"}))
    assert fold.error_message == "exit code 3"
    assert fold.cold.first_error is not None and fold.cold.first_error.message == "boom"
    assert tell(("error", {"@message": "boom"}), ("run_ended", {})).error_message is None


def test_a_failure_that_only_the_end_tells_of_is_the_first_error(tell: Tell) -> None:
    error = tell(("run_ended", {"status": "failed", "error": "exit code 3"})).cold.first_error
    assert error is not None
    assert (error.message, error.seq, error.type, len(error.fingerprint)) == (
        "exit code 3",
        2,
        "run_ended",
        16,
    )
    fold = tell(("run_ended", {"status": "failed"}))
    assert fold.cold.first_error is None and fold.error_message is None


def test_running_steps_of_a_completed_run_are_completed_in_its_totals(tell: Tell) -> None:
    fold = tell(("step_started", "a"), ("step_completed", "b"), ("run_ended", {"status": "completed"}))
    assert (fold.completed_steps, fold.current_step, fold.steps["a"].state) == (2, None, "running")
    assert tell(("step_started", "a"), ("run_ended", {"status": "failed"})).completed_steps == 0


def test_an_end_counts_tokens_only_when_nothing_else_did(tell: Tell) -> None:
    assert tell(("run_ended", {"tokens_used": 9})).total_tokens == 9
    assert tell(("log", {"tokens_used": 5}), ("run_ended", {"tokens_used": 9})).total_tokens == 5


def test_nothing_changes_the_state_after_the_end(tell: Tell) -> None:
    fold = tell(
        ("step_started", "a"),
        ("run_ended", {"status": "failed"}),
        ("run_started",),
        ("step_completed", "a"),
        ("run_ended", {"status": "completed"}),
    )
    assert (fold.status, fold.steps["a"].state, fold.last_seq) == ("failed", "running", 6)
