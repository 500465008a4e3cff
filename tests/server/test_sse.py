"""The text of frames, whatever callers wrote into the events; and the response around them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runline.model.catalogue import STATES
from runline.model.event import Event
from runline.server import sse
from runline.server.settings import Settings
from runline.store.sql_store import SqlStore
from runline.testing.corpus import BAD_EVENTS, BAD_TEXTS, BAD_VALUES, TERMINAL
from runline.testing.serving import serving
from runline.testing.streams import whole
from tests.server.streaming import Parser

TEXTS = BAD_TEXTS | TERMINAL


def checked(event: Event) -> None:
    """The frame is one frame, and a parser gets back what went in."""
    frame = sse.event_frame(event)
    assert b"\r" not in frame
    assert frame.count(b"\n") == 4
    parser = Parser()
    (told,) = list(parser.feed(frame))
    assert (told.id, told.event) == (str(event.id), told.data["state"])
    assert told.event in STATES
    assert told.data["message"] == event.message
    assert told.data["data"] == event.data
    assert told.data["step"] == event.step


def test_the_corpus_in_every_field_stays_inside_its_frame(store: SqlStore) -> None:
    fields = ("type", "step", "source", "message", "correlation_id", "level")
    run_id = store.create_run("corpus", tags=["x"]).run_id
    events: list[dict[str, Any]] = [
        dict.fromkeys(fields, text) | {"data": {text: text, "state": text, "tool_name": text}}
        for text in TEXTS.values()
    ]
    events += [{"data": {"value": value}} for value in BAD_VALUES.values()]
    events += list(BAD_EVENTS.values())
    store.append(run_id, events)
    log = whole(store, run_id)
    assert len(log) == len(events) + 1
    for event in log:
        checked(event)


@given(st.text(), st.text(), st.text())
def test_no_text_breaks_out(message: str, step: str, value: str) -> None:
    clean = [text.encode("utf-8", "replace").decode() for text in (message, step, value)]
    payload = msgspec.json.encode({"state": clean[2], clean[2]: clean[2]}).decode()
    checked(Event(7, "r", 1, 0, "log", "info", clean[1], None, clean[0], None, payload, 0))


def test_a_cursor_takes_the_place_of_the_id(store: SqlStore) -> None:
    run_id = store.create_run("r").run_id
    event = whole(store, run_id)[0]
    assert sse.event_frame(event, "abc").startswith(b"id: abc\nevent: started\ndata: {")


@pytest.mark.parametrize("name", TEXTS)
def test_a_run_is_one_frame_whatever_it_is_called(store: SqlStore, name: str) -> None:
    text = TEXTS[name]
    run = store.create_run(text if text.strip() else "blank", tags=[text])
    frame = sse.run_frame(run)
    assert frame.count(b"\n") == 3
    assert frame.startswith(b"event: run\ndata: {")
    assert msgspec.json.decode(frame.partition(b"data: ")[2])["run_id"] == run.run_id


class Source:
    """Gives what it is told to, then waits for ever or ends."""

    def __init__(self, *pieces: bytes, endless: bool = False) -> None:
        self.over = False
        self._pieces = pieces
        self._left = asyncio.Event() if endless else None

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        for piece in self._pieces:
            yield piece
        if self._left is not None:
            await self._left.wait()

    def leave(self) -> None:
        self.over = True
        if self._left is not None:
            self._left.set()


class Wire:
    """What a server would see. `stuck`: the client takes nothing after so many messages."""

    def __init__(self, *, stuck: int = 100) -> None:
        self.sent: list[Any] = []
        self.gone = asyncio.Event()
        self._stuck = stuck
        self._received = 0

    async def receive(self) -> dict[str, Any]:
        self._received += 1
        if self._received == 1:
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if len(self.sent) >= self._stuck:
            await asyncio.Event().wait()
        self.sent.append(message)


def streaming(source: Source, wire: Wire) -> asyncio.Task[None]:
    app: Any = sse.EventStream(source).to_asgi_response()
    return asyncio.create_task(app({}, wire.receive, wire.send))


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_headers_then_the_time_to_come_back_then_everything() -> None:
    async def run() -> None:
        source, wire = Source(b"one", b"two"), Wire()
        await streaming(source, wire)
        start, *bodies = wire.sent
        assert (start["status"], dict(start["headers"])) == (
            200,
            {
                b"content-type": b"text/event-stream; charset=utf-8",
                b"cache-control": b"no-cache",
                b"x-accel-buffering": b"no",
            },
        )
        assert [body["body"] for body in bodies] == [b"retry: 3000\n\n", b"one", b"two", b""]
        assert [body["more_body"] for body in bodies] == [True, True, True, False]
        assert source.over

    asyncio.run(run())


def test_a_client_that_goes_away_ends_a_silent_stream() -> None:
    async def run() -> None:
        source, wire = Source(endless=True), Wire()
        stream = streaming(source, wire)
        await settle()
        assert not source.over
        wire.gone.set()
        await stream
        assert source.over

    asyncio.run(run())


def test_a_stream_that_is_cancelled_is_left() -> None:
    async def run() -> None:
        source, wire = Source(b"never taken"), Wire(stuck=2)
        stream = streaming(source, wire)
        await settle()
        stream.cancel()
        await asyncio.wait([stream])
        assert stream.cancelled()
        assert source.over

    asyncio.run(run())


def test_a_token_that_is_revoked_ends_its_streams(store: SqlStore) -> None:
    made = store.create_token("watcher", scopes=("read",))
    store.create_run("job")
    with serving(store, Settings(port=0, auth=True, heartbeat_s=0.05)) as server:
        headers = {"Authorization": f"Bearer {made.secret}"}
        with httpx.stream("GET", f"{server.url}/api/stream", headers=headers, timeout=20) as stream:
            lines = stream.iter_lines()
            assert next(lines).startswith("retry:")
            store.revoke_token(made.token.id)
            for _ in lines:
                pass
        assert server.app.server.hub.followers == 0
