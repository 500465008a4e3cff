"""The Timeline: runs, events, summary, notes and export in its own words, `run_id` as a parameter.

A run that is not there has no events and no notes: both lists are then empty, as a page finds them that asks
before the run has begun. What is about the run itself answers 404: summary, export, and writing a note.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Annotated

from litestar.response import Stream
from msgspec import Struct

from runline.export.run import export_timeline
from runline.intake.document import json_object
from runline.model.errors import Invalid, NotFound
from runline.model.event import Event
from runline.model.run import Run
from runline.model.status import ACTIVE_STATUSES, LEVELS
from runline.model.wire.notes import NoteList, note_list
from runline.model.wire.quantity import about as told
from runline.model.wire.summary import TimelineSummaryAnswer, timeline_summary
from runline.model.wire.timeline import (
    NoteCreated,
    TimelineEventList,
    TimelineLive,
    TimelineRunList,
    timeline_events,
    timeline_live,
    timeline_runs,
)
from runline.server.bodies import read_json
from runline.server.errors import MissingRunId
from runline.server.parameters import about, limit, whole
from runline.server.route import JSON, get, post
from runline.server.routes.exports import as_download, every_run
from runline.server.routes.notes import NewNote
from runline.store.sql_store import SqlStore

_RUN_ID = "The run's id."
_ORDER = "`asc`: oldest first; `desc`: the newest ones, newest first."
_AFTER = "Only events after that index; −1 and 0 both mean from the start."


class TimelineRunsQuery(Struct, kw_only=True, frozen=True):
    """How many."""

    limit: Annotated[int, limit("Runs.", most=500)] = 50


class TimelineRunQuery(Struct, kw_only=True, frozen=True):
    """Which run."""

    run_id: Annotated[str, about(_RUN_ID)]


class TimelineEventsQuery(TimelineRunQuery, kw_only=True, frozen=True):
    """Which of its events."""

    limit: Annotated[int, limit("Events.", most=1000)] = 200
    after_event_index: Annotated[int, whole(_AFTER, floor=-1)] = -1
    stage: Annotated[
        tuple[str, ...],
        about("Only these stages; `run` stands for events without a step.", examples=("run,extract",)),
    ] = ()
    severity: Annotated[tuple[str, ...], about("Only these severities.", one_of=LEVELS)] = ()
    order: Annotated[str, about(_ORDER, one_of=("asc", "desc"))] = "asc"


class TimelineNotesQuery(TimelineRunQuery, kw_only=True, frozen=True):
    """How many of its notes."""

    limit: Annotated[int, limit("Notes.", most=500)] = 100


class TimelineLiveQuery(Struct, kw_only=True, frozen=True):
    """What to look at; all of it may be left out."""

    run_id: Annotated[str | None, about("The run; when absent the active one, else the newest.")] = None
    limit: Annotated[int, limit("Events.", most=1000)] = 200
    after_event_index: Annotated[int, whole(_AFTER, floor=-1)] = -1
    order: Annotated[str, about(_ORDER, one_of=("asc", "desc"))] = "asc"


class TimelineNote(NewNote, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What somebody has to say, and about which run."""

    run_id: Annotated[str, told("The run's id.")]


@get(
    "/api/timeline/runs",
    query=TimelineRunsQuery,
    answer=TimelineRunList,
    summary="Runs to choose from",
    tag="Timeline",
    tenants=True,
)
def list_timeline_runs(store: SqlStore, given: TimelineRunsQuery) -> TimelineRunList:
    """Newest start first. The window is from the first to the last event."""
    return timeline_runs(islice(every_run(store, {}, at_most=given.limit), given.limit))


@get(
    "/api/timeline/events",
    query=TimelineEventsQuery,
    answer=TimelineEventList,
    errors=(422,),
    summary="A run's events",
    tag="Timeline",
    tenants=True,
)
def list_timeline_events(store: SqlStore, given: TimelineEventsQuery) -> TimelineEventList:
    """`event_index` is the event's place in its run, from 1. An unknown run has no events."""
    found = _events(store, given.run_id, given, stages=given.stage, severities=given.severity)
    return timeline_events(found)


@get(
    "/api/timeline/summary",
    query=TimelineRunQuery,
    answer=TimelineSummaryAnswer,
    errors=(404, 422),
    summary="A run in figures",
    tag="Timeline",
    tenants=True,
)
def show_timeline_summary(store: SqlStore, given: TimelineRunQuery) -> TimelineSummaryAnswer:
    """`duration_s` is from the start to the last event; while the run is running, to now."""
    return TimelineSummaryAnswer(timeline_summary(store.summary(given.run_id)))


@get(
    "/api/timeline/notes",
    query=TimelineNotesQuery,
    answer=NoteList,
    errors=(422,),
    summary="A run's notes",
    tag="Timeline",
    tenants=True,
)
def list_timeline_notes(store: SqlStore, given: TimelineNotesQuery) -> NoteList:
    """Newest first. An unknown run has no notes."""
    try:
        return note_list(store.list_notes(given.run_id, limit=given.limit))
    except NotFound:
        return NoteList(())


@post(
    "/api/timeline/notes",
    scope="operate",
    body=TimelineNote,
    answer=NoteCreated,
    errors=(404, 422),
    summary="Write a note",
    tag="Timeline",
    tenants=True,
)
def add_timeline_note(store: SqlStore, body: bytes) -> NoteCreated:
    """About the run as a whole, or about the event of `event_index`; 400 when the run has no such event."""
    given = _read_note(body)
    note = store.add_note(
        given.run_id,
        given.note,
        author=given.author,
        labels=given.labels or (),
        actions=given.actions or (),
        event_seq=given.event_index,
    )
    return NoteCreated(id=note.id)


@get(
    "/api/timeline/export",
    query=TimelineRunQuery,
    answers={JSON: None},
    errors=(404, 422),
    summary="Download a run",
    tag="Timeline",
    tenants=True,
)
def export_timeline_run(store: SqlStore, given: TimelineRunQuery) -> Stream:
    """`{run_id, summary, events, notes, exported_at_utc}`, complete and streamed whatever its size."""
    chunks = export_timeline(store, given.run_id, now_ms=store.clock.now_ms())
    return as_download(chunks, f"timeline-{given.run_id}.json", JSON)


@get(
    "/api/timeline/live",
    query=TimelineLiveQuery,
    answer=TimelineLive,
    summary="Events of the run that is live",
    tag="Timeline",
    tenants=True,
)
def show_timeline_live(store: SqlStore, given: TimelineLiveQuery) -> TimelineLive:
    """Without `run_id`: of the active run that started last, else of the newest run; `run_id` is null when there is none."""
    run_id = given.run_id or next((run.run_id for run in _candidates(store)), None)
    found = [] if run_id is None else _events(store, run_id, given)
    return timeline_live(run_id, found)


def _candidates(store: SqlStore) -> Iterable[Run]:
    yield from store.list_runs(status=sorted(ACTIVE_STATUSES), limit=1).items
    yield from store.list_runs(limit=1).items


def _events(
    store: SqlStore,
    run_id: str,
    given: TimelineEventsQuery | TimelineLiveQuery,
    *,
    stages: Sequence[str] = (),
    severities: Sequence[str] = (),
) -> list[Event]:
    try:
        return store.read(
            run_id,
            after_seq=max(0, given.after_event_index),
            steps=stages,
            levels=severities,
            order="desc" if given.order == "desc" else "asc",
            limit=given.limit,
        )
    except NotFound:
        return []


def _read_note(body: bytes) -> TimelineNote:
    try:
        given = read_json(body, TimelineNote)
    except Invalid as error:
        if "missing" in error.fields.values() and "run_id" not in json_object(body or b"{}"):
            raise MissingRunId(
                "Say which run: add run_id to the body.", fields={"run_id": "missing"}
            ) from error
        raise
    if not given.run_id.strip():
        raise Invalid("run_id is blank; say which run the note is about.", fields={"run_id": "blank"})
    return given


HANDLERS = [
    list_timeline_runs,
    list_timeline_events,
    show_timeline_summary,
    list_timeline_notes,
    add_timeline_note,
    export_timeline_run,
    show_timeline_live,
]
