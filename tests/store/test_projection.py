"""The fold as rows and back: nothing is lost on the way."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings

from runline.fold.apply import apply
from runline.fold.state import RunFold
from runline.model.clock import ManualClock
from runline.store import loading
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
        loaded = loading.load_whole(source, store.locate(run_id).run)
    assert msgspec.to_builtins(loaded) == msgspec.to_builtins(expected)
