"""Steps, calls and the histogram, from the rows kept with the log."""

from __future__ import annotations

import pytest

from runline.model.clock import ManualClock
from runline.model.errors import Invalid, NotFound
from runline.store import steps
from runline.store.sql_store import SqlStore
from runline.testing.streams import tagged


def test_calls_are_filtered_and_paged_in_the_order_of_their_requests(store: SqlStore) -> None:
    run_id = store.create_run("calls").run_id
    for n in range(10):
        kind = ("tool_call", "llm_request")[n % 2]
        store.append(
            run_id, [{"type": kind, "correlation_id": f"c{n}", "step": f"s{n % 3}", "data": {"name": "x"}}]
        )
    store.append(
        run_id, [{"type": "tool_result", "correlation_id": f"c{n}", "data": {"ok": True}} for n in (0, 4)]
    )
    names = [call.correlation_id for call in store.calls(run_id).items]
    assert names == [f"c{n}" for n in range(10)]
    assert [call.correlation_id for call in store.calls(run_id, status="done").items] == ["c0", "c4"]
    assert [call.correlation_id for call in store.calls(run_id, kind="llm", step="s1").items] == ["c1", "c7"]
    first = store.calls(run_id, limit=4)
    assert (len(first.items), first.has_more) == (4, True)
    second = store.calls(run_id, limit=6, cursor=first.next_cursor)
    assert [call.correlation_id for call in second.items] == names[4:]
    assert (second.has_more, second.next_cursor) == (False, None)


@pytest.mark.parametrize("cursor", ["", "x", "-1", "٣", "9" * 19])
def test_a_cursor_that_is_no_seq_is_refused(store: SqlStore, cursor: str) -> None:
    run_id = store.create_run("cursor").run_id
    with pytest.raises(Invalid) as told:
        store.calls(run_id, cursor=cursor)
    assert told.value.code == "bad_cursor"


def test_a_call_knows_what_its_name_usually_takes(store: SqlStore, clock: ManualClock) -> None:
    for passed_s in (2, 4):
        run_id = store.create_run("same name").run_id
        store.append(run_id, [{"type": "tool_call", "correlation_id": "c", "data": {"name": "read"}}])
        clock.advance(s=passed_s)
        store.append(run_id, [{"type": "tool_result", "correlation_id": "c", "data": {"ok": True}}])
        store.end_run(run_id)
    run_id = store.create_run("same name").run_id
    store.append(run_id, [{"type": "tool_call", "correlation_id": "c", "data": {"name": "read"}}])
    call = store.calls(run_id).items[0]
    assert call.usual is not None
    assert (call.usual.p50_ms, call.usual.p90_ms, call.usual.n) == (2_000, 4_000, 2)
    assert store.state(run_id).open_calls == (call,)


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
