"""A run as one JSON document: the Timeline's export, with all that an import needs.

`{run_id, run, summary, exported_at_utc, notes, events}`. An event has the Timeline's keys and, beside
them, `type`, `step` (null where `stage` says `run`), `source` and `correlation_id`. What describes the run
stands before its events, each of which has a line of its own, so that the document can be read as a stream.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from runline.model.clock import to_iso
from runline.model.event import Event
from runline.model.note import Note
from runline.model.run import Run
from runline.model.summary import Summary
from runline.model.wire.events import exported_event, timeline_event
from runline.model.wire.notes import note_view
from runline.model.wire.runs import run_detail
from runline.model.wire.summary import timeline_summary

_encode = msgspec.json.Encoder().encode


def json_chunks(
    run: Run,
    events: Iterable[Event],
    *,
    summary: Summary,
    notes: Iterable[Note],
    exported_at_ms: int,
) -> Iterator[bytes]:
    """The document in pieces, the first one the head, then one for each event."""
    head = {
        "run_id": run.run_id,
        "run": run_detail(run),
        "summary": timeline_summary(summary),
        "exported_at_utc": to_iso(exported_at_ms),
        "notes": [note_view(note) for note in notes],
    }
    return listing(head, "events", map(exported_event, events))


def timeline_chunks(
    events: Iterable[Event], *, summary: Summary, notes: Iterable[Note], exported_at_ms: int
) -> Iterator[bytes]:
    """The Timeline's own document: `{run_id, summary, notes, exported_at_utc, events}` and nothing else."""
    head = {
        "run_id": summary.run_id,
        "summary": timeline_summary(summary),
        "exported_at_utc": to_iso(exported_at_ms),
        "notes": [note_view(note) for note in notes],
    }
    return listing(head, "events", map(timeline_event, events))


def listing(head: Mapping[str, Any], name: str, items: Iterable[Any]) -> Iterator[bytes]:
    """An object in pieces: what `head` says, then the list of that name, each item on a line of its own."""
    yield _encode(head)[:-1] + b"," + _encode(name) + b":["
    separator = b"\n"
    for item in items:
        yield separator + _encode(item)
        separator = b",\n"
    yield b"\n]}\n"
