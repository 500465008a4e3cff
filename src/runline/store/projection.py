"""The fold as rows: how a `RunFold` is saved in the transaction of its events.

What is saved is exactly what `apply` needs to go on (`loading` reads it again). Only touched rows are written.
"""

from __future__ import annotations

from typing import Any

import msgspec

from runline.fold.eta import eta
from runline.fold.state import CallState, RunFold, StepState
from runline.store.engine import Row

RUN_COLUMNS = [
    "kind",
    "name",
    "tags",
    "parent_run_id",
    "original_run_id",
    "status",
    "partial",
    "error_message",
    "completed_at",
    "cancelled_at",
    "window_start",
    "updated_at",
    "last_seq",
    "warn_count",
    "error_count",
    "total_tokens",
    "tokens_in",
    "tokens_out",
    "progress",
    "progress_sum",
    "announced_steps",
    "step_numbers",
    "declared_steps",
    "completed_steps",
    "failed_steps",
    "artifact_count",
    "call_count",
    "open_calls",
    "current_step",
    "current_step_index",
    "last_step",
    "last_message",
    "estimate_ms",
    "estimate_at",
    "slot_ms",
    "types",
]
"""Columns of `runs` that are fields of `RunFold`, in the order of `run_row`."""
_DERIVED = ("eta", "fingerprint", "usual", "appended_at")
STEP_COLUMNS = [
    "run",
    "step",
    "name",
    "state",
    "declared",
    "position",
    "progress",
    "total",
    "action",
    "persona",
    "model",
    "message",
    "error",
    "reason",
    "attempt",
    "started_at",
    "started_seq",
    "completed_at",
    "updated_at",
    "duration_ms",
    "estimate_ms",
    "estimate_at",
    "tokens_before",
    "tokens_seen",
    "tokens_final",
    "level_index",
    "path",
    "event_count",
    "warn_count",
    "error_count",
    "plan",
]
CALL_COLUMNS = [
    "run",
    "first_seq",
    "key",
    "kind",
    "name",
    "detail",
    "step",
    "last_seq",
    "started_at",
    "status",
    "duration_ms",
    "attempts",
    "parent",
    "tokens_in",
    "tokens_out",
]


def _upsert(table: str, key: tuple[str, ...], columns: list[str]) -> str:
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))}) "
        f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET "
        + ", ".join(f"{c} = excluded.{c}" for c in columns if c not in key)
    )


UPDATE_RUN = (
    f"UPDATE runs SET {', '.join(f'{c} = ?' for c in (*RUN_COLUMNS, *_DERIVED))} "
    "WHERE run = ? AND last_seq = ?"
)
"""Compare-and-set: no row changes when anybody else has appended since this fold was loaded."""
SAVE_STEP = _upsert("steps", ("run", "step"), STEP_COLUMNS)
SAVE_CALL = _upsert("calls", ("run", "first_seq"), CALL_COLUMNS)
SAVE_SLOT = _upsert("slots", ("run", "slot"), ["run", "slot", "events", "warns", "errors"])
SAVE_COLD = _upsert("run_details", ("run",), ["run", "cold"])

_encode = msgspec.json.Encoder().encode


def json_text(value: Any) -> str:
    return _encode(value).decode()


def run_row(fold: RunFold) -> Row:
    return (
        fold.kind,
        fold.name,
        json_text(fold.tags),
        fold.parent_run_id,
        fold.original_run_id,
        fold.status,
        fold.partial,
        fold.error_message,
        fold.completed_at_ms,
        fold.cancelled_at_ms,
        fold.window_start_ms,
        fold.updated_at_ms,
        fold.last_seq,
        fold.warn_count,
        fold.error_count,
        fold.total_tokens,
        fold.tokens_in,
        fold.tokens_out,
        fold.progress,
        fold.progress_sum,
        fold.announced_steps,
        fold.step_numbers,
        fold.declared_steps,
        fold.completed_steps,
        fold.failed_steps,
        fold.artifact_count,
        fold.call_count,
        fold.open_calls,
        fold.current_step,
        fold.current_step_index,
        fold.last_step,
        fold.last_message,
        fold.estimate_ms,
        fold.estimate_at_ms,
        fold.slot_ms,
        json_text(fold.types),
    )


def derived_row(fold: RunFold, now_ms: int) -> Row:
    left = eta(fold)
    first, usual = fold.cold.first_error, fold.cold.usual
    return (
        None if left is None else json_text(left),
        None if first is None else first.fingerprint,
        None if usual is None else json_text(usual),
        now_ms,
    )


def step_row(run: int, step: StepState) -> Row:
    return (
        run,
        step.number,
        step.name,
        step.state,
        step.declared,
        step.index,
        step.progress,
        step.total,
        step.action,
        step.persona,
        step.model,
        step.message,
        step.error,
        step.reason,
        step.attempt,
        step.started_at_ms,
        step.started_seq,
        step.completed_at_ms,
        step.updated_at_ms,
        step.duration_ms,
        step.estimate_ms,
        step.estimate_at_ms,
        step.tokens_before,
        step.tokens_seen,
        step.tokens_final,
        step.level_index,
        step.path,
        step.event_count,
        step.warn_count,
        step.error_count,
        None if step.plan is None else json_text(step.plan),
    )


def call_row(run: int, call: CallState) -> Row:
    return (
        run,
        call.first_seq,
        call.key,
        call.kind,
        call.name,
        call.detail,
        call.step,
        call.last_seq,
        call.started_at_ms,
        call.status,
        call.duration_ms,
        call.attempts,
        call.parent,
        call.tokens_in,
        call.tokens_out,
    )
