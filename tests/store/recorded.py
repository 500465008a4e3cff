"""Runs as the tests of the store record them."""

from __future__ import annotations

from typing import Any

from runline.store.sql_store import SqlStore

PLAN = {
    "sha256": "0" * 64,
    "steps": [
        {"id": "extract", "persona": "reader"},
        {"id": "load[0]", "dependencies": ["extract"]},
        {"id": "load[1]", "dependencies": ["extract"]},
        {"id": "report", "dependencies": ["load"], "optional": True},
    ],
}


def rich_run(store: SqlStore, run_id: str, *, status: str | None = "completed", **given: Any) -> str:
    """A run with everything that has a row somewhere: steps, calls open and closed, artifacts, errors, notes."""
    store.create_run(
        "nightly", run_id=run_id, plan=PLAN, tags=["prod"], input={"date": "2026-11-20"}, **given
    )
    store.append(run_id, body())
    if status is not None:
        store.end_run(run_id, status)
    return run_id


def body() -> list[dict[str, Any]]:
    return [
        {"type": "step_started", "step": "extract", "message": "go"},
        {"type": "tool_call", "step": "extract", "data": {"name": "read"}, "correlation_id": "c1"},
        {"type": "tool_result", "step": "extract", "data": {"ok": True}, "correlation_id": "c1"},
        {
            "type": "artifact_created",
            "step": "extract",
            "data": {"name": "rows.csv", "path": "rows.csv", "n": 1},
        },
        {"type": "step_completed", "step": "extract", "data": {"tokens_used": 5}},
        {"type": "step_started", "step": "load[0]"},
        {"type": "error", "step": "load[0]", "data": {"name": "Timeout", "message": "after 31 s"}},
        {"type": "step_failed", "step": "load[0]", "data": {"error": "after 31 s"}},
        {"type": "log", "step": "unplanned", "message": "a line", "level": "warn", "source": "stdout"},
        {"type": "llm_request", "data": {"model": "m"}, "correlation_id": "open"},
    ]


def plain_run(
    store: SqlStore, run_id: str, *, status: str | None = "completed", events: int = 0, **given: Any
) -> str:
    """A run with so many lines between its start and its end."""
    store.create_run(given.pop("name", "job"), run_id=run_id, **given)
    for first in range(0, events, 1000):
        store.append(run_id, [{"message": f"line {n}"} for n in range(first, min(events, first + 1000))])
    if status is not None:
        store.end_run(run_id, status)
    return run_id


def ids(store: SqlStore) -> list[str]:
    """The runs that the store lists, newest first."""
    return [run.run_id for run in store.list_runs(limit=100).items]


def count(store: SqlStore, table: str) -> int:
    found: int = store.engine.query(f"SELECT count(*) FROM {table}")[0][0]
    return found
