"""The Timeline's summary of a run: from rows kept with the log, never from the log itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runline.model.event import NO_STEP
from runline.model.summary import Summary
from runline.store import runs

if TYPE_CHECKING:
    from runline.store.sql_store import SqlStore

__all__ = ["Summary", "summary"]


def summary(store: SqlStore, run_id: str) -> Summary:
    run = runs.get(store, run_id)
    rows = store.engine.query(
        "SELECT steps.name, steps.event_count FROM steps JOIN runs ON runs.run = steps.run "
        "WHERE runs.run_id = ? AND steps.event_count > 0 ORDER BY steps.step",
        (run_id,),
    )
    by_stage = dict[str, int](rows)
    if stepless := run.event_count - sum(by_stage.values()):
        by_stage[NO_STEP] = by_stage.get(NO_STEP, 0) + stepless
    until_ms = store.clock.now_ms() if run.status == "running" else run.updated_at_ms
    return Summary(
        run_id=run_id,
        status=run.status,
        started_at_ms=run.started_at_ms,
        event_count=run.event_count,
        error_event_count=run.error_count,
        warn_event_count=run.warn_count,
        duration_s=max(0, until_ms - run.started_at_ms) / 1000,
        last_stage=run.last_step or NO_STEP,
        last_message=run.last_message,
        by_stage=by_stage,
        by_severity={
            "info": run.event_count - run.warn_count - run.error_count,
            "warn": run.warn_count,
            "error": run.error_count,
        },
    )
