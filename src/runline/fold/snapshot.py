"""The fold frozen: `RunState`, and the public shape of a step and a call.

The same functions make the store's answers from rows and the state as of any event, so a face never has
a rule of its own. Two states of a step are derived and stored nowhere: `blocked`, and what the end of the
run makes of a step that was still running (completed when the run completed, else cancelled).
"""

from __future__ import annotations

from typing import Protocol, cast

import msgspec
from msgspec import Struct

from runline.fold.eta import eta, step_eta_ms
from runline.fold.failure import marked
from runline.fold.graph import blocked_steps
from runline.fold.slots import MOST_SLOTS, Histogram, merge
from runline.fold.state import CallState, ErrorFact, RunFold, StepPlan, StepState
from runline.model.call import Call, CallStatus
from runline.model.run import Eta
from runline.model.status import END_STATUSES, STEP_ACTIVE, RunStatus, StepStatus
from runline.model.step import Step, Usual


class RunFacts(Protocol):
    """What a step's view needs of its run; a `Run` and a `RunFold` both have it."""

    @property
    def run_id(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def completed_at_ms(self) -> int | None: ...


class LevelProgress(Struct, frozen=True):
    """A level of the session catalogue; `index` counts from 0."""

    index: int
    total_count: int
    generated_count: int
    failed_count: int
    done: bool


class RunState(Struct, frozen=True, kw_only=True):
    """Everything that the first `seq` events of a run amount to.

    Instants are milliseconds since 1970 UTC. `steps` are in index order, `stages` (names that are no
    steps) in order of appearance, `open_calls` by their request, `levels` by index.
    """

    run_id: str
    seq: int
    kind: str
    name: str
    tags: tuple[str, ...]
    parent_run_id: str | None
    original_run_id: str | None
    status: RunStatus
    partial: bool
    error_message: str | None
    started_at_ms: int
    updated_at_ms: int
    completed_at_ms: int | None
    cancelled_at_ms: int | None
    window_start_ms: int
    event_count: int
    warn_count: int
    error_count: int
    total_tokens: int
    tokens_in: int
    tokens_out: int
    progress: int
    current_step: str | None
    current_step_index: int | None
    total_steps: int
    completed_steps: int
    failed_steps: int
    artifact_count: int
    call_count: int
    last_step: str | None
    last_message: str | None
    eta: Eta | None
    usual: Usual | None
    first_error: ErrorFact | None
    last_error: ErrorFact | None
    steps: tuple[Step, ...]
    stages: tuple[Step, ...]
    blocked: tuple[str, ...]
    open_calls: tuple[Call, ...]
    levels: tuple[LevelProgress, ...]
    generation: dict[str, int | str | None]
    queue: dict[str, int]
    scan: dict[str, int]
    types: dict[str, int]
    histogram: Histogram


def snapshot(fold: RunFold) -> RunState:
    """The state as it is now. The fold must hold all its steps and open calls."""
    blocked = blocked_steps(fold.steps.values())
    unreachable = frozenset(blocked)
    cold = fold.cold
    by_index = sorted(fold.steps.values(), key=lambda step: (step.index, step.number))
    views = [step_view(fold, step, blocked=step.name in unreachable) for step in by_index]
    by_request = sorted(fold.calls.values(), key=lambda call: call.first_seq)
    return RunState(
        run_id=fold.run_id,
        seq=fold.last_seq,
        kind=fold.kind,
        name=fold.name,
        tags=fold.tags,
        parent_run_id=fold.parent_run_id,
        original_run_id=fold.original_run_id,
        status=cast("RunStatus", fold.status),
        partial=fold.partial,
        error_message=fold.error_message,
        started_at_ms=fold.started_at_ms,
        updated_at_ms=fold.updated_at_ms,
        completed_at_ms=fold.completed_at_ms,
        cancelled_at_ms=fold.cancelled_at_ms,
        window_start_ms=fold.window_start_ms,
        event_count=fold.last_seq,
        warn_count=fold.warn_count,
        error_count=fold.error_count,
        total_tokens=fold.total_tokens,
        tokens_in=fold.tokens_in,
        tokens_out=fold.tokens_out,
        progress=fold.progress,
        current_step=fold.current_step,
        current_step_index=fold.current_step_index,
        total_steps=fold.total_steps,
        completed_steps=fold.completed_steps,
        failed_steps=fold.failed_steps,
        artifact_count=fold.artifact_count,
        call_count=fold.call_count,
        last_step=fold.last_step,
        last_message=fold.last_message,
        eta=eta(fold),
        usual=cold.usual,
        first_error=cold.first_error,
        last_error=None if cold.last_error is None else marked(cold.last_error),
        steps=tuple(view for view in views if view.index >= 0),
        stages=tuple(view for view in views if view.index < 0),
        blocked=blocked,
        open_calls=tuple(call_view(call, cold.call_usual.get(call.name)) for call in by_request),
        levels=tuple(LevelProgress(*msgspec.structs.astuple(level)) for level in cold.levels),
        generation=dict(cold.generation),
        queue=dict(cold.queue),
        scan=dict(cold.scan),
        types=dict(fold.types),
        histogram=merge(fold.started_at_ms, fold.slot_ms, fold.slots, MOST_SLOTS),
    )


def step_view(run: RunFacts, step: StepState, *, blocked: bool = False) -> Step:
    """The step as faces show it. `blocked`: `blocked_steps` names it."""
    state, completed_at_ms, duration_ms = step.state, step.completed_at_ms, step.duration_ms
    progress = step.progress
    if state in STEP_ACTIVE and run.status in END_STATUSES:
        state = "completed" if run.status == "completed" else "cancelled"
        progress = 100 if state == "completed" else progress
        completed_at_ms = run.completed_at_ms
        if completed_at_ms is not None and step.started_at_ms is not None:
            duration_ms = max(0, completed_at_ms - step.started_at_ms)
    elif state == "pending" and blocked:
        state = "blocked"
    plan = step.plan or _NO_PLAN
    return Step(
        run_id=run.run_id,
        step_id=step.name,
        state=cast("StepStatus", state),
        index=step.index,
        progress=progress,
        current_action=step.action,
        persona=step.persona or plan.persona,
        model=step.model,
        message=step.message,
        error=step.error,
        reason=step.reason,
        started_at_ms=step.started_at_ms,
        completed_at_ms=completed_at_ms,
        updated_at_ms=step.updated_at_ms if step.event_count else None,
        duration_ms=duration_ms,
        estimated_completion_ms=step_eta_ms(step) if state in STEP_ACTIVE else None,
        tokens_used=step.tokens_used,
        attempt=step.attempt,
        max_attempts=plan.max_attempts,
        optional=plan.optional,
        dependencies=plan.dependencies,
        event_count=step.event_count,
        warn_count=step.warn_count,
        error_count=step.error_count,
        level_index=step.level_index,
        path=step.path,
        usual=plan.usual,
    )


def call_view(call: CallState, usual: Usual | None = None) -> Call:
    """The call as faces show it. Without a correlation id of its own it shows the key it is paired by."""
    return Call(
        correlation_id=call.key,
        kind=call.kind,
        name=call.name,
        detail=call.detail,
        step=call.step,
        first_seq=call.first_seq,
        last_seq=call.last_seq,
        started_at_ms=call.started_at_ms,
        duration_ms=call.duration_ms,
        status=cast("CallStatus", call.status),
        parent=call.parent,
        attempts=call.attempts,
        tokens_in=call.tokens_in,
        tokens_out=call.tokens_out,
        usual=usual,
    )


_NO_PLAN = StepPlan()
