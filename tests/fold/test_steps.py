from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from runline.fold.state import RunFold
from runline.model.clock import MAX_MS, MIN_MS

Tell = Callable[..., RunFold]


def test_a_step_starts_and_completes(tell: Tell) -> None:
    fold = tell(
        ("step_started", "a", {"persona": "writer", "model": "m", "total": 12, "dependencies": ["z"]}, 1000),
        ("step_completed", "a", 3500),
    )
    step = fold.steps["a"]
    assert (step.state, step.progress, step.attempt, step.index) == ("completed", 100, 1, 0)
    assert (step.started_at_ms, step.completed_at_ms, step.duration_ms) == (1_001_000, 1_003_500, 2500)
    assert (step.persona, step.model, step.total, step.started_seq) == ("writer", "m", 12, 2)
    assert step.plan is not None and step.plan.dependencies == ("z",)
    assert (fold.declared_steps, fold.completed_steps, fold.failed_steps, fold.running) == (1, 1, 0, {})


def test_a_step_that_is_only_named_is_a_stage(tell: Tell) -> None:
    fold = tell(("log", "a"), ("stream_activity", "b", {"tool_name": "read"}), ("step_started", "c"))
    assert [(s.name, s.number, s.declared, s.index) for s in fold.steps.values()] == [
        ("a", 1, False, -1),
        ("b", 2, False, -1),
        ("c", 3, True, 0),
    ]
    assert fold.total_steps == 1


def test_lifecycle_events_without_a_step_change_nothing(tell: Tell) -> None:
    types = ("step_started", "step_completed", "step_failed", "step_skipped", "step_retrying", "eta_updated")
    fold = tell(*((type_, {}) for type_ in types))
    assert (fold.steps, fold.total_steps, fold.progress) == ({}, 0, 0)


def test_a_failure_keeps_its_error_and_its_progress(tell: Tell) -> None:
    fold = tell(
        ("step_started", "a"),
        ("step_progress", "a", {"progress": 40}),
        ("step_failed", "a", {"error": {"name": "ValueError", "message": "boom"}, "reason": "input"}),
        ("step_failed", "b", {"@message": "it broke"}),
    )
    a, b = fold.steps["a"], fold.steps["b"]
    assert (a.state, a.error, a.reason, a.progress) == ("failed", "boom", "input", 40)
    assert (b.error, b.attempt, b.started_at_ms, b.duration_ms) == ("it broke", 1, None, None)
    assert (fold.failed_steps, fold.completed_steps, fold.progress) == (2, 0, 99)


def test_a_stopped_step_is_cancelled_and_not_failed(tell: Tell) -> None:
    fold = tell(("step_started", "a"), ("step_failed", "a", {"status": "cancelled"}))
    assert (fold.steps["a"].state, fold.failed_steps) == ("cancelled", 0)


def test_a_start_by_duration_is_no_instant_before_year_1(tell: Tell) -> None:
    fold = tell(
        ("step_completed", "a", {"duration_ms": MAX_MS}),
        ("step_completed", "b", {"duration_ms": MAX_MS}, MIN_MS),
    )
    assert [fold.steps[name].started_at_ms for name in "ab"] == [MIN_MS, MIN_MS]


def test_an_end_without_a_start_dates_it_by_its_duration(tell: Tell) -> None:
    step = tell(("step_completed", "a", {"duration_ms": 400, "reused_from": "old"}, 1000)).steps["a"]
    assert (step.started_at_ms, step.duration_ms, step.reason) == (1_000_600, 400, "old")


def test_the_ends_own_duration_wins(tell: Tell) -> None:
    fold = tell(("step_started", "a", 1000), ("step_completed", "a", {"duration_ms": 1500}, 3000))
    assert (fold.steps["a"].duration_ms, fold.steps["a"].started_at_ms) == (1500, 1_001_000)


def test_a_clock_that_steps_back_gives_no_negative_duration(tell: Tell) -> None:
    assert tell(("step_started", "a", 9000), ("step_completed", "a", 2000)).steps["a"].duration_ms == 0


def test_skipped_counts_as_completed(tell: Tell) -> None:
    fold = tell(("step_skipped", "a", {"reason": "cached"}), ("node_skipped", "b", {"reason": "same"}))
    assert [fold.steps[name].state for name in "ab"] == ["skipped", "skipped"]
    assert (fold.steps["a"].reason, fold.steps["a"].attempt, fold.completed_steps) == ("cached", 0, 2)


def test_a_step_started_again_is_its_next_attempt(tell: Tell) -> None:
    fold = tell(
        ("step_started", "a"),
        ("step_progress", "a", {"progress": 80}),
        ("step_failed", "a", {"error": "x"}),
        ("step_retrying", "a", {"error": "x", "max_attempts": 3, "reason": "again"}),
    )
    step = fold.steps["a"]
    assert (step.state, step.attempt, step.error, step.completed_at_ms) == ("retrying", 1, "x", None)
    assert (fold.failed_steps, fold.current_step) == (0, "a")
    assert step.plan is not None and step.plan.max_attempts == 3
    tell(("step_started", "a"), onto=fold)
    assert (step.state, step.attempt, step.progress, step.error, step.reason) == ("running", 2, 0, None, None)
    assert fold.progress == 99
    tell(("step_started", "a", {"attempt": 7}), onto=fold)
    assert step.attempt == 7


def test_retrying_first_declares_the_step(tell: Tell) -> None:
    fold = tell(("step_retrying", "a"))
    assert (fold.steps["a"].attempt, fold.steps["a"].declared, fold.current_step) == (1, True, "a")


def test_progress_starts_a_pending_step_and_never_falls(tell: Tell) -> None:
    fold = tell(
        ("step_progress", "a", {"progress": 60, "current_action": "page 3"}),
        ("step_progress", "a", {"progress": 20}),
        ("log", "a", {"progress": 70}),
    )
    step = fold.steps["a"]
    assert (step.state, step.progress, step.action, step.attempt) == ("running", 70, "page 3", 1)
    tell(("step_completed", "a"), ("step_progress", "a", {"progress": 10}), onto=fold)
    assert (step.state, step.progress) == ("completed", 100)


@pytest.mark.parametrize("value", [None, "abc", True, -1, [40], {}, float("nan"), 1e999, "40"])
def test_a_value_that_is_no_percentage_is_ignored(tell: Tell, value: Any) -> None:
    fold = tell(("step_progress", "a", {"progress": 30}), ("step_progress", "a", {"progress": value}))
    assert fold.steps["a"].progress == 30


def test_run_progress_is_the_mean_over_all_announced_steps(tell: Tell) -> None:
    fold = tell(("step_progress", "a", {"progress": 50, "total_steps": 4}), ("step_completed", "b"))
    assert (fold.total_steps, fold.progress) == (4, 37)
    tell(("step_progress", {"total_steps": 40}), ("step_started", "b"), onto=fold)
    assert (fold.total_steps, fold.progress) == (40, 37)


def test_progress_is_99_until_the_run_completed(tell: Tell) -> None:
    fold = tell(("step_completed", "a"))
    assert fold.progress == 99
    tell(("run_ended", {"status": "completed"}), onto=fold)
    assert fold.progress == 100


def test_without_steps_the_run_has_the_progress_it_says(tell: Tell) -> None:
    fold = tell(("step_progress", {"progress": 30}), ("log", {"progress": 20}), ("note", {"progress": 41.9}))
    assert fold.progress == 41
    tell(("step_started", "a"), ("log", {"progress": 90}), onto=fold)
    assert fold.progress == 41


def test_the_current_step_is_the_latest_started_of_those_running(tell: Tell) -> None:
    fold = tell(("step_started", "a"), ("step_started", "b"))
    assert (fold.current_step, fold.current_step_index) == ("b", 1)
    tell(("step_retrying", "a"), onto=fold)
    assert fold.current_step == "b"
    tell(("step_completed", "b"), onto=fold)
    assert (fold.current_step, fold.current_step_index) == ("a", 0)
    tell(("step_started", "c"), ("step_completed", "a"), onto=fold)
    assert fold.current_step == "c"
    tell(("step_failed", "c"), onto=fold)
    assert fold.current_step is None and fold.current_step_index is None


def test_tokens_are_the_ends_figure_else_the_sum(tell: Tell) -> None:
    fold = tell(
        ("step_started", "a"),
        ("llm_response", "a", {"tokens_used": 30, "tokens_in": 20, "tokens_out": 10}),
        ("log", "a", {"tokens_used": 5}),
    )
    assert (fold.total_tokens, fold.tokens_in, fold.tokens_out) == (35, 20, 10)
    tell(("step_completed", "a", {"tokens_used": 40, "tokens_in": 28, "tokens_out": 12}), onto=fold)
    assert (fold.steps["a"].tokens_used, fold.total_tokens, fold.tokens_in, fold.tokens_out) == (
        40,
        40,
        20,
        10,
    )
    tell(("log", "a", {"tokens_used": 5, "tokens_in": 5}), onto=fold)
    assert (fold.total_tokens, fold.tokens_in) == (40, 20)


def test_tokens_are_counted_per_attempt(tell: Tell) -> None:
    fold = tell(
        ("step_started", "a"),
        ("step_failed", "a", {"tokens_used": 10}),
        ("step_started", "a"),
        ("log", "a", {"tokens_used": 7}),
        ("log", {"tokens_used": 100}),
        ("log", {"tokens_in": 3, "tokens_out": 2}),
    )
    assert (fold.steps["a"].tokens_used, fold.total_tokens) == (17, 122)


def test_an_end_that_alone_tells_of_tokens_counts_them_all(tell: Tell) -> None:
    fold = tell(("step_completed", "a", {"tokens_in": 6, "tokens_out": 4}))
    assert (fold.total_tokens, fold.tokens_in, fold.tokens_out) == (10, 6, 4)


@pytest.mark.parametrize("value", ["abc", "5", True, -5, 1.5, 2**63, 10**30, None, [1]])
def test_tokens_that_are_no_count_are_ignored(tell: Tell, value: Any) -> None:
    fold = tell(("log", "a", {"tokens_used": value}), ("step_completed", "a", {"tokens_used": value}))
    assert (fold.total_tokens, fold.steps["a"].tokens_used) == (0, 0)


def test_what_a_step_is_doing(tell: Tell) -> None:
    fold = tell(("step_started", "a"))
    step = fold.steps["a"]
    for data, action in (
        ({"tool_name": "read", "tool_target": "x.py"}, "read x.py"),
        ({"tool_name": "think"}, "think"),
        ({"tool_name": 3}, "think"),
        ({"validation_phase": "schema"}, "schema"),
        ({"validation_phase": []}, "schema"),
        ({"current_action": "page 4", "tool_name": "read"}, "page 4"),
        ({"current_action": " "}, "page 4"),
    ):
        tell(("stream_activity", "a", data), onto=fold)
        assert step.action == action


def test_bad_descriptions_keep_what_was_known(tell: Tell) -> None:
    good = {"persona": "p", "model": "m", "path": "src/x", "level_index": 2}
    fold = tell(("step_started", "a", good), ("step_progress", "a", {key: [] for key in good}))
    step = fold.steps["a"]
    assert (step.persona, step.model, step.path, step.level_index) == ("p", "m", "src/x", 2)


def test_an_estimate_is_the_runs_and_the_steps(tell: Tell) -> None:
    fold = tell(
        ("eta_updated", {"estimated_time_ms": 9000, "total_steps": 3}, 1000),
        ("step_progress", "a", {"estimated_time_ms": 5000}, 2000),
        ("log", {"estimated_time_ms": "soon"}, 3000),
    )
    assert (fold.estimate_ms, fold.estimate_at_ms, fold.total_steps) == (5000, 1_002_000, 3)
    assert (fold.steps["a"].estimate_ms, fold.steps["a"].estimate_at_ms) == (5000, 1_002_000)


def test_figures_of_known_steps_come_with_their_first_event(tell: Tell) -> None:
    usual = {"p50_ms": 10, "p90_ms": 20, "n": 3}
    fold = tell(
        ("run_started", {"usual": {"steps": {"a": usual}}}), ("step_started", "a", {"optional": True})
    )
    plan = fold.steps["a"].plan
    assert plan is not None and plan.usual is not None
    assert (plan.usual.p90_ms, plan.optional) == (20, True)
