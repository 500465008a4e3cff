from __future__ import annotations

import pytest

from runline.model.note import Note
from runline.model.run import Run
from tests.export.shelf import AT, BAD_TEXTS, Shelf, event


@pytest.fixture
def shelf() -> Shelf:
    events = [
        event(1, "started", data={"name": "nightly"}),
        event(2, "in a step called run", step="run", data={"n": [1, -0.5, 2**63, 1e300, None, True]}),
        event(3, "in a step", step="load[0]", level="warn"),
    ]
    events += [
        event(seq, text, step=text[:200], level="error", data={text[:50]: {"text": text}})
        for seq, text in enumerate(BAD_TEXTS, 4)
    ]
    notes = [
        Note(id=1, run_id="nightly-1", created_at_ms=AT, note="vendor slow", labels=("vendor",)),
        Note(id=2, run_id="nightly-1", created_at_ms=AT + 1, note=BAD_TEXTS[3], author="me", event_seq=2),
    ]
    run = Run(
        run_id="nightly-1",
        tenant_id="default",
        kind="pipeline",
        name="nightly",
        status="completed",
        started_at_ms=AT,
        updated_at_ms=AT + len(events),
        completed_at_ms=AT + len(events),
        window_start_ms=AT,
        last_seq=len(events),
        event_count=len(events),
        note_count=len(notes),
        input_json='{"date":"2026-11-20"}',
        tags=("prod",),
    )
    return Shelf(run, events, notes)
