"""`apply`: one event changes the fold. Every projection in the store is made by this function alone.

Most events play no part in the state: they are counted, and their data is decoded only when it may speak
of tokens, progress or time left. Those that do are handed to the module of their noun. Nothing here
raises, whatever the data holds, and nothing iterates over `steps` or `calls`, which may be partial.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from runline.fold import calls, runs, session, steps
from runline.fold.facts import Figures, read_facts
from runline.fold.failure import marked, unmarked_error
from runline.fold.slots import MOST_SLOTS, fit
from runline.fold.state import Arrival, RunFold, StepState
from runline.model.catalogue import CATALOGUE
from runline.model.event import Draft, Event
from runline.model.event_type import Role

Handler = Callable[[RunFold, Arrival], None]

_MOST_TYPES = 256
_figures = msgspec.json.Decoder(Figures)


def apply(fold: RunFold, event: Draft | Event, seq: int) -> None:
    """Folds the run's next event in. `seq` is its place: 1, 2, 3 and so on.

    Before, `fold.steps` must hold the event's step and `fold.calls` the call of `call_key(event)`, where
    they exist. Afterwards `fold.touched` names every row that changed.
    """
    apply_all(fold, (event,), seq)


def apply_all(fold: RunFold, events: Sequence[Draft | Event], first_seq: int) -> None:
    """Folds the run's next events in, the first of them as `first_seq`; the same as `apply` on each in turn.

    What only the last event decides is written once, and what every event needs is looked up once: that
    makes an event in a batch a third cheaper.
    """
    if not events:
        return
    if first_seq == 1:
        runs.begin(fold, events[0])
    types, all_steps, touched = fold.types, fold.steps, fold.touched
    touched_slots, touched_steps = touched.slots, touched.steps
    started_at_ms = fold.started_at_ms
    slot_ms, slots = fold.slot_ms, fold.slots
    last_slot: int | None = None
    counts = [0, 0, 0]
    for seq, event in enumerate(events, first_seq):
        ts_ms = event.ts_ms
        type_ = event.type
        name = event.step
        if type_ in types:
            types[type_] += 1
        else:
            _count_type(types, type_)

        slot = (ts_ms - started_at_ms) // slot_ms
        if slot != last_slot:
            if not 0 <= slot < MOST_SLOTS:
                slot = fit(fold, ts_ms)
                slot_ms, slots = fold.slot_ms, fold.slots
            touched_slots.add(slot)
            found = slots.get(slot)
            if found is None:
                found = slots[slot] = [0, 0, 0]
            last_slot, counts = slot, found
        counts[0] += 1

        step = None
        if name is not None:
            step = all_steps.get(name)
            if step is None:
                step = steps.new_step(fold, name)
            step.event_count += 1
            step.updated_at_ms = ts_ms
            step.message = event.message
            touched_steps[name] = step
        if event.level != "info":
            _count_level(fold, event, seq, step, counts)

        handler = _HANDLERS.get(type_)
        if handler is None:
            payload = event.payload
            if '"tokens' in payload or '"progress"' in payload or '"estimated_time_ms"' in payload:
                steps.count_figures(fold, event, step, read_facts(_figures, payload))
        elif fold.completed_at_ms is None:
            handler(fold, Arrival(event, seq, step))
    last = events[-1]
    fold.last_seq = first_seq + len(events) - 1
    fold.updated_at_ms = last.ts_ms
    fold.last_step = last.step
    fold.last_message = last.message


def _count_type(types: dict[str, int], type_: str) -> None:
    key = type_ if len(types) < _MOST_TYPES else "other"
    types[key] = types.get(key, 0) + 1


def _count_level(
    fold: RunFold, event: Draft | Event, seq: int, step: StepState | None, counts: list[int]
) -> None:
    if event.level == "warn":
        fold.warn_count += 1
        counts[1] += 1
        if step is not None:
            step.warn_count += 1
    elif event.level == "error":
        fold.error_count += 1
        counts[2] += 1
        if step is not None:
            step.error_count += 1
        _remember_error(fold, event, seq)


def _remember_error(fold: RunFold, event: Draft | Event, seq: int) -> None:
    cold = fold.cold
    cold.last_error = unmarked_error(event, seq)
    if cold.first_error is None:
        cold.first_error = marked(cold.last_error)
    fold.touched.cold = True


_BY_ROLE: dict[Role, Handler] = {
    "queued": runs.on_queued,
    "started": runs.on_started,
    "ended": runs.on_ended,
    "step_started": steps.on_started,
    "step_progress": steps.on_progress,
    "step_completed": steps.on_completed,
    "step_failed": steps.on_failed,
    "step_skipped": steps.on_skipped,
    "step_retrying": steps.on_retrying,
    "eta": steps.on_activity,
    "activity": steps.on_activity,
    "error": calls.on_error,
    "generation": session.on_generation,
    "level": session.on_level,
    "queue": session.on_queue,
    "scan": session.on_scan,
}


def _on_artifact(fold: RunFold, at: Arrival) -> None:
    seq = at.seq
    fold.artifact_count += 1
    fold.touched.artifacts.append(seq)


def _handlers() -> dict[str, Handler]:
    handlers: dict[str, Handler] = {}
    for type_, row in CATALOGUE.items():
        if row.pair is not None:
            handlers[type_] = calls.on_pair
        elif row.role == "artifact":
            handlers[type_] = _on_artifact
        elif row.role is not None:
            handlers[type_] = _BY_ROLE[row.role]
    return handlers


_HANDLERS = _handlers()
