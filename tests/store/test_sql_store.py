"""The store as a whole: scopes, clamps, step names of many runs, any bad input."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from runline.model.errors import Forbidden, Invalid, RunlineError
from runline.model.event import Event
from runline.store import sql_store
from runline.store.sql_store import SqlStore
from runline.testing import corpus, objects
from runline.testing.place import SqlitePlace
from runline.testing.streams import tagged, whole


@pytest.fixture
def place(tmp_path: Path) -> Iterator[SqlitePlace]:
    place = SqlitePlace(tmp_path)
    yield place
    place.close()


def test_a_scope_shares_the_store_and_fixes_the_tenant(store: SqlStore) -> None:
    acme = store.scoped("acme")
    run = acme.create_run("scoped", tenant="ignored")
    assert run.tenant_id == "acme"
    assert store.tenant is None
    assert acme.writer is store.writer
    assert acme.scoped("acme").get_run(run.run_id) == run
    with pytest.raises(Forbidden):
        acme.scoped("other")
    with pytest.raises(Forbidden):
        acme.backup("everybodys.db")
    acme.close()
    assert store.scoped("other").list_runs().items == []


def test_step_names_of_more_runs_than_are_remembered(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql_store, "_STEP_NAMES_KEPT", 2)
    runs = [store.create_run("named").run_id for _ in range(5)]
    for run_id in runs:
        store.append(run_id, [{"message": "m", "step": f"step of {run_id}"}, {"message": "m"}])
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda n: (runs[n % 5], store.read(runs[n % 5])[1].step), range(200)))
    assert all(step == f"step of {run_id}" for run_id, step in found)
    assert len(store._step_names) <= 2 + 4


def test_words_may_be_one_or_many(store: SqlStore) -> None:
    run_id = store.create_run("words").run_id
    store.append(run_id, tagged("a", 2))
    assert store.read(run_id, types="log") == store.read(run_id, types=["log"]) == whole(store, run_id)[1:]
    assert store.list_runs(name="words").items == store.list_runs(name=("words", "other")).items


@pytest.mark.parametrize("ask", ["read", "list_runs", "list_notes", "calls", "histogram"])
def test_nothing_may_be_asked_for_less_than_once(store: SqlStore, ask: str) -> None:
    run_id = store.create_run("clamped").run_id
    method: Any = getattr(store, ask)
    given = [] if ask == "list_runs" else [run_id]
    with pytest.raises(Invalid) as told:
        method(*given, **{"slots" if ask == "histogram" else "limit": 0})
    assert told.value.fields == {"limit": "below 1"}


def test_a_bad_filter_is_refused(store: SqlStore) -> None:
    run_id = store.create_run("filter").run_id
    for ask in (lambda: store.read(run_id, q="level:"), lambda: store.list_runs(q="status:finished")):
        with pytest.raises(Invalid):
            ask()


def test_a_stream_that_is_not_announced_keeps_nothing_alive(store: SqlStore) -> None:
    run_id = store.create_run("quiet").run_id
    store.stream(run_id, announced=False)
    assert store.writer._streams == set()
    assert store.flush(10)


# -- bad input: nothing but our own errors, and what is accepted reads back as it was answered


_LONGEST_S = 1 if sys.gettrace() is None else 5
"""Measuring coverage takes its time."""


def accepted(store: SqlStore, run_id: str, event: Any) -> Event | None:
    """What `append` makes of it, in under a second of work; None when it is refused."""
    began_s = time.process_time()  # not by the clock: others may use the machine too
    stored: list[Event] = []
    refusal: RunlineError | None = None
    try:
        stored = store.append(run_id, [event])
    except RunlineError as error:
        refusal = error
    assert time.process_time() - began_s < _LONGEST_S
    if refusal is not None:
        assert refusal.status < 500
        return None
    assert store.read(run_id, after_seq=stored[0].seq - 1) == stored
    decoded = json.loads(stored[0].to_json())
    assert decoded["data"] == json.loads(stored[0].payload)
    assert Event.from_json(stored[0].to_json()) == stored[0]
    assert "\0" not in stored[0].to_json().decode()
    return stored[0]


@pytest.mark.parametrize("name", list(objects.BAD_VALUES))
def test_bad_values_are_stored_in_their_json_form(store: SqlStore, name: str) -> None:
    run_id = store.create_run("values").run_id
    value = objects.BAD_VALUES[name]
    for event in (
        {"data": {"value": value}},
        {"data": value},
        {"message": value},
        {"type": value, "step": value},
    ):
        assert accepted(store, run_id, event) is not None
    accepted(store, run_id, value)
    assert store.verify(run_id).problems == ()


@pytest.mark.parametrize("name", list(objects.LARGE_VALUES))
def test_large_values_are_cut_in_time(store: SqlStore, name: str) -> None:
    run_id = store.create_run("large").run_id
    event = accepted(store, run_id, {"data": {"value": objects.LARGE_VALUES[name]()}})
    assert event is not None
    assert len(event.payload.encode()) <= 64 * 1024


@pytest.mark.parametrize("text", [*corpus.BAD_TEXTS.values(), *corpus.TERMINAL.values(), *corpus.PATHS])
def test_bad_texts_may_stand_in_any_field(store: SqlStore, text: str) -> None:
    run_id = store.create_run("texts").run_id
    for field in ("type", "message", "step", "source", "level", "correlation_id", "ts", "event_id"):
        accepted(store, run_id, {field: text})
    assert accepted(store, run_id, {"data": {"text": text, text: 1, "deep": [{"x": text}]}}) is not None
    assert accepted(store, run_id, {"message": f"x {text}", "step": f"s {text}", "source": text}) is not None
    for q in (f'"{text}"', text, f"step:{text}"):
        try:
            store.read(run_id, q=q)
        except Invalid:
            continue
    assert store.verify(run_id).problems == ()


@pytest.mark.parametrize("name", list(corpus.BAD_EVENTS))
def test_bad_events_are_stored(store: SqlStore, name: str) -> None:
    run_id = store.create_run("events").run_id
    assert accepted(store, run_id, corpus.BAD_EVENTS[name]) is not None
    assert store.verify(run_id).problems == ()


@pytest.mark.parametrize("document", list(corpus.BAD_JSON.values()))
def test_documents_that_are_no_json_are_only_text(store: SqlStore, document: bytes) -> None:
    run_id = store.create_run("documents").run_id
    for event in ({"data": {"raw": document}}, {"message": document.decode("latin-1")}, document):
        accepted(store, run_id, event)
    assert store.verify(run_id).problems == ()


@pytest.mark.parametrize("tenant", ["", " ", "a\nb", "x" * 201, "\x1b[2Jevil", None, 5, b"x"])
def test_a_tenant_has_a_printable_name(store: SqlStore, tenant: Any) -> None:
    with pytest.raises(Invalid) as told:
        store.scoped(tenant)
    assert told.value.code == "bad_tenant"
    with pytest.raises(Invalid):
        store.create_run("x", tenant=tenant)
    assert store.list_runs().items == []


@pytest.mark.parametrize("limit", [0, -1, "5", 1.5, True])
def test_a_limit_is_a_whole_number_from_1(store: SqlStore, limit: Any) -> None:
    with pytest.raises(Invalid):
        store.list_runs(limit=limit)
