from __future__ import annotations

import json

from runline.export.json import json_chunks, timeline_event
from runline.model.run_json import run_detail
from runline.model.wire import note_json
from tests.export.shelf import AT, Shelf

SUMMARY = {"run_id": "nightly-1", "status": "completed"}


def pieces(shelf: Shelf) -> list[bytes]:
    return list(
        json_chunks(shelf.run, iter(shelf.events), summary=SUMMARY, notes=shelf.notes, exported_at_ms=AT)
    )


def test_the_document_is_the_timelines_export_with_the_run(shelf: Shelf) -> None:
    document = json.loads(b"".join(pieces(shelf)))
    assert set(document) == {"run_id", "summary", "events", "notes", "exported_at_utc", "run"}
    assert document["run_id"] == "nightly-1"
    assert document["exported_at_utc"] == "2026-11-20T12:10:00.123Z"
    assert document["summary"] == SUMMARY
    assert document["run"] == run_detail(shelf.run)
    assert document["notes"] == [note_json(note) for note in shelf.notes]
    assert [event["event_index"] for event in document["events"]] == [event.seq for event in shelf.events]


def test_an_event_has_the_timelines_keys_and_what_they_lack(shelf: Shelf) -> None:
    assert json.loads(timeline_event(shelf.events[2])) == {
        "id": 9,
        "run_id": "nightly-1",
        "event_index": 3,
        "ts_utc": "2026-11-20T12:10:00.126Z",
        "stage": "load[0]",
        "severity": "warn",
        "message": "in a step",
        "elapsed_s": 0.003,
        "details": {},
        "type": "log",
        "step": "load[0]",
        "source": "agent",
        "correlation_id": None,
    }


def test_no_step_reads_as_the_stage_run(shelf: Shelf) -> None:
    first, second = (json.loads(timeline_event(event)) for event in shelf.events[:2])
    assert (first["stage"], first["step"]) == ("run", None)
    assert (second["stage"], second["step"]) == ("run", "run")


def test_each_event_has_a_line_of_its_own_behind_the_head(shelf: Shelf) -> None:
    head, *lines = b"".join(pieces(shelf)).split(b"\n")
    assert json.loads(head + b"]}")["run"]["run_id"] == "nightly-1"
    assert lines[-2:] == [b"]}", b""]
    assert [json.loads(line.rstrip(b","))["event_index"] for line in lines[:-2]] == [
        e.seq for e in shelf.events
    ]


def test_a_run_without_events_is_a_document_too(shelf: Shelf) -> None:
    shelf.events.clear()
    assert json.loads(b"".join(pieces(shelf)))["events"] == []
