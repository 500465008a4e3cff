"""The engine: opening, reading, and transactions whose server goes away."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from runline.intake.accept import draft
from runline.model.errors import Invalid, RunlineError, Unavailable
from runline.store import postgres, postgres_connection
from runline.store.engine import OVERTAKEN
from runline.store.postgres import PostgresEngine
from runline.testing.place import PostgresPlace
from runline.testing.streams import tagged

KILL = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


# -- reading


def test_reading_goes_on_after_the_server_has_let_go_of_every_connection(place: PostgresPlace) -> None:
    store = place.open()
    run_id = store.create_run("a run").run_id
    with store.engine.snapshot() as source:
        source.execute("SELECT 1")
        store.engine.query("SELECT 2")
    place.sql(KILL)
    assert store.get_run(run_id).name == "a run"
    assert store.append(run_id, tagged("a", 1), idempotency_key="k")


def test_what_is_wrong_with_a_statement_is_told_at_once(place: PostgresPlace) -> None:
    store = place.open()
    with pytest.raises(RunlineError) as told:
        store.engine.query("SELECT nonsense FROM nowhere")
    assert told.value.code == "database_error"
    with pytest.raises(Invalid):
        store.engine.query("SELECT ? + 0", (2**64,))


def test_a_snapshot_whose_connection_is_lost_says_so(place: PostgresPlace) -> None:
    store = place.open()

    def lose() -> None:
        with store.engine.snapshot() as source:
            place.sql(KILL)
            source.execute("SELECT 1")

    with pytest.raises(Unavailable):
        lose()


def test_a_closed_store_says_so(place: PostgresPlace) -> None:
    store = place.open()
    store.engine.query("SELECT 1")
    store.engine.close()
    for ask in (
        lambda: store.engine.query("SELECT 1"),
        store.engine.changed,
        lambda: store.engine.transaction().__enter__(),
    ):
        with pytest.raises(Unavailable) as told:
            ask()
        assert told.value.code == "closed"
    store.engine.close()


def test_a_store_closed_under_a_reader_says_so(place: PostgresPlace) -> None:
    store = place.open()
    engine = store.engine
    assert isinstance(engine, PostgresEngine)

    def close_while_reading() -> None:
        with engine.reader() as connection:
            engine.close()
            connection.close()
            connection.execute("SELECT 1")

    with pytest.raises(Unavailable) as told:
        close_while_reading()
    assert told.value.code == "closed"


# -- transactions


def test_an_exception_rolls_back_and_the_connection_stays(place: PostgresPlace) -> None:
    engine = place.open().engine

    def fail() -> None:
        with engine.transaction() as tx:
            tx.execute("INSERT INTO types (name) VALUES ('x')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with pytest.raises(RunlineError), engine.transaction() as tx:
        tx.execute("SELECT nonsense")
    with engine.transaction() as tx:
        assert tx.execute("SELECT count(*) FROM types") == [(0,)]
    assert engine.commit_s > 0


def test_a_transaction_that_failed_without_a_word_is_not_committed(place: PostgresPlace) -> None:
    engine = place.open().engine

    def hide() -> None:
        with engine.transaction() as tx:
            tx.execute("INSERT INTO types (name) VALUES ('x')")
            with suppress(psycopg.Error):
                tx.execute("SELECT nonsense")

    with pytest.raises(RunlineError, match="aborted"):
        hide()


class Cut:
    """Cuts the connection at a commit: before the server has heard of it, or before we have heard of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, place: PostgresPlace, *, after: bool) -> None:
        self.cuts = 1
        execute = psycopg.Connection.execute

        def cutting(connection: Any, query: Any, *arguments: Any, **options: Any) -> Any:
            if query == "COMMIT" and self.cuts:
                self.cuts -= 1
                if after:
                    execute(connection, query)
                connection.close()
                raise psycopg.OperationalError("the connection was cut")
            return execute(connection, query, *arguments, **options)

        monkeypatch.setattr(psycopg.Connection, "execute", cutting)


@pytest.mark.parametrize("after", [False, True])
def test_a_commit_whose_answer_was_lost_is_never_done_twice(
    place: PostgresPlace, monkeypatch: pytest.MonkeyPatch, *, after: bool
) -> None:
    store = place.open()
    run_id = store.create_run("a run").run_id
    stream = store.stream(run_id, announced=False)
    cut = Cut(monkeypatch, place, after=after)
    stream.put(draft("log", "once", {}, ts_ms=1))
    assert stream.flush(20)
    assert not cut.cuts
    assert [event.message for event in store.read(run_id, types=("log",))] == ["once"]
    assert store.verify().ok


def test_an_answer_lost_while_the_server_is_away_is_awaited(
    place: PostgresPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = place.open()
    monkeypatch.setattr(postgres, "_RESOLVE_S", 0.001)
    away = 3
    connect = postgres_connection.connect

    def asked(*arguments: Any, **options: Any) -> Any:
        nonlocal away
        if away and not cut.cuts:
            away -= 1
            raise psycopg.OperationalError("no server")
        return connect(*arguments, **options)

    cut = Cut(monkeypatch, place, after=True)
    monkeypatch.setattr(postgres, "connect", asked)
    assert store.create_run("made", run_id="made").name == "made"
    assert not away


def test_closing_ends_the_wait_for_an_answer(place: PostgresPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = place.open().engine
    Cut(monkeypatch, place, after=True)

    def closing(*arguments: Any, **options: Any) -> Any:
        engine._closed = True  # type: ignore[attr-defined]
        raise psycopg.OperationalError("no server")

    monkeypatch.setattr(postgres, "connect", closing)
    with pytest.raises(Unavailable, match="whether it had stored"), engine.transaction() as tx:
        tx.execute("INSERT INTO types (name) VALUES ('x')")


def test_a_lost_commit_of_nothing_is_just_lost(place: PostgresPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = place.open().engine
    Cut(monkeypatch, place, after=True)
    with pytest.raises(Unavailable), engine.transaction() as tx:
        tx.execute("SELECT 1")


def test_the_same_creation_made_twice_at_once_is_one(place: PostgresPlace) -> None:
    """Both look for the key before either has it; the second one is tried again and finds the first's answer."""
    stores = [place.open() for _ in range(4)]
    start = threading.Barrier(len(stores))

    def create(store: Any) -> str:
        start.wait()
        run_id: str = store.create_run("once", idempotency_key="k").run_id
        return run_id

    for _ in range(5):
        with ThreadPoolExecutor(len(stores)) as pool:
            assert len(set(pool.map(create, stores))) == 1
    assert stores[0].counts().total == 1


def test_writers_that_wait_for_each_other_crosswise_both_get_through(place: PostgresPlace) -> None:
    one, two = place.open(), place.open()
    for name in ("a", "b"):
        one.create_run(name, run_id=name)
    with one.engine.transaction() as first:
        first.execute("SELECT 1 FROM runs WHERE run_id = 'a' /* FOR UPDATE */")
        with ThreadPoolExecutor(1) as pool:

            def crossing() -> str:
                try:
                    with two.engine.transaction() as second:
                        second.execute("SELECT 1 FROM runs WHERE run_id = 'b' /* FOR UPDATE */")
                        locked.set()
                        second.execute("SELECT 1 FROM runs WHERE run_id = 'a' /* FOR UPDATE */")
                except Unavailable as error:
                    return error.code
                return "through"

            locked = threading.Event()
            told = pool.submit(crossing)
            assert locked.wait(10)
            try:
                first.execute("SELECT 1 FROM runs WHERE run_id = 'b' /* FOR UPDATE */")
                mine = "through"
            except psycopg.errors.DeadlockDetected:
                mine = OVERTAKEN
                first.execute("ROLLBACK")
            if mine == OVERTAKEN:
                assert told.result() == "through"
                first.execute("BEGIN")
    if mine == "through":
        assert told.result() == OVERTAKEN


# -- the rest


def test_reading_in_pages(place: PostgresPlace) -> None:
    engine = place.open().engine
    numbers = "SELECT n FROM generate_series(1, 5) AS n WHERE n > :after ORDER BY n LIMIT :limit"
    for size, pages in ((2, [2, 2, 1]), (5, [5]), (6, [5])):
        assert [len(page) for page in engine.pages(numbers, {"after": 0}, size=size)] == pages
    assert list(engine.pages(numbers, {"after": 5}, size=2)) == []


def test_what_the_server_does_itself(place: PostgresPlace, tmp_path: Path) -> None:
    store = place.open()
    engine = store.engine
    assert engine.vacuum(10) == 0
    engine.checkpoint(wait=True)
    engine.reserve.keep()
    assert not engine.reserve.release()
    assert not engine.holds(tmp_path)
    assert engine.scratch is None
    info = store.info()
    assert info.version.startswith("PostgreSQL ")
    assert (info.journal_mode, info.disk_free_bytes, info.wal_bytes) == ("synchronous_commit on", None, 0)
    with pytest.raises(Invalid, match="pg_dump") as told:
        store.backup(str(tmp_path / "copy"))
    assert told.value.code == "use_pg_dump"
    assert not (tmp_path / "copy").exists()


def test_room_of_removed_runs_is_free(place: PostgresPlace) -> None:
    store = place.open()
    for name in ("one", "two"):
        store.create_run(name, run_id=name)
        store.append(name, [{"type": "log", "data": {"n": n, "text": "x" * 300}} for n in range(2_000)])
        store.end_run(name)
    store.engine.tidy()
    before = store.engine.sizes()
    assert before["free_bytes"] < before["size_bytes"] / 4
    store.delete_run("one")
    after = store.engine.sizes()
    used = [sizes["size_bytes"] - sizes["free_bytes"] for sizes in (before, after)]
    assert 0.4 < used[1] / used[0] < 0.7
    report = store.prune(older_than_days=None, keep=None, max_size_bytes=used[1] * 2)
    assert report.removed == 0


def test_a_forked_child_uses_nothing_of_its_parents(place: PostgresPlace) -> None:
    store = place.open()
    store.create_run("parents", run_id="parents")
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:  # pragma: no cover - in the child
        try:
            store.append("parents", [{"type": "log", "message": "from the child"}])
            told = store.read("parents")[-1].message
            os.write(write, told.encode())
        finally:
            os._exit(0)
    os.close(write)
    os.waitpid(pid, 0)
    assert os.read(read, 100) == b"from the child"
    os.close(read)
    # The same in this process, where it is seen: nothing of the old connections is used or closed.
    held = store.engine._write  # type: ignore[attr-defined]
    store.engine.fork()
    store.append("parents", [{"type": "log", "message": "from the parent"}])
    assert not held.closed
    held.close()
    assert [event.seq for event in store.read("parents")] == [1, 2, 3]


def test_wakings_come_from_other_handles(place: PostgresPlace) -> None:
    writing, reading = place.open(), place.open()
    run_id = writing.create_run("a run").run_id
    seen: list[int] = []
    following = threading.Thread(
        target=lambda: seen.extend(e.seq for e in reading.follow(run_id, timeout_s=30))
    )
    following.start()
    writing.append(run_id, tagged("a", 3))
    writing.end_run(run_id)
    following.join(30)
    assert seen == [1, 2, 3, 4, 5]


def test_a_server_that_cannot_be_heard_is_told(place: PostgresPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = place.open().engine
    engine.changed()
    monkeypatch.setattr("runline.store.notices._AGAIN_S", 0.001)
    place.sql(KILL)
    with pytest.raises(Unavailable):
        engine.changed()
