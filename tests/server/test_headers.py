"""Headers of requests and answers."""

from __future__ import annotations

import asyncio
from typing import Any

from runline.server.headers import Headers, guarded
from runline.server.settings import Settings


def test_the_last_value_counts_unless_all_are_asked_for() -> None:
    headers = Headers([(b"a", b"1"), (b"b", b" 2 "), (b"a", b"\xe9")])
    assert headers.one(b"a") == "\xe9"
    assert headers.one(b"b") == "2"
    assert headers.one(b"c") == ""
    assert headers.all(b"a") == [b"1", b"\xe9"]


def sent(request: Headers, settings: Settings, own: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    messages: list[Any] = []

    async def send(message: Any) -> None:
        messages.append(message)

    async def run() -> None:
        sending = guarded(send, request, settings)
        await sending({"type": "http.response.start", "status": 200, "headers": own})
        await sending({"type": "http.response.body", "body": b"x"})

    asyncio.run(run())
    assert messages[1]["body"] == b"x"
    return dict(messages[0]["headers"])


def test_what_an_answer_says_itself_stays() -> None:
    own = [(b"Cache-Control", b"no-cache"), (b"content-security-policy", b"sandbox")]
    told = sent(Headers([]), Settings(), own)
    assert told[b"Cache-Control"] == b"no-cache"
    assert b"cache-control" not in told
    assert told[b"content-security-policy"] == b"sandbox"
    assert told[b"x-content-type-options"] == b"nosniff"


def test_another_site_is_told_only_when_it_may() -> None:
    ask = Headers([(b"origin", b"https://board.example")])
    assert b"access-control-allow-origin" not in sent(ask, Settings(), [])
    told = sent(ask, Settings(origins=("https://board.example",)), [])
    assert told[b"access-control-allow-origin"] == b"https://board.example"
    assert told[b"vary"] == b"origin"
