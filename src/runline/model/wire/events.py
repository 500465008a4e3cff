"""An event in the shapes that its readers ask for, beside the canonical one of `model/event.py`.

What only passes data on splices its text; what needs a few keys of it decodes those alone.
"""

from __future__ import annotations

from typing import Annotated, Any, cast

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from runline.model.clock import parse_instant, to_iso
from runline.model.event import NO_STEP, Event
from runline.model.event_type import EventState
from runline.model.status import Level
from runline.model.wire.quantity import Count, Instant, Milliseconds, Percent, Seq, about
from runline.model.wire.said import known_of, read_said, said_state

EventId = Annotated[int, about("Increases in commit order within a run.", 4711)]
TypeName = Annotated[
    str, about("What happened; types are open, docs/events.md lists the known ones.", "tool_call")
]
Source = Annotated[str | None, about("Who emitted it.", "agent", "stdout")]
CorrelationId = Annotated[str | None, about("Pairs a request with its response.", "c1")]
Elapsed = Annotated[float, Meta(ge=0, description="Seconds since the run started.", examples=[1.25])]
JsonObject = Annotated[
    Raw,
    Meta(
        description="Everything else about it: a JSON object with the caller's keys.",
        extra_json_schema={"type": "object", "additionalProperties": True},
    ),
]


class TraceEvent(Struct, frozen=True, kw_only=True, gc=False):
    """An event in a page of a run's trace."""

    id: EventId
    run_id: str
    seq: Seq
    type: TypeName
    created_at: Instant
    level: Level
    step: str | None
    source: Source
    message: Annotated[str, about("One line for people.")]
    correlation_id: CorrelationId
    payload: JsonObject
    elapsed_s: Elapsed


class TracePage(Struct, frozen=True, kw_only=True):
    """Events of a run in the order asked for."""

    events: tuple[TraceEvent, ...]
    next_after_id: Annotated[
        int, about("The id of the last event here, or the `afterId` given; the next page's `afterId`.")
    ] = msgspec.field(name="nextAfterId")
    total: Annotated[Count | UnsetType, about("How many events match; only when `count` was asked for.")] = (
        UNSET
    )


class EventSummary(Struct, frozen=True, kw_only=True, gc=False):
    """An event in the detail of a run: what a list of events shows."""

    id: EventId
    seq: Seq
    timestamp: Instant
    step_id: str | None
    state: EventState
    persona: str | None
    message: str
    tokens_used: Count | None
    duration_ms: Milliseconds | None
    type: TypeName
    level: Level


class StreamEvent(Struct, frozen=True, kw_only=True, gc=False):
    """An event of a live stream: the canonical keys, then the dashboard's, those absent when unknown.

    A value of a wrong type is as good as unknown; `data` has it as it was given.
    """

    id: EventId
    run_id: str
    seq: Seq
    ts: Instant
    type: TypeName
    level: Level
    step: str | None
    source: Source
    message: Annotated[str, about("One line for people.")]
    correlation_id: CorrelationId
    data: JsonObject
    elapsed_s: Elapsed
    timestamp: Annotated[Instant, about("The same as `ts`.")]
    pipeline_id: Annotated[str, about("The same as `run_id`.")]
    state: EventState
    step_id: Annotated[str | UnsetType, about("The same as `step`.")] = UNSET
    persona: str | UnsetType = UNSET
    duration_ms: Milliseconds | UnsetType = UNSET
    tokens_used: Count | UnsetType = UNSET
    progress: Percent | UnsetType = UNSET
    current_action: str | UnsetType = UNSET
    total_steps: Count | UnsetType = UNSET
    completed_steps: Count | UnsetType = UNSET
    estimated_time_ms: Annotated[Milliseconds | UnsetType, about("Milliseconds left.")] = UNSET
    validation_phase: str | UnsetType = UNSET
    compaction_stats: dict[str, Any] | UnsetType = UNSET
    artifacts: Annotated[
        list[Any] | UnsetType, about("As the event lists them: names, paths or objects.")
    ] = UNSET
    tool_name: str | UnsetType = UNSET
    tool_target: str | UnsetType = UNSET
    model: str | UnsetType = UNSET
    adapter: str | UnsetType = UNSET


class TimelineEvent(Struct, frozen=True, kw_only=True, gc=False):
    """An event of the Timeline."""

    id: EventId
    run_id: str
    event_index: Annotated[Seq, about("The event's seq.")]
    ts_utc: Instant
    stage: Annotated[str, about("Its step; `run` when it has none.")]
    severity: Level
    message: str
    elapsed_s: Elapsed
    details: JsonObject


class ExportedEvent(TimelineEvent, frozen=True, kw_only=True, gc=False):
    """The Timeline's event and what an import needs beside it."""

    type: TypeName
    step: str | None
    source: Source
    correlation_id: CorrelationId


def trace_event(event: Event) -> TraceEvent:
    return TraceEvent(
        id=event.id,
        run_id=event.run_id,
        seq=event.seq,
        type=event.type,
        created_at=to_iso(event.ts_ms),
        level=cast("Level", event.level),
        step=event.step,
        source=event.source,
        message=event.message,
        correlation_id=event.correlation_id,
        payload=Raw(event.payload.encode()),
        elapsed_s=event.elapsed_ms / 1000,
    )


def event_summary(event: Event) -> EventSummary:
    said = read_said(event.payload)
    known = known_of(said)
    return EventSummary(
        id=event.id,
        seq=event.seq,
        timestamp=to_iso(event.ts_ms),
        step_id=event.step,
        state=said_state(event.type, said),
        persona=known.get("persona"),
        message=event.message,
        tokens_used=known.get("tokens_used"),
        duration_ms=known.get("duration_ms"),
        type=event.type,
        level=cast("Level", event.level),
    )


def stream_event(event: Event) -> StreamEvent:
    ts = to_iso(event.ts_ms)
    said = read_said(event.payload)
    known = known_of(said)
    if event.step is not None:
        known["step_id"] = event.step
    return StreamEvent(
        id=event.id,
        run_id=event.run_id,
        seq=event.seq,
        ts=ts,
        type=event.type,
        level=cast("Level", event.level),
        step=event.step,
        source=event.source,
        message=event.message,
        correlation_id=event.correlation_id,
        data=Raw(event.payload.encode()),
        elapsed_s=event.elapsed_ms / 1000,
        timestamp=ts,
        pipeline_id=event.run_id,
        state=said_state(event.type, said),
        **known,
    )


def timeline_event(event: Event) -> TimelineEvent:
    return TimelineEvent(**_timeline(event))


def exported_event(event: Event) -> ExportedEvent:
    return ExportedEvent(
        **_timeline(event),
        type=event.type,
        step=event.step,
        source=event.source,
        correlation_id=event.correlation_id,
    )


def event_of(view: TraceEvent | StreamEvent) -> Event:
    """The event that the view was made of, its data as it was written."""
    ts, data = (view.created_at, view.payload) if isinstance(view, TraceEvent) else (view.ts, view.data)
    return Event(
        id=view.id,
        run_id=view.run_id,
        seq=view.seq,
        ts_ms=parse_instant(ts),
        type=view.type,
        level=view.level,
        step=view.step,
        source=view.source,
        message=view.message,
        correlation_id=view.correlation_id,
        payload=bytes(data).decode(),
        elapsed_ms=round(view.elapsed_s * 1000),
    )


def _timeline(event: Event) -> dict[str, Any]:
    return {
        "id": event.id,
        "run_id": event.run_id,
        "event_index": event.seq,
        "ts_utc": to_iso(event.ts_ms),
        "stage": NO_STEP if event.step is None else event.step,
        "severity": event.level,
        "message": event.message,
        "elapsed_s": event.elapsed_s,
        "details": Raw(event.payload.encode()),
    }
