"""Reading the log: whatever the bounds, the order and the slices, exactly what matches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runline.model.errors import Invalid, NotFound
from runline.store import events, open_local
from runline.store.sql_store import SqlStore
from runline.testing.streams import ON_ONE_STORE, tagged, whole

BOUNDS = st.one_of(st.integers(-3, 60), st.sampled_from((2**63, 2**70, -(2**70))))


@pytest.fixture(scope="module")
def read_only_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SqlStore, str]]:
    """A run of 50 events that nothing is written to any more, and its store."""
    store = open_local(str(tmp_path_factory.mktemp("events") / "x.db"))
    run_id = store.create_run("fifty").run_id
    store.append(run_id, [{"message": "needle" if n % 3 else "hay", "data": {"n": n}} for n in range(49)])
    yield store, run_id
    store.close()


@settings(suppress_health_check=ON_ONE_STORE, max_examples=150)
@given(
    after_seq=BOUNDS,
    before_seq=st.none() | BOUNDS,
    order=st.sampled_from(("asc", "desc")),
    limit=st.integers(1, 70),
    q=st.sampled_from((None, '"needle"', "type:log", "-needle")),
    slice_=st.sampled_from((1, 7, 1000)),
)
def test_a_page_is_what_a_list_would_give(
    read_only_run: tuple[SqlStore, str],
    after_seq: int,
    before_seq: int | None,
    order: Literal["asc", "desc"],
    limit: int,
    q: str | None,
    slice_: int,
) -> None:
    store, run_id = read_only_run
    chosen = [
        event
        for event in whole(store, run_id)
        if event.seq > after_seq
        and (before_seq is None or event.seq < before_seq)
        and {
            None: True,
            '"needle"': event.message == "needle",
            "type:log": event.type == "log",
            "-needle": event.message != "needle",
        }[q]
    ]
    expected = (chosen if order == "asc" else chosen[::-1])[:limit]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(events, "_SLICE", slice_)
        found = store.read(run_id, after_seq=after_seq, before_seq=before_seq, order=order, limit=limit, q=q)
    assert found == expected


def test_an_unknown_order_is_refused(store: SqlStore) -> None:
    run_id = store.create_run("order").run_id
    with pytest.raises(Invalid) as told:
        store.read(run_id, order="newest")  # type: ignore[arg-type]
    assert told.value.fields == {"order": "unknown"}


@pytest.mark.parametrize("limit", [0, -1])
def test_a_page_holds_at_least_one(store: SqlStore, limit: int) -> None:
    run_id = store.create_run("limit").run_id
    with pytest.raises(Invalid) as told:
        store.read(run_id, limit=limit)
    assert "limit" in told.value.fields


def test_a_page_is_never_larger_than_a_thousand(store: SqlStore) -> None:
    run_id = store.create_run("large").run_id
    store.append(run_id, tagged("a", 1_200))
    assert len(store.read(run_id, limit=10**9)) == events.MAX_PAGE


@pytest.mark.parametrize("q", [None, "needle"])
def test_an_index_tells_seqs_and_how_far_it_has_looked(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch, q: str | None
) -> None:
    monkeypatch.setattr(events, "_SLICE", 10)
    monkeypatch.setattr(events, "_INDEX_PAGE", 10)
    run_id = store.create_run("index").run_id
    store.append(run_id, [{"message": "needle" if n % 2 else "hay"} for n in range(29)])
    matching = [event.seq for event in whole(store, run_id) if q is None or event.message == q]
    hits = list(store.index(run_id, q=q))
    assert [seq for piece in hits for seq in piece.seqs] == matching
    assert [(piece.scanned_seq, piece.last_seq) for piece in hits] == [(10, 30), (20, 30), (30, 30)]
    late = list(store.index(run_id, after_seq=25, q=q))
    assert [seq for piece in late for seq in piece.seqs] == [seq for seq in matching if seq > 25]
    assert [(list(piece.seqs), piece.scanned_seq) for piece in store.index(run_id, after_seq=2**70)] == [
        ([], 30)
    ]


def test_an_id_becomes_the_seq_before_it(store: SqlStore) -> None:
    one, other = store.create_run("one").run_id, store.create_run("other").run_id
    for n in range(10):
        store.append(one, tagged("a", 1, first=n))
        store.append(other, tagged("b", 2, first=2 * n))
    log = whole(store, one)
    for after_id in (*range(-1, 40), 2**70, -(2**70)):
        assert store.read(one, after_id=after_id) == [event for event in log if event.id > after_id]
    assert store.read(one, after_id=log[3].id, after_seq=7) == log[7:]


def test_unknown_runs_have_no_page(store: SqlStore) -> None:
    for run_id in ("nobody", "", "\0", "\ud800", "x" * 10_000):
        with pytest.raises((NotFound, Invalid)):
            store.read(run_id)


@pytest.mark.parametrize("slice_", [1, 7, 1000])
@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, 50),
        ({"types": ["log"]}, 49),
        ({"types": ["run_started", "nosuch"]}, 1),
        ({"levels": ["error"]}, 0),
        ({"steps": ["run"], "levels": ["info"]}, 50),
        ({"q": "needle"}, 32),
        ({"q": "-needle", "types": ["log"]}, 17),
        ({"correlation_id": "none"}, 0),
    ],
)
def test_how_many_match(
    read_only_run: tuple[SqlStore, str],
    monkeypatch: pytest.MonkeyPatch,
    filters: dict[str, Any],
    expected: int,
    slice_: int,
) -> None:
    store, run_id = read_only_run
    monkeypatch.setattr(events, "_SLICE", slice_)
    monkeypatch.setattr(events, "_INDEX_PAGE", slice_)
    assert store.count_events(run_id, **filters) == expected
    assert expected == len(store.read(run_id, limit=100, **filters))


def test_without_a_filter_no_event_is_looked_at(
    read_only_run: tuple[SqlStore, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, run_id = read_only_run
    monkeypatch.setattr(events, "event_where", None)
    assert store.count_events(run_id) == 50
