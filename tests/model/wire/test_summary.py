from __future__ import annotations

import msgspec
from hypothesis import given

from runline.model.summary import Summary
from runline.model.wire.summary import summary_of, timeline_summary
from tests.model.wire.structs import any_of, through_json


def test_the_timelines_keys() -> None:
    summary = Summary(
        run_id="r",
        status="running",
        started_at_ms=0,
        event_count=3,
        error_event_count=1,
        warn_event_count=0,
        duration_s=1.5,
        last_stage="run",
        last_message="m",
        by_stage={"run": 3},
        by_severity={"info": 2, "warn": 0, "error": 1},
    )
    assert msgspec.to_builtins(timeline_summary(summary)) == {
        "run_id": "r",
        "status": "running",
        "started_at": "1970-01-01T00:00:00.000Z",
        "event_count": 3,
        "error_event_count": 1,
        "warn_event_count": 0,
        "duration_s": 1.5,
        "last_stage": "run",
        "last_message": "m",
        "by_stage": {"run": 3},
        "by_severity": {"info": 2, "warn": 0, "error": 1},
    }


@given(any_of(Summary))
def test_it_leads_back_to_the_very_summary(summary: Summary) -> None:
    assert summary_of(through_json(timeline_summary(summary))) == summary
