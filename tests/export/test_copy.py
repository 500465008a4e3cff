"""Copying between any two stores: everything, once, and compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from runline.export.copy import CopyReport, Difference, copy
from runline.store import open_local
from runline.testing.place import PostgresPlace
from runline.testing.postgres import PostgresServer
from runline.testing.serving import serving
from runline.testing.streams import tagged
from tests.store.recorded import plain_run, rich_run

if TYPE_CHECKING:
    from runline.store.sql_store import SqlStore


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture
def source(tmp_path: Path) -> Iterator[SqlStore]:
    with open_local(str(tmp_path / "source.db")) as store:
        yield store


@pytest.fixture
def target(tmp_path: Path) -> Iterator[SqlStore]:
    with open_local(str(tmp_path / "target.db")) as store:
        yield store


def filled(store: SqlStore) -> None:
    rich_run(store, "rich", status="failed")
    plain_run(store, "plain", events=1200)
    plain_run(store.scoped("theirs"), "hers")
    store.create_run("live", run_id="live", input={"n": 1})
    store.append(
        "live", [{"type": "log", "message": f"line {n}", "data": {"text": "ü" * n}} for n in range(700)]
    )
    store.add_note("plain", "look", author="me", labels=["a"], event_seq=3)
    store.pin("plain")


def told(store: Any, run_id: str) -> dict[str, Any]:
    run = store.get_run(run_id)
    notes = [(note.note, note.author, note.labels, note.event_seq) for note in store.list_notes(run_id)]
    state = store.state(run_id)
    facts = (
        run.name,
        run.status,
        run.tenant_id,
        run.tags,
        run.pinned,
        run.started_at_ms,
        run.completed_at_ms,
        run.last_seq,
    )
    return {"facts": facts, "notes": notes, "state": state, "steps": store.list_steps(run_id)}


def test_a_file_into_postgres_and_back_is_equal(
    source: SqlStore, target: SqlStore, server: PostgresServer
) -> None:
    filled(source)
    place = PostgresPlace(server)
    middle = place.open()
    seen: list[tuple[int, int]] = []
    report = copy(source, middle, on_progress=lambda done, total: seen.append((done, total)))
    assert report == CopyReport(copied=4, continued=0, same=0, events=report.events, different=())
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert copy(middle, target).copied == 4
    for run_id in ("rich", "plain", "hers", "live"):
        assert told(source, run_id) == told(middle, run_id) == told(target, run_id)
    assert middle.verify().ok
    assert copy(source, middle) == CopyReport(copied=0, continued=0, same=4, events=0, different=())
    place.close()


def test_into_a_server(source: SqlStore, target: SqlStore) -> None:
    from runline.store.remote.http_store import open_http

    filled(source)
    with serving(target) as served, open_http(served.url) as there:
        assert copy(source, there).different == ()
    assert told(source, "rich") == told(target, "rich")


def test_what_has_grown_since_is_continued(source: SqlStore, target: SqlStore) -> None:
    filled(source)
    copy(source, target)
    source.append("live", tagged("later", 1100))
    source.end_run("live")
    source.pin("live")
    report = copy(source, target)
    assert (report.copied, report.continued, report.same, report.events) == (0, 1, 3, 1101)
    assert report.different == ()
    assert told(source, "live") == told(target, "live")


def test_more_runs_than_a_page(source: SqlStore, target: SqlStore) -> None:
    for n in range(103):
        plain_run(source, f"r{n}", events=1)
    assert copy(source, target).copied == target.counts().total == 103


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        (lambda store: plain_run(store, "one", events=3), "event 1 is not the same in both"),
        (lambda store: store.create_run("one", run_id="one"), "event 1 is not the same in both"),
        (lambda store: plain_run(store.scoped("theirs"), "one"), "it is tenant 'theirs's there"),
    ],
)
def test_what_differs_is_named_and_left_as_it_is(
    source: SqlStore, target: SqlStore, change: Callable[[SqlStore], Any], detail: str
) -> None:
    plain_run(source, "one", events=5)
    change(target)
    before = target.get_run("one").name
    (found,) = copy(source, target).different
    assert found.run_id == "one"
    assert target.get_run("one").name == before


def test_a_note_that_came_later_is_told(source: SqlStore, target: SqlStore) -> None:
    plain_run(source, "one")
    copy(source, target)
    source.add_note("one", "later")
    assert copy(source, target).different == (Difference("one", "it has 0 notes there, 1 here"),)


def test_a_run_that_goes_meanwhile_is_a_difference(source: SqlStore, target: SqlStore) -> None:
    plain_run(source, "one", events=3)
    copy(source, target)
    real = source.read
    source.read = lambda run_id, **wanted: [] if wanted["after_seq"] else real(run_id, **wanted)[:1]  # type: ignore[method-assign]
    assert [one.detail for one in copy(source, target).different] == ["event 2 is not the same in both"]
