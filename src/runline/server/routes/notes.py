"""Notes of a run: beside its stream, at any time, also when it has ended."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from runline.model.wire.notes import NoteList, NoteView, note_list, note_view
from runline.model.wire.quantity import about as told
from runline.server.bodies import read_json
from runline.server.parameters import limit, whole
from runline.server.route import get, post
from runline.store.sql_store import SqlStore


class NotesQuery(Struct, kw_only=True, frozen=True):
    """How many, and from where on."""

    limit: Annotated[int, limit("Notes a page.", most=500)] = 100
    before_id: Annotated[
        int | None, whole("Only notes older than the one of this id, the last of the page before.", floor=1)
    ] = None


class NewNote(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What somebody has to say about a run."""

    note: Annotated[str, told("The text; not blank.", "vendor API slow")]
    author: Annotated[str | None, told("Who says so.", "me")] = None
    labels: Annotated[tuple[str, ...] | None, told("Words to sort it by.", ["vendor"])] = None
    actions: Annotated[tuple[str, ...] | None, told("What is to be done.", ["open ticket"])] = None
    event_index: Annotated[
        int | None, told("The seq of the event it is about; the run as a whole when absent.", 7)
    ] = None


@get(
    "/api/runs/{run_id:str}/notes",
    query=NotesQuery,
    answer=NoteList,
    errors=(404,),
    summary="List a run's notes",
    tag="Notes",
    tenants=True,
)
def list_notes(store: SqlStore, given: NotesQuery, run_id: str) -> NoteList:
    """Newest first."""
    return note_list(store.list_notes(run_id, limit=given.limit, before_id=given.before_id))


@post(
    "/api/runs/{run_id:str}/notes",
    scope="operate",
    body=NewNote,
    answer=NoteView,
    status=201,
    errors=(404,),
    summary="Write a note",
    tag="Notes",
    tenants=True,
)
def add_note(store: SqlStore, body: bytes, run_id: str) -> NoteView:
    """Stands beside the run and changes nothing of it, except that retention keeps runs with notes."""
    given = read_json(body, NewNote)
    note = store.add_note(
        run_id,
        given.note,
        author=given.author,
        labels=given.labels or (),
        actions=given.actions or (),
        event_seq=given.event_index,
    )
    return note_view(note)


HANDLERS = [list_notes, add_note]
