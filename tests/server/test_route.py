"""Declarations of routes."""

from __future__ import annotations

import inspect

from msgspec import Struct

from runline.server.route import JSON, delete, get, post, put, route_of


class Answer(Struct):
    """What came of it."""

    done: bool


def test_a_declaration_stays_with_its_handler() -> None:
    @post(
        "/api/things", scope="operate", answer=Answer, summary="Do it", tag="Things", status=201, errors=[409]
    )
    def do_it() -> Answer:
        """Does *it*."""
        return Answer(done=True)

    route = route_of(do_it)
    assert route is not None
    assert (route.method, route.path, route.name, route.scope) == ("POST", "/api/things", "do_it", "operate")
    assert (route.description, route.status, route.errors) == ("Does *it*.", 201, (409,))
    assert route.answers == {JSON: Answer}
    assert do_it.status_code == 201
    assert inspect.iscoroutinefunction(do_it.fn)  # which has a thread do it


def test_a_coroutine_runs_in_the_loop() -> None:
    @get("/api/things", summary="Wait", tag="Things")
    async def wait() -> Answer:
        return Answer(done=True)

    route = route_of(wait)
    assert route is not None
    assert (route.scope, route.answers, route.description) == ("read", {}, "")
    assert inspect.iscoroutinefunction(wait.fn)


def test_methods_are_what_they_are_called() -> None:
    def nothing() -> None:
        """Nothing."""

    made = [
        put("/a", scope="ingest", summary="", tag="")(nothing),
        delete("/a", scope="admin", summary="", tag="")(nothing),
    ]
    assert [sorted(handler.http_methods) for handler in made] == [["PUT"], ["DELETE"]]
