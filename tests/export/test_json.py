from __future__ import annotations

import json

import msgspec

from runline.export.json import json_chunks, timeline_chunks
from runline.model.wire.events import exported_event, timeline_event
from runline.model.wire.notes import note_list
from runline.model.wire.runs import run_detail
from runline.model.wire.summary import timeline_summary
from tests.export.shelf import AT, Shelf


def pieces(shelf: Shelf) -> list[bytes]:
    summary = shelf.summary(shelf.run.run_id)
    return list(
        json_chunks(shelf.run, iter(shelf.events), summary=summary, notes=shelf.notes, exported_at_ms=AT)
    )


def test_the_document_is_the_timelines_export_with_the_run(shelf: Shelf) -> None:
    document = json.loads(b"".join(pieces(shelf)))
    assert set(document) == {"run_id", "summary", "events", "notes", "exported_at_utc", "run"}
    assert document["run_id"] == "nightly-1"
    assert document["exported_at_utc"] == "2026-11-20T12:10:00.123Z"
    assert document["summary"] == msgspec.to_builtins(timeline_summary(shelf.summary("nightly-1")))
    assert document["run"] == json.loads(msgspec.json.encode(run_detail(shelf.run)))
    assert document["notes"] == json.loads(msgspec.json.encode(note_list(shelf.notes)))["notes"]
    assert [event["event_index"] for event in document["events"]] == [event.seq for event in shelf.events]


def test_an_event_has_the_timelines_keys_and_what_they_lack(shelf: Shelf) -> None:
    event = json.loads(b"".join(pieces(shelf)))["events"][2]
    assert event == json.loads(msgspec.json.encode(exported_event(shelf.events[2])))
    assert (event["stage"], event["type"], event["source"]) == ("load[0]", "log", "agent")


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


def test_the_timelines_own_document_has_its_keys_and_no_others(shelf: Shelf) -> None:
    summary = shelf.summary("nightly-1")
    chunks = timeline_chunks(shelf.events, summary=summary, notes=shelf.notes, exported_at_ms=AT)
    document = json.loads(b"".join(chunks))
    assert set(document) == {"run_id", "summary", "events", "notes", "exported_at_utc"}
    assert document["summary"]["run_id"] == document["run_id"] == "nightly-1"
    assert document["events"] == [json.loads(msgspec.json.encode(timeline_event(e))) for e in shelf.events]
    assert document["notes"] == json.loads(msgspec.json.encode(note_list(shelf.notes)))["notes"]
