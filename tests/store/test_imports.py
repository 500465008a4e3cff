from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from runline.export.load import read_export
from runline.export.run import Format, export_run
from runline.model.clock import ManualClock, to_iso
from runline.model.errors import Conflict, Invalid, NotFound, StoreFull
from runline.model.run import Run
from runline.store import open_local
from runline.store.hidden_run import HiddenRun
from runline.store.sql_store import SqlStore
from tests.store.recorded import body, count, ids, plain_run, rich_run

START: dict[str, Any] = {"seq": 1, "type": "run_started", "data": {"name": "job"}}


@pytest.fixture
def other(tmp_path: Path, clock: ManualClock) -> Iterator[SqlStore]:
    with open_local(str(tmp_path / "other.db"), clock=clock) as opened:
        yield opened


def take_over(
    source: SqlStore, target: SqlStore, run_id: str, format: Format, as_id: str | None = None
) -> Run:
    """Exports a run from one store and imports it into the other."""
    text = b"".join(export_run(source, run_id, format=format, now_ms=0))
    header, events = read_export(io.BytesIO(text))
    return target.import_run(header.run, events, header.notes, as_id=as_id)


def nothing_is_left(store: SqlStore) -> bool:
    tables = ("runs", "events", "steps", "calls", "slots", "artifacts", "notes", "run_details", "garbage")
    return not any(count(store, table) for table in tables)


@pytest.mark.parametrize("format", ["json", "jsonl"])
@pytest.mark.parametrize("status", [None, "failed"])
def test_a_run_comes_back_equal(
    store: SqlStore, other: SqlStore, clock: ManualClock, format: Format, status: str | None
) -> None:
    rich_run(store, "one", status=status, tenant="mine", parent_run_id="p", original_run_id="o")
    clock.advance(s=60)
    store.add_note("one", "later", author="me", labels=["a"], actions=["b"], event_seq=2)
    store.add_note("one", "about all")
    store.pin("one")
    plain_run(other, "already-there", events=10)
    clock.advance(s=60)
    imported = take_over(store, other, "one", format)
    before = store.get_run("one")
    assert imported == msgspec.structs.replace(before, last_seen_at_ms=clock.now_ms())
    assert other.read("one") == store.read("one")
    assert other.state("one") == store.state("one")
    assert other.calls("one").items == store.calls("one").items
    assert [note.note for note in other.list_notes("one")] == ["about all", "later"]
    for mine, theirs in zip(other.list_notes("one"), store.list_notes("one"), strict=True):
        assert msgspec.structs.replace(mine, id=0) == msgspec.structs.replace(theirs, id=0)
    assert [artifact.path for artifact in other.list_artifacts("one")] == ["rows.csv"]
    assert {event.id for event in other.read("one")}.isdisjoint(
        event.id for event in other.read("already-there")
    )
    assert other.verify().ok
    assert count(other, "garbage") == 0
    if status is None:
        other.append("one", body())
        assert other.verify().ok


def test_a_long_run_comes_in_batches(store: SqlStore, other: SqlStore) -> None:
    plain_run(store, "long", events=6000)
    take_over(store, other, "long", "jsonl")
    assert other.get_run("long") == msgspec.structs.replace(store.get_run("long"))
    assert count(other, "checkpoints") >= 3
    assert other.state("long", at_seq=4321) == store.state("long", at_seq=4321)
    assert other.verify().ok


def test_the_width_of_slots_may_change_within_a_batch(store: SqlStore) -> None:
    at_ms = store.clock.now_ms()
    events = [{"seq": n + 1, "type": "log", "ts": to_iso(at_ms + n * 700_000)} for n in range(1, 400)]
    start = {**START, "ts": to_iso(at_ms)}
    store.import_run({"run_id": "one"}, [start, *events])
    assert sum(store.histogram("one").events) == 400
    assert store.verify().ok


def test_an_id_that_is_there_is_kept(store: SqlStore) -> None:
    plain_run(store, "one", events=3)
    with pytest.raises(Conflict):
        store.import_run({"run_id": "one"}, [START])
    copy = store.import_run({"run_id": "one"}, [START], as_id="two")
    assert (copy.run_id, copy.last_seq) == ("two", 1)
    assert store.get_run("one").last_seq == 5
    for run in ({}, {"run_id": None}, {"run_id": "../x"}, {"run_id": "export"}):
        with pytest.raises(Invalid):
            store.import_run(run, [START])
    assert sorted(ids(store)) == ["one", "two"]


def test_a_pruned_id_may_come_back(store: SqlStore, other: SqlStore) -> None:
    rich_run(other, "one")
    rich_run(store, "one")
    store.prune(keep=0)
    take_over(other, store, "one", "json")
    assert store.get_run("one").status == "completed"
    assert count(store, "tombstones") == 0


def test_whose_run_it_is(store: SqlStore) -> None:
    assert store.import_run({"run_id": "a", "tenant_id": "said"}, [START]).tenant_id == "said"
    assert store.import_run({"run_id": "b"}, [START]).tenant_id == "default"
    view = store.scoped("mine")
    assert view.import_run({"run_id": "c", "tenant_id": "said"}, [START]).tenant_id == "mine"
    with pytest.raises(Conflict):
        view.import_run({"run_id": "a"}, [START])


@pytest.mark.parametrize(
    "events",
    [
        [],
        [{**START, "seq": 2}],
        [START, {"seq": 3, "type": "log"}],
        [START, {"seq": 1, "type": "log"}],
        [START, {"seq": "2", "type": "log"}],
        [START, {"seq": True, "type": "log"}],
        [START, "no event"],
        ["no event"],
        [START, {"seq": 2, "type": "run_ended"}, {"seq": 3, "type": "log"}],
        [START, {"seq": 2, "type": "log", "event_id": 7}],
        [{"seq": 2, "message": "foreign"}],
        [{"seq": 0, "message": "foreign"}, {"seq": 2, "message": "foreign"}],
    ],
)
def test_what_is_no_whole_run_leaves_nothing(store: SqlStore, events: list[Any]) -> None:
    with pytest.raises(Invalid):
        store.import_run({"run_id": "one"}, events)
    assert nothing_is_left(store)


@pytest.mark.parametrize(
    "note",
    [
        {"note": " "},
        {"note": 5},
        {"note": "n", "author": 5},
        {"note": "n", "labels": "a"},
        {"note": "n", "actions": [5]},
        {"note": "n", "event_index": 2},
        {"note": "n", "event_index": "1"},
    ],
)
def test_a_bad_note_leaves_nothing(store: SqlStore, note: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        store.import_run({"run_id": "one"}, [START], [note])
    assert nothing_is_left(store)


def test_a_file_that_breaks_off_leaves_nothing(store: SqlStore) -> None:
    def events() -> Iterator[dict[str, Any]]:
        yield START
        yield from ({"seq": n, "type": "log"} for n in range(2, 3000))
        assert count(store, "events") > 100
        assert ids(store) == []
        raise Invalid("it is not complete")

    with pytest.raises(Invalid, match="not complete"):
        store.import_run({"run_id": "one"}, events())
    assert nothing_is_left(store)


def test_when_not_even_the_clearing_works_the_reason_is_told(
    store: SqlStore, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise StoreFull("full")

    monkeypatch.setattr(HiddenRun, "append", full)
    monkeypatch.setattr(HiddenRun, "abandon", full)
    with pytest.raises(StoreFull):
        store.import_run({"run_id": "one"}, [START])
    assert count(store, "garbage") == 1
    clock.advance(s=601)
    store.prune(older_than_days=None, keep=None)
    assert nothing_is_left(store)


def test_secrets_are_hidden_again(store: SqlStore) -> None:
    secret = "ghp_" + "a1B2" * 9
    start = {
        "seq": 1,
        "type": "run_started",
        "data": {"name": "job", "input": {"password": "hunter2", "t": secret}},
    }
    events = [start, {"seq": 2, "type": "log", "message": f"uses {secret}", "data": {"token": "x" * 20}}]
    store.import_run({"run_id": "one"}, events, [{"note": f"see {secret}", "labels": [secret]}])
    stored = str(store.engine.query("SELECT * FROM events")) + str(store.engine.query("SELECT * FROM notes"))
    stored += str(store.engine.query("SELECT * FROM run_details"))
    assert secret not in stored
    assert "hunter2" not in stored
    assert store.engine.query("SELECT input_redacted FROM runs") == [(1,)]
    assert store.verify().ok


@pytest.mark.parametrize("first_index", [0, 1, None])
def test_a_timeline_of_another_program(store: SqlStore, clock: ManualClock, first_index: int | None) -> None:
    at_ms = clock.now_ms()
    run = {
        "run_id": "web-1",
        "pipeline_name": "web",
        "kind": "run",
        "status": "failed",
        "started_at": to_iso(at_ms - 5),
    }
    events: list[dict[str, Any]] = [
        {"step": None, "message": "begins", "level": "info", "ts": to_iso(at_ms)},
        {"step": "load", "message": "no such file", "level": "error", "ts": to_iso(at_ms + 7)},
    ]
    if first_index is not None:
        for seq, event in enumerate(events, first_index):
            event["seq"] = seq
    noted = [
        {"note": "here", "event_index": 1 if first_index == 0 else 2, "created_at_utc": to_iso(at_ms + 9)}
    ]
    imported = store.import_run(run, events, noted)
    assert (imported.name, imported.status, imported.started_at_ms) == ("web", "failed", at_ms - 5)
    assert imported.completed_at_ms == at_ms + 7
    assert [(event.seq, event.type, event.message) for event in store.read("web-1")] == [
        (1, "run_started", "web started"), (2, "log", "begins"), (3, "log", "no such file"),
        (4, "run_ended", "Run failed"),
    ]  # fmt: skip
    note = store.list_notes("web-1")[0]
    assert note.event_seq == 3
    assert note.created_at_ms == at_ms + 9
    assert store.verify().ok


def test_a_timeline_that_goes_on_or_ends_itself(store: SqlStore) -> None:
    running = store.import_run({"run_id": "a", "status": "running"}, [{"message": "m"}])
    assert (running.status, running.name, running.last_seq) == ("running", "a", 2)
    ended = store.import_run({"run_id": "b", "status": "failed"}, [{"message": "m"}, {"type": "run_ended"}])
    assert (ended.status, ended.last_seq) == ("completed", 3)


def test_an_empty_line_stays_one(store: SqlStore) -> None:
    lines = ["", "  ", "text", "x" * 5000]
    store.import_run({"run_id": "one"}, [START, *({"type": "log", "message": line} for line in lines)])
    assert [event.message for event in store.read("one")][1:] == lines
    assert store.verify().ok


def test_an_import_is_no_news_to_the_writer(store: SqlStore, other: SqlStore) -> None:
    rich_run(store, "one", status=None)
    take_over(store, other, "one", "json")
    other.append("one", body())
    other.end_run("one")
    assert [event.seq for event in other.follow("one", timeout_s=5)] == list(range(1, 23))
    assert other.verify().ok


def test_an_input_above_the_limit_is_refused(store: SqlStore) -> None:
    start = {"type": "run_started", "data": {"name": "big", "input": "x" * 1_500_000}}
    with pytest.raises(Invalid) as told:
        store.import_run({"run_id": "big"}, [start])
    assert told.value.code == "input_too_large"
    with pytest.raises(NotFound):
        store.get_run("big")
