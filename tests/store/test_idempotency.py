"""A retried request gets the first answer again, for a day; an event id as long as its run."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runline.model.clock import ManualClock
from runline.model.errors import Conflict
from runline.model.limits import Limits
from runline.store import idempotency
from runline.store.sql_store import SqlStore
from runline.testing.place import SqlitePlace
from runline.testing.streams import ON_ONE_STORE, tagged, whole

END = {"type": "run_ended", "data": {"status": "completed"}}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[SqlitePlace]:
    place = SqlitePlace(tmp_path)
    yield place
    place.close()


def test_10_000_retries_of_many_clients_leave_one_row_each(place: SqlitePlace) -> None:
    handles = [place.open(), place.open()]
    run_id = handles[0].create_run("retries").run_id
    first = {key: handles[0].append(run_id, tagged(key, 2), idempotency_key=key)[0].seq for key in "abcd"}

    def retry(n: int) -> bool:
        store, key = handles[n % 2], "abcd"[n // 2 % 4]
        if n // 8 % 2:
            return store.append(run_id, tagged(key, 2), idempotency_key=key)[0].seq == first[key]
        event = {"message": "once", "event_id": f"id {key}"}
        return store.append(run_id, [event])[0].message == "once"

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(retry, range(10_000)))
    assert len(whole(handles[1], run_id)) == 1 + 2 * 4 + 4


def test_a_key_is_forgotten_after_a_day(store: SqlStore, clock: ManualClock) -> None:
    run_id = store.create_run("day").run_id
    keys = [f"k{n}" for n in range(25)]
    for key in keys:
        store.append(run_id, tagged("a", 1), idempotency_key=key)
    clock.advance(ms=idempotency.KEPT_MS - 1)
    assert store.append(run_id, tagged("a", 1), idempotency_key="k0")[0].seq == 2
    clock.advance(ms=1)
    assert store.append(run_id, tagged("other", 1), idempotency_key="k0")[0].seq == 27
    for n in range(3):
        store.append(run_id, tagged("new", 1), idempotency_key=f"new {n}")
    left = store.engine.query("SELECT count(*) FROM idempotency WHERE key LIKE 'k%'")[0][0]
    assert left == 1  # what has expired goes ten at a time, with each new key


def test_a_repeated_creation_with_another_body_is_refused(store: SqlStore) -> None:
    run = store.create_run("a", tags=["x"], plan={"steps": [{"id": "s"}]}, idempotency_key="k")
    again = store.create_run("a", tags=["x"], plan={"steps": [{"id": "s"}]}, idempotency_key="k")
    assert again.run_id == run.run_id
    for other in ({"tags": ["y"]}, {"kind": "session"}, {"parent_run_id": "p"}, {"run_id": "mine"}):
        with pytest.raises(Conflict) as told:
            store.create_run("a", idempotency_key="k", **other)
        assert told.value.code == "idempotency_conflict"
    assert len(store.list_runs().items) == 1


def expected(limit: int, earlier: list[int], batch: list[int | str | None]) -> list[int]:
    """The seqs of a batch's events in a run of that limit, in the simplest words."""
    last = 1 + min(len(earlier), limit - 1)
    seqs: dict[object, int | None] = {n: 2 + place for place, n in enumerate(earlier) if 2 + place <= limit}
    if len(earlier) > limit - 1:
        last += 1  # limit_reached
    names = [object() if n is None else n for n in batch]
    told_before = last > limit
    for name in names:
        if name in seqs:
            continue
        if last < limit:
            last += 1
            seqs[name] = last
            continue
        if not told_before:
            told_before, last = True, last + 1
        if name == "end":
            last += 1
        seqs[name] = last if name == "end" else None
    return [seq for name in names if (seq := seqs[name]) is not None]


@settings(suppress_health_check=ON_ONE_STORE, max_examples=60)
@given(
    limit=st.integers(2, 9),
    earlier=st.lists(st.integers(0, 4), unique=True, max_size=3),
    batch=st.lists(st.one_of(st.none(), st.integers(0, 4)), min_size=1, max_size=7),
    ended=st.booleans(),
)
def test_the_answer_to_a_retry_is_the_first_one_to_the_letter(
    tmp_path_factory: pytest.TempPathFactory,
    limit: int,
    earlier: list[int],
    batch: list[int | None],
    ended: bool,
) -> None:
    """With events that were there before by their id, some twice in the batch, and a limit in the middle of it."""
    place = SqlitePlace(tmp_path_factory.mktemp("retry"))
    store = place.open(limits=Limits(run_events=limit))
    run_id = store.create_run("retry").run_id
    named = {n: {"message": f"id {n}", "event_id": f"e{n}"} for n in range(5)}
    store.append(run_id, [named[n] for n in earlier])
    body = [{"message": "anonymous"} if n is None else named[n] for n in batch] + [END] * ended
    first = store.append(run_id, body, idempotency_key="k")
    log = whole(store, run_id)
    assert store.append(run_id, body, idempotency_key="k") == first
    assert whole(store, run_id) == log
    assert [event.seq for event in first if event.type == "run_ended"] == [len(log)] * ended
    assert [event.seq for event in first] == expected(limit, earlier, [*batch, *["end"] * ended])
    place.close()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([{"message": "x" * 40_000 + "A"}], [{"message": "x" * 40_000 + "B"}]),
        ([{"message": "m", "ts": 1_000}], [{"message": "m", "ts": 2_000}]),
        ([{"data": {"password": "one"}}], [{"data": {"password": "two"}}]),
        ([], [{"message": "m"}]),
    ],
    ids=["cut", "time", "redacted", "empty"],
)
def test_another_body_is_another_body_whatever_is_cut_or_redacted(
    store: SqlStore, first: list[dict[str, Any]], second: list[dict[str, Any]]
) -> None:
    run_id = store.create_run("bodies").run_id
    told = store.append(run_id, first, idempotency_key="k")
    assert store.append(run_id, first, idempotency_key="k") == told
    with pytest.raises(Conflict):
        store.append(run_id, second, idempotency_key="k")
    assert store.get_run(run_id).last_seq == 1 + len(first)


@pytest.mark.parametrize("other", [{"started_at_ms": 5}, {"original_run_id": "o"}, {"input": {"token": "b"}}])
def test_another_creation_is_another_body(store: SqlStore, other: dict[str, Any]) -> None:
    given: dict[str, Any] = {"input": {"token": "a"}}
    run = store.create_run("made", idempotency_key="k", **given)
    assert store.create_run("made", idempotency_key="k", **given) == run
    with pytest.raises(Conflict):
        store.create_run("made", idempotency_key="k", **(given | other))
