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
from runline.model.event import NO_STEP, Event
from runline.model.note import Note
from runline.model.run import Run
from runline.model.run_json import run_detail
from runline.model.wire import note_json


class _TimelineEvent(msgspec.Struct, gc=False):
    id: int
    run_id: str
    event_index: int
    ts_utc: str
    stage: str
    severity: str
    message: str
    elapsed_s: float
    details: msgspec.Raw
    type: str
    step: str | None
    source: str | None
    correlation_id: str | None


_encode = msgspec.json.Encoder().encode


def json_chunks(
    run: Run,
    events: Iterable[Event],
    *,
    summary: Mapping[str, Any],
    notes: Iterable[Note],
    exported_at_ms: int,
) -> Iterator[bytes]:
    """The document in pieces, the first one the head, then one for each event."""
    head = {
        "run_id": run.run_id,
        "run": run_detail(run),
        "summary": summary,
        "exported_at_utc": to_iso(exported_at_ms),
        "notes": [note_json(note) for note in notes],
    }
    yield _encode(head)[:-1] + b',"events":['
    separator = b"\n"
    for event in events:
        yield separator + timeline_event(event)
        separator = b",\n"
    yield b"\n]}\n"


def timeline_event(event: Event) -> bytes:
    """The event as the Timeline gives it, as JSON."""
    return _encode(
        _TimelineEvent(
            event.id,
            event.run_id,
            event.seq,
            to_iso(event.ts_ms),
            NO_STEP if event.step is None else event.step,
            event.level,
            event.message,
            event.elapsed_s,
            msgspec.Raw(event.payload.encode()),
            event.type,
            event.step,
            event.source,
            event.correlation_id,
        )
    )
