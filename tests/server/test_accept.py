"""Accept headers, as browsers, tools and libraries send them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runline.server.accept import preferred

JSON, SSE = "application/json", "text/event-stream"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("text/event-stream", SSE),
        ("Text/Event-Stream", SSE),
        ("application/json", JSON),
        ("text/event-stream, */*", SSE),
        ("*/*, text/event-stream", SSE),
        ("text/event-stream, application/json", SSE),
        ("application/json, text/event-stream", JSON),
        ("application/json, text/event-stream;q=0.9", JSON),
        ("application/json;q=0.5, text/event-stream;q=0.9", SSE),
        ("application/json ; q=0.5 , text/event-stream", SSE),
        ("text/event-stream;charset=utf-8", SSE),
        ("text/event-stream;q=0", JSON),
        ("text/event-stream;q=0, */*", JSON),
        ("application/json;q=0, */*", SSE),
        ("application/json;q=0", JSON),
        ("text/*", SSE),
        ("text/*;q=0.5, application/*", JSON),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", JSON),
        ("text/html", JSON),
        ("text/event-stream;q=7", SSE),
        ("text/event-stream;q=", SSE),
        (",,;;q=1,", JSON),
    ],
)
def test_what_a_client_prefers(accept: str, expected: str) -> None:
    assert preferred(accept, (JSON, SSE)) == expected


@given(st.text())
def test_whatever_is_sent_something_is_answered(accept: str) -> None:
    assert preferred(accept, (JSON, SSE)) in (JSON, SSE)
