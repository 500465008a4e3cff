"""Calls, from the rows kept with the log."""

from __future__ import annotations

import msgspec
import pytest

from runline.model.clock import ManualClock
from runline.model.errors import Invalid, NotFound
from runline.store.sql_store import SqlStore


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


def test_any_of_several_values_will_do_and_counts_pass_over_status_and_page(store: SqlStore) -> None:
    run_id = store.create_run("counted").run_id
    for n, kind in enumerate(("tool_call", "llm_request", "test_started")):
        store.append(run_id, [{"type": kind, "correlation_id": f"c{n}", "step": f"s{n}"}])
    store.append(run_id, [{"type": "tool_result", "correlation_id": "c0", "data": {"ok": False}}])

    def found(**wanted: object) -> list[str]:
        return [call.correlation_id for call in store.calls(run_id, **wanted).items]  # type: ignore[arg-type]

    assert found(kind=["tool", "llm"]) == ["c0", "c1"]
    assert found(step=("s0", "s2"), status=["failed", "open"]) == ["c0", "c2"]
    assert found(step="nowhere") == []
    counts = store.call_counts(run_id)
    assert msgspec.to_builtins(counts) == {"total": 3, "done": 0, "failed": 1, "open": 2}
    assert msgspec.to_builtins(store.call_counts(run_id, kind="tool")) == {
        "total": 1,
        "done": 0,
        "failed": 1,
        "open": 0,
    }
    assert store.call_counts(run_id, kind=["llm", "test"], step="s2").total == 1
    with pytest.raises(NotFound):
        store.scoped("other").call_counts(run_id)
