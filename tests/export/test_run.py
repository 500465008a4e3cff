from __future__ import annotations

import io
import json
import tracemalloc
from collections.abc import Iterator
from typing import cast

import msgspec
import pytest

from runline.export.load import read_export
from runline.export.run import CHUNK_BYTES, FORMATS, PAGE, Format, export_run, export_timeline
from runline.model.clock import parse_instant
from runline.model.event import Event
from runline.model.wire.notes import note_list
from tests.export.shelf import AT, Shelf, event


def exported(shelf: Shelf, format: Format) -> bytes:
    return b"".join(export_run(shelf, "nightly-1", format=format, now_ms=AT))


@pytest.mark.parametrize("format", ["json", "jsonl"])
def test_json_and_jsonl_come_back_equal(shelf: Shelf, format: Format) -> None:
    header, events = read_export(io.BytesIO(exported(shelf, format)))
    assert header.run["run_id"] == "nightly-1"
    assert header.run["input"] == {"date": "2026-11-20"}
    assert header.notes == json.loads(msgspec.json.encode(note_list(shelf.notes)))["notes"]
    back = [
        Event(
            0,
            "nightly-1",
            item["seq"],
            parse_instant(item["ts"]),
            item["type"],
            item["level"],
            item["step"],
            item["source"],
            item["message"],
            item["correlation_id"],
            msgspec.json.encode(item["data"]).decode(),
            parse_instant(item["ts"]) - AT,
        )
        for item in events
    ]
    assert back == shelf.events


def test_the_summary_is_the_timelines(shelf: Shelf) -> None:
    assert json.loads(exported(shelf, "json"))["summary"] == {
        "run_id": "nightly-1",
        "status": "completed",
        "started_at": "2026-11-20T12:10:00.123Z",
        "event_count": len(shelf.events),
        "error_event_count": 0,
        "warn_event_count": 1,
        "duration_s": 1.5,
        "last_stage": "run",
        "last_message": "the end",
        "by_stage": {"run": 1},
        "by_severity": {"info": 1, "warn": 1, "error": 0},
    }


def test_csv_has_the_events(shelf: Shelf) -> None:
    assert exported(shelf, "csv").startswith(b'"run_id","seq","ts"')


@pytest.mark.parametrize("format", FORMATS)
def test_a_run_that_goes_on_is_exported_up_to_where_it_was(shelf: Shelf, format: Format) -> None:
    before = exported(shelf, format)
    shelf.events.append(event(len(shelf.events) + 1, "later"))
    assert exported(shelf, format).count(b"later") == before.count(b"later") == 0


def test_a_log_shorter_than_its_counter_ends_the_export(shelf: Shelf) -> None:
    del shelf.events[5:]
    assert exported(shelf, "jsonl").count(b"\n") == 6


def test_a_run_without_notes_asks_for_none(shelf: Shelf) -> None:
    shelf.run = msgspec.structs.replace(shelf.run, note_count=0)
    header, _ = read_export(io.BytesIO(exported(shelf, "jsonl")))
    assert header.notes == []


class Endless(Shelf):
    """A run of many events, made as they are read."""

    def read(self, run_id: str, /, *, after_seq: int, limit: int) -> list[Event]:
        self.reads.append((after_seq, limit))
        return [
            event(after_seq + n, "read page of the vendor", data={"page": n}) for n in range(1, limit + 1)
        ]


class Pipe(io.RawIOBase):
    """Reads what an iterator gives, and can neither tell nor seek."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self.chunks = chunks
        self.rest = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        self.rest = self.rest or next(self.chunks, b"")
        piece, self.rest = self.rest[:size], self.rest[size:]
        return piece


@pytest.mark.parametrize("format", ["json", "jsonl"])
def test_memory_never_follows_the_length_of_the_run(shelf: Shelf, format: Format) -> None:
    """A run of 8,000 events passes through export and back in a few MB, whatever it weighs."""
    many = 8_000
    endless = Endless(msgspec.structs.replace(shelf.run, last_seq=many, note_count=0), [], [])
    tracemalloc.start()
    chunks = export_run(endless, "nightly-1", format=format, now_ms=AT)
    header, events = read_export(cast("io.BufferedReader", Pipe(chunks)))
    assert header.run["last_seq"] == many
    assert sum(1 for _ in events) == many
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3_000_000
    assert all(limit <= PAGE for _, limit in endless.reads)


def test_pieces_are_of_a_size_worth_sending(shelf: Shelf) -> None:
    endless = Endless(msgspec.structs.replace(shelf.run, last_seq=2000), [], shelf.notes)
    sizes = [len(piece) for piece in export_run(endless, "nightly-1", format="jsonl", now_ms=AT)]
    assert len(sizes) > 3
    assert all(size >= CHUNK_BYTES for size in sizes[:-1])


def test_a_last_piece_of_nothing_is_not_sent(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runline.export.run.CHUNK_BYTES", 1)
    assert all(export_run(shelf, "nightly-1", format="jsonl", now_ms=AT))


def test_the_timelines_own_document_is_whole_and_can_be_read_back(shelf: Shelf) -> None:
    document = b"".join(export_timeline(shelf, "nightly-1", now_ms=AT))
    assert [note["id"] for note in json.loads(document)["notes"]] == [2, 1]
    header, events = read_export(io.BytesIO(document))
    assert header.run["run_id"] == "nightly-1"
    assert [event["message"] for event in events] == [event.message for event in shelf.events]


def test_a_timeline_without_notes_does_not_ask_for_them(shelf: Shelf) -> None:
    shelf.run = msgspec.structs.replace(shelf.run, note_count=0)
    assert json.loads(b"".join(export_timeline(shelf, "nightly-1", now_ms=AT)))["notes"] == []
