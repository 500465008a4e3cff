"""One run out of a store, in any format, as a stream of bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, Protocol

from runline.export.csv import csv_chunks
from runline.export.json import json_chunks, timeline_chunks
from runline.export.jsonl import jsonl_chunks
from runline.model.event import Event
from runline.model.note import Note
from runline.model.run import Run
from runline.model.summary import Summary

Format = Literal["json", "jsonl", "csv"]
FORMATS: tuple[Format, ...] = ("json", "jsonl", "csv")
PAGE = 500
"""Events held at a time: some MB when each is as large as an event may be."""
CHUNK_BYTES = 64 * 1024


class Exportable(Protocol):
    """The four methods of a Store that an export needs."""

    def get_run(self, run_id: str, /) -> Run: ...
    def summary(self, run_id: str, /) -> Summary: ...
    def read(self, run_id: str, /, *, after_seq: int, limit: int) -> list[Event]: ...
    def list_notes(self, run_id: str, /, *, limit: int) -> list[Note]: ...


def export_run(store: Exportable, run_id: str, *, format: Format, now_ms: int) -> Iterator[bytes]:
    """The whole run, up to the last event it has now, in pieces of about 64 KiB.

    Raises NotFound at once; events are read as the pieces are taken.
    """
    run = store.get_run(run_id)
    events = _events(store, run)
    if format == "csv":
        return gathered(csv_chunks(events))
    # Oldest first, as they were written and as an import adds them.
    notes = store.list_notes(run_id, limit=run.note_count)[::-1] if run.note_count else []
    if format == "jsonl":
        return gathered(jsonl_chunks(run, events, notes=notes))
    summary = store.summary(run_id)
    return gathered(json_chunks(run, events, summary=summary, notes=notes, exported_at_ms=now_ms))


def export_timeline(store: Exportable, run_id: str, *, now_ms: int) -> Iterator[bytes]:
    """The whole run as the Timeline's own document, notes newest first as it lists them. As `export_run`."""
    run = store.get_run(run_id)
    notes = store.list_notes(run_id, limit=run.note_count) if run.note_count else []
    summary = store.summary(run_id)
    return gathered(timeline_chunks(_events(store, run), summary=summary, notes=notes, exported_at_ms=now_ms))


def _events(store: Exportable, run: Run) -> Iterator[Event]:
    after_seq = 0
    while after_seq < run.last_seq:
        page = store.read(run.run_id, after_seq=after_seq, limit=min(PAGE, run.last_seq - after_seq))
        if not page:
            return
        yield from page
        after_seq = page[-1].seq


def gathered(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of about 64 KiB."""
    chunk = bytearray()
    for piece in pieces:
        chunk += piece
        if len(chunk) >= CHUNK_BYTES:
            yield bytes(chunk)
            chunk.clear()
    if chunk:
        yield bytes(chunk)
