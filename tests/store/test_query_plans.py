"""No page of a list and no filtered page of a run is answered by looking at all of a table, or of a run."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from runline.model.clock import ManualClock
from runline.store import failures
from runline.store.sql_store import SqlStore
from runline.store.usual import usual_of_name
from tests.store.recorded import plain_run, rich_run

Read = Callable[[SqlStore], Any]
PLAN = tuple[str, list[str]]


@pytest.fixture
def filled(store: SqlStore, clock: ManualClock) -> SqlStore:
    """Enough of everything that a planner has a choice; no statistics, as in a store in use."""
    for n in range(30):
        plain_run(
            store, f"r{n}", status=("completed", "failed")[n % 2], name=f"job{n % 3}", tenant="ab"[n % 2]
        )
        clock.advance(s=1)
    rich_run(store, "one", status="failed", tenant="a")
    store.append(rich_run(store, "live", status=None), [{"message": f"{n}"} for n in range(300)])
    for n in range(20):
        store.add_note("one", f"note {n}")
    return store


def plans(store: SqlStore, read: Read, monkeypatch: pytest.MonkeyPatch) -> list[PLAN]:
    """What SQLite does for each statement of a read."""
    asked: list[tuple[str, Any]] = []
    query = store.engine.query

    def recorded(sql: str, parameters: Any = ()) -> Any:
        asked.append((sql, parameters))
        return query(sql, parameters)

    with monkeypatch.context() as patch:
        patch.setattr(store.engine, "query", recorded)
        patch.setattr(store.direct, "execute", recorded)
        read(store)
    assert asked
    return [
        (sql, [row[3] for row in query(f"EXPLAIN QUERY PLAN {sql}", parameters)]) for sql, parameters in asked
    ]


def scans(found: list[PLAN]) -> list[tuple[str, str]]:
    """Steps of a plan that look at every row of a table; reading an index in the order of a page is none."""
    return [
        (step, sql)
        for sql, steps in found
        for step in steps
        if re.match(r"SCAN (?!json_each|\(subquery|CONSTANT)", step) and not re.match(r"SCAN runs USING INDEX runs_by_", step)
    ]  # fmt: skip


PAGES: dict[str, dict[str, Any]] = {
    "nothing": {},
    "step": {"steps": ["extract"]},
    "no step": {"steps": ["run"]},
    "level": {"levels": ["error"]},
    "type": {"types": ["tool_call"]},
    "several types": {"types": ["tool_call", "error"]},
    "correlation id": {"correlation_id": "c1"},
    "q by level": {"q": "level:error"},
    "q by type": {"q": "type:error"},
}


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("filters", PAGES)
def test_a_page_of_events(
    filled: SqlStore, monkeypatch: pytest.MonkeyPatch, filters: str, order: str
) -> None:
    def read(store: SqlStore) -> None:
        store.read("one", limit=100, order=order, **PAGES[filters])  # type: ignore[arg-type]

    found = plans(filled, read, monkeypatch)
    assert scans(found) == []
    steps = [step for sql, steps in found if "FROM events" in sql for step in steps]
    index = "events_by_correlation" if filters == "correlation id" else "events_by_run"
    assert steps
    assert all(index in step for step in steps), steps
    # The page comes out of the index in order, so it ends after its hundredth row.
    assert not any("TEMP B-TREE" in step for step in steps), steps


@pytest.mark.parametrize("filters", ["step", "level", "type"])
def test_what_a_filter_passes_over_is_passed_over_in_the_index(
    filled: SqlStore, monkeypatch: pytest.MonkeyPatch, filters: str
) -> None:
    found = plans(filled, lambda store: list(store.index("one", **PAGES[filters])), monkeypatch)
    steps = [step for sql, steps in found if "FROM events" in sql for step in steps]
    assert all("USING COVERING INDEX events_by_run" in step for step in steps), steps


def test_notes_newest_first(filled: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    found = plans(filled, lambda store: store.list_notes("one"), monkeypatch)
    assert scans(found) == []
    steps = [step for sql, steps in found if "FROM notes" in sql for step in steps]
    assert any("notes_by_run" in step for step in steps), steps
    assert not any("TEMP B-TREE" in step for step in steps), steps


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        ({}, "runs_by_start"),
        ({"status": "failed"}, "runs_by_status"),
        ({"status": "running"}, "runs_by_status"),
        ({"status": "interrupted"}, "runs_by_status"),
        ({"tenant": "a"}, "runs_by_tenant"),
        ({"tenant": "a", "name": "job1"}, "runs_by_tenant_name"),
        ({"parent_run_id": "r1"}, "runs_by_parent"),
        ({"name": "job1"}, "runs_by_name"),
        ({"name": ["job1", "job2"]}, "runs_by_"),
    ],
)
def test_a_page_of_runs(
    filled: SqlStore, monkeypatch: pytest.MonkeyPatch, filters: dict[str, Any], index: str
) -> None:
    view = filled.scoped(filters.pop("tenant")) if "tenant" in filters else filled
    found = plans(view, lambda store: store.list_runs(limit=100, **filters), monkeypatch)
    assert scans(found) == []
    assert any(index in step for _, steps in found for step in steps), found


def test_one_run(filled: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for read in (
        lambda store: store.get_run("one"),
        lambda store: store.summary("one"),
        lambda store: store.list_artifacts("one"),
        lambda store: store.calls("one"),
    ):
        assert scans(plans(filled, read, monkeypatch)) == []


def test_what_is_usual_for_a_name(filled: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    found = plans(filled, lambda store: usual_of_name(store, "a", "job0"), monkeypatch)
    assert scans(found) == []
    assert len(found) == 3
    assert found[0][1] == ["SEARCH runs USING INDEX runs_by_tenant_name (tenant=? AND name=?)"]


def test_seen_before_and_last_good(filled: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    located = filled.locate("one")
    found = plans(filled, lambda store: failures._seen_before(store, located, "nightly", "mark"), monkeypatch)
    assert scans(found) == []
    assert any("runs_by_fingerprint" in step for step in found[0][1])
    assert any("runs_by_tenant_name" in step for step in found[1][1])
    found = plans(filled, lambda store: failures._last_good(store, located, "nightly"), monkeypatch)
    assert scans(found) == []
    assert any("runs_by_tenant_name" in step for step in found[0][1])


def test_tokens_and_the_audit(filled: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = filled.create_token("ci", scopes=["read"], tenant="a").secret
    for view in (filled, filled.scoped("a")):
        found = plans(view, lambda store: store.list_audit(limit=100, cursor="1000"), monkeypatch)
        assert scans(found) == []
        assert not any("TEMP B-TREE" in step for _, steps in found for step in steps), found
        assert scans(plans(view, lambda store: store.find_token(secret), monkeypatch)) == []
