from __future__ import annotations

import msgspec

from runline.model.run import Eta, LastNote, Run
from runline.model.run_json import duration, iso, run_detail, run_summary, usual_json
from runline.model.step import Usual

AT = 1_795_176_600_123
RUN = Run(
    run_id="nightly-1",
    tenant_id="default",
    kind="pipeline",
    name="nightly",
    status="running",
    started_at_ms=AT,
    updated_at_ms=AT,
    window_start_ms=AT,
)
# 001's RunSummary and what contracts section 3 adds to it.
PROMISED = """run_id pipeline_name status current_step total_tokens started_at completed_at duration tags progress
error_message kind tenant_id warn_count error_count event_count last_seq note_count pinned cancelled_at updated_at
eta_ms total_steps completed_steps current_step_index parent_run_id original_run_id usual duration_ms artifact_count
call_count failed_steps last_note last_seen_at host pid cancel_requested tokens_in tokens_out eta"""


def test_a_summary_has_every_promised_key_and_null_where_nothing_is_known() -> None:
    summary = run_summary(RUN)
    assert set(PROMISED.split()) <= set(summary)
    assert {key for key, value in summary.items() if value is None} == {
        *(
            "completed_at",
            "cancelled_at",
            "duration",
            "duration_ms",
            "current_step",
            "current_step_index",
            "eta_ms",
        ),
        *("eta", "usual", "error_message", "last_note", "parent_run_id", "original_run_id", "last_seen_at"),
        *("host", "pid"),
    }
    assert summary["started_at"] == summary["updated_at"] == "2026-11-20T12:10:00.123Z"


def test_a_summary_tells_what_is_known_and_is_json() -> None:
    run = msgspec.structs.replace(
        RUN,
        status="completed",
        completed_at_ms=AT + 83_000,
        tags=("prod",),
        eta=Eta(4, 3, 6, 23, "history"),
        usual=Usual(1, 2, 3),
        last_note=LastNote("slow", "me", ("vendor",)),
        input_json='{"date":"2026-11-20"}',
    )
    summary = msgspec.json.decode(msgspec.json.encode(run_summary(run)))
    assert summary["completed_at"] == "2026-11-20T12:11:23.123Z"
    assert (summary["duration_ms"], summary["duration"]) == (83_000, "1m 23s")
    assert summary["tags"] == ["prod"]
    assert summary["eta_ms"] == 4
    assert summary["eta"] == {"low_ms": 3, "high_ms": 6, "n": 23, "basis": "history"}
    assert summary["usual"] == {"p50_ms": 1, "p90_ms": 2, "n": 3}
    assert summary["last_note"] == {"note": "slow", "author": "me", "labels": ["vendor"]}
    assert "input" not in summary
    assert run_detail(run) == {
        **run_summary(run),
        "input": {"date": "2026-11-20"},
        "input_redacted": False,
    }


def test_the_unknown_is_null() -> None:
    assert (usual_json(None), iso(None), duration(None)) == (None, None, None)
    assert (iso(0), duration(0)) == ("1970-01-01T00:00:00.000Z", "0ms")
