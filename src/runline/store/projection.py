"""The fold as rows: how a `RunFold` is saved in the transaction of its events, and loaded again.

What is saved is exactly what `apply` needs to go on, so a run that another process has written to is
picked up from its rows. Only touched rows are written.
"""

from __future__ import annotations

from typing import Any

import msgspec

from runline.fold.eta import eta
from runline.fold.state import CallState, Cold, RunFold, StepPlan, StepState
from runline.model.errors import NotFound
from runline.store.engine import Reading, Row

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

SELECT_RUN = f"SELECT run, run_id, tenant, started_at, checkpoint_seq, {', '.join(RUN_COLUMNS)} FROM runs WHERE run = :run"
SELECT_STEPS = f"SELECT {', '.join(STEP_COLUMNS)} FROM steps WHERE run = :run"
SELECT_CALLS = f"SELECT {', '.join(CALL_COLUMNS)} FROM calls WHERE run = :run"

_encode = msgspec.json.Encoder().encode
_decode_cold = msgspec.json.Decoder(Cold).decode
_decode_plan = msgspec.json.Decoder(StepPlan).decode


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


def step_of(row: Row) -> StepState:
    """The inverse of `step_row`."""
    _, number, name, state, declared, *rest, plan = row
    step = StepState(number, name, state, bool(declared), *rest)
    step.plan = None if plan is None else _decode_plan(plan)
    return step


def call_of(row: Row) -> CallState:
    """The inverse of `call_row`."""
    _, first_seq, key, kind, name, detail, step, last_seq, started_at, *rest = row
    return CallState(key, kind, name, detail, step, first_seq, last_seq, started_at, *rest)


def load_steps(tx: Reading, run: int, fold: RunFold, names: set[str]) -> None:
    """Brings the rows of those steps into the fold, where they exist."""
    marks = ", ".join("?" * len(names))
    for row in tx.execute(f"SELECT {', '.join(STEP_COLUMNS)} FROM steps WHERE run = ? AND name IN ({marks})",
                          (run, *names)):  # fmt: skip
        fold.steps[row[2]] = step_of(row)


def load_calls(tx: Reading, run: int, fold: RunFold, keys: set[str]) -> None:
    """Brings the rows of those open calls into the fold, where they exist."""
    marks = ", ".join("?" * len(keys))
    for row in tx.execute(
        f"SELECT {', '.join(CALL_COLUMNS)} FROM calls WHERE run = ? AND status = 'open' AND key IN ({marks})",
        (run, *keys),
    ):
        fold.calls[row[2]] = call_of(row)


def load_run(tx: Reading, run: int) -> tuple[RunFold, Row]:
    """The fold of a run without its steps and calls, and the row it came from. NotFound: it is gone."""
    rows = tx.execute(SELECT_RUN, {"run": run})
    if not rows:
        raise NotFound("This run is being removed.", code="pruned")
    row = rows[0]
    _, run_id, _, started_at, _, kind, name, tags, *rest, types = row
    cold = tx.execute("SELECT cold FROM run_details WHERE run = ?", (run,))[0][0]
    fold = RunFold(run_id, started_at, kind, name, tuple(msgspec.json.decode(tags)))
    for field, value in zip(_FOLD_FIELDS, rest, strict=True):
        setattr(fold, field, value)
    fold.partial = bool(fold.partial)
    fold.types = msgspec.json.decode(types)
    fold.cold = _decode_cold(cold)
    for step, seq, position in tx.execute(
        "SELECT name, started_seq, position FROM steps "
        "WHERE run = ? AND state IN ('running', 'retrying') ORDER BY started_seq",
        (run,),
    ):
        fold.running[step] = seq << 32 | position
    for slot, *counts in tx.execute("SELECT slot, events, warns, errors FROM slots WHERE run = ?", (run,)):
        fold.slots[slot] = counts
    return fold, row


_MILLISECONDS = {"completed_at", "cancelled_at", "window_start", "updated_at", "estimate_at"}
_FOLD_FIELDS = [f"{c}_ms" if c in _MILLISECONDS else c for c in RUN_COLUMNS[3:-1]]


def load_whole(tx: Reading, run: int) -> RunFold:
    """The fold with all its steps and open calls. NotFound: the run is gone."""
    fold, _ = load_run(tx, run)
    for row in tx.execute(SELECT_STEPS + " ORDER BY step", {"run": run}):
        fold.steps[row[2]] = step_of(row)
    for row in tx.execute(SELECT_CALLS + " AND status = 'open' ORDER BY first_seq", {"run": run}):
        fold.calls[row[2]] = call_of(row)
    return fold
