from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from runline.fold.calls import call_key
from runline.fold.state import CallState, RunFold
from runline.model.event import Draft, Event

Tell = Callable[..., RunFold]


def touched(fold: RunFold) -> list[CallState]:
    return list(fold.touched.calls.values())


def test_a_request_and_its_response_are_one_call(tell: Tell) -> None:
    asked = {"model": "m-1", "parent": "c0", "@message": "summarise", "@correlation_id": "c1"}
    fold = tell(("llm_request", "a", asked, 1000))
    assert (fold.open_calls, fold.call_count, fold.steps["a"].model) == (1, 1, "m-1")
    call = fold.calls["c1"]
    assert (call.kind, call.name, call.detail, call.step, call.parent) == (
        "llm",
        "m-1",
        "summarise",
        "a",
        "c0",
    )
    assert (call.status, call.first_seq, call.last_seq, call.duration_ms) == ("open", 2, 2, None)
    answer = {"tokens_used": 432, "tokens_in": 400, "tokens_out": 32, "@correlation_id": "c1"}
    tell(("llm_response", "a", answer, 2500), onto=fold)
    assert (call.status, call.last_seq, call.duration_ms, call.tokens_in, call.tokens_out) == (
        "done",
        3,
        1500,
        400,
        32,
    )
    assert (fold.open_calls, fold.call_count, fold.calls, fold.total_tokens) == (0, 1, {}, 432)
    assert touched(fold) == [call]


@pytest.mark.parametrize(
    ("request_type", "data", "name"),
    [
        ("llm_request", {}, "llm"),
        ("llm_request", {"name": "n"}, "n"),
        ("tool_call", {"name": "read"}, "read"),
        ("tool_call", {"tool_name": "grep"}, "grep"),
        ("patch_proposed", {}, "patch"),
        ("test_started", {"name": "unit"}, "unit"),
        ("provider_request_sent", {"provider_name": "p"}, "p"),
        ("provider_request_sent", {"provider_name": 4}, "provider"),
    ],
)
def test_a_call_has_a_name(tell: Tell, request_type: str, data: dict[str, Any], name: str) -> None:
    assert next(iter(tell((request_type, data), correlation_id="c").calls.values())).name == name


@pytest.mark.parametrize(
    ("request_type", "response_type", "data", "status"),
    [
        ("tool_call", "tool_result", {"ok": True}, "done"),
        ("tool_call", "tool_result", {"ok": False}, "failed"),
        ("tool_call", "tool_result", {"ok": "no"}, "done"),
        ("patch_proposed", "patch_applied", {"ok": False}, "failed"),
        ("test_started", "test_result", {"passed": 3, "failed": 0}, "done"),
        ("test_started", "test_result", {"passed": 3, "failed": 1}, "failed"),
        ("provider_request_sent", "provider_response_received", {}, "done"),
        ("provider_request_sent", "provider_request_failed", {"error": "x"}, "failed"),
    ],
)
def test_a_response_says_how_it_went(
    tell: Tell, request_type: str, response_type: str, data: dict[str, Any], status: str
) -> None:
    fold = tell((request_type, "a"), (response_type, "a", data), correlation_id="c")
    assert [call.status for call in touched(fold)] == [status]
    assert fold.open_calls == 0


def test_without_a_correlation_id_only_a_provider_pairs_by_the_nodes_step(tell: Tell) -> None:
    sent, received = "provider_request_sent", "provider_response_received"
    fold = tell((sent, "a"), (sent, "b"), (received, "b"), (sent,))
    assert sorted(fold.calls) == ["provider:", "provider:a"]
    fold = tell(("tool_call", "a"), ("llm_request", "a"), ("tool_result", "a", {"tokens_used": 3}))
    assert (fold.calls, fold.call_count, fold.open_calls, fold.total_tokens) == ({}, 0, 0, 3)


def test_the_responses_own_duration_wins(tell: Tell) -> None:
    fold = tell(("tool_call", 1000), ("tool_result", {"duration_ms": 7}, 9000), correlation_id="c")
    assert touched(fold)[0].duration_ms == 7
    fold = tell(("tool_call", 5000), ("tool_result", {"duration_ms": "long"}, 1000), correlation_id="c")
    assert touched(fold)[0].duration_ms == 0


def test_a_request_with_an_open_key_is_the_next_attempt(tell: Tell) -> None:
    fold = tell(("tool_call", "a"), ("tool_call", "a"), ("tool_call", "a"), correlation_id="c")
    assert (fold.calls["c"].attempts, fold.call_count, fold.open_calls) == (3, 1, 1)
    assert fold.calls["c"].last_seq == fold.calls["c"].first_seq == 2


def test_an_announced_retry_and_its_request_are_one_attempt(tell: Tell) -> None:
    sent, retrying = ("provider_request_sent", "a"), ("provider_request_retrying", "a")
    assert tell(sent, retrying).calls["provider:a"].attempts == 2
    assert tell(sent, retrying, sent).calls["provider:a"].attempts == 2
    assert tell(sent, retrying, sent, sent).calls["provider:a"].attempts == 3
    assert tell(sent, retrying, retrying, sent).calls["provider:a"].attempts == 3
    assert tell(sent, (*retrying, {"retry_count": 4})).calls["provider:a"].attempts == 5
    assert tell(sent, (*retrying, {"retry_count": "x"})).calls["provider:a"].attempts == 2


def test_a_response_to_nothing_is_only_an_event(tell: Tell) -> None:
    fold = tell(("tool_result", "a"), ("provider_request_retrying", "a"), ("error", {"@correlation_id": "x"}))
    assert (fold.call_count, fold.open_calls, touched(fold)) == (0, 0, [])


def test_another_kind_does_not_disturb_an_open_call(tell: Tell) -> None:
    fold = tell(("llm_request",), correlation_id="c1")
    tell(("tool_call",), ("tool_result",), onto=fold, correlation_id="c1")
    assert (fold.calls["c1"].kind, fold.calls["c1"].attempts, fold.call_count) == ("llm", 1, 1)


def test_an_error_with_its_correlation_id_ends_a_call_as_failed(tell: Tell) -> None:
    fold = tell(("llm_request", 1000), ("error", {"message": "no answer"}, 1200), correlation_id="c1")
    assert [(call.status, call.duration_ms) for call in touched(fold)] == [("failed", 200)]
    fold = tell(("tool_call", "a", {"@correlation_id": "c1"}), ("error", "a", {"message": "elsewhere"}))
    assert fold.open_calls == 1


def test_the_key_is_known_before_the_event_is_applied() -> None:
    def event(type_: str, step: str | None, correlation_id: str | None) -> Draft | Event:
        return Draft(0, type_, "info", step, None, "", correlation_id, "{}")

    assert call_key(event("llm_request", "a", "c1")) == "c1"
    assert call_key(event("llm_response", "a", None)) is None
    assert call_key(event("provider_request_sent", "a", None)) == "provider:a"
    assert call_key(event("provider_request_sent", None, None)) == "provider:"
    assert call_key(event("error", "a", "c1")) == "c1"
    assert call_key(event("error", "a", None)) is None
    assert call_key(event("log", "a", "c1")) is None
