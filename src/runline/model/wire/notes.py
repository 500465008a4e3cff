"""A note as JSON, with the Timeline's keys."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from msgspec import Struct

from runline.model.clock import parse_instant, to_iso
from runline.model.note import Note
from runline.model.wire.quantity import Instant, Seq, about


class NoteView(Struct, frozen=True, kw_only=True):
    """What a person wrote beside a run."""

    id: int
    run_id: str
    created_at_utc: Instant
    author: str | None
    note: str
    labels: tuple[str, ...]
    actions: Annotated[tuple[str, ...], about("What is to be done.", ["open ticket"])]
    event_index: Annotated[Seq | None, about("The seq of the event it is about; null: the run as a whole.")]


class NoteList(Struct, frozen=True):
    """Notes of a run, newest first."""

    notes: tuple[NoteView, ...]


def note_view(note: Note) -> NoteView:
    return NoteView(
        id=note.id,
        run_id=note.run_id,
        created_at_utc=to_iso(note.created_at_ms),
        author=note.author,
        note=note.note,
        labels=note.labels,
        actions=note.actions,
        event_index=note.event_seq,
    )


def note_list(notes: Iterable[Note]) -> NoteList:
    return NoteList(tuple(map(note_view, notes)))


def note_of(view: NoteView) -> Note:
    """The note that the view was made of."""
    return Note(
        id=view.id,
        run_id=view.run_id,
        created_at_ms=parse_instant(view.created_at_utc),
        note=view.note,
        author=view.author,
        labels=view.labels,
        actions=view.actions,
        event_seq=view.event_index,
    )
