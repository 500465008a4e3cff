from __future__ import annotations

import threading

import pytest

import runline
from runline.record.call import PAIRS
from runline.record.context import CALL
from runline.store.sql_store import SqlStore
from tests.record.conftest import told


@pytest.mark.parametrize(("kind", "pair"), PAIRS.items())
def test_every_kind_emits_its_pair(store: SqlStore, kind: str, pair: tuple[str, str]) -> None:
    with runline.run("r") as run, run.step("s"), run.call(kind, "thing", data={"files": 2}) as call:
        call.result(data={"passed": 3})
    request, response = (event for event in told(store, run.id) if event.correlation_id is not None)
    assert (request.type, response.type) == pair
    assert request.correlation_id == response.correlation_id == call.correlation_id
    assert (request.step, response.step) == ("s", "s")
    assert request.data == {"name": "thing", "files": 2}
    assert response.data["duration_ms"] >= 0
    assert (response.data["ok"], response.data["passed"], response.level) == (True, 3, "info")
    (stored,) = store.calls(run.id).items
    assert (stored.kind, stored.status, stored.step) == (kind, "done", "s")


def test_an_llm_call_has_its_model_and_tokens(store: SqlStore) -> None:
    with runline.run("r") as run, run.call("llm", model="m-1", message="summarise", source="agent") as call:
        call.result(tokens_used=432, tokens_in=400, tokens_out=32, data={"text": "short"})
        call.result("short")
    request, response = told(store, run.id)[1:3]
    assert (request.message, request.source, request.data) == ("summarise", "agent", {"model": "m-1"})
    assert response.message == "short"
    assert {
        "tokens_used": 432,
        "tokens_in": 400,
        "tokens_out": 32,
        "text": "short",
    }.items() <= response.data.items()
    assert store.get_run(run.id).total_tokens == 432
    assert store.calls(run.id).items[0].name == "m-1"


def test_an_exception_makes_the_response_an_error_and_goes_on(store: SqlStore) -> None:
    with runline.run("r") as run, pytest.raises(ValueError, match="no route"), run.call("tool", "fetch"):
        raise ValueError("no route")
    response = told(store, run.id)[2]
    assert (response.type, response.level) == ("tool_result", "error")
    assert response.message == "ValueError: no route"
    assert response.data["ok"] is False
    assert response.data["error"] == "ValueError: no route"
    assert "Traceback" in response.data["stack"]
    assert store.calls(run.id).items[0].status == "failed"


def test_a_cancelled_call_is_no_error(store: SqlStore) -> None:
    with pytest.raises(KeyboardInterrupt), runline.run("r") as run, run.call("test"):
        raise KeyboardInterrupt
    response = told(store, run.id)[2]
    assert (response.level, response.data["status"], response.data["ok"]) == ("warn", "cancelled", False)


def test_a_result_that_is_not_ok_is_an_error(store: SqlStore) -> None:
    with runline.run("r") as run, run.call("patch") as call:
        call.result(ok=False)
    response = told(store, run.id)[2]
    assert (response.type, response.level, response.data["ok"]) == ("patch_applied", "error", False)


def test_a_call_inside_a_call_names_it(store: SqlStore) -> None:
    with runline.run("r") as run, run.call("llm", model="m") as outer:
        with (
            run.call("tool", "grep") as inner,
            runline.run("child") as child,
            child.call("tool", "other"),
        ):
            pass
        with run.call("tool", "sed", data={"parent": "given"}):
            pass
    parents = {call.name: call.parent for call in store.calls(run.id).items}
    assert parents == {"m": None, "grep": outer.correlation_id, "sed": "given"}
    assert inner.outer is outer
    assert store.calls(child.id).items[0].parent is None


def test_a_call_by_hand_ends_once(store: SqlStore) -> None:
    with runline.run("r") as run:
        call = run.call("tool", "t").start()
        call.end("not there")
        call.end()
    events = told(store, run.id)[1:-1]
    assert [event.type for event in events] == ["tool_call", "tool_result"]
    assert events[1].data["error"] == "not there"


def test_an_unknown_kind_is_told_as_a_tool(store: SqlStore, caplog: pytest.LogCaptureFixture) -> None:
    with runline.run("r") as run, run.call("telepathy"):
        pass
    assert told(store, run.id)[1].type == "tool_call"
    assert told(store, run.id)[1].data == {"name": "telepathy"}
    assert "telepathy" in caplog.text
    assert run.lost == 0


def test_a_call_ended_elsewhere_leaves_the_context_alone() -> None:
    with runline.run("r") as run:
        call = run.call("tool").start()
        thread = threading.Thread(target=call.end)
        thread.start()
        thread.join()
        assert CALL.get() is call
        CALL.set(None)
