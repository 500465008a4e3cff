"""A run: one execution of anything, told by its events. All its numbers are kept with the log."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import Struct

from runline.model.clock import from_ms
from runline.model.status import ACTIVE_STATUSES, RunStatus
from runline.model.step import Usual


class Eta(Struct, frozen=True):
    """Milliseconds left as of the run's `updated_at`, and where the figure comes from.

    `basis` is `given` (the run said so itself), `history` (P50–P90 of `n` earlier runs) or `progress`.
    """

    ms: int
    low_ms: int
    high_ms: int
    n: int
    basis: Literal["given", "history", "progress"]


class LastNote(Struct, frozen=True):
    """The newest note, for lists of runs."""

    note: str
    author: str | None
    labels: tuple[str, ...]


class Run(Struct, frozen=True, kw_only=True):
    """One run (contracts section 1). `status` is already judged by liveness: a dead run never says running."""

    run_id: str
    tenant_id: str
    kind: str
    name: str
    status: RunStatus
    started_at_ms: int
    updated_at_ms: int
    completed_at_ms: int | None = None
    cancelled_at_ms: int | None = None
    tags: tuple[str, ...] = ()
    input_redacted: bool = False
    """Redaction changed the input, so this run cannot be retried with it."""
    input_json: str | None = None
    """The input as JSON text; None when there was none. Lists of runs leave it out."""
    parent_run_id: str | None = None
    original_run_id: str | None = None
    error_message: str | None = None
    partial: bool = False
    pinned: bool = False
    note_count: int = 0
    last_note: LastNote | None = None
    event_count: int = 0
    last_seq: int = 0
    warn_count: int = 0
    error_count: int = 0
    total_tokens: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    progress: int = 0
    current_step: str | None = None
    current_step_index: int | None = None
    total_steps: int = 0
    completed_steps: int = 0
    failed_steps: int = 0
    artifact_count: int = 0
    call_count: int = 0
    eta: Eta | None = None
    usual: Usual | None = None
    window_start_ms: int
    last_step: str | None = None
    last_message: str | None = None
    last_seen_at_ms: int | None = None
    host: str | None = None
    pid: int | None = None
    cancel_requested: bool = False

    @property
    def id(self) -> str:
        return self.run_id

    @property
    def pipeline_name(self) -> str:
        return self.name

    @property
    def input(self) -> Any:
        return None if self.input_json is None else msgspec.json.decode(self.input_json)

    @property
    def started_at(self) -> datetime:
        return from_ms(self.started_at_ms)

    @property
    def updated_at(self) -> datetime:
        return from_ms(self.updated_at_ms)

    @property
    def completed_at(self) -> datetime | None:
        return None if self.completed_at_ms is None else from_ms(self.completed_at_ms)

    @property
    def cancelled_at(self) -> datetime | None:
        return None if self.cancelled_at_ms is None else from_ms(self.cancelled_at_ms)

    @property
    def eta_ms(self) -> int | None:
        return None if self.eta is None else self.eta.ms

    @property
    def is_active(self) -> bool:
        """It may still go on: pending or running."""
        return self.status in ACTIVE_STATUSES

    @property
    def duration_ms(self) -> int | None:
        """Start to end; None while the run has not ended."""
        return None if self.completed_at_ms is None else max(0, self.completed_at_ms - self.started_at_ms)
