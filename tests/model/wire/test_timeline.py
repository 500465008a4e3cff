from __future__ import annotations

import msgspec

from runline.model.event import Event
from runline.model.wire.events import timeline_event
from runline.model.wire.timeline import (
    NoteCreated,
    timeline_events,
    timeline_live,
    timeline_run,
    timeline_runs,
)
from tests.model.wire.structs import through_json
from tests.model.wire.test_runs import RUN

EVENT = Event(1, "nightly-1", 1, 0, "log", "info", None, None, "go", None, "{}", 0)


def test_a_run_to_choose_has_its_window() -> None:
    run = msgspec.structs.replace(
        RUN, started_at_ms=1000, window_start_ms=0, updated_at_ms=2000, event_count=3
    )
    assert msgspec.to_builtins(timeline_run(run)) == {
        "run_id": run.run_id,
        "status": run.status,
        "started_at": "1970-01-01T00:00:01.000Z",
        "window_start": "1970-01-01T00:00:00.000Z",
        "window_end": "1970-01-01T00:00:02.000Z",
        "event_count": 3,
    }
    assert through_json(timeline_runs([run])).runs == (timeline_run(run),)


def test_events_alone_and_with_the_run_that_is_live() -> None:
    assert timeline_events([EVENT]).events == (timeline_event(EVENT),)
    assert msgspec.to_builtins(timeline_events([])) == {"events": ()}
    live = timeline_live("nightly-1", [EVENT])
    assert (live.run_id, live.events) == ("nightly-1", (timeline_event(EVENT),))
    assert msgspec.to_builtins(timeline_live(None, [])) == {"run_id": None, "events": ()}


def test_a_note_that_was_written_down() -> None:
    assert msgspec.to_builtins(NoteCreated(id=12)) == {"created": True, "id": 12}
