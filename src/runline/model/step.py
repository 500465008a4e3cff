"""A step of a run as every face shows it, and how long such things usually take."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from runline.model.clock import from_ms
from runline.model.status import StepStatus


class Usual(Struct, frozen=True):
    """Durations of the same thing in earlier completed runs: median, 90th percentile, how many."""

    p50_ms: int
    p90_ms: int
    n: int


class Step(Struct, frozen=True, kw_only=True):
    """One step, in plan order. Sizes in events, durations in milliseconds, progress 0–100."""

    run_id: str
    step_id: str
    state: StepStatus
    index: int
    progress: int = 0
    current_action: str | None = None
    persona: str | None = None
    model: str | None = None
    message: str | None = None
    error: str | None = None
    reason: str | None = None
    started_at_ms: int | None = None
    completed_at_ms: int | None = None
    updated_at_ms: int | None = None
    duration_ms: int | None = None
    estimated_completion_ms: int | None = None
    tokens_used: int = 0
    attempt: int = 0
    max_attempts: int | None = None
    optional: bool = False
    dependencies: tuple[str, ...] = ()
    event_count: int = 0
    warn_count: int = 0
    error_count: int = 0
    level_index: int | None = None
    path: str | None = None
    usual: Usual | None = None

    @property
    def started_at(self) -> datetime | None:
        return None if self.started_at_ms is None else from_ms(self.started_at_ms)

    @property
    def completed_at(self) -> datetime | None:
        return None if self.completed_at_ms is None else from_ms(self.completed_at_ms)
