"""Following, from the inside: slices, lost wake-ups, removed runs; the contract tests the rest."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from runline.model.errors import NotFound, Unavailable
from runline.store import follow, runs
from runline.store.sql_store import SqlStore
from runline.testing.place import SqlitePlace
from runline.testing.streams import tagged, whole

PATIENCE_S = 20.0


@pytest.fixture
def place(tmp_path: Path) -> Iterator[SqlitePlace]:
    place = SqlitePlace(tmp_path)
    yield place
    place.close()


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages and slices so small that every run has many."""
    monkeypatch.setattr(follow, "_PAGE", 3)
    monkeypatch.setattr(follow, "_SLICE", 7)


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize("after_seq", [0, 1, 6, 7, 8, 40, 41, 42])
def test_no_border_of_a_page_or_slice_loses_an_event(store: SqlStore, after_seq: int) -> None:
    run_id = store.create_run("borders").run_id
    store.append(run_id, tagged("a", 40))
    rare = [{"type": "rare", "message": f"{n}"} for n in range(2)]
    store.append(run_id, rare)
    end = store.end_run(run_id)
    log = whole(store, run_id)
    assert list(store.follow(run_id, after_seq=after_seq)) == log[after_seq:]
    assert list(store.follow(run_id, after_seq=after_seq, types=["rare"])) == [
        event for event in log[after_seq:] if event.type == "rare" or event == end
    ]


@pytest.mark.usefixtures("narrow")
def test_all_runs_are_read_page_by_page(store: SqlStore) -> None:
    run_ids = [store.create_run(f"r{n}").run_id for n in range(3)]
    for n in range(4):
        for run_id in run_ids:
            store.append(run_id, tagged("a", 2, first=2 * n))
    told = [event for _, event in store.follow_all(cursor="ZTA", timeout_s=0)]
    assert [event.id for event in told] == list(range(1, 3 + 3 * 8 + 1))


def test_a_lost_wake_up_costs_a_moment_and_no_event(
    place: SqlitePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "_LOOK_AGAIN_S", 0.005)
    writer, reader = place.open(), place.open()
    run_id = writer.create_run("deaf").run_id
    monkeypatch.setattr(reader.wake, "notify", lambda: None)
    with ThreadPoolExecutor(1) as pool:
        followed = pool.submit(list, reader.follow(run_id))
        for n in range(20):
            writer.append(run_id, tagged("a", 1, first=n))
        writer.end_run(run_id)
        assert followed.result(PATIENCE_S) == whole(writer, run_id)


def test_time_that_passes_in_silence_ends_it_however_often_it_is_woken(store: SqlStore) -> None:
    run_id = store.create_run("noise elsewhere").run_id
    other = store.create_run("noise").run_id
    stop = threading.Event()

    def noise() -> None:
        while not stop.is_set():
            store.append(other, tagged("n", 1))

    with ThreadPoolExecutor(1) as pool:
        pool.submit(noise)
        try:
            assert len(list(store.follow(run_id, timeout_s=0.05))) == 1
        finally:
            stop.set()


def test_a_waiting_follower_is_told_when_its_run_or_store_goes(place: SqlitePlace) -> None:
    store, other = place.open(), place.open()
    removed, left = store.create_run("removed").run_id, store.create_run("left").run_id
    first, second = other.follow(removed), other.follow(left)
    assert next(first).run_id == removed
    assert next(second).run_id == left
    store.end_run(removed)
    store.delete_run(removed)
    with pytest.raises(NotFound) as gone:
        next(first)
    assert gone.value.code == "pruned"
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(next, second)
        other.close()
        with pytest.raises(Unavailable):
            waiting.result(PATIENCE_S)


def test_the_first_run_of_a_store_is_told_even_when_it_is_over_at_once(
    place: SqlitePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = place.open()
    looked, newest = threading.Event(), runs.newest

    def looking(store: SqlStore) -> int:
        found = newest(store)
        looked.set()
        return found

    monkeypatch.setattr(runs, "newest", looking)
    with ThreadPoolExecutor(1) as pool:
        told = pool.submit(next, store.follow_runs())
        assert looked.wait(PATIENCE_S)
        writer = place.open()
        run_id = writer.create_run("short").run_id
        writer.end_run(run_id)
        run = told.result(PATIENCE_S)
    assert run.run_id == run_id


def test_a_run_that_ended_as_interrupted_is_told_once(place: SqlitePlace) -> None:
    store = place.open()
    run_id = store.create_run("given up").run_id
    follower = store.follow_runs(timeout_s=0)
    assert next(follower).status == "running"
    store.end_run(run_id, "interrupted")
    assert [run.status for run in follower] == ["interrupted"]
    assert list(store.follow_runs(timeout_s=0)) == []


def test_a_run_that_is_removed_while_followed_is_forgotten(place: SqlitePlace) -> None:
    store = place.open()
    run_id = store.create_run("removed").run_id
    follower = store.follow_runs(timeout_s=0)
    assert next(follower).run_id == run_id
    store.end_run(run_id)
    store.delete_run(run_id)
    assert list(follower) == []


def test_a_piece_says_how_far_it_looked_and_whether_it_is_the_last(store: SqlStore) -> None:
    run_id = store.create_run("pieces").run_id
    store.append(run_id, tagged("a", 9))
    got = store.piece(run_id, after_seq=0, limit=4)
    assert ([event.seq for event in got.events], got.position, got.done) == ([1, 2, 3, 4], 4, False)
    got = store.piece(run_id, after_seq=4, types=["rare"])
    assert (got.events, got.position, got.done) == ([], 10, False)
    end = store.end_run(run_id)
    assert store.piece(run_id, after_seq=4, types=["rare"]) == follow.Piece([end], 11, done=True)
    assert store.piece(run_id, after_seq=11) == follow.Piece([], 11, done=True)
    assert store.piece(run_id, after_seq=40) == follow.Piece([], 40, done=True)


def test_a_piece_of_all_runs_passes_over_what_is_another_tenants(store: SqlStore) -> None:
    mine, others = store.scoped("mine"), store.scoped("others")
    run_id, other = mine.create_run("m").run_id, others.create_run("o").run_id
    others.append(other, tagged("o", 5))
    assert [event.run_id for event in mine.piece_of_all(after_id=0).events] == [run_id]
    assert mine.piece_of_all(after_id=0).position == others.piece_of_all(after_id=0).position == 7
    assert mine.piece_of_all(after_id=0, limit=1).position == 1
    assert mine.piece_of_all(after_id=99) == follow.Piece([], 99)


def test_changes_know_which_runs_are_active(store: SqlStore) -> None:
    changes = store.changes()
    assert (changes.next(), list(changes.active)) == ([], [])
    run_id = store.create_run("r").run_id
    assert [run.run_id for run in changes.next()] == list(changes.active) == [run_id]
    store.end_run(run_id)
    assert [run.status for run in changes.next()] == ["completed"]
    assert list(changes.active) == []


def test_changes_that_could_not_be_read_are_told_the_next_time(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = store.changes()
    assert changes.next() == []
    run_id = store.create_run("short").run_id
    store.end_run(run_id)
    with monkeypatch.context() as patch:
        patch.setattr(runs, "listed", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            changes.next()
    assert [run.run_id for run in changes.next()] == [run_id]
