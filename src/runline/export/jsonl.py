"""A run as lines of JSON: one that describes it, then its canonical events, the fastest to read back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from runline.model.event import Event
from runline.model.note import Note
from runline.model.run import Run
from runline.model.wire.notes import note_view
from runline.model.wire.runs import run_detail

VERSION = 1


def jsonl_chunks(run: Run, events: Iterable[Event], *, notes: Iterable[Note]) -> Iterator[bytes]:
    """`{"runline": 1, "run": {…}, "notes": […]}`, then a line for each event."""
    head = {"runline": VERSION, "run": run_detail(run), "notes": [note_view(note) for note in notes]}
    yield msgspec.json.encode(head) + b"\n"
    for event in events:
        yield event.to_json() + b"\n"
