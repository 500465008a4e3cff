"""A run as JSON: RunSummary in lists and streams, RunDetail with its input."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from runline.model.clock import parse_instant, to_iso
from runline.model.page import Page
from runline.model.run import Eta, LastNote, Run
from runline.model.status import RunStatus
from runline.model.step import Usual
from runline.model.wire.quantity import (
    Count,
    DurationText,
    Instant,
    Milliseconds,
    Percent,
    Seq,
    about,
    duration,
    iso,
    ms_of,
)


class RunSummary(Struct, frozen=True, kw_only=True):
    """A run without its input; every figure is kept with the log, none is counted when asked."""

    run_id: Annotated[str, about("Unique in the store.", "nightly-20261120-121000-1f0c9a7be2")]
    pipeline_name: Annotated[str, about("The run's name: what was run.", "nightly")]
    kind: Annotated[str, about("What sort of run it is.", "run", "pipeline", "session", "agent")]
    tenant_id: str
    status: Annotated[
        RunStatus, about("`interrupted`: it started and never ended, and its writer is gone.", "running")
    ]
    partial: Annotated[bool, about("It ended, and only a part of it succeeded.")]
    started_at: Annotated[Instant, about("When it was created, or as its creator said.")]
    completed_at: Annotated[Instant | None, about("When it ended, however it ended; null while it has not.")]
    cancelled_at: Annotated[Instant | None, about("When it ended as cancelled, else null.")]
    updated_at: Annotated[Instant, about("When its last event happened.")]
    window_start: Annotated[Instant, about("When its first event happened.")]
    duration: Annotated[DurationText | None, about("`duration_ms` for people.", "1m 23s")]
    duration_ms: Annotated[Milliseconds | None, about("Start to end; null while it has not ended.")]
    tags: tuple[str, ...]
    progress: Annotated[Percent, about("Never falling, and 100 only when completed.")]
    current_step: Annotated[
        str | None, about("The latest started of the steps that run; null when none does.")
    ]
    current_step_index: Annotated[Count | None, about("Its place in plan order, from 0.")]
    total_steps: Count
    completed_steps: Annotated[Count, about("Skipped ones included.")]
    failed_steps: Count
    eta_ms: Annotated[
        Milliseconds | None, about("Milliseconds left as of `updated_at`; null when nothing tells.")
    ]
    eta: Annotated[Eta | None, about("The same with its range and where it comes from.")]
    usual: Annotated[
        Usual | None, about("Durations of earlier completed runs of this name; null without any.")
    ]
    error_message: Annotated[str | None, about("Why it failed, in a line.")]
    event_count: Count
    last_seq: Annotated[Seq, about("Of its last event.")]
    warn_count: Count
    error_count: Count
    total_tokens: Count
    tokens_in: Count
    tokens_out: Count
    artifact_count: Count
    call_count: Annotated[Count, about("Requests to models, tools, patches, tests and providers.")]
    note_count: Count
    last_note: Annotated[LastNote | None, about("The newest note; null without any.")]
    last_step: Annotated[str | None, about("The step of its last event; null when that had none.")]
    last_message: Annotated[str | None, about("The message of its last event.")]
    pinned: Annotated[bool, about("Retention never removes it.")]
    parent_run_id: Annotated[str | None, about("The run that this one is a part of.")]
    original_run_id: Annotated[str | None, about("The run that this one repeats or resumes.")]
    input_redacted: Annotated[bool, about("Redaction changed its input, so it cannot be run again with it.")]
    last_seen_at: Annotated[Instant | None, about("When its writer last gave a sign of life.")]
    host: Annotated[str | None, about("The machine of its writer; null when it never told.")]
    pid: Annotated[int | None, about("The process of its writer; null when it never told.")]
    cancel_requested: Annotated[bool, about("It was asked to stop.")]


class RunDetail(RunSummary, frozen=True, kw_only=True):
    """The summary and the run's input."""

    input: Annotated[
        Raw, about("What the run was given, as any JSON; null when nothing.", {"date": "2026-11-20"})
    ]


class RunList(Struct, frozen=True, kw_only=True):
    """A page of runs, newest start first."""

    runs: tuple[RunSummary, ...]
    next_cursor: Annotated[
        str | UnsetType, about("Opaque: where the next page begins; absent on the last.")
    ] = UNSET
    has_more: bool


def run_summary(run: Run) -> RunSummary:
    return RunSummary(**_summary(run))


def run_detail(run: Run) -> RunDetail:
    """The run must have been read with its input, as `get_run` does."""
    return RunDetail(**_summary(run), input=Raw((run.input_json or "null").encode()))


def run_list(page: Page[Run]) -> RunList:
    return RunList(
        runs=tuple(map(run_summary, page.items)),
        next_cursor=UNSET if page.next_cursor is None else page.next_cursor,
        has_more=page.has_more,
    )


def run_of(view: RunSummary) -> Run:
    """The run that the view was made of; without input when it is a summary. Raises ValueError for no instant."""
    fields = {name: getattr(view, name) for name in _SAME}
    return Run(
        **fields,
        name=view.pipeline_name,
        started_at_ms=parse_instant(view.started_at),
        updated_at_ms=parse_instant(view.updated_at),
        window_start_ms=parse_instant(view.window_start),
        completed_at_ms=ms_of(view.completed_at),
        cancelled_at_ms=ms_of(view.cancelled_at),
        last_seen_at_ms=ms_of(view.last_seen_at),
        input_json=_input(view.input) if isinstance(view, RunDetail) else None,
    )


_SAME = tuple(name for name in RunSummary.__struct_fields__ if name in Run.__struct_fields__)


def _summary(run: Run) -> dict[str, Any]:
    fields = {name: getattr(run, name) for name in _SAME}
    return {
        **fields,
        "pipeline_name": run.name,
        "started_at": to_iso(run.started_at_ms),
        "completed_at": iso(run.completed_at_ms),
        "cancelled_at": iso(run.cancelled_at_ms),
        "updated_at": to_iso(run.updated_at_ms),
        "window_start": to_iso(run.window_start_ms),
        "duration": duration(run.duration_ms),
        "duration_ms": run.duration_ms,
        "eta_ms": run.eta_ms,
        "last_seen_at": iso(run.last_seen_at_ms),
    }


def _input(text: msgspec.Raw) -> str | None:
    given = bytes(text).decode()
    return None if given == "null" else given
