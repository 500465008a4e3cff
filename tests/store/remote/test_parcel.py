from __future__ import annotations

import json

import pytest
from msgspec import Raw

from runline.intake.accept import draft
from runline.store.remote import parcel as module
from runline.store.remote.parcel import Upload, event_line, event_parcels, new_key, read_parcel, read_upload
from tests.store.remote.parcels import TS_MS, line, parcel


def test_a_line_says_what_the_event_says() -> None:
    event = draft(
        "tool_call",
        "read",
        {"a": 1},
        step="s",
        source="agent",
        level="warn",
        correlation_id="c",
        ts_ms=TS_MS,
        event_id="e1",
    )
    told = json.loads(event_line(event))
    assert told == {
        "type": "tool_call",
        "ts": "2026-11-20T18:40:00.000Z",
        "level": "warn",
        "message": "read",
        "data": {"a": 1},
        "step": "s",
        "source": "agent",
        "correlation_id": "c",
        "event_id": "e1",
    }
    assert "step" not in json.loads(event_line(line("plain")))


def test_many_events_make_parcels_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    events = [line(f"{n}") for n in range(1200)]
    parcels = list(event_parcels("r", events))
    assert [found.count for found in parcels] == [500, 500, 200]
    told = [json.loads(text)["message"] for found in parcels for text in found.body.split("\n")]
    assert told == [f"{n}" for n in range(1200)]
    assert len({found.key for found in parcels}) == 3
    monkeypatch.setattr(module, "MOST_BYTES", 300)
    sizes = [found.size for found in event_parcels("r", events[:20])]
    assert len(sizes) > 1
    assert max(sizes) <= 400
    assert list(event_parcels("r", [])) == []


def test_an_end_is_vital() -> None:
    first, second = event_parcels("r", [*(line("a") for _ in range(500)), line("", "run_ended")])
    assert (first.vital, second.vital) == (False, True)


def test_parcels_and_uploads_are_read_back() -> None:
    given = parcel(3, vital=True)
    assert read_parcel(given.to_json()) == given
    upload = Upload(file="f", step=None, name="n", type="t", data=Raw(b"{}"))
    assert read_upload(module._encode(upload)) == upload
    assert new_key() != new_key()
