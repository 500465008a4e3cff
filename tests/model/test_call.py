from __future__ import annotations

from typing import get_args

from runline.model.call import Call, CallStatus


def test_an_open_call_has_no_duration_yet() -> None:
    call = Call(
        correlation_id="c1",
        kind="llm",
        name="m",
        detail="summarise",
        step="load",
        first_seq=2,
        last_seq=2,
        started_at_ms=5,
        duration_ms=None,
        status="open",
    )
    assert call.status in get_args(CallStatus)
    assert (call.attempts, call.parent, call.tokens_in, call.tokens_out, call.usual) == (
        1,
        None,
        None,
        None,
        None,
    )
