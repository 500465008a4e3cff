"""The SQLite engine: what it opens and refuses, transactions, locks, forks, copies."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import pytest

from runline.model.errors import Invalid, NotFound, RunlineError, Unavailable
from runline.store import migrate, open_local, open_store, sqlite, sqlite_connection
from runline.store.sqlite import SqliteEngine
from runline.testing.streams import tagged, whole


def engine(path: Path, *, read_only: bool = False) -> SqliteEngine:
    return SqliteEngine(str(path), read_only=read_only, now_ms=0)


def foreign(path: Path) -> None:
    """Another program's database."""
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE theirs (x)").fetchall()
    connection.close()


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without the rights of root, where the tests run as root."""
    if os.getuid():
        yield
        return
    os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that every user may enter."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        yield Path(name)


# -- opening


def test_a_new_store_is_made_where_there_is_none(tmp_path: Path) -> None:
    path = tmp_path / "a folder" / "é %41?#.db"
    store = engine(path)
    assert path.exists()
    assert store.query("PRAGMA journal_mode") == [("wal",)]
    assert store.query("PRAGMA auto_vacuum") == [(2,)]
    with store.reader() as connection:
        assert connection.pragma("query_only") == 1
    with store.transaction() as tx:
        assert tx.execute("PRAGMA synchronous") == [(2,)]
    store.close()
    assert [entry.name for entry in path.parent.iterdir() if "-wal" in entry.name] == []


def test_eight_may_make_it_at_the_same_moment(tmp_path: Path) -> None:
    gate = threading.Barrier(8)

    def make(n: int) -> None:
        gate.wait()
        with open_store(str(tmp_path / "x.db")) as store:
            store.create_run("first", run_id=f"r{n}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(make, range(8)))
    with open_store(str(tmp_path / "x.db"), read_only=True) as store:
        assert len(store.list_runs().items) == 8


@pytest.mark.parametrize(
    ("make", "read_only", "kind", "code"),
    [
        (lambda path: None, True, NotFound, "no_store"),
        (lambda path: path.mkdir(), False, NotFound, "cannot_open"),
        (lambda path: path.write_bytes(b"not a database " * 100), False, Unavailable, "corrupt"),
        (lambda path: path.write_bytes(b"not a database " * 100), True, Unavailable, "corrupt"),
        (foreign, False, Invalid, "not_a_store"),
        (foreign, True, Invalid, "not_a_store"),
        (lambda path: path.write_bytes(b""), True, Invalid, "not_a_store"),
    ],
)
def test_what_is_no_store_is_refused_and_left_alone(
    tmp_path: Path, make: Callable[[Path], object], read_only: bool, kind: type[RunlineError], code: str
) -> None:
    path = tmp_path / "x.db"
    make(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(kind) as told:
        engine(path, read_only=read_only)
    assert told.value.code == code
    assert (path.read_bytes() if path.is_file() else None) == before


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(Invalid) as told:
        engine(tmp_path / "file" / "x.db")
    assert told.value.code == "cannot_create"


def test_a_folder_that_cannot_be_written_is_named(shared: Path) -> None:
    folder = shared / "fixed"
    with as_nobody():
        folder.mkdir()
        folder.chmod(0o555)
        with pytest.raises(Invalid) as told:
            engine(folder / "x.db")
    assert told.value.code == "read_only"
    assert "is not writable" in told.value.message


@pytest.mark.parametrize("read_only", [False, True])
def test_a_store_in_such_a_folder_cannot_even_be_read(shared: Path, read_only: bool) -> None:
    with as_nobody():
        engine(shared / "x.db").close()
    shared.chmod(0o555)
    with as_nobody(), pytest.raises(Invalid) as told:
        engine(shared / "x.db", read_only=read_only)
    assert told.value.code == "read_only"
    assert f"{shared} is not writable" in told.value.message
    shared.chmod(0o777)


def test_a_store_that_somebody_has_locked_whole_is_busy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_connection, "_LOCK_TIMEOUT_S", 0.01)
    other = apsw.Connection(str(tmp_path / "x.db"))
    other.execute("BEGIN EXCLUSIVE").fetchall()
    with pytest.raises(Unavailable) as told:
        engine(tmp_path / "x.db")
    assert told.value.code == "busy"
    other.close()
    engine(tmp_path / "x.db").close()


def test_a_store_that_cannot_be_written_is_read_only(shared: Path) -> None:
    path = shared / "x.db"
    engine(path).close()
    (shared / "x.db-reserve").unlink(missing_ok=True)
    path.chmod(0o444)
    shared.chmod(0o777)
    with as_nobody():
        writing = engine(path)
        with pytest.raises(Invalid) as told, writing.transaction() as tx:
            tx.execute("DELETE FROM counters")
    assert told.value.code == "read_only"


def test_a_file_that_cannot_be_written_becomes_no_store(shared: Path) -> None:
    (shared / "x.db").touch()
    (shared / "x.db").chmod(0o444)
    with as_nobody(), pytest.raises(Invalid) as told:
        engine(shared / "x.db")
    assert told.value.code == "read_only"


@pytest.mark.parametrize("read_only", [False, True])
def test_a_newer_store_is_refused_and_an_older_one_migrated(tmp_path: Path, read_only: bool) -> None:
    path = tmp_path / "x.db"
    store = engine(path)
    newest = store.query("SELECT max(number) FROM migrations")[0][0]
    with store.transaction() as tx:
        tx.execute("INSERT INTO migrations VALUES (999, 'future', 0)")
    store.close()
    with pytest.raises(Invalid) as told:
        engine(path, read_only=read_only)
    assert told.value.code == "store_newer"
    connection = apsw.Connection(str(path))
    views = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'view'")]
    connection.execute("".join(f"DROP VIEW {name};" for name in views)).fetchall()
    connection.execute("DROP TABLE tokens; DROP TABLE audit").fetchall()
    connection.execute("DELETE FROM migrations WHERE number > 1").fetchall()
    connection.close()
    if read_only:
        with pytest.raises(Invalid) as told:
            engine(path, read_only=True)
        assert told.value.code == "store_older"
    store = engine(path)
    assert store.query("SELECT max(number) FROM migrations")[0][0] == newest
    store.close()


def test_a_migration_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.db"
    with monkeypatch.context() as patch:
        broken = migrate.Migration(1, "broken", "CREATE TABLE half (x); CREATE TABLE half (x)")
        patch.setattr(migrate, "migrations", lambda engine="sqlite": [broken])
        with pytest.raises(RunlineError, match="already exists"):
            engine(path)
    engine(path).close()


# -- reading and writing


def test_a_read_only_store_reads_and_never_writes(tmp_path: Path) -> None:
    path = str(tmp_path / "x.db")
    with open_store(path) as store:
        run_id = store.create_run("read").run_id
        with open_store(path, read_only=True) as reader:
            assert [run.run_id for run in reader.list_runs().items] == [run_id]
            with pytest.raises(Invalid) as told:
                reader.append(run_id, tagged("a", 1))
            assert told.value.code == "read_only"
            store.append(run_id, tagged("a", 1))
            assert len(whole(reader, run_id)) == 2


def test_an_exception_rolls_back(tmp_path: Path) -> None:
    store = engine(tmp_path / "x.db")

    def half_done(then: str) -> None:
        with store.transaction() as tx:
            tx.execute("INSERT INTO counters VALUES ('mine', 1)")
            tx.execute(then)
            tx.execute("no such statement")

    with pytest.raises(RunlineError) as told:
        half_done("SELECT 1")
    assert told.value.code == "database_error"
    assert store.query("SELECT value FROM counters WHERE name = 'mine'") == []
    with pytest.raises(RunlineError):
        half_done("COMMIT")  # as a full disk ends a transaction by itself
    assert store.query("SELECT value FROM counters WHERE name = 'mine'") == [(1,)]
    with store.transaction() as tx:
        assert (
            tx.executemany("UPDATE counters SET value = ? WHERE name = ?", [(2, "mine"), (3, "nobody")]) == 1
        )
    store.close()


def test_a_snapshot_sees_one_state(tmp_path: Path) -> None:
    store = engine(tmp_path / "x.db")
    with store.snapshot() as source:
        before = source.execute("SELECT count(*) FROM counters")
        with store.transaction() as tx:
            tx.execute("INSERT INTO counters VALUES ('more', 1)")
        assert source.execute("SELECT count(*) FROM counters") == before
        source.execute("ROLLBACK")  # as a failing disk ends it by itself
    assert store.query("SELECT count(*) FROM counters") != before
    store.close()


@pytest.mark.parametrize("value", [2**63, -(2**70), "\ud800"])
def test_a_value_that_sqlite_cannot_hold_is_refused(tmp_path: Path, value: Any) -> None:
    store = engine(tmp_path / "x.db")
    with pytest.raises(Invalid) as told:
        store.query("SELECT ?", (value,))
    assert told.value.code == "bad_value"
    with pytest.raises(Invalid), store.transaction() as tx:
        tx.execute("SELECT ?", (value,))
    store.close()


@pytest.mark.parametrize(("rows", "size", "pages"), [(6, 3, [3, 3]), (7, 3, [3, 3, 1]), (0, 3, [])])
def test_pages_go_on_after_the_last_row(tmp_path: Path, rows: int, size: int, pages: list[int]) -> None:
    store = engine(tmp_path / "x.db")
    with store.transaction() as tx:
        tx.execute("DELETE FROM counters")
        tx.executemany("INSERT INTO counters VALUES (?, ?)", [(f"{n}", n) for n in range(1, rows + 1)])
    sql = "SELECT value FROM counters WHERE value > :after ORDER BY value LIMIT :limit"
    found = list(store.pages(sql, {"after": 0}, size=size))
    assert [len(page) for page in found] == pages
    assert [row[0] for page in found for row in page] == list(range(1, rows + 1))
    store.close()


def test_a_lock_is_waited_for_and_then_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_connection, "_LOCK_TIMEOUT_S", 0.01)
    with open_store(str(tmp_path / "x.db")) as store:
        run_id = store.create_run("locked").run_id
        other = apsw.Connection(str(tmp_path / "x.db"))
        other.execute("BEGIN IMMEDIATE").fetchall()
        with pytest.raises(Unavailable) as told:
            store.append(run_id, tagged("a", 1))
        assert told.value.code == "busy"
        assert len(whole(store, run_id)) == 1
        other.execute("ROLLBACK").fetchall()
        other.close()
        assert store.append(run_id, tagged("a", 1))[0].seq == 2


def test_a_commit_of_another_connection_changes_the_token(tmp_path: Path) -> None:
    left, right = engine(tmp_path / "x.db"), engine(tmp_path / "x.db")
    token = left.changed()
    assert left.changed() == token
    with right.transaction() as tx:
        tx.execute("INSERT INTO counters VALUES ('x', 1)")
    assert left.changed() != token
    left.close()
    right.close()


class Broken:
    """A connection on a disk that is gone."""

    in_transaction = False

    def __getattr__(self, name: str) -> Any:
        def fail(*given: object, **named: object) -> Any:
            raise apsw.IOError("disk I/O error")

        return fail


def test_errors_of_the_disk_are_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = engine(tmp_path / "x.db")
    token = store.changed()
    with monkeypatch.context() as patch:
        patch.setattr(store, "_write", Broken())
        patch.setattr(store, "_watch", Broken())
        for attempt in (lambda: store.vacuum(1), store.changed, lambda: store.transaction().__enter__()):
            with pytest.raises(Unavailable) as told:
                attempt()
            assert told.value.code == "disk_error"
        store.checkpoint(wait=True)  # another checkpoint will do it
    assert store.changed() == token
    store.close()


# -- space, copies, forks, closing


def test_space_is_given_back_and_told(tmp_path: Path) -> None:
    store = engine(tmp_path / "x.db")
    with store.transaction() as tx:
        tx.executemany("INSERT INTO counters VALUES (?, 1)", [(f"{n:0500d}",) for n in range(2_000)])
    with store.transaction() as tx:
        tx.execute("DELETE FROM counters")
    before = store.sizes()
    assert before["free_bytes"] > 500_000
    assert before["wal_bytes"] > 0
    assert store.vacuum(10) > 0
    assert store.vacuum(10_000) == 0
    store.checkpoint(wait=True)
    after = store.sizes()
    assert after["size_bytes"] < before["size_bytes"] - 500_000
    assert (after["free_bytes"], after["wal_bytes"]) == (0, 0)
    store.close()


def test_a_copy_into_a_folder_is_refused(tmp_path: Path) -> None:
    store = engine(tmp_path / "x.db")
    assert store.backup(str(tmp_path / "copy.db")) == []
    with pytest.raises(NotFound):
        store.backup(str(tmp_path))
    store.close()


@pytest.mark.parametrize("quiet", [False, True])
def test_after_a_fork_the_child_has_connections_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quiet: bool
) -> None:
    monkeypatch.setattr(sqlite, "was_quiet", lambda: quiet)
    store = engine(tmp_path / "x.db")
    store.query("SELECT 1")
    store.changed()
    store.fork()
    assert store.vacuum(1) == 0
    store.checkpoint(wait=True)
    with store.transaction() as tx:
        tx.execute("INSERT INTO counters VALUES ('child', 1)")
    assert store.query("SELECT value FROM counters WHERE name = 'child'") == [(1,)]
    store.close()
    for connection in store._inherited:
        assert not quiet
        connection.close()  # type: ignore[attr-defined]


def test_a_reader_that_outlives_its_store_is_closed(tmp_path: Path) -> None:
    store = engine(tmp_path / "x.db")
    with store.reader() as connection:
        store.close()
        assert connection.execute("SELECT 1").fetchall() == [(1,)]
    with pytest.raises(apsw.ConnectionClosedError):
        connection.execute("SELECT 1")
    with pytest.raises(Unavailable), store.transaction():
        pass
    with pytest.raises(Unavailable):
        store.query("SELECT 1")


def test_the_last_to_close_leaves_one_file(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "x.db")) as store:
        run_id = store.create_run("one").run_id
        store.append(run_id, tagged("a", 3))
        whole(store, run_id)
        next(store.follow(run_id))
    names = {entry.name for entry in tmp_path.iterdir()}
    assert not {"x.db-wal", "x.db-shm"} & names


def test_a_killed_process_leaves_a_store_that_opens(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; from runline.store import open_store; s = open_store(sys.argv[1]);"
        "r = s.create_run('killed', run_id='killed'); s.append('killed', [{'message': 'kept'}]);"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "x.db")], check=False)
    assert (tmp_path / "x.db-wal").exists()
    with open_store(str(tmp_path / "x.db"), read_only=True) as reader:
        assert [event.message for event in whole(reader, "killed")][1:] == ["kept"]
    with open_store(str(tmp_path / "x.db")) as store:
        assert store.append("killed", tagged("a", 1))[0].seq == 3


def test_closing_interrupts_what_still_reads(tmp_path: Path) -> None:
    with open_local(str(tmp_path / "x.db")) as store:
        engine = store.engine
        assert isinstance(engine, SqliteEngine)
        entered = threading.Event()
        told: list[str] = []

        def read() -> None:
            endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n"
            try:
                with engine.reader() as connection:
                    entered.set()
                    connection.execute(endless).fetchall()
            except Unavailable as closed:
                told.append(closed.code)

        thread = threading.Thread(target=read)
        thread.start()
        assert entered.wait(10)
        while thread.is_alive():  # an interrupt between two statements is none
            engine.close()
            thread.join(0.05)
    assert told == ["closed"]
