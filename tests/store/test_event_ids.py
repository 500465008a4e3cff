"""Ids of events: in one piece, rising with seq, and below the stable one nothing appears any more."""

from __future__ import annotations

import pytest

from runline.store.engine import Writing
from runline.store.event_ids import EventIds
from runline.store.sql_store import SqlStore
from runline.testing.place import PostgresPlace


@pytest.fixture(params=["sqlite", "postgres"])
def any_store(request: pytest.FixtureRequest) -> SqlStore:
    if request.param == "sqlite":
        found: SqlStore = request.getfixturevalue("store")
        return found
    place: PostgresPlace = request.getfixturevalue("place")
    return place.open()


def taken(tx: Writing, counts: list[int], *, expected: int = 1) -> list[int]:
    ids = EventIds()
    ids.begin(tx)
    ids.expect(expected)
    firsts = [ids.take(count) for count in counts]
    ids.flush()
    return firsts


def test_pieces_follow_each_other_and_no_id_comes_twice(any_store: SqlStore) -> None:
    with any_store.engine.transaction() as tx:
        assert taken(tx, [3, 1, 2], expected=6) == [1, 4, 5]
    with any_store.engine.transaction() as tx:
        assert taken(tx, [1]) == [7]
    with any_store.engine.transaction() as tx:
        assert taken(tx, []) == []
    ((upcoming,),) = any_store.engine.query("SELECT value FROM counters WHERE name = 'next_event_id'")
    assert upcoming == 8


def test_a_piece_is_whole_though_the_block_was_too_small(place: PostgresPlace) -> None:
    with place.open().engine.transaction() as tx:
        assert taken(tx, [2, 5], expected=3) == [1, 4]


def test_what_was_taken_before_a_run_was_locked_is_renounced(place: PostgresPlace) -> None:
    store, other = place.open(), place.open()
    with store.engine.transaction() as tx:
        ids = EventIds()
        ids.begin(tx)
        ids.expect(10)
        assert ids.take(1) == 1
        with other.engine.transaction() as theirs:
            assert taken(theirs, [4]) == [11]
        ids.renounce()
        assert ids.take(1) == 15


def stable(store: SqlStore) -> int:
    return int(store.engine.query("SELECT next_stable_id()")[0][0])


def test_the_stable_id_waits_for_every_transaction_that_has_taken_some(place: PostgresPlace) -> None:
    first, second, asking = place.open(), place.open(), place.open()
    assert stable(asking) == 1
    with first.engine.transaction() as one:
        taken(one, [5])
        with second.engine.transaction() as two:
            taken(two, [5])
            assert stable(asking) == 1
        assert stable(asking) == 1  # the second is durable, but the first may yet come below it
    assert stable(asking) == 11


def test_a_transaction_that_fails_holds_nobody_up(place: PostgresPlace) -> None:
    store = place.open()

    def fail() -> None:
        with store.engine.transaction() as tx:
            taken(tx, [5])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert stable(store) == 6


def test_marks_hold_the_low_half_of_an_id(place: PostgresPlace) -> None:
    store, asking = place.open(), place.open()
    with store.engine.transaction() as tx:
        tx.execute("SELECT setval('event_id_sequence', 4294967290)")
    with store.engine.transaction() as tx:
        assert taken(tx, [20]) == [4294967291]
        assert stable(asking) == 4294967291
    with store.engine.transaction() as tx:
        assert taken(tx, [1]) == [4294967311]
        assert stable(asking) == 4294967311


def test_a_neighbours_open_transaction_holds_nobody_up(place: PostgresPlace) -> None:
    """What follows all runs by `pg_snapshot_xmin` waits for every transaction of the whole server."""
    store, neighbour = place.open(), place.open()
    with neighbour.engine.transaction() as idle:
        idle.execute("CREATE TABLE of_others (n INTEGER)")
        run_id = store.create_run("live").run_id
        store.append(run_id, [{"type": "log"}])
        assert [event.seq for _, event in store.follow_all(cursor="ZTA", timeout_s=0)] == [1, 2]
