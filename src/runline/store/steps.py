"""Steps, calls and the histogram of a run, from the rows kept with the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runline.fold import snapshot
from runline.fold.state import RunFold
from runline.model.call import Call
from runline.model.errors import Invalid
from runline.model.page import Page
from runline.model.step import Step
from runline.store import loading
from runline.store.search import status_sql

if TYPE_CHECKING:
    from runline.store.sql_store import SqlStore


def whole(store: SqlStore, run_id: str) -> RunFold:
    """The run's fold as its rows have it now, steps and open calls included, its status judged by liveness."""
    found = store.locate(run_id)
    with store.engine.snapshot() as source:
        fold = loading.load_whole(source, found.run)
        fold.status = source.execute(
            f"SELECT {status_sql(':now')} FROM runs LEFT JOIN liveness ON liveness.run = runs.run WHERE runs.run = :run",
            {"run": found.run, "now": store.clock.now_ms()},
        )[0][0]
    return fold


def listed(store: SqlStore, run_id: str) -> list[Step]:
    """The declared steps in index order: plan order, then order of appearance."""
    return list(snapshot.snapshot(whole(store, run_id)).steps)


def calls(
    store: SqlStore,
    run_id: str,
    *,
    status: str | None = None,
    kind: str | None = None,
    step: str | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> Page[Call]:
    """Calls in the order of their requests; `cursor` is the `first_seq` of the last one seen."""
    found = store.locate(run_id)
    if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        raise Invalid("The cursor is not one that this store gave out.", code="bad_cursor")
    rows = store.engine.query(
        loading.SELECT_CALLS + " AND first_seq > :after "
        "AND (CAST(:status AS TEXT) IS NULL OR status = :status) "
        "AND (CAST(:kind AS TEXT) IS NULL OR kind = :kind) "
        "AND (CAST(:step AS TEXT) IS NULL OR step = :step) ORDER BY first_seq LIMIT :limit",
        {
            "run": found.run,
            "after": int(cursor or 0),
            "status": status,
            "kind": kind,
            "step": step,
            "limit": limit + 1,
        },
    )
    with store.engine.snapshot() as source:
        fold, _ = loading.load_run(source, found.run)
    usual = fold.cold.call_usual
    states = [loading.call_of(row) for row in rows[:limit]]
    items = [snapshot.call_view(state, usual.get(state.name)) for state in states]
    more = len(rows) > limit
    return Page(items, str(states[-1].first_seq) if more else None, more)
