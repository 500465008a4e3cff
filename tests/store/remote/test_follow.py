"""Following through a connection that breaks: everything once, in order, and no longer than there is something."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import islice
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from runline.model.clock import to_iso
from runline.model.errors import Invalid, NotFound, Unavailable
from runline.model.event import Event
from runline.model.run import Run
from runline.model.wire.runs import run_summary
from runline.server.sse import CAUGHT_UP, HEARTBEAT, event_frame, run_frame
from runline.store.remote import follow
from runline.store.remote.client import Client, Connections
from tests.store.remote.parcels import TS_MS
from tests.store.remote.scripted import Answer, Asked, Scripted, refusal


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    made: list[float] = []
    monkeypatch.setattr("runline.store.remote.follow.time.sleep", made.append)
    return made


def event(seq: int, type: str = "log") -> Event:
    return Event(seq * 10, "r", seq, TS_MS, type, "info", None, None, f"{seq}", None, '{"n": 1}', 0)


def frame(*seqs: int, end: bool = False) -> bytes:
    made = [event_frame(event(seq)) for seq in seqs]
    return b"".join(
        [b"retry: 3000\n\n", *made, event_frame(event(seqs[-1] + 1, "run_ended")) if end else b""]
    )


def run(run_id: str, *, ended: bool = False, started_ms: int = TS_MS, message: str = "") -> Run:
    return Run(
        run_id=run_id,
        tenant_id="default",
        kind="run",
        name=run_id,
        status="completed" if ended else "running",
        started_at_ms=started_ms,
        updated_at_ms=started_ms,
        window_start_ms=started_ms,
        completed_at_ms=started_ms if ended else None,
        last_message=message,
    )


def seqs(client: Client, **asked: Any) -> list[int]:
    given: dict[str, Any] = {"after_seq": 0, "after_id": None, "timeout_s": None} | asked
    return [found.seq for found in follow.follow(client, "r", {"level": ["info"]}, **given)]


def query(asked: Asked) -> dict[str, list[str]]:
    return parse_qs(urlsplit(asked.path).query)


def test_a_stream_that_breaks_goes_on_where_it_was(
    server: Scripted, client: Client, pauses: list[float]
) -> None:
    server.script = [
        Answer(200, frame(4, 5) + event_frame(event(6))[:-1], cut=True),
        Answer(503, b"", {"retry-after": "1"}),
        Answer(200, HEARTBEAT),
        Answer(200, frame(6)),
        Answer(200, frame(7, end=True)),
    ]
    assert seqs(client, after_seq=3, after_id=30) == [4, 5, 6, 7, 8]
    places = [(asked.get("afterSeq"), asked.get("afterId")) for asked in map(query, server.asked)]
    assert places == [(["3"], ["30"]), (["5"], None), (["5"], None), (["5"], None), (["6"], None)]
    assert query(server.asked[4])["level"] == ["info"]
    assert len(pauses) == 4
    assert max(pauses) >= 1.0 - 0.1


def test_it_stops_when_nothing_can_follow(server: Scripted, client: Client, pauses: list[float]) -> None:
    server.script = [Answer(204, b"")]
    assert seqs(client, after_seq=9) == []
    assert pauses == []


def test_a_server_that_was_never_there_is_an_error_at_once(client: Client) -> None:
    away = Client(Connections("http://127.0.0.1:1"))
    with pytest.raises(Unavailable):
        seqs(away)
    away.close()


@pytest.mark.parametrize(
    ("status", "code", "kind"), [(404, "pruned", NotFound), (400, "bad_filter", Invalid)]
)
def test_what_is_refused_is_not_asked_again(
    server: Scripted, client: Client, status: int, code: str, kind: type[Exception]
) -> None:
    server.script = [Answer(200, frame(1), cut=True), refusal(status, code)]
    with pytest.raises(kind):
        seqs(client)


def test_silence_counts_from_where_it_has_caught_up(server: Scripted, client: Client) -> None:
    server.script = [Answer(200, frame(1, 2) + HEARTBEAT + CAUGHT_UP, cut=True)]
    assert seqs(client, timeout_s=0) == [1, 2]
    server.script = [
        Answer(200, frame(1) + CAUGHT_UP, cut=True),
        Answer(200, frame(2) + CAUGHT_UP + HEARTBEAT + frame(3, end=True)),
    ]
    assert seqs(client, timeout_s=30) == [1, 2, 3, 4]


def test_a_heartbeat_is_no_news(server: Scripted, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 0.0
    monkeypatch.setattr("runline.store.remote.follow.time.monotonic", lambda: now_s)
    found = follow.follow(client, "r", {}, after_seq=0, after_id=None, timeout_s=20)
    server.script = [
        Answer(200, frame(1) + CAUGHT_UP, cut=True),
        Answer(200, frame(2) + HEARTBEAT, cut=True),
        Answer(200, HEARTBEAT, cut=True),
    ]
    assert next(found).seq == 1
    assert next(found).seq == 2
    now_s = 15.0  # the heartbeat comes, and the server is asked anew, for the 5 s that are left
    server.answer = lambda _: Answer(200, b"", cut=True)
    script, server.script = server.script, []

    def silent(_: Asked) -> Answer:
        nonlocal now_s
        now_s = 21.0
        return Answer(200, HEARTBEAT, cut=True)

    server.answer = silent
    assert list(found) == []
    assert len(script) == 1


def test_a_server_that_stays_away_for_as_long_as_one_waits_is_an_error(
    server: Scripted, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 0.0
    monkeypatch.setattr("runline.store.remote.follow.time.monotonic", lambda: now_s)

    def away(_: Asked) -> Answer:
        nonlocal now_s
        now_s += 10
        return refusal(503, "busy")

    server.script = [Answer(200, frame(1) + CAUGHT_UP, cut=True)]
    server.answer = away
    with pytest.raises(Unavailable):
        seqs(client, timeout_s=25)
    assert len(server.asked) == 4


def test_a_connection_that_says_nothing_for_that_long_is_the_end(server: Scripted, client: Client) -> None:
    let_go = threading.Event()

    def silent(_: Asked) -> Answer:
        let_go.wait(20)
        return Answer(200, b"")

    server.script = [Answer(200, frame(1) + CAUGHT_UP, cut=True)]
    server.answer = silent
    try:
        assert seqs(client, timeout_s=0.05) == [1]
    finally:
        let_go.set()


def cursors(body: Callable[[int], bytes], *numbers: int) -> bytes:
    return b"".join(body(number) for number in numbers)


def test_all_runs_are_followed_by_cursor_from_the_first_moment_on(server: Scripted, client: Client) -> None:
    def numbered(seq: int) -> bytes:
        return event_frame(event(seq), f"c{seq}")

    server.script = [
        Answer(200, HEARTBEAT + b"id: c0\n" + CAUGHT_UP, cut=True),
        Answer(200, cursors(numbered, 1, 2), cut=True),
        Answer(200, cursors(numbered, 3)),
    ]
    found = list(islice(follow.follow_all(client, cursor=None, timeout_s=None), 3))
    assert [(cursor, told.seq) for cursor, told in found] == [("c1", 1), ("c2", 2), ("c3", 3)]
    assert [query(asked).get("cursor") for asked in server.asked] == [None, ["c0"], ["c2"]]
    with pytest.raises(Invalid):
        next(follow.follow_all(client, cursor="", timeout_s=0))


def test_runs_are_told_once_for_each_change_also_of_what_happened_meanwhile(
    server: Scripted, client: Client
) -> None:
    a, b, c = run("a"), run("b"), run("c", ended=True, started_ms=TS_MS + 5)
    listed = {"runs": [run_summary(c)], "has_more": False}
    encode = msgspec.json.encode

    def answer(asked: Asked) -> Answer:
        if asked.path.startswith("/api/runs?"):
            assert query(asked)["since"] == [to_iso(TS_MS)]
            return Answer(200, encode(listed))
        if asked.path.startswith("/api/runs/"):
            ended = run("b", ended=True) if asked.path.endswith("b") else a
            return Answer(200, encode({"run": run_summary(ended)}))
        return Answer(200, run_frame(a) + CAUGHT_UP + run_frame(run("a", message="new")))

    server.script = [Answer(200, run_frame(a) + run_frame(b) + CAUGHT_UP, cut=True)]
    server.answer = answer
    told = list(islice(follow.follow_runs(client, timeout_s=None), 5))
    assert [found.run_id for found in told] == ["a", "b", "c", "b", "a"]
    assert told[3].status == "completed"
    assert told[4].last_message == "new"


def test_not_every_run_is_remembered(
    server: Scripted, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "_KEPT", 1)
    body = b"".join(run_frame(run(name)) for name in "aab")
    server.script = [Answer(200, body + run_frame(run("a")) + CAUGHT_UP, cut=True)]
    told = follow.follow_runs(client, timeout_s=0)
    assert [found.run_id for found in told] == ["a", "b", "a"]
    server.script = [Answer(200, b"", cut=True), Answer(200, CAUGHT_UP, cut=True)]
    server.answer = lambda _: Answer(200, b'{"runs": [], "has_more": false}')
    assert list(follow.follow_runs(client, timeout_s=0)) == []
