"""Finding and listing runs: newest first, page by page, stable while runs are added."""

from __future__ import annotations

import base64
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runline.model.clock import ManualClock
from runline.model.errors import Invalid, NotFound
from runline.store import runs
from runline.store.sql_store import SqlStore
from runline.testing.streams import tagged


def test_pages_hold_every_run_once_while_others_are_added(store: SqlStore, clock: ManualClock) -> None:
    made = []
    for n in range(23):
        clock.advance(ms=n % 3)  # some start at the same moment
        made.append(store.create_run("r", run_id=f"r{n * 7 % 23:02d}").run_id)
    seen: list[str] = []
    cursor = None
    while True:
        page = store.list_runs(limit=5, cursor=cursor)
        seen += [run.run_id for run in page.items]
        clock.advance(s=1)
        store.create_run("added meanwhile")
        if not page.has_more:
            break
        cursor = page.next_cursor
        assert cursor is not None
    assert page.next_cursor is None
    order = {run.run_id: (run.started_at_ms, run.run_id) for run in store.list_runs(limit=100).items}
    assert seen == sorted(made, key=order.__getitem__, reverse=True)


def test_a_page_holds_at_most_a_hundred(store: SqlStore) -> None:
    for _ in range(101):
        store.create_run("many")
    page = store.list_runs(limit=10**6)
    assert (len(page.items), page.has_more) == (100, True)


@given(
    st.one_of(
        st.text(max_size=40), st.binary(max_size=40).map(lambda raw: base64.urlsafe_b64encode(raw).decode())
    )
)
def test_no_made_up_cursor_does_harm(cursor: str) -> None:
    with suppress(Invalid):
        started_at_ms, run_id = runs.decode_cursor(cursor)
        assert abs(started_at_ms) <= 2**62
        assert isinstance(run_id, str)


@pytest.mark.parametrize(
    "text", [b'{"t":1}', b'{"t":1e30,"id":"x"}', b'{"t":99999999999999999999,"id":"x"}', b"[]"]
)
def test_a_cursor_of_another_shape_is_refused(store: SqlStore, text: bytes) -> None:
    with pytest.raises(Invalid) as told:
        store.list_runs(cursor=base64.urlsafe_b64encode(text).decode())
    assert told.value.fields == {"cursor": "unreadable"}


def test_a_run_tells_all_that_is_kept_about_it(store: SqlStore, clock: ManualClock) -> None:
    made = store.create_run("told", plan={"steps": [{"id": "a"}, {"id": "b"}]}, input=[1], announced=True)
    clock.advance(s=10)
    store.append(
        made.run_id,
        [
            {"type": "step_started", "step": "a", "message": "on it"},
            {"type": "step_progress", "step": "a", "data": {"progress": 50}},
            {"type": "log", "level": "warn", "message": "careful"},
        ],
    )
    store.add_note(made.run_id, "first")
    store.add_note(made.run_id, "second", author="me", labels=["l"])
    store.pin(made.run_id)
    store.cancel(made.run_id)
    run = store.get_run(made.run_id)
    assert (run.progress, run.current_step, run.current_step_index, run.total_steps) == (25, "a", 0, 2)
    assert (run.warn_count, run.error_count, run.event_count) == (1, 0, 5)
    assert run.eta is not None and (run.eta.basis, run.eta_ms) == ("progress", 30_000)
    assert run.last_note is not None and (run.last_note.note, run.last_note.author, run.last_note.labels) == (
        "second",
        "me",
        ("l",),
    )
    assert (run.pinned, run.note_count, run.cancel_requested) == (True, 2, True)
    assert (run.last_seen_at_ms, run.host is None) == (clock.now_ms() - 10_000, False)
    listed = store.list_runs().items[0]
    assert listed.input_json is None
    assert {name: getattr(listed, name) for name in listed.__struct_fields__ if name != "input_json"} == {
        name: getattr(run, name) for name in run.__struct_fields__ if name != "input_json"
    }
    store.end_run(made.run_id)
    ended = store.get_run(made.run_id)
    assert (ended.eta, ended.progress, ended.duration_ms) == (None, 100, 10_000)


def test_an_unannounced_run_was_last_seen_when_it_last_said_something(
    store: SqlStore, clock: ManualClock
) -> None:
    run_id = store.create_run("quiet").run_id
    clock.advance(s=7)
    store.append(run_id, tagged("a", 1))
    clock.advance(s=7)
    assert store.get_run(run_id).last_seen_at_ms == clock.now_ms() - 7_000


def test_a_run_that_is_gone_is_no_error_where_it_may_be(store: SqlStore) -> None:
    run = store.create_run("there")
    assert runs.try_get(store, run.run_id) == [run]
    assert runs.try_get(store, "not there") == []
    with pytest.raises(NotFound):
        runs.get(store, "not there")


def test_runs_between_two_others(store: SqlStore) -> None:
    made = [store.create_run("b", tenant=f"t{n % 2}").run_id for n in range(4)]
    low = runs.newest(store) - 3
    assert [run.run_id for run in runs.between(store, low, runs.newest(store))] == made[1:]
    assert [run.run_id for run in runs.between(store.scoped("t0"), 0, low + 2)] == made[:1] + made[2:3]


@pytest.mark.parametrize("ask", ["pin", "heartbeat", "end_run"])
def test_nothing_happens_to_a_run_that_is_not_there(store: SqlStore, ask: str) -> None:
    action: Any = getattr(store, ask)
    with pytest.raises(NotFound):
        action("nobody")


def test_heads_of_many_runs_in_one_query(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    live, ended = store.create_run("live", tenant="t").run_id, store.create_run("ended").run_id
    store.append(live, tagged("a", 3))
    store.end_run(ended)
    asked: list[str] = []
    query = store.engine.query

    def counted(sql: str, parameters: Any = ()) -> Any:
        asked.append(sql)
        return query(sql, parameters)

    monkeypatch.setattr(store.engine, "query", counted)
    wanted = [live, ended, "nobody", live, *(f"unknown-{n}" for n in range(5_000))]
    assert store.heads(wanted) == {live: (4, False), ended: (2, True)}
    assert store.heads([]) == {}
    assert store.scoped("t").heads(wanted) == {live: runs.Head(4, ended=False)}
    assert len(asked) == 3
    monkeypatch.undo()
    steps = [row[3] for row in query(f"EXPLAIN QUERY PLAN {asked[0]}", {"ids": "[]", "tenant": None})]
    assert not [step for step in steps if step.startswith("SCAN runs")]
