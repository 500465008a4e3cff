"""Everything that the first events of a run amount to, as JSON."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from runline.fold.snapshot import LevelProgress, RunState
from runline.fold.wire.errors import ErrorEvent, error_event, error_of
from runline.fold.wire.histogram import HistogramView, histogram_of, histogram_view
from runline.model.clock import parse_instant, to_iso
from runline.model.run import Eta
from runline.model.status import RunStatus
from runline.model.step import Usual
from runline.model.wire.calls import CallView, call_of, call_view
from runline.model.wire.quantity import Count, Instant, Percent, Seq, about, iso, ms_of
from runline.model.wire.steps import StepDetail, step_detail, step_of


class StateView(Struct, frozen=True, kw_only=True):
    """The run as it was after its event `seq`; steps come without artifacts."""

    run_id: str
    seq: Seq
    kind: str
    name: str
    tags: tuple[str, ...]
    parent_run_id: str | None
    original_run_id: str | None
    status: RunStatus
    partial: Annotated[bool, about("It ended, and only a part of it succeeded.")]
    error_message: str | None
    started_at: Instant
    updated_at: Annotated[Instant, about("When its last event happened.")]
    completed_at: Annotated[Instant | None, about("When it ended, however; null while it has not.")]
    cancelled_at: Annotated[Instant | None, about("When it ended as cancelled, else null.")]
    window_start: Annotated[Instant, about("When its first event happened.")]
    window_start_ms: Annotated[int, about("The same in milliseconds since 1970 UTC.")]
    event_count: Count
    warn_count: Count
    error_count: Count
    total_tokens: Count
    tokens_in: Count
    tokens_out: Count
    progress: Percent
    current_step: str | None
    current_step_index: Count | None
    total_steps: Count
    completed_steps: Count
    failed_steps: Count
    artifact_count: Count
    call_count: Count
    last_step: str | None
    last_message: str | None
    eta: Annotated[Eta | None, about("Milliseconds left as of `updated_at`; null when nothing tells.")]
    usual: Usual | None
    first_error: ErrorEvent | None
    last_error: ErrorEvent | None
    steps: Annotated[tuple[StepDetail, ...], about("By index.")]
    stages: Annotated[tuple[StepDetail, ...], about("Names that are no steps, in order of appearance.")]
    blocked: Annotated[tuple[str, ...], about("The steps that cannot start any more.")]
    open_calls: Annotated[tuple[CallView, ...], about("By request.")]
    levels: Annotated[tuple[LevelProgress, ...], about("Of a generation, by index.")]
    generation: dict[str, int | str | None]
    queue: dict[str, int]
    scan: dict[str, int]
    types: Annotated[dict[str, int], about("How many events each type has.", {"log": 12})]
    histogram: HistogramView


_SAME = tuple(
    name
    for name in StateView.__struct_fields__
    if name in RunState.__struct_fields__
    and name not in ("first_error", "last_error", "steps", "stages", "open_calls", "histogram")
)


def state_view(state: RunState) -> StateView:
    return StateView(
        **{name: getattr(state, name) for name in _SAME},
        started_at=to_iso(state.started_at_ms),
        updated_at=to_iso(state.updated_at_ms),
        completed_at=iso(state.completed_at_ms),
        cancelled_at=iso(state.cancelled_at_ms),
        window_start=to_iso(state.window_start_ms),
        first_error=None if state.first_error is None else error_event(state.first_error),
        last_error=None if state.last_error is None else error_event(state.last_error),
        steps=tuple(map(step_detail, state.steps)),
        stages=tuple(map(step_detail, state.stages)),
        open_calls=tuple(map(call_view, state.open_calls)),
        histogram=histogram_view(state.histogram),
    )


def state_of_view(view: StateView) -> RunState:
    """The state that the view was made of."""
    return RunState(
        **{name: getattr(view, name) for name in _SAME},
        started_at_ms=parse_instant(view.started_at),
        updated_at_ms=parse_instant(view.updated_at),
        completed_at_ms=ms_of(view.completed_at),
        cancelled_at_ms=ms_of(view.cancelled_at),
        first_error=None if view.first_error is None else error_of(view.first_error),
        last_error=None if view.last_error is None else error_of(view.last_error),
        steps=tuple(step_of(one, view.run_id) for one in view.steps),
        stages=tuple(step_of(one, view.run_id) for one in view.stages),
        open_calls=tuple(map(call_of, view.open_calls)),
        histogram=histogram_of(view.histogram),
    )
