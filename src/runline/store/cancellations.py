"""Stopping a run: a request that its writer sees, or, forced, an end that fences it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from runline.intake.accept import accept, draft
from runline.model.errors import Conflict
from runline.model.event import Draft
from runline.store import appends, audit, runs
from runline.store.append import Appender
from runline.store.jobs import Job

if TYPE_CHECKING:
    from runline.store.sql_store import SqlStore


def cancel(store: SqlStore, run_id: str, *, force: bool) -> str:
    """`cancelling` while the run is asked to stop, `cancelled` when it is ended at once.

    At once: pending and interrupted runs (nobody is there to ask), and any run when `force` is set; what
    its writer still appends is then refused. Raises Conflict when the run has ended, NotFound.
    """
    run = runs.get(store, run_id)
    interrupted = run.status == "interrupted"
    tenant, now_ms = store.tenant, store.clock.now_ms()
    by = {} if store.actor is None else {"by": store.actor}
    asked = draft("cancel_requested", "", {"force": force, **by}, source="runline", ts_ms=now_ms)
    ended: dict[str, Any] = appends.end_event(run.kind, "cancelled", None)
    end = accept(ended, now_ms=now_ms, limits=store.limits, redactor=store.redactor)

    def perform(appender: Appender, drafts: Sequence[Draft]) -> str:
        entry = appender.entry(run_id, tenant)
        fold = entry.fold
        if fold.completed_at_ms is not None:
            raise Conflict(f"Run {run_id} has already ended ({fold.status}).", code="not_active")
        at_once = force or interrupted or fold.status == "pending"
        rows = appender.tx.execute("SELECT force FROM cancellations WHERE run = ?", (entry.run,))
        first = not rows
        appender.tx.execute(
            "INSERT INTO cancellations VALUES (?, ?, ?) ON CONFLICT (run) DO UPDATE SET force = excluded.force",
            (entry.run, appender.now_ms, int(force or bool(rows and rows[0][0]))),
        )
        added = ([drafts[0]] if first else []) + ([drafts[1]] if at_once else [])
        if added:
            appender.add(entry, added)
        told = "cancelled" if at_once else "cancelling"
        audit.write(
            store, appender.tx, "cancel", target=run_id, tenant=entry.tenant, force=force, status=told
        )
        return told

    return store.writer.submit(Job(perform, [asked, end]))
