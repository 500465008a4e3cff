"""The run itself: what its start event carries, and how it ends.

The first event holds everything that the run was created with, so that a run can be rebuilt from its log
alone. `run_started` after `run_queued` only sets it running. The first end event decides; where it names
no known status, an error level means failed and anything else completed.
"""

from __future__ import annotations

import msgspec

from runline.fold import facts as read
from runline.fold.eta import read_usual, read_usuals
from runline.fold.facts import RunFacts
from runline.fold.fingerprint import fingerprint
from runline.fold.state import Arrival, ErrorFact, RunFold, StepPlan, StepState
from runline.fold.steps import announce, count_figures, declare, new_step
from runline.model.catalogue import START_TYPES
from runline.model.event import Draft, Event
from runline.model.status import END_STATUSES

_decoder = msgspec.json.Decoder(RunFacts)


def begin(fold: RunFold, event: Draft | Event) -> None:
    """The first event, before anything is counted: when the run started, and what it is."""
    fold.window_start_ms = event.ts_ms
    if event.type not in START_TYPES:
        return
    said = read.read_facts(_decoder, event.payload)
    started_at_ms = read.instant_ms(said.started_at)
    fold.started_at_ms = event.ts_ms if started_at_ms is None else started_at_ms
    session = event.type == "session_started"
    fold.kind = read.name(said.kind) or ("session" if session else fold.kind)
    fold.name = read.name(said.name) or (session and read.name(said.command)) or fold.name
    fold.tags = read.tags(said.tags) or fold.tags
    fold.parent_run_id = read.name(said.parent_run_id) or fold.parent_run_id
    fold.original_run_id = read.name(said.original_run_id) or fold.original_run_id


def on_queued(fold: RunFold, at: Arrival) -> None:
    _take_plan(fold, at)


def on_started(fold: RunFold, at: Arrival) -> None:
    fold.status = "running"
    _take_plan(fold, at)


def on_ended(fold: RunFold, at: Arrival) -> None:
    """Steps are left as they are: what the end makes of a running one is derived (`step_view`)."""
    event, seq, step = at.event, at.seq, at.step
    said = read.read_facts(_decoder, event.payload)
    if said.status in END_STATUSES:
        fold.status = said.status
    else:
        fold.status = "failed" if event.level == "error" else "completed"
    fold.completed_at_ms = event.ts_ms
    fold.partial = said.partial is True
    error = read.error_text(said.error)
    if fold.status == "completed":
        fold.progress = 100
        fold.completed_steps += len(fold.running)
    elif fold.status == "cancelled":
        fold.cancelled_at_ms = event.ts_ms
    elif fold.status == "failed":
        _note_failure(fold, event, seq, error)
    first = fold.cold.first_error
    fold.error_message = error or (first.message if first and fold.status == "failed" else None)
    fold.current_step = fold.current_step_index = None
    if fold.total_tokens == 0:
        # Otherwise this is the sum of what the events have already said.
        count_figures(fold, event, step, said)


def _note_failure(fold: RunFold, event: Draft | Event, seq: int, error: str | None) -> None:
    """A failure that only the end event tells of is the run's first error."""
    if fold.cold.first_error is None and error is not None:
        mark = fingerprint(None, error, event.step)
        fold.cold.first_error = ErrorFact(seq, event.ts_ms, event.step, event.type, None, error, mark)
        fold.touched.cold = True


def _take_plan(fold: RunFold, at: Arrival) -> None:
    event, step = at.event, at.step
    said = read.read_facts(_decoder, event.payload)
    announce(fold, said.total_steps)
    if isinstance(said.usual, dict):
        fold.cold.usual = read_usual(said.usual)
        fold.cold.step_usual = read_usuals(said.usual.get("steps"))
        fold.cold.call_usual = read_usuals(said.usual.get("calls"))
        fold.touched.cold = True
    if isinstance(said.plan, dict) and fold.declared_steps == 0 and fold.step_numbers == (step is not None):
        _declare_plan(fold, said.plan, step)
    count_figures(fold, event, step, said)


def _declare_plan(fold: RunFold, plan: dict[str, object], step: StepState | None) -> None:
    """Only while no other step is known: `fold.steps` may lack the ones that were seen before."""
    fold.cold.plan_sha256 = read.name(plan.get("sha256"))
    fold.touched.cold = True
    steps = plan.get("steps")
    seen: set[str] = set()
    for planned in steps if isinstance(steps, list) else ():
        name = read.name(planned.get("id")) if isinstance(planned, dict) else None
        if name is None or name in seen:
            continue
        seen.add(name)
        known = new_step(fold, name) if step is None or name != step.name else step
        known.plan = StepPlan(
            persona=read.name(planned.get("persona")),
            dependencies=read.names(planned.get("dependencies")),
            max_attempts=read.count(planned.get("max_attempts"), 1_000_000),
            optional=planned.get("optional") is True,
        )
        declare(fold, known)
        fold.cold.step_usual.pop(name, None)
        fold.touched.steps[name] = known
    announce(fold, fold.declared_steps)
