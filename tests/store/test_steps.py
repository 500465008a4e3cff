"""Steps and the histogram, from the rows kept with the log."""

from __future__ import annotations

import pytest

from runline.model.clock import ManualClock
from runline.model.errors import Invalid, NotFound
from runline.store import steps
from runline.store.sql_store import SqlStore
from runline.testing.streams import tagged


def test_a_histogram_has_as_many_slots_as_asked_for(store: SqlStore, clock: ManualClock) -> None:
    run_id = store.create_run("slots").run_id
    for n in range(300):
        clock.advance(s=3)
        store.append(run_id, [{"message": "m", "level": ("info", "warn", "error")[n % 3]}])
    for slots in (1, 2, 160, 512, 10**9):
        told = store.histogram(run_id, slots=slots)
        assert len(told.events) <= min(slots, 512)
        assert (sum(told.events), sum(told.warnings), sum(told.errors)) == (301, 100, 100)
    with pytest.raises(Invalid):
        store.histogram(run_id, slots=0)


def test_a_silent_runs_state_is_judged_like_the_run(store: SqlStore, clock: ManualClock) -> None:
    run_id = store.create_run("silent").run_id
    store.append(run_id, [{"type": "step_started", "step": "a"}])
    clock.advance(s=3600)
    assert steps.whole(store, run_id).status == store.get_run(run_id).status == "interrupted"
    assert [step.state for step in store.list_steps(run_id)] == ["cancelled"]
    store.append(run_id, tagged("back", 1))
    assert [step.state for step in store.list_steps(run_id)] == ["running"]


def test_a_run_that_goes_between_two_looks_is_not_found(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = store.create_run("gone").run_id
    found = store.locate(run_id)
    store.end_run(run_id)
    store.delete_run(run_id)
    monkeypatch.setattr(store, "locate", lambda run_id: found)
    for ask in (store.list_steps, store.calls, store.state):
        with pytest.raises(NotFound) as told:
            ask(run_id)
        assert told.value.code == "pruned"
