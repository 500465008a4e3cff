"""Events in the shapes of the seeds: the keys each promises, data spliced as it was written."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given

from runline.model.event import Event
from runline.model.wire.events import (
    StreamEvent,
    TracePage,
    event_of,
    event_summary,
    exported_event,
    stream_event,
    timeline_event,
    trace_event,
)
from tests.model.wire.structs import any_of, through_json

# Blanks and 2.50 would not survive being decoded and encoded again.
PAYLOAD = '{"persona": "reader", "tokens_used": "many", "progress": 40, "price": 2.50}'
EVENT = Event(
    9,
    "nightly-1",
    3,
    1_795_176_600_126,
    "step_progress",
    "warn",
    "load[0]",
    "agent",
    "page 3",
    "c1",
    PAYLOAD,
    3,
)
BARE = msgspec.structs.replace(EVENT, step=None, source=None, correlation_id=None, payload="{}")
CANONICAL = {
    *("id", "run_id", "seq", "ts", "type", "level", "step", "source", "message", "correlation_id", "data"),
    "elapsed_s",
}
DASHBOARD = {
    *("timestamp", "pipeline_id", "step_id", "state", "duration_ms", "message", "persona", "artifacts"),
    *("tokens_used", "progress", "current_action", "total_steps", "completed_steps", "estimated_time_ms"),
    *("validation_phase", "compaction_stats", "tool_name", "tool_target", "model", "adapter"),
}


def plain(view: msgspec.Struct) -> dict[str, object]:
    decoded: dict[str, object] = msgspec.json.decode(msgspec.json.encode(view))
    return decoded


def test_a_trace_event_has_the_traces_keys_and_more() -> None:
    assert plain(trace_event(EVENT)) == {
        "id": 9,
        "run_id": "nightly-1",
        "seq": 3,
        "type": "step_progress",
        "created_at": "2026-11-20T12:10:00.126Z",
        "level": "warn",
        "step": "load[0]",
        "source": "agent",
        "message": "page 3",
        "correlation_id": "c1",
        "payload": msgspec.json.decode(PAYLOAD),
        "elapsed_s": 0.003,
    }


def test_a_stream_event_is_canonical_with_the_dashboards_keys() -> None:
    assert plain(stream_event(EVENT)) == {
        **msgspec.json.decode(EVENT.to_json()),
        "timestamp": "2026-11-20T12:10:00.126Z",
        "pipeline_id": "nightly-1",
        "step_id": "load[0]",
        "state": "step_progress",
        "persona": "reader",
        "progress": 40,
    }
    assert set(StreamEvent.__struct_fields__) == CANONICAL | DASHBOARD


def test_what_is_unknown_is_absent_from_a_stream_and_null_in_its_canonical_keys() -> None:
    told = plain(stream_event(BARE))
    assert set(told) == CANONICAL | {"timestamp", "pipeline_id", "state"}
    assert (told["step"], told["source"], told["correlation_id"]) == (None, None, None)


def test_a_summary_has_null_where_nothing_is_known() -> None:
    told = plain(event_summary(EVENT))
    assert list(told) == (
        [
            "id",
            "seq",
            "timestamp",
            "step_id",
            "state",
            "persona",
            "message",
            "tokens_used",
            "duration_ms",
            "type",
            "level",
        ]
    )
    assert (told["persona"], told["tokens_used"], told["duration_ms"]) == ("reader", None, None)
    assert plain(event_summary(BARE))["persona"] is None


def test_the_timelines_keys() -> None:
    assert plain(timeline_event(EVENT)) == {
        "id": 9,
        "run_id": "nightly-1",
        "event_index": 3,
        "ts_utc": "2026-11-20T12:10:00.126Z",
        "stage": "load[0]",
        "severity": "warn",
        "message": "page 3",
        "elapsed_s": 0.003,
        "details": msgspec.json.decode(PAYLOAD),
    }


def test_an_export_adds_what_the_timeline_lacks() -> None:
    added = {"type": "step_progress", "step": "load[0]", "source": "agent", "correlation_id": "c1"}
    assert plain(exported_event(EVENT)) == plain(timeline_event(EVENT)) | added


def test_no_step_reads_as_the_stage_run() -> None:
    named = plain(exported_event(msgspec.structs.replace(EVENT, step="run")))
    bare = plain(exported_event(BARE))
    assert (bare["stage"], bare["step"]) == ("run", None)
    assert (named["stage"], named["step"]) == ("run", "run")


@pytest.mark.parametrize("shape", [trace_event, stream_event, timeline_event, exported_event])
def test_data_is_passed_on_as_it_was_written(shape: object) -> None:
    assert callable(shape)
    assert PAYLOAD.encode() in msgspec.json.encode(shape(EVENT))


@given(any_of(Event))
def test_a_trace_and_a_stream_lead_back_to_the_very_event(event: Event) -> None:
    for view in (trace_event(event), stream_event(event)):
        back = event_of(through_json(view))
        assert (back, back.id) == (event, event.id)


def test_a_page() -> None:
    page = TracePage(events=(trace_event(EVENT),), next_after_id=9)
    assert set(plain(page)) == {"events", "nextAfterId"}
    assert through_json(page) == page
    assert plain(TracePage(events=(), next_after_id=0, total=0))["total"] == 0
