"""What `append` hands over and what it gives back."""

from __future__ import annotations

from pathlib import Path

import pytest

from runline.model.errors import Conflict, Invalid, RunEnded
from runline.model.limits import Limits
from runline.store import appends, events
from runline.store.sql_store import SqlStore
from runline.testing.place import SqlitePlace
from runline.testing.streams import tagged, whole


def test_a_batch_larger_than_a_page_is_answered_whole(store: SqlStore) -> None:
    run_id = store.create_run("large").run_id
    store.append(run_id, [{"message": "known", "event_id": "k"}])
    stored = store.append(run_id, [*tagged("a", 2 * events.MAX_PAGE), {"message": "known", "event_id": "k"}])
    assert [event.seq for event in stored] == [*range(3, 3 + 2 * events.MAX_PAGE), 2]
    assert whole(store, run_id)[2:] == stored[:-1]


def test_an_end_status_must_be_one(store: SqlStore) -> None:
    run_id = store.create_run("end").run_id
    with pytest.raises(Invalid) as told:
        store.end_run(run_id, "running")
    assert told.value.fields == {"status": "unknown"}
    assert store.get_run(run_id).status == "running"


@pytest.mark.parametrize(
    ("status", "error", "level", "message"),
    [
        ("completed", None, "info", "Run completed"),
        ("cancelled", "by hand", "info", "Run cancelled: by hand"),
        ("failed", "no disk", "info", "Run failed: no disk"),
    ],
)
def test_the_end_event_says_what_happened(
    store: SqlStore, status: str, error: str | None, level: str, message: str
) -> None:
    run_id = store.create_run("end").run_id
    end = store.end_run(run_id, status, error=error)
    assert (end.level, end.message, end.source) == (level, message, "runline")
    assert end.data == {"status": status} | ({} if error is None else {"error": error})
    run = store.get_run(run_id)
    assert (run.status, run.error_message) == (status, error)


def test_a_session_ends_as_a_session(store: SqlStore) -> None:
    run_id = store.create_run("end", kind="session").run_id
    assert store.end_run(run_id).type == "session_ended"
    forced = store.create_run("forced", kind="session").run_id
    store.cancel(forced, force=True)
    assert store.read(forced, order="desc", limit=1)[0].type == "session_ended"


def test_what_was_beyond_the_limit_is_left_out_of_the_answer(tmp_path: Path) -> None:
    place = SqlitePlace(tmp_path)
    store = place.open(limits=Limits(run_events=3))
    run_id = store.create_run("limit").run_id
    assert [event.seq for event in store.append(run_id, tagged("a", 5), idempotency_key="k")] == [2, 3]
    assert [event.seq for event in store.append(run_id, tagged("a", 5), idempotency_key="k")] == [2, 3]
    assert store.append(run_id, tagged("b", 2)) == []
    place.close()


@pytest.mark.parametrize("key", ["", "x" * 256, "a\0b", "a\nb", "\x7f"])
def test_a_key_is_short_printable_text(store: SqlStore, key: str) -> None:
    run_id = store.create_run("key").run_id
    with pytest.raises(Invalid) as told:
        store.append(run_id, tagged("a", 1), idempotency_key=key)
    assert told.value.code == "bad_idempotency_key"
    with pytest.raises(Invalid):
        store.create_run("key", idempotency_key=key)
    assert store.get_run(run_id).last_seq == 1


def test_ids_are_told_for_what_is_new_what_was_known_and_what_was_left_out(tmp_path: Path) -> None:
    store = SqlitePlace(tmp_path).open(limits=Limits(run_events=5))
    run_id = store.create_run("ids").run_id
    first = [{"message": "a", "event_id": "one"}, {"message": "b"}]
    told = store.ingest(run_id, first, idempotency_key="k").result(10)
    log = whole(store, run_id)
    assert appends.told_ids(store, run_id, told) == [log[1].id, log[2].id]
    assert appends.told_ids(store, run_id, store.ingest(run_id, first, idempotency_key="k").result(10)) == [
        log[1].id,
        log[2].id,
    ]
    mixed = [{"message": "c"}, first[0], {"message": "d"}, {"message": "e"}]
    told = store.ingest(run_id, mixed).result(10)
    log = whole(store, run_id)
    assert told.not_stored == 1
    assert appends.told_ids(store, run_id, told) == [log[3].id, log[1].id, log[4].id, None]
    store.close()


def test_an_event_that_is_refused_is_named_by_its_place(store: SqlStore) -> None:
    run_id = store.create_run("wrong").run_id
    with pytest.raises(Invalid) as alone:
        store.append(run_id, [{"event_id": 7}])
    assert list(alone.value.fields) == ["event_id"]
    with pytest.raises(Invalid) as among:
        store.append(run_id, [{}, {}, {"event_id": 7}])
    assert among.value.code == "bad_event_id"
    assert among.value.message.startswith("Event 3 of 3: An event_id is text")
    assert list(among.value.fields) == ["events[2].event_id"]
    assert len(whole(store, run_id)) == 1


def test_an_end_that_is_repeated_with_its_key_is_told_as_the_first_time(store: SqlStore) -> None:
    run_id = store.create_run("over").run_id
    end = store.end_run(run_id, "failed", error="no disk", idempotency_key="k")
    assert store.end_run(run_id, "failed", error="no disk", idempotency_key="k").id == end.id
    with pytest.raises(Conflict) as told:
        store.end_run(run_id, "completed", idempotency_key="k")
    assert told.value.code == "idempotency_conflict"
    with pytest.raises(RunEnded):
        store.end_run(run_id, "failed", error="no disk")
    assert store.get_run(run_id).last_seq == 2
