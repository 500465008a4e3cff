"""Steps: their states, attempts, progress and tokens, and the totals that the run keeps of them.

A step counts (is *declared*) once it stands in the plan or has a lifecycle event; one that events merely
name is a stage. Each start is a new attempt: its progress begins at 0 and its tokens are counted apart.
An attempt's tokens are what its end event says, else the sum of its other events. A finished step counts
100 in the run's progress, which is the mean over all steps, never falls, and is 100 only when the run
completed. The totals are kept by difference, because `fold.steps` may hold only some of the steps.
"""

from __future__ import annotations

import msgspec

from runline.fold import facts as read
from runline.fold.facts import Figures, StepFacts
from runline.fold.session import recount_level
from runline.fold.state import Arrival, RunFold, StepPlan, StepState
from runline.model.clock import MIN_MS
from runline.model.event import Draft, Event
from runline.model.status import STEP_ACTIVE, STEP_DONE, STEP_FINISHED

_decoder = msgspec.json.Decoder(StepFacts)
_INDEX_MASK = 0xFFFFFFFF


def new_step(fold: RunFold, name: str) -> StepState:
    """The state of a name that the run has not seen before."""
    fold.step_numbers += 1
    step = fold.steps[name] = StepState(number=fold.step_numbers, name=name)
    return step


def declare(fold: RunFold, step: StepState) -> None:
    """Makes it one of the run's steps, the last in order."""
    if step.declared:
        return
    step.declared = True
    step.index = fold.declared_steps
    fold.declared_steps += 1
    usual = fold.cold.step_usual.get(step.name)
    if usual is not None:
        step.plan = msgspec.structs.replace(step.plan or StepPlan(), usual=usual)


def announce(fold: RunFold, total: object) -> None:
    """Takes in a total that the run says it will reach; the largest counts."""
    steps = read.count(total)
    if steps is not None and steps > fold.announced_steps:
        fold.announced_steps = steps


def count_figures(fold: RunFold, event: Draft | Event, step: StepState | None, said: Figures) -> None:
    """Tokens, progress and time left of an event that ends nothing."""
    used, tokens_in, tokens_out = read.tokens(said)
    if used is not None:
        before = 0 if step is None else step.tokens_used
        if step is not None:
            step.tokens_seen += used
        fold.total_tokens += used if step is None else step.tokens_used - before
        if step is None or step.tokens_final is None:
            fold.tokens_in += tokens_in
            fold.tokens_out += tokens_out
    progress = None if said.progress is None else read.percent(said.progress)
    if progress is not None:
        if step is not None and step.declared:
            _advance(fold, step, progress)
        elif fold.declared_steps == 0:
            raise_progress(fold, progress)
    if said.estimated_time_ms is None:
        return
    estimate_ms = read.count(said.estimated_time_ms, read.MOST_MS)
    if estimate_ms is not None:
        fold.estimate_ms, fold.estimate_at_ms = estimate_ms, event.ts_ms
        if step is not None:
            step.estimate_ms, step.estimate_at_ms = estimate_ms, event.ts_ms


def raise_progress(fold: RunFold, progress: int) -> None:
    """The run's progress, which never falls and stays below 100 until the run completed."""
    fold.progress = max(fold.progress, min(99, progress))


def on_started(fold: RunFold, at: Arrival) -> None:
    event, seq, step = at.event, at.seq, at.step
    if step is None:
        return
    said = read.read_facts(_decoder, event.payload)
    _describe(step, said)
    _plan(step, said)
    step.total = read.count(said.total)
    _start(fold, event, seq, step, said)
    count_figures(fold, event, step, said)


def on_progress(fold: RunFold, at: Arrival) -> None:
    """A step that reports progress before it was started has started."""
    event, seq, step = at.event, at.seq, at.step
    said = read.read_facts(_decoder, event.payload)
    announce(fold, said.total_steps)
    if step is not None:
        _describe(step, said)
        if step.state == "pending":
            _start(fold, event, seq, step, said)
    count_figures(fold, event, step, said)


def on_activity(fold: RunFold, at: Arrival) -> None:
    """What goes on inside a step; also an estimate. It makes nobody a step."""
    event, step = at.event, at.step
    said = read.read_facts(_decoder, event.payload)
    announce(fold, said.total_steps)
    if step is not None:
        _describe(step, said)
    count_figures(fold, event, step, said)


def on_retrying(fold: RunFold, at: Arrival) -> None:
    event, step = at.event, at.step
    if step is None:
        return
    said = read.read_facts(_decoder, event.payload)
    _describe(step, said)
    _plan(step, said)
    step.attempt = max(1, step.attempt)
    step.error = read.error_text(said.error) or step.error
    step.reason = read.text(said.reason)
    step.completed_at_ms = step.duration_ms = None
    _change(fold, step, "retrying", step.progress)
    count_figures(fold, event, step, said)


def on_completed(fold: RunFold, at: Arrival) -> None:
    event, seq, step = at.event, at.seq, at.step
    if step is None:
        return
    said = _end(fold, event, seq, step)
    step.error = None
    step.reason = read.text(said.reason) or read.text(said.reused_from)
    _change(fold, step, "completed", 100)


def on_failed(fold: RunFold, at: Arrival) -> None:
    """`data.status` `cancelled` tells a step that was stopped from one that failed."""
    event, seq, step = at.event, at.seq, at.step
    if step is None:
        return
    said = _end(fold, event, seq, step)
    step.error = read.error_text(said.error) or event.message
    step.reason = read.text(said.reason)
    _change(fold, step, "cancelled" if said.status == "cancelled" else "failed", step.progress)


def on_skipped(fold: RunFold, at: Arrival) -> None:
    event, step = at.event, at.step
    if step is None:
        return
    said = read.read_facts(_decoder, event.payload)
    _describe(step, said)
    step.reason = read.text(said.reason)
    step.completed_at_ms = event.ts_ms
    _change(fold, step, "skipped", step.progress)
    count_figures(fold, event, step, said)


def _start(fold: RunFold, event: Draft | Event, seq: int, step: StepState, said: StepFacts) -> None:
    step.tokens_before = step.tokens_used
    step.tokens_seen = 0
    step.tokens_final = None
    step.attempt = max(step.attempt + 1, read.count(said.attempt, 1_000_000) or 0)
    step.started_at_ms, step.started_seq = event.ts_ms, seq
    step.completed_at_ms = step.duration_ms = step.estimate_ms = step.estimate_at_ms = None
    step.error = step.reason = None
    _change(fold, step, "running", 0)


def _end(fold: RunFold, event: Draft | Event, seq: int, step: StepState) -> StepFacts:
    """What completed and failed have in common; the state itself is the caller's."""
    said = read.read_facts(_decoder, event.payload)
    _describe(step, said)
    duration_ms = read.count(said.duration_ms, read.MOST_MS)
    if step.started_at_ms is None:
        step.attempt = max(1, step.attempt)
        if duration_ms is not None:
            step.started_at_ms, step.started_seq = max(MIN_MS, event.ts_ms - duration_ms), seq
    elif duration_ms is None:
        duration_ms = max(0, event.ts_ms - step.started_at_ms)
    step.completed_at_ms, step.duration_ms = event.ts_ms, duration_ms
    used, tokens_in, tokens_out = read.tokens(said)
    if used is not None:
        if step.tokens_final is None and not step.tokens_seen:
            # Otherwise these repeat what the attempt's calls have already said.
            fold.tokens_in += tokens_in
            fold.tokens_out += tokens_out
        before = step.tokens_used
        step.tokens_final = used
        fold.total_tokens += step.tokens_used - before
    return said


def _change(fold: RunFold, step: StepState, state: str, progress: int) -> None:
    """Gives the step its state and progress, and the run the difference."""
    declare(fold, step)
    old = step.state
    share = _share(step)
    step.state, step.progress = state, progress
    fold.progress_sum += _share(step) - share
    fold.completed_steps += (state in STEP_DONE) - (old in STEP_DONE)
    fold.failed_steps += (state == "failed") - (old == "failed")
    if step.level_index is not None:
        recount_level(fold, step.level_index, old, state)
    if state in STEP_ACTIVE:
        _run(fold, step)
    elif fold.running.pop(step.name, None) is not None and fold.current_step == step.name:
        _choose_current(fold)
    raise_progress(fold, fold.progress_sum // fold.total_steps)


def _advance(fold: RunFold, step: StepState, progress: int) -> None:
    if step.state in STEP_ACTIVE and progress > step.progress:
        fold.progress_sum += progress - step.progress
        step.progress = progress
        raise_progress(fold, fold.progress_sum // fold.total_steps)


def _share(step: StepState) -> int:
    return 100 if step.state in STEP_FINISHED else step.progress


def _run(fold: RunFold, step: StepState) -> None:
    place = step.started_seq << 32 | step.index
    fold.running[step.name] = place
    if fold.current_step is None or place >= fold.running[fold.current_step]:
        fold.current_step, fold.current_step_index = step.name, step.index


def _choose_current(fold: RunFold) -> None:
    latest = max(fold.running, key=fold.running.__getitem__, default=None)
    fold.current_step = latest
    fold.current_step_index = None if latest is None else fold.running[latest] & _INDEX_MASK


def _describe(step: StepState, said: StepFacts) -> None:
    """What any event about a step may say of it."""
    if said.current_action is not None:
        step.action = read.text(said.current_action) or step.action
    elif said.tool_name is not None:
        words = (read.name(said.tool_name), read.text(said.tool_target))
        step.action = " ".join(word for word in words if word) or step.action
    elif said.validation_phase is not None:
        step.action = read.text(said.validation_phase) or step.action
    if said.persona is not None:
        step.persona = read.name(said.persona) or step.persona
    if said.model is not None:
        step.model = read.name(said.model) or step.model
    if said.path is not None:
        step.path = read.text(said.path) or step.path
    if said.level_index is not None:
        level_index = read.count(said.level_index, 1_000_000)
        step.level_index = step.level_index if level_index is None else level_index


def _plan(step: StepState, said: StepFacts) -> None:
    """What a start says about the plan, where the plan itself was silent."""
    plan = step.plan or StepPlan()
    dependencies = plan.dependencies or read.names(said.dependencies)
    most = plan.max_attempts or read.count(said.max_attempts, 1_000_000)
    planned = msgspec.structs.replace(
        plan, dependencies=dependencies, max_attempts=most, optional=plan.optional or said.optional is True
    )
    if planned != StepPlan():
        step.plan = planned
