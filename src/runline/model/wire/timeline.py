"""The Timeline's lists as JSON; its summary and its notes have files of their own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from msgspec import Struct

from runline.model.clock import to_iso
from runline.model.event import Event
from runline.model.run import Run
from runline.model.status import RunStatus
from runline.model.wire.events import TimelineEvent, timeline_event
from runline.model.wire.quantity import Count, Instant, about


class TimelineRun(Struct, frozen=True, kw_only=True):
    """A run to choose."""

    run_id: str
    status: RunStatus
    started_at: Instant
    window_start: Annotated[Instant, about("When its first event happened.")]
    window_end: Annotated[Instant, about("When its last event happened.")]
    event_count: Count


class TimelineRunList(Struct, frozen=True):
    """Runs, newest start first."""

    runs: tuple[TimelineRun, ...]


class TimelineEventList(Struct, frozen=True):
    """Events of a run in the order asked for; none of a run that is not there."""

    events: tuple[TimelineEvent, ...]


class TimelineLive(Struct, frozen=True, kw_only=True):
    """Events of the run that is looked at live."""

    run_id: Annotated[
        str | None, about("The run asked for, else the active one, else the newest; null: none.")
    ]
    events: tuple[TimelineEvent, ...]


class NoteCreated(Struct, frozen=True, kw_only=True):
    """A note was written down."""

    created: bool = True
    id: Annotated[int, about("The note's.", 12)]


def timeline_run(run: Run) -> TimelineRun:
    return TimelineRun(
        run_id=run.run_id,
        status=run.status,
        started_at=to_iso(run.started_at_ms),
        window_start=to_iso(run.window_start_ms),
        window_end=to_iso(run.updated_at_ms),
        event_count=run.event_count,
    )


def timeline_runs(runs: Iterable[Run]) -> TimelineRunList:
    return TimelineRunList(tuple(map(timeline_run, runs)))


def timeline_events(events: Iterable[Event]) -> TimelineEventList:
    return TimelineEventList(tuple(map(timeline_event, events)))


def timeline_live(run_id: str | None, events: Iterable[Event]) -> TimelineLive:
    return TimelineLive(run_id=run_id, events=tuple(map(timeline_event, events)))
