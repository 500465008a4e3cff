from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from runline.model.errors import NotFound, RunlineError
from runline.store import open_local, verify
from runline.store.sql_store import SqlStore
from tests.store.recorded import plain_run, rich_run

SEQ = 5
COLUMNS = (
    "id", "run", "seq", "ts", "level", "type", "step", "source", "message", "correlation_id", "data", "crc",
)  # fmt: skip


def three_runs(store: SqlStore) -> None:
    """Interleaved, so that numbers next to the right ones exist; the middle one is looked at."""
    for name in ("before", "one", "after"):
        store.create_run(name, run_id=name)
    for n in range(8):
        for name in ("before", "one", "after"):
            event = {"type": "tool_call", "step": "load", "source": "agent", "correlation_id": f"c{n}"}
            store.append(name, [{**event, "message": f"reads {n}", "data": {"name": "é", "n": n}}])
    for name in ("before", "one", "after"):
        store.end_run(name)


def flips(value: Any) -> Iterator[Any]:
    """The value with each of its bits changed in turn; text as bytes."""
    if isinstance(value, int):
        for bit in range(64):
            changed = value ^ (1 << bit)
            yield changed - 2**64 if changed >= 2**63 else changed
    else:
        raw = value.encode()
        for bit in range(8 * len(raw)):
            changed_raw = bytearray(raw)
            changed_raw[bit // 8] ^= 1 << bit % 8
            yield bytes(changed_raw)


@pytest.mark.parametrize("column", COLUMNS)
def test_every_flipped_bit_of_a_stored_event_is_named(store: SqlStore, tmp_path: Path, column: str) -> None:
    three_runs(store)
    run = store.locate("one").run
    raw = apsw.Connection(str(tmp_path / "x.db"))
    raw.execute("PRAGMA synchronous = OFF; DROP TRIGGER events_never_change").fetchall()
    value, event_id = raw.execute(
        f"SELECT {column}, id FROM events WHERE run = ? AND seq = ?", (run, SEQ)
    ).fetchall()[0]
    mark = "CAST(? AS TEXT)" if isinstance(value, str) else "?"
    possible = found = 0
    for changed in flips(value):
        here = changed if column == "id" else event_id
        try:
            raw.execute(f"UPDATE events SET {column} = {mark} WHERE id = ?", (changed, event_id)).fetchall()
        except apsw.ConstraintError:
            continue  # there is such an event already
        possible += 1
        report = store.verify()
        named = {(problem.run_id, problem.seq) for problem in report.problems}
        # An id that has grown too large shows on the next event.
        wanted = {("one", SEQ), ("one", SEQ + 1)} if column == "id" else {("one", SEQ)}
        found += not report.ok and bool(named & wanted)
        raw.execute(f"UPDATE events SET {column} = {mark} WHERE id = ?", (value, here)).fetchall()
    raw.close()
    assert possible > 10
    assert found == possible
    assert store.verify().ok


def cell_of(file: bytes, content: bytes, event_id: int) -> tuple[int, int, int]:
    """Where a row of the log lies in the database file: its start, its message, its end."""
    at = file.find(content)
    while at >= 0:
        content_end = at + len(content)
        for start in range(at - 60, at):
            # The cell is the length of the record, the id, the record; behind the content comes the checksum.
            end = start + 2 + file[start]
            if file[start + 1] == event_id and 3 <= end - content_end <= 6:
                return start, at, end
        at = file.find(content, content_end)
    raise AssertionError("the row was not found")


def test_every_flipped_bit_in_the_file_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with open_local(str(path)) as store:
        three_runs(store)
        event = store.read("one", after_seq=SEQ, limit=1)[0]
        assert event.correlation_id == "c4"
        store.writer.between(lambda: store.engine.checkpoint(wait=True))
    file = path.read_bytes()
    start, message, end = cell_of(file, f"{event.message}c4{event.payload}".encode(), event.id)
    handle = os.open(path, os.O_RDWR)
    unseen, unnamed = [], []
    for bit in range(8 * start, 8 * end):
        byte = file[bit // 8]
        os.pwrite(handle, bytes([byte ^ 1 << bit % 8]), bit // 8)
        try:
            with open_local(str(path), read_only=True) as store:
                report = store.verify()
            if report.ok:
                unseen.append((bit // 8 - start, bit % 8))
            if bit // 8 >= message and not any(
                (p.run_id, p.seq) == ("one", event.seq) for p in report.problems
            ):
                unnamed.append((bit // 8 - start, bit % 8))
        except RunlineError:
            pass  # it cannot even be opened
        os.pwrite(handle, bytes([byte]), bit // 8)
    os.close(handle)
    # The first field of a record is the id's, which SQLite takes from elsewhere: one bit makes NULL a 0 there.
    assert (unseen, unnamed) == ([(3, 3)], [])


def test_a_page_that_cannot_be_read_is_named_event_by_event(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with open_local(str(path)) as store:
        plain_run(store, "one", events=2200)
        plain_run(store, "two")
        store.writer.between(lambda: store.engine.checkpoint(wait=True))
    file = bytearray(path.read_bytes())
    page = file.index(b"line 300") // 4096 * 4096
    file[page] = 0xFF
    path.write_bytes(bytes(file))
    with open_local(str(path), read_only=True) as store:
        report = store.verify()
        one = store.verify("two")
    assert (report.runs, report.events) == (2, 2204 - report.found + 1)
    hurt = [problem.seq for problem in report.problems if problem.kind == "unreadable"]
    assert 302 in hurt
    assert hurt == list(range(hurt[0], hurt[0] + len(hurt)))  # type: ignore[arg-type, operator]
    assert 10 < len(hurt) < 200
    assert {problem.kind for problem in report.problems} == {"unreadable", "database"}
    assert {problem.kind for problem in one.problems} == {"database"}


def test_an_index_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.db"
    with open_local(str(path)) as store:
        plain_run(store, "one", events=20)

        def broken(*args: object) -> None:
            raise RunlineError("hurt")

        monkeypatch.setattr("runline.store.log.span", broken)
        report = store.verify()
    assert [(problem.seq, problem.kind) for problem in report.problems] == [(None, "unreadable")]
    assert report.events == 22


def test_a_database_that_cannot_be_checked(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    plain_run(store, "one")
    query = store.engine.query

    def failing(sql: str, parameters: Any = ()) -> Any:
        if "quick_check" in sql:
            raise RunlineError("hurt")
        return query(sql, parameters)

    monkeypatch.setattr(store.engine, "query", failing)
    report = store.verify()
    assert [(problem.run_id, problem.kind, problem.detail) for problem in report.problems] == [
        (None, "database", "hurt")
    ]
    assert not report.ok


def test_events_of_no_run_are_told(store: SqlStore) -> None:
    plain_run(store, "one")
    plain_run(store, "two", tenant="other")
    with store.engine.transaction() as tx:
        tx.execute("INSERT INTO garbage SELECT run, run_id, tenant, 0 FROM runs WHERE run_id = 'two'")
        tx.execute("DELETE FROM runs")
    report = store.verify()
    assert [(problem.run_id, problem.seq, problem.kind) for problem in report.problems] == [
        (None, 1, "orphan")
    ]
    assert store.scoped("default").verify().ok


def test_a_run_without_events_is_told(store: SqlStore) -> None:
    plain_run(store, "one")
    with store.engine.transaction() as tx:
        tx.execute("DROP TRIGGER events_leave_with_their_run")
        tx.execute("DELETE FROM events")
    assert [(problem.seq, problem.kind) for problem in store.verify().problems] == [(1, "gap")]


def test_one_run_and_one_tenant(store: SqlStore) -> None:
    rich_run(store, "mine", tenant="a")
    rich_run(store, "theirs", tenant="b")
    assert store.verify().runs == 2
    assert (store.verify("mine").runs, store.verify("mine").events) == (1, 12)
    assert store.scoped("b").verify().runs == 1
    for view, name in ((store, "none"), (store.scoped("b"), "mine")):
        with pytest.raises(NotFound):
            view.verify(name)


def test_a_thousand_problems_are_enough(store: SqlStore) -> None:
    plain_run(store, "one", events=1500)
    with store.engine.transaction() as tx:
        tx.execute("DROP TRIGGER events_never_change")
        tx.execute("UPDATE events SET crc = 0")
    report = store.verify()
    assert report.found == 1502
    assert len(report.problems) == verify.MOST_PROBLEMS
    assert report.problems[0].seq == 1


def test_a_run_in_use_is_verified_as_of_one_moment(store: SqlStore) -> None:
    plain_run(store, "live", events=1500, status=None)
    stop = threading.Event()

    def write() -> None:
        n = 0
        while not stop.is_set():
            store.append("live", [{"step": f"s{n}", "type": "step_started"}, {"message": "beside"}])
            n += 1

    beside = threading.Thread(target=write)
    beside.start()
    reports = [store.verify() for _ in range(5)]
    stop.set()
    beside.join()
    assert [report.problems for report in reports] == [()] * 5
    assert reports[-1].events > 1501


def test_a_run_that_is_pruned_meanwhile_is_passed_over(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain_run(store, "gone")
    listed = list(verify._runs(store, None))
    store.delete_run("gone")
    monkeypatch.setattr(verify, "_runs", lambda store, run_id: iter(listed))
    report = store.verify()
    assert (report.ok, report.events) == (True, 0)


def test_progress_is_told_in_events_of_the_whole_store(store: SqlStore) -> None:
    three_runs(store)
    told: list[int] = []
    report = verify.verify(store, on_progress=told.append)
    assert told == sorted(told)
    assert told[-1] == report.events == 30
