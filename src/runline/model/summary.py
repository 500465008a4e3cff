"""A run in figures, as the Timeline shows it."""

from __future__ import annotations

from msgspec import Struct

from runline.model.status import Level, RunStatus


class Summary(Struct, frozen=True, kw_only=True):
    """Counts of a run's events. `duration_s`: start to last event; while active, to now."""

    run_id: str
    status: RunStatus
    started_at_ms: int
    event_count: int
    error_event_count: int
    warn_event_count: int
    duration_s: float
    last_stage: str
    last_message: str | None
    by_stage: dict[str, int]
    by_severity: dict[Level, int]
