"""Runs as JSON: every promised key, exact types, and no fact lost on the way to a client and back."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runline.model.page import Page
from runline.model.run import Eta, LastNote, Run
from runline.model.step import Usual
from runline.model.wire.runs import RunDetail, RunList, run_detail, run_list, run_of, run_summary
from tests.model.wire.structs import any_of, through_json

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
    summary = msgspec.to_builtins(run_summary(RUN))
    assert set(PROMISED.split()) <= set(summary)
    assert {key for key, value in summary.items() if value is None} == {
        *("completed_at", "cancelled_at", "duration", "duration_ms", "current_step", "current_step_index"),
        *("eta_ms", "eta", "usual", "error_message", "last_note", "parent_run_id", "original_run_id"),
        *("last_seen_at", "host", "pid", "last_step", "last_message"),
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
    assert summary["eta"] == {"ms": 4, "low_ms": 3, "high_ms": 6, "n": 23, "basis": "history"}
    assert summary["usual"] == {"p50_ms": 1, "p90_ms": 2, "n": 3}
    assert summary["last_note"] == {"note": "slow", "author": "me", "labels": ["vendor"]}
    assert "input" not in summary
    detail = msgspec.json.decode(msgspec.json.encode(run_detail(run)))
    assert detail == {**summary, "input": {"date": "2026-11-20"}}
    assert detail["input_redacted"] is False


@given(any_of(Run))
def test_a_detail_leads_back_to_the_very_run(run: Run) -> None:
    assert run_of(through_json(run_detail(run))) == run


@given(any_of(Run, input_json=st.none()))
def test_a_summary_leads_back_to_the_run_without_its_input(run: Run) -> None:
    assert run_of(through_json(run_summary(run))) == run


def test_no_input_is_null() -> None:
    assert b'"input":null' in msgspec.json.encode(run_detail(RUN))


@pytest.mark.parametrize(
    ("cursor", "keys"), [(None, {"runs", "has_more"}), ("c", {"runs", "has_more", "next_cursor"})]
)
def test_a_list_has_a_cursor_where_it_goes_on(cursor: str | None, keys: set[str]) -> None:
    listed = run_list(Page([RUN], cursor, cursor is not None))
    assert set(msgspec.to_builtins(listed)) == keys
    back = through_json(listed)
    assert isinstance(back, RunList)
    assert [run_of(one) for one in back.runs] == [RUN]


def test_a_status_that_is_none_is_no_run() -> None:
    text = msgspec.json.encode(run_detail(RUN)).replace(b'"running"', b'"asleep"')
    with pytest.raises(msgspec.ValidationError, match="asleep"):
        msgspec.json.decode(text, type=RunDetail)
