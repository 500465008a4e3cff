"""Steps and the histogram of a run, from the rows kept with the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runline.fold import snapshot
from runline.fold.state import RunFold
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
