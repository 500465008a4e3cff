from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runline.model.clock import ManualClock
from runline.model.errors import Conflict, Invalid, NotFound, StoreFull, Unavailable
from runline.store import garbage, open_local, retention
from runline.store.engine import Writing
from runline.store.sql_store import SqlStore
from runline.store.turns import Turns
from tests.store.recorded import count, ids, plain_run, rich_run
from tests.store.small_disk import SmallDisk

CHILDREN = (
    "events", "steps", "calls", "slots", "checkpoints", "artifacts", "notes", "liveness", "cancellations",
    "idempotency", "event_ids", "run_details", "garbage",
)  # fmt: skip


def test_the_age_of_the_end_decides(store: SqlStore, clock: ManualClock) -> None:
    plain_run(store, "long", status=None)
    plain_run(store, "old")
    clock.advance(s=14 * 86_400)
    store.end_run("long")
    assert store.prune(keep=None).removed == 0
    clock.advance(ms=1)
    report = store.prune(keep=None)
    assert [(run.run_id, run.reason) for run in report.runs] == [("old", "age")]
    assert ids(store) == ["long"]


def test_the_newest_of_each_tenant_stay(store: SqlStore, clock: ManualClock) -> None:
    for n in range(4):
        for tenant in ("a", "b"):
            plain_run(store, f"{tenant}{n}", tenant=tenant)
        clock.advance(s=1)
    report = store.prune(older_than_days=None, keep=1)
    assert {run.run_id for run in report.runs} == {"a0", "b0", "a1", "b1", "a2", "b2"}
    assert {run.reason for run in report.runs} == {"count"}
    assert sorted(ids(store)) == ["a3", "b3"]


def test_a_tenants_view_prunes_and_deletes_only_its_own(store: SqlStore) -> None:
    plain_run(store, "mine", tenant="a")
    plain_run(store, "theirs", tenant="b")
    with pytest.raises(NotFound):
        store.scoped("a").delete_run("theirs")
    assert [run.run_id for run in store.scoped("a").prune(keep=0).runs] == ["mine"]
    assert ids(store) == ["theirs"]


@pytest.mark.parametrize("status", ["active", "pending", "silent", "interrupted", "pinned", "annotated"])
def test_what_is_never_pruned(store: SqlStore, clock: ManualClock, status: str) -> None:
    end = {"active": None, "silent": None, "pending": None, "interrupted": "interrupted"}.get(
        status, "completed"
    )
    plain_run(store, "kept", status=end)
    if status == "pinned":
        store.pin("kept")
    if status == "annotated":
        store.add_note("kept", "look here")
    if status == "silent":
        clock.advance(s=3600)
        assert store.get_run("kept").status == "interrupted"
    clock.advance(s=90 * 86_400)
    report = store.prune(older_than_days=0, keep=0, max_size_bytes=0)
    assert (report.matched, report.removed) == (0, 0)
    assert ids(store) == ["kept"]


def test_the_oldest_go_until_the_rest_fits(store: SqlStore, clock: ManualClock) -> None:
    for n in range(8):
        plain_run(store, f"r{n}", events=2000)
        clock.advance(s=1)
    store.pin("r0")
    sizes = store.engine.sizes()
    limit = (sizes["size_bytes"] - sizes["free_bytes"]) // 2
    planned = store.prune(older_than_days=None, keep=None, max_size_bytes=limit, dry_run=True)
    report = store.prune(older_than_days=None, keep=None, max_size_bytes=limit)
    assert {run.reason for run in report.runs} == {"size"}
    removed = [run.run_id for run in report.runs]
    assert removed == [f"r{n}" for n in range(1, 1 + len(removed))]
    assert 3 <= len(removed) <= 5
    assert abs(len(planned.runs) - len(removed)) <= 1
    after = store.engine.sizes()
    assert after["size_bytes"] <= limit
    assert after["free_bytes"] == 0
    assert report.freed_bytes == sizes["size_bytes"] - after["size_bytes"]


def test_rules_add_up(store: SqlStore, clock: ManualClock) -> None:
    plain_run(store, "aged")
    clock.advance(s=2 * 86_400)
    plain_run(store, "counted")
    clock.advance(s=1)
    plain_run(store, "newest")
    report = store.prune(older_than_days=1, keep=1, max_size_bytes=0, dry_run=True)
    assert [(run.run_id, run.reason) for run in report.runs] == [
        ("aged", "age"), ("counted", "count"), ("newest", "size"),
    ]  # fmt: skip
    assert store.prune(older_than_days=1, keep=1, max_size_bytes=0).removed == 3


def test_a_dry_run_changes_nothing(store: SqlStore, tmp_path: Path) -> None:
    rich_run(store, "one", status="failed")
    before = store.engine.query("SELECT * FROM runs"), count(store, "events")
    report = store.prune(older_than_days=None, keep=0, dry_run=True)
    assert (report.dry_run, report.matched, report.removed, report.events, report.freed_bytes) == (
        True,
        1,
        0,
        0,
        0,
    )
    run = report.runs[0]
    assert (run.run_id, run.name, run.status, run.event_count, run.reason) == (
        "one",
        "nightly",
        "failed",
        12,
        "count",
    )
    assert run.size_bytes > 0
    assert run.tenant_id == "default"
    assert run.completed_at_ms == run.started_at_ms
    assert (store.engine.query("SELECT * FROM runs"), count(store, "events")) == before
    with open_local(str(tmp_path / "x.db"), read_only=True) as reading:
        assert reading.prune(older_than_days=None, keep=0, dry_run=True).matched == 1
        with pytest.raises(Invalid):
            reading.prune(older_than_days=None, keep=0)


def test_everything_of_a_run_goes_and_its_id_says_so(
    store: SqlStore, tmp_path: Path, clock: ManualClock
) -> None:
    rich_run(store, "gone", idempotency_key="k0")
    clock.advance(s=1)
    rich_run(store, "stays", status=None)
    store.append("stays", [{"message": "x", "event_id": "e1"}], idempotency_key="k1")
    before = {table: count(store, table) for table in CHILDREN}
    rich_run(store, "full", status=None)
    store.append("full", [{"message": "x", "event_id": "e1"}], idempotency_key="k1")
    store.heartbeat("full")
    store.cancel("full")
    store.end_run("full", "cancelled")
    folder = tmp_path / "artifacts" / "full" / "extract"
    folder.mkdir(parents=True)
    (folder / "rows.csv").write_text("1\n")
    report = store.prune(older_than_days=None, keep=1)
    assert [run.run_id for run in report.runs] == ["gone"]
    assert store.prune(older_than_days=None, keep=0).events == 14
    after = {table: count(store, table) for table in CHILDREN}
    gone = store.engine.query("SELECT run FROM runs")
    assert len(gone) == 1
    run = gone[0][0]
    for table in CHILDREN:
        if table not in {"garbage", "idempotency"}:
            assert store.engine.query(f"SELECT count(*) FROM {table} WHERE run <> ?", (run,)) == [(0,)], table
    assert store.engine.query("SELECT run FROM idempotency WHERE run NOT IN (0, ?)", (run,)) == []
    assert after["events"] == before["events"] - 12
    assert list((tmp_path / "artifacts").iterdir()) == []
    for name in ("gone", "full"):
        with pytest.raises(NotFound) as caught:
            store.get_run(name)
        assert caught.value.code == "pruned"
    assert store.engine.query("SELECT run_id, status, event_count, reason FROM tombstones ORDER BY run_id") == [
        ("full", "cancelled", 14, "count"), ("gone", "completed", 12, "count"),
    ]  # fmt: skip
    assert store.verify().ok


def test_a_pruned_id_may_be_used_again(store: SqlStore) -> None:
    plain_run(store, "again")
    store.prune(keep=0)
    plain_run(store, "again", events=3)
    assert store.get_run("again").event_count == 5
    assert store.prune(keep=0).removed == 1


def test_deleting_takes_only_ended_runs(store: SqlStore) -> None:
    plain_run(store, "active", status=None)
    with pytest.raises(Conflict) as caught:
        store.delete_run("active")
    assert caught.value.code == "not_ended"
    with pytest.raises(NotFound):
        store.delete_run("unheard-of")
    rich_run(store, "done", status="failed")
    store.pin("done")
    store.add_note("done", "seen")
    store.delete_run("done")
    assert ids(store) == ["active"]
    with pytest.raises(NotFound):
        store.get_run("done")
    assert store.engine.query("SELECT reason FROM tombstones") == [("deleted",)]


def test_a_run_that_was_annotated_in_the_meantime_stays(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain_run(store, "one")
    plain_run(store, "two")
    bury = retention._remove

    def annotate_first(*args: object) -> object:
        store.add_note("one", "wait")
        return bury(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(retention, "_remove", annotate_first)
    report = store.prune(keep=0)
    assert (report.matched, report.removed) == (2, 1)
    assert ids(store) == ["one"]


def test_nothing_is_told_of_a_removal_that_did_not_happen(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain_run(store, "one")
    bury = retention._remove

    def annotate_first(*args: object) -> object:
        store.add_note("one", "wait")
        return bury(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(retention, "_remove", annotate_first)
    assert store.prune(keep=0).removed == 0
    assert "prune" not in {entry.action for entry in store.list_audit().items}


def test_files_come_back_when_the_removal_fails(
    store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain_run(store, "one")
    kept = tmp_path / "artifacts" / "one" / "a.txt"
    kept.parent.mkdir(parents=True)
    kept.write_text("a")
    begin = store.engine.transaction

    @contextmanager
    def failing() -> Iterator[Writing]:
        with begin() as tx:
            yield tx
            assert not kept.exists()
            raise Unavailable("locked")

    monkeypatch.setattr(store.engine, "transaction", failing)
    with pytest.raises(Unavailable):
        store.delete_run("one")
    monkeypatch.undo()
    assert ids(store) == ["one"]
    assert kept.read_text() == "a"


def test_a_crash_between_the_steps_is_made_good(store: SqlStore) -> None:
    for name in ("a", "b"):
        plain_run(store, name, events=3000)
    with store.engine.transaction() as tx:
        tx.execute("INSERT INTO garbage SELECT run, run_id, tenant, 0 FROM runs WHERE run_id = 'a'")
        tx.execute("DELETE FROM runs WHERE run_id = 'a'")
    assert store.prune(older_than_days=None, keep=None).removed == 0
    assert count(store, "garbage") == 0
    assert count(store, "events") == 3002


@pytest.mark.parametrize("field", ["older_than_days", "keep", "max_size_bytes"])
@pytest.mark.parametrize("value", [-1, float("nan"), float("inf")])
def test_rules_are_numbers_from_0_up(store: SqlStore, field: str, value: float) -> None:
    with pytest.raises(Invalid) as caught:
        store.prune(**{field: value})  # type: ignore[arg-type]
    assert list(caught.value.fields) == [field]


def test_a_writer_beside_gets_in_all_the_time(store: SqlStore) -> None:
    for n in range(4):
        plain_run(store, f"r{n}", events=6000)
    plain_run(store, "live", status=None)
    waits, done = [], threading.Event()

    def write() -> None:
        while not done.is_set():
            began_s = time.monotonic()
            store.append("live", [{"message": "beside"}])
            waits.append(time.monotonic() - began_s)

    beside = threading.Thread(target=write)
    beside.start()
    store.prune(keep=0)
    done.set()
    beside.join()
    assert ids(store) == ["live"]
    assert len(waits) > 10
    assert sorted(waits)[len(waits) * 9 // 10] < 0.5
    assert [event.seq for event in store.read("live", after_seq=len(waits) - 1)] == [
        len(waits),
        len(waits) + 1,
    ]


def test_pruning_works_on_a_full_disk(tmp_path: Path, clock: ManualClock) -> None:
    disk = SmallDisk(tmp_path, 16 * 1024 * 1024)
    with open_local(str(tmp_path / "x.db"), clock=clock, vfs=disk.vfs_name) as store:
        store.create_run("live", run_id="live")
        done = fill(store)
        assert done > 3
        assert len(store.read("r0", limit=5)) == 5
        with pytest.raises(StoreFull):
            store.append("live", [{"message": "x" * 10_000}] * 400)
        report = store.prune(older_than_days=None, keep=1)
        assert report.removed == done - 1
        assert report.freed_bytes > 0
        store.append("live", [{"message": "room again"}])
        store.end_run("live")
        assert store.verify().ok
        assert (tmp_path / "x.db-reserve").stat().st_size >= 4 * 1024 * 1024


def fill(store: SqlStore) -> int:
    """Records runs until the disk is full; how many have ended."""
    for n in range(100):
        try:
            plain_run(store, f"r{n}", events=3000)
        except StoreFull:
            return n
    raise AssertionError("the disk is not small")


def test_a_full_disk_without_a_reserve_is_told(
    store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain_run(store, "one")
    (tmp_path / "x.db-reserve").unlink()

    def full(*args: object) -> None:
        raise StoreFull("full")

    monkeypatch.setattr(Turns, "take", full)
    with pytest.raises(StoreFull):
        store.prune(keep=0)


def test_whoever_shares_the_commit_with_pruning_does_not_find_the_run(store: SqlStore) -> None:
    """An acknowledged note or pin keeps its run, or is refused; it is never lost with it."""
    run_id = store.create_run("ended").run_id
    store.end_run(run_id)
    outcomes: dict[str, object] = {}

    def attempt(name: str, work: Callable[[], object]) -> None:
        try:
            outcomes[name] = work()
        except NotFound as error:
            outcomes[name] = error.code

    began, held = threading.Event(), threading.Event()

    def hold() -> None:
        began.set()
        held.wait()

    blocking = threading.Thread(target=store.writer.between, args=(hold,))
    blocking.start()
    began.wait()  # from here on the writer takes nothing out of its queue
    threads = []
    for name, work in (
        ("heartbeat", lambda: store.heartbeat(run_id)),
        ("delete", lambda: store.delete_run(run_id)),
        ("note", lambda: store.add_note(run_id, "kept?")),
        ("pin", lambda: store.pin(run_id)),
    ):
        before = len(store.writer.queue)
        threads.append(threading.Thread(target=attempt, args=(name, work)))
        threads[-1].start()
        while len(store.writer.queue) == before:
            time.sleep(0.001)  # until it stands in the queue, so that the order is this one
    held.set()
    for thread in (blocking, *threads):
        thread.join()
    assert outcomes == {"heartbeat": None, "delete": None, "note": "pruned", "pin": "pruned"}
    assert store.verify().ok


@pytest.fixture
def full_once(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full after the first removal: its rows are gone, their garbage is not."""
    collect = garbage.collect

    def collecting(*args: object) -> None:
        monkeypatch.setattr(garbage, "collect", collect)
        raise StoreFull("full")

    monkeypatch.setattr(garbage, "collect", collecting)


@pytest.mark.usefixtures("full_once")
def test_what_was_removed_before_the_disk_was_full_is_reported(store: SqlStore) -> None:
    for name in ("one", "two"):
        plain_run(store, name, events=3)
    report = store.prune(keep=0)
    assert sorted(run.run_id for run in report.runs) == ["one", "two"]
    assert (report.matched, report.removed, report.events) == (2, 2, 10)
    assert (ids(store), count(store, "garbage")) == ([], 0)


@pytest.mark.usefixtures("full_once")
def test_a_run_deleted_before_the_disk_was_full_is_deleted(store: SqlStore) -> None:
    plain_run(store, "one")
    store.delete_run("one")
    assert (ids(store), count(store, "garbage")) == ([], 0)
