"""One request: what it carries, when it is repeated, and what its refusal becomes."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from runline.model.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    RunEnded,
    RunlineError,
    StoreFull,
    Unauthorized,
    Unavailable,
)
from runline.store.remote.client import Client, Connections, flat, is_loopback, part
from tests.store.remote.scripted import Answer, Scripted, refusal


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were to be made."""
    pauses: list[float] = []
    monkeypatch.setattr("runline.store.remote.client.time.sleep", pauses.append)
    return pauses


def test_a_request_carries_the_token_and_the_parameters(server: Scripted, client: Client) -> None:
    assert client.get("/a", dict[str, Any], {"x": [1, "b c"], "no": None, "yes": True}) == {}
    assert client.narrowed("ours").get("/b", dict[str, Any]) == {}
    first, second = server.asked
    assert (first.method, first.path) == ("GET", "/a?x=1&x=b+c&yes=true")
    assert first.headers["authorization"] == "Bearer rl_secret"
    assert second.path == "/b?tenant=ours"


def test_without_a_token_none_is_sent(server: Scripted) -> None:
    client = Client(Connections(server.url))
    client.post("/a", dict[str, Any], {"a": 1})
    client.post("/a", dict[str, Any])
    client.close()
    first, second = server.asked
    assert "authorization" not in first.headers
    assert (first.json, first.headers["content-type"]) == ({"a": 1}, "application/json")
    assert (second.body, "content-type" in second.headers) == (b"", False)


def test_a_prefix_stays_in_front(server: Scripted) -> None:
    client = Client(Connections(f"{server.url}/runs-of/team"))
    client.get("/api/runs", dict[str, Any])
    client.close()
    assert server.asked[0].path == "/runs-of/team/api/runs"


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "bad_cursor", Invalid),
        (401, "unauthorized", Unauthorized),
        (403, "forbidden", Forbidden),
        (404, "pruned", NotFound),
        (409, "run_exists", Conflict),
        (409, "run_ended", RunEnded),
        (413, "too_large", Invalid),
        (422, "missing", Invalid),
        (503, "busy", Unavailable),
        (507, "store_full", StoreFull),
        (500, "internal", RunlineError),
    ],
)
def test_a_refusal_is_the_error_that_the_store_raised(
    server: Scripted, client: Client, status: int, code: str, kind: type[RunlineError]
) -> None:
    server.answer = lambda _: refusal(status, code, "What it said.", limit="below 1")
    with pytest.raises(RunlineError) as told:
        client.get("/a", object)
    assert type(told.value) is kind
    assert (told.value.code, told.value.message) == (code, "What it said.")
    assert told.value.fields == {"limit": "below 1"}


def test_what_is_no_runline_server_is_said_to_be_none(server: Scripted, client: Client) -> None:
    server.script = [Answer(404, b"<h1>nginx</h1>"), Answer(200, b"<h1>hello</h1>")]
    for kind in (NotFound, Unavailable):
        with pytest.raises(kind) as told:
            client.get("/a", dict[str, int])
        assert told.value.code == "no_runline"
        assert server.url in told.value.message


def test_what_may_be_repeated_is_while_the_server_is_away(
    server: Scripted, client: Client, no_waiting: list[float]
) -> None:
    busy = Answer(503, b"", {"retry-after": "2"})
    server.script = [busy, Answer(200, b"{", cut=True), Answer(502, b"", {"retry-after": "soon"}), Answer()]
    assert client.get("/a", dict[str, Any]) == {}
    assert no_waiting == [2.0, 0.3, 0.6]
    server.script = [busy, busy]
    assert client.post("/a", dict[str, Any], {}, key="k") == {}
    assert [asked.headers["idempotency-key"] for asked in server.asked[-3:]] == ["k"] * 3
    server.script = [busy]
    with pytest.raises(Unavailable):
        client.post("/a", object, {})
    assert 0 < client.busy_s() <= 2
    server.script = [Answer(503, b"", {"retry-after": "900"})] * 9
    with pytest.raises(Unavailable):
        client.get("/a", object)
    assert max(no_waiting) == 5.0


def test_a_server_that_is_not_there_is_named(client: Client, no_waiting: list[float]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        away = Client(Connections(f"http://127.0.0.1:{taken.getsockname()[1]}"))
        with pytest.raises(Unavailable) as told:
            away.get("/a", object)
        with pytest.raises(Unavailable), away.stream("/a", media="x/y", silence_s=1):
            pass
        away.close()
    assert told.value.code == "unreachable"
    assert away.url in told.value.message
    assert "runline serve" in told.value.message
    assert len(no_waiting) == 3
    assert client.busy_s() == 0


def test_a_server_that_says_nothing_is_not_waited_for_forever() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = Client(Connections(f"http://127.0.0.1:{silent.getsockname()[1]}"))
        with pytest.raises(Unavailable) as told:
            client.get("/a", object, again=False, timeout_s=0.01)
        client.close()
    assert told.value.code == "timeout"


def test_a_stream_is_read_as_it_comes(server: Scripted, client: Client) -> None:
    server.script = [Answer(200, b"abc"), refusal(404, "run_not_found"), Answer(200, b"ab", cut=True)]
    with client.stream("/s", params={"a": 1}, media="text/event-stream", silence_s=9) as answer:
        assert b"".join(answer.iter_raw()) == b"abc"
    assert server.asked[0].headers["accept"] == "text/event-stream"
    with pytest.raises(NotFound), client.stream("/s", media="x/y", silence_s=9):
        pass
    with pytest.raises(Unavailable), client.stream("/s", media="x/y", silence_s=9) as answer:
        list(answer.iter_raw())


def test_a_forked_child_makes_connections_of_its_own(server: Scripted, client: Client) -> None:
    before = client.connections.http
    view = client.narrowed("ours")
    client.connections.forked()
    assert view.connections.http is not before
    assert not before.is_closed
    view.get("/a", object)
    before.close()


def test_parts_of_a_path_hold_anything() -> None:
    assert part("a/b c?é") == "a%2Fb%20c%3F%C3%A9"
    assert (part("."), part(".."), part("a.b")) == ("%2E", "%2E%2E", "a.b")


def test_parameters_are_flat() -> None:
    assert flat(None, {"a": (), "b": "x,y", "c": [False]}) == [("b", "x,y"), ("c", "false")]


@pytest.mark.parametrize(
    ("url", "near"),
    [
        ("http://localhost:1", True),
        ("http://127.1.2.3", True),
        ("http://[::1]:9", True),
        ("http://example.org", False),
        ("http://10.0.0.1", False),
    ],
)
def test_no_proxy_stands_before_this_machine(url: str, near: bool) -> None:
    assert is_loopback(url) is near
