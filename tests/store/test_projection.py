"""The fold as rows and back: nothing is lost on the way."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings

from runline.fold.apply import apply
from runline.fold.state import RunFold
from runline.model.clock import ManualClock
from runline.model.errors import NotFound
from runline.store import projection
from runline.store.sql_store import SqlStore
from runline.testing.streams import BATCHES, ON_ONE_STORE, PLANS, at, whole


@settings(suppress_health_check=ON_ONE_STORE, max_examples=60)
@given(plan=PLANS, batches=BATCHES)
def test_a_fold_that_is_loaded_is_the_fold_that_was_saved(
    store: SqlStore, clock: ManualClock, plan: object, batches: list[tuple[list[dict[str, object]], int]]
) -> None:
    run_id = store.create_run("saved", plan=plan, tags=["a", "b"]).run_id
    now = clock.now_ms()
    for events, passed in batches:
        now += passed
        store.append(run_id, at(now, events))
    expected = RunFold(run_id, store.get_run(run_id).started_at_ms)
    for event in whole(store, run_id):
        apply(expected, event, event.seq)
    expected.touched.clear()
    with store.engine.snapshot() as source:
        loaded = projection.load_whole(source, store.locate(run_id).run)
    assert msgspec.to_builtins(loaded) == msgspec.to_builtins(expected)


def test_only_the_steps_and_open_calls_asked_for_are_loaded(store: SqlStore) -> None:
    run_id = store.create_run("parts").run_id
    store.append(
        run_id,
        [{"type": "step_started", "step": f"s{n}"} for n in range(4)]
        + [{"type": "tool_call", "correlation_id": f"c{n}"} for n in range(4)]
        + [{"type": "tool_result", "correlation_id": "c1"}],
    )
    with store.engine.snapshot() as source:
        run = store.locate(run_id).run
        fold, _ = projection.load_run(source, run)
        assert (fold.steps, fold.calls, fold.step_numbers, fold.open_calls) == ({}, {}, 4, 3)
        projection.load_steps(source, run, fold, {"s1", "s3", "unheard"})
        projection.load_calls(source, run, fold, {"c0", "c1", "unheard"})
    assert (sorted(fold.steps), sorted(fold.calls)) == (["s1", "s3"], ["c0"])
    assert list(fold.running) == ["s0", "s1", "s2", "s3"]


def test_a_run_without_a_row_is_being_removed(store: SqlStore) -> None:
    with store.engine.snapshot() as source, pytest.raises(NotFound) as told:
        projection.load_whole(source, 10**6)
    assert told.value.code == "pruned"
