from __future__ import annotations

import msgspec
import pytest
from hypothesis import given

from runline.model.call import Call
from runline.model.page import Page
from runline.model.wire.calls import CallCounts, call_list, call_of, call_view
from tests.model.wire.structs import any_of, through_json

CALL = Call(
    correlation_id="c1",
    kind="llm",
    name="m",
    detail="summarise",
    step=None,
    first_seq=2,
    last_seq=2,
    started_at_ms=0,
    duration_ms=None,
    status="open",
)


def test_a_call() -> None:
    assert msgspec.to_builtins(call_view(CALL)) == {
        "correlation_id": "c1",
        "kind": "llm",
        "name": "m",
        "detail": "summarise",
        "step": None,
        "parent": None,
        "first_seq": 2,
        "last_seq": 2,
        "started_at": "1970-01-01T00:00:00.000Z",
        "duration_ms": None,
        "status": "open",
        "attempts": 1,
        "tokens_in": None,
        "tokens_out": None,
        "usual": None,
    }


@given(any_of(Call))
def test_it_leads_back_to_the_very_call(call: Call) -> None:
    assert call_of(through_json(call_view(call))) == call


@pytest.mark.parametrize("cursor", [None, "2"])
def test_a_list_has_its_counts_and_a_cursor_where_it_goes_on(cursor: str | None) -> None:
    counts = CallCounts(total=3, done=1, failed=1, open=1)
    listed = msgspec.to_builtins(call_list(Page([CALL], cursor, cursor is not None), counts))
    assert listed["counts"] == {"total": 3, "done": 1, "failed": 1, "open": 1}
    assert [call["correlation_id"] for call in listed["calls"]] == ["c1"]
    assert listed.get("next_cursor", None) == cursor
    assert ("next_cursor" in listed) is (cursor is not None)
