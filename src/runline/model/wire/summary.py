"""The Timeline's summary of a run as JSON."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from runline.model.clock import parse_instant, to_iso
from runline.model.status import Level, RunStatus
from runline.model.summary import Summary
from runline.model.wire.quantity import Count, Instant, about


class TimelineSummary(Struct, frozen=True, kw_only=True):
    """A run in figures."""

    run_id: str
    status: RunStatus
    started_at: Instant
    event_count: Count
    error_event_count: Count
    warn_event_count: Count
    duration_s: Annotated[float, Meta(ge=0, description="Start to last event; while it runs, to now.")]
    last_stage: Annotated[str, about("The step of its last event; `run` when that had none.")]
    last_message: str | None
    by_stage: Annotated[dict[str, int], about("How many events each stage has.", {"run": 5, "fetch": 3})]
    by_severity: Annotated[dict[Level, int], about("The same by level.", {"info": 6, "warn": 1, "error": 1})]


class TimelineSummaryAnswer(Struct, frozen=True):
    """The summary under its name."""

    summary: TimelineSummary


def timeline_summary(summary: Summary) -> TimelineSummary:
    return TimelineSummary(
        run_id=summary.run_id,
        status=summary.status,
        started_at=to_iso(summary.started_at_ms),
        event_count=summary.event_count,
        error_event_count=summary.error_event_count,
        warn_event_count=summary.warn_event_count,
        duration_s=summary.duration_s,
        last_stage=summary.last_stage,
        last_message=summary.last_message,
        by_stage=summary.by_stage,
        by_severity=summary.by_severity,
    )


def summary_of(view: TimelineSummary) -> Summary:
    """The summary that the view was made of."""
    return Summary(
        run_id=view.run_id,
        status=view.status,
        started_at_ms=parse_instant(view.started_at),
        event_count=view.event_count,
        error_event_count=view.error_event_count,
        warn_event_count=view.warn_event_count,
        duration_s=view.duration_s,
        last_stage=view.last_stage,
        last_message=view.last_message,
        by_stage=view.by_stage,
        by_severity=view.by_severity,
    )
