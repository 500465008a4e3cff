"""A run as JSON: the RunSummary and run detail that API, command line and export share."""

from __future__ import annotations

from typing import Any

from runline.model.clock import to_iso
from runline.model.durations import format_ms
from runline.model.run import Run
from runline.model.step import Usual


def run_summary(run: Run) -> dict[str, Any]:
    """RunSummary (contracts section 3): every key is always there, null where unknown.

    Instants are the 24-character text, `*_ms` milliseconds, `progress` 0–100; `duration` is the text of
    `duration_ms`, both null until the run has ended.
    """
    return {
        "run_id": run.run_id,
        "pipeline_name": run.name,
        "kind": run.kind,
        "tenant_id": run.tenant_id,
        "status": run.status,
        "partial": run.partial,
        "started_at": to_iso(run.started_at_ms),
        "completed_at": iso(run.completed_at_ms),
        "cancelled_at": iso(run.cancelled_at_ms),
        "updated_at": to_iso(run.updated_at_ms),
        "duration": duration(run.duration_ms),
        "duration_ms": run.duration_ms,
        "tags": list(run.tags),
        "progress": run.progress,
        "current_step": run.current_step,
        "current_step_index": run.current_step_index,
        "total_steps": run.total_steps,
        "completed_steps": run.completed_steps,
        "failed_steps": run.failed_steps,
        "eta_ms": run.eta_ms,
        "eta": run.eta
        and {
            "low_ms": run.eta.low_ms,
            "high_ms": run.eta.high_ms,
            "n": run.eta.n,
            "basis": run.eta.basis,
        },
        "usual": usual_json(run.usual),
        "error_message": run.error_message,
        "event_count": run.event_count,
        "last_seq": run.last_seq,
        "warn_count": run.warn_count,
        "error_count": run.error_count,
        "total_tokens": run.total_tokens,
        "tokens_in": run.tokens_in,
        "tokens_out": run.tokens_out,
        "artifact_count": run.artifact_count,
        "call_count": run.call_count,
        "note_count": run.note_count,
        "last_note": run.last_note
        and {
            "note": run.last_note.note,
            "author": run.last_note.author,
            "labels": list(run.last_note.labels),
        },
        "pinned": run.pinned,
        "parent_run_id": run.parent_run_id,
        "original_run_id": run.original_run_id,
        "last_seen_at": iso(run.last_seen_at_ms),
        "host": run.host,
        "pid": run.pid,
        "cancel_requested": run.cancel_requested,
    }


def run_detail(run: Run) -> dict[str, Any]:
    """The summary with the run's `input`, and whether redaction changed it."""
    return {**run_summary(run), "input": run.input, "input_redacted": run.input_redacted}


def usual_json(usual: Usual | None) -> dict[str, int] | None:
    """`{p50_ms, p90_ms, n}`; null when there is no earlier run to tell."""
    return None if usual is None else {"p50_ms": usual.p50_ms, "p90_ms": usual.p90_ms, "n": usual.n}


def iso(ms: int | None) -> str | None:
    """The 24-character text of an instant that may be unknown."""
    return None if ms is None else to_iso(ms)


def duration(ms: int | None) -> str | None:
    """The text of a duration that may be unknown."""
    return None if ms is None else format_ms(ms)
