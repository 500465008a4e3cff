from __future__ import annotations

import pytest

from runline.model.clock import ManualClock
from runline.model.errors import NotFound
from runline.store import garbage
from runline.store.files import OwnedFiles
from runline.store.sql_store import SqlStore
from runline.store.turns import Turns
from tests.store.recorded import count, plain_run


def turns(store: SqlStore) -> Turns:
    return Turns(store.engine, store.writer)


def test_a_buried_run_is_gone_at_once_and_its_rows_follow(store: SqlStore) -> None:
    plain_run(store, "one", events=500)

    def bury(tx: object, size: int) -> None:
        removed = tx.execute(  # type: ignore[attr-defined]
            "DELETE FROM runs RETURNING run, run_id, tenant, kind, name, status, started_at, completed_at, last_seq"
        )
        assert garbage.bury(tx, OwnedFiles(store.engine.artifacts), removed, "age", 5) == []  # type: ignore[arg-type]

    turns(store).take(bury)
    with pytest.raises(NotFound):
        store.get_run("one")
    assert count(store, "events") == 502
    assert list(store.follow_all(cursor="ZTA", timeout_s=0)) == []
    garbage.collect(store, turns(store))
    assert count(store, "events") == count(store, "garbage") == 0


def test_events_of_a_run_that_is_there_cannot_be_deleted(store: SqlStore) -> None:
    plain_run(store, "one")
    with pytest.raises(Exception, match="append-only"), store.engine.transaction() as tx:
        tx.execute("DELETE FROM events")


def test_what_is_still_being_made_is_left_alone(store: SqlStore, clock: ManualClock) -> None:
    plain_run(store, "one")
    with store.engine.transaction() as tx:
        tx.execute("INSERT INTO garbage SELECT run, run_id, tenant, ? FROM runs", (clock.now_ms() + 1,))
        tx.execute("DELETE FROM runs")
    garbage.collect(store, turns(store))
    assert count(store, "events") == 2
    clock.advance(ms=1)
    garbage.collect(store, turns(store))
    assert count(store, "events") == count(store, "garbage") == 0


def test_many_idempotency_keys_take_several_turns(store: SqlStore) -> None:
    plain_run(store, "one", status=None)
    run = store.locate("one").run
    with store.engine.transaction() as tx:
        tx.executemany(
            "INSERT INTO idempotency VALUES ('default', ?, ?, 'd', 1, 1, 0, 'one', 1)",
            [(run, f"k{n}") for n in range(300)],
        )
        tx.executemany("INSERT INTO idempotency VALUES ('default', 0, ?, 'd', 1, 1, 0, 'x', 1)", [("other",)])
        tx.execute("INSERT INTO garbage VALUES (?, 'one', 'default', 0)", (run,))
        tx.execute("DELETE FROM runs")
    garbage.collect(store, turns(store))
    assert store.engine.query("SELECT key FROM idempotency") == [("other",)]
    assert count(store, "garbage") == 0


def test_a_store_that_cannot_shrink_is_no_endless_loop(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def stuck(self: Turns) -> int:
        asked.append(1)
        return 7

    monkeypatch.setattr(Turns, "vacuum", stuck)
    garbage.collect(store, turns(store))
    assert len(asked) == 2
