from __future__ import annotations

import pytest

from runline.intake.accept import accept
from runline.model.clock import ManualClock
from runline.model.errors import Conflict, Invalid, Unavailable
from runline.model.event import Draft
from runline.store import garbage
from runline.store.hidden_run import HiddenRun
from runline.store.sql_store import SqlStore
from runline.store.turns import Turns
from tests.store.recorded import count, ids, plain_run


def hidden(store: SqlStore, run_id: str = "one") -> HiddenRun:
    return HiddenRun(store, Turns(store.engine, store.writer), run_id, "default", store.clock.now_ms())


def drafts(store: SqlStore, *types: str) -> list[Draft]:
    data = {"name": "job", "input": {"n": 1}}
    return [accept({"type": kind, "data": data, "step": "s"}, now_ms=store.clock.now_ms()) for kind in types]


def test_nobody_sees_it_until_it_is_published(store: SqlStore) -> None:
    making = hidden(store)
    making.append(drafts(store, "run_started", "log"))
    making.append(drafts(store, "log", "run_ended"))
    assert ids(store) == []
    assert store.verify().runs == 0
    assert store.verify().ok
    making.publish([], pinned=False)
    assert ids(store) == ["one"]
    run = store.get_run("one")
    assert (run.name, run.status, run.last_seq, run.input) == ("job", "completed", 4, {"n": 1})
    assert [event.seq for event in store.read("one")] == [1, 2, 3, 4]
    assert store.verify().ok


def test_numbers_of_runs_and_ids_of_events_are_never_used_twice(store: SqlStore) -> None:
    making = hidden(store, "first-of-all")
    making.append(drafts(store, "run_started"))
    plain_run(store, "beside")
    making.append(drafts(store, "run_ended"))
    making.publish([], pinned=False)
    plain_run(store, "after")
    runs = store.engine.query("SELECT run FROM runs ORDER BY run")
    assert runs == [(1,), (2,), (3,)]
    assert count(store, "events") == 6
    assert store.engine.query("SELECT count(DISTINCT id), max(id) FROM events") == [(6, 6)]
    assert store.verify().ok


def test_one_that_was_never_published_is_cleared_away_in_time(store: SqlStore, clock: ManualClock) -> None:
    making = hidden(store)
    making.append(drafts(store, "run_started"))
    clock.advance(s=590)
    store.prune(older_than_days=None, keep=None)
    making.append(drafts(store, "log"))
    clock.advance(s=590)
    store.prune(older_than_days=None, keep=None)
    assert count(store, "events") == 2
    clock.advance(s=20)
    store.prune(older_than_days=None, keep=None)
    assert count(store, "events") == count(store, "garbage") == 0
    with pytest.raises(Unavailable) as caught:
        making.append(drafts(store, "log"))
    assert caught.value.code == "import_lost"
    with pytest.raises(Unavailable):
        making.publish([], pinned=False)
    assert count(store, "events") == 0


def test_an_abandoned_one_may_go_at_once(store: SqlStore) -> None:
    making = hidden(store)
    making.append(drafts(store, "run_started"))
    making.abandon()
    garbage.collect(store, Turns(store.engine, store.writer))
    assert count(store, "events") == count(store, "steps") == count(store, "garbage") == 0


def test_an_id_that_was_taken_meanwhile(store: SqlStore) -> None:
    making = hidden(store)
    making.append(drafts(store, "run_started"))
    plain_run(store, "one")
    with pytest.raises(Conflict):
        making.publish([], pinned=False)
    assert store.get_run("one").last_seq == 2


@pytest.mark.parametrize("seq", [0, 2])
def test_a_note_to_an_event_that_is_not_there(store: SqlStore, seq: int) -> None:
    making = hidden(store)
    making.append(drafts(store, "run_started"))
    with pytest.raises(Invalid):
        making.publish([(0, None, "n", (), (), seq)], pinned=False)
