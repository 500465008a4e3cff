"""What a run amounts to, over HTTP."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec
import pytest

from runline.fold.wire.comparison import ComparisonView
from runline.fold.wire.failure import FailureView
from runline.fold.wire.state import StateView, state_of_view
from runline.model.clock import ManualClock
from runline.store.sql_store import SqlStore
from tests.server.routes import shapes

if TYPE_CHECKING:
    from runline.testing.serving import Client
    from tests.server.routes.conftest import Tenant

VIEWS = ("state", "steps", "dag", "summary", "histogram", "failure", "calls")


def failed(store: SqlStore, clock: ManualClock, name: str = "nightly") -> str:
    """A run of three steps whose second fails, with a call done, one failed and one open."""
    plan = {"steps": [{"id": "a"}, {"id": "b", "dependencies": ["a"]}, {"id": "c", "dependencies": ["b"]}]}
    run_id = store.create_run(name, kind="pipeline", plan=plan).run_id
    for event in (
        {"type": "step_started", "step": "a"},
        {"type": "tool_call", "step": "a", "correlation_id": "c1", "data": {"name": "read"}},
        {"type": "tool_result", "step": "a", "correlation_id": "c1", "data": {"ok": True}},
        {"type": "step_completed", "step": "a"},
        {"type": "step_started", "step": "b"},
        {"type": "llm_request", "step": "b", "correlation_id": "c2", "data": {"model": "m"}},
        {"type": "tool_call", "step": "b", "correlation_id": "c3", "data": {"name": "write"}},
        {"type": "tool_result", "step": "b", "correlation_id": "c3", "data": {"ok": False}},
        {"type": "error", "step": "b", "message": "disk full", "data": {"name": "OSError"}},
        {"type": "step_failed", "step": "b", "message": "b failed"},
    ):
        clock.advance(s=1)
        store.append(run_id, [event])
    store.end_run(run_id, "failed", error="disk full")
    return run_id


@pytest.fixture
def run_id(store: SqlStore, clock: ManualClock) -> str:
    return failed(store, clock)


# -- state


def test_the_state_now_and_as_of_each_event(api: Client, store: SqlStore, run_id: str) -> None:
    now = msgspec.json.decode(api.get(f"/api/runs/{run_id}/state").content, type=StateView)
    assert state_of_view(now) == store.state(run_id)
    for seq in range(1, 13):
        then = api.get(f"/api/runs/{run_id}/state?at_seq={seq}").json()
        assert then["seq"] == seq
        assert then["event_count"] == seq
    early = api.get(f"/api/runs/{run_id}/state?at_seq=2").json()
    assert [step["state"] for step in early["steps"]] == ["running", "pending", "pending"]
    assert early["status"] == "running"
    assert [step["state"] for step in api.get(f"/api/runs/{run_id}/state").json()["steps"]] == [
        "completed",
        "failed",
        "blocked",
    ]


@pytest.mark.parametrize("at_seq", ["0", "-1", "13", "1000000000000000000000000", "x", "1.5", ""])
def test_an_event_that_the_run_does_not_have_has_no_state(api: Client, run_id: str, at_seq: str) -> None:
    answer = api.get(f"/api/runs/{run_id}/state?at_seq={at_seq}")
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["at_seq"])


# -- steps, dag, summary


def test_steps_with_their_artifacts(api: Client, store: SqlStore) -> None:
    run_id = store.create_run("steps").run_id
    store.append(run_id, [{"type": "step_started", "step": name} for name in ("b", "a")])
    store.put_artifact(run_id, "out.txt", b"text", step="a")
    steps = api.get(f"/api/runs/{run_id}/steps").json()["steps"]
    assert [step["step_id"] for step in steps] == ["b", "a"]
    assert set(steps[0]) >= shapes.STEP
    assert [[one["name"] for one in step["artifacts"]] for step in steps] == [[], ["out.txt"]]


def test_the_graph(api: Client, run_id: str) -> None:
    told = api.get(f"/api/runs/{run_id}/dag").json()
    assert list(told) == ["nodes", "edges"]
    assert [set(node) for node in told["nodes"]] == [shapes.NODE] * 3
    assert [(node["id"], node["status"]) for node in told["nodes"]] == [
        ("a", "completed"),
        ("b", "failed"),
        ("c", "blocked"),
    ]
    assert told["edges"] == [{"from": "a", "to": "b"}, {"from": "b", "to": "c"}]


def test_the_summary_is_the_timelines(api: Client, run_id: str) -> None:
    told = api.get(f"/api/runs/{run_id}/summary").json()
    assert told == api.get(f"/api/timeline/summary?run_id={run_id}").json()
    assert set(told["summary"]) == shapes.TIMELINE_SUMMARY


# -- histogram


@pytest.mark.parametrize(
    ("query", "most"), [("", 160), ("slots=4", 4), ("slots=512", 512), ("slots=10000", 512)]
)
def test_the_histogram(api: Client, run_id: str, query: str, most: int) -> None:
    told = api.get(f"/api/runs/{run_id}/histogram?{query}").json()
    assert {"start", "slot_ms", "events", "warnings", "errors"} <= set(told)
    assert len(told["events"]) == len(told["warnings"]) == len(told["errors"]) <= most
    assert sum(told["events"]) == 12
    assert sum(told["errors"]) == 2


@pytest.mark.parametrize("slots", ["0", "-1", "x", ""])
def test_slots_that_are_none_are_refused(api: Client, run_id: str, slots: str) -> None:
    answer = api.get(f"/api/runs/{run_id}/histogram?slots={slots}")
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["slots"])


# -- failure


def test_why_it_failed(api: Client, store: SqlStore, clock: ManualClock) -> None:
    good = store.create_run("nightly").run_id
    store.append(good, [{"type": "step_started", "step": "a"}, {"type": "step_completed", "step": "a"}])
    store.end_run(good)
    clock.advance(s=1)
    earlier = failed(store, clock)
    clock.advance(s=1)
    told = api.get(f"/api/runs/{failed(store, clock)}/failure")
    found = told.json()
    assert msgspec.json.decode(told.content, type=FailureView).run_id == found["run_id"]
    assert set(found) >= shapes.FAILURE
    assert (found["first_error"]["message"], found["step"], found["blocked"]) == ("disk full", "b", ["c"])
    assert [call["correlation_id"] for call in found["open_calls"]] == ["c2"]
    assert set(found["open_calls"][0]) == shapes.CALL
    assert (found["seen_before"]["count"], found["seen_before"]["last_run_id"]) == (1, earlier)
    assert found["last_good_run_id"] == good
    assert set(found["first_divergence"]) == {"step", "left_seq", "right_seq", "reason"}


def test_a_run_that_did_not_fail_has_nothing_to_tell(api: Client, store: SqlStore) -> None:
    found = api.get(f"/api/runs/{store.create_run('fine').run_id}/failure").json()
    assert (found["first_error"], found["error_chain"], found["seen_before"]) == (None, [], None)


# -- calls


def test_calls_and_their_counts(api: Client, run_id: str) -> None:
    told = api.get(f"/api/runs/{run_id}/calls").json()
    assert list(told) == ["calls", "counts"]
    assert [set(call) for call in told["calls"]] == [shapes.CALL] * 3
    assert [(call["correlation_id"], call["status"]) for call in told["calls"]] == [
        ("c1", "done"),
        ("c2", "open"),
        ("c3", "failed"),
    ]
    assert told["counts"] == {"total": 3, "done": 1, "failed": 1, "open": 1}


@pytest.mark.parametrize(
    ("query", "found", "total"),
    [
        ("status=open", ["c2"], 3),
        ("status=done,failed", ["c1", "c3"], 3),
        ("status=done&status=open", ["c1", "c2"], 3),
        ("kind=tool", ["c1", "c3"], 2),
        ("kind=llm,test", ["c2"], 1),
        ("step=b", ["c2", "c3"], 2),
        ("step=a,b&kind=tool&status=failed", ["c3"], 2),
        ("step=nowhere", [], 0),
        ("status=", ["c1", "c2", "c3"], 3),
    ],
)
def test_calls_are_filtered(api: Client, run_id: str, query: str, found: list[str], total: int) -> None:
    told = api.get(f"/api/runs/{run_id}/calls?{query}").json()
    assert [call["correlation_id"] for call in told["calls"]] == found
    assert told["counts"]["total"] == total


def test_calls_are_paged(api: Client, run_id: str) -> None:
    seen: list[str] = []
    cursor = ""
    while True:
        told = api.get(f"/api/runs/{run_id}/calls?limit=1&cursor={cursor}").json()
        seen += [call["correlation_id"] for call in told["calls"]]
        assert told["counts"]["total"] == 3
        if "next_cursor" not in told:
            break
        cursor = told["next_cursor"]
    assert seen == ["c1", "c2", "c3"]
    assert len(api.get(f"/api/runs/{run_id}/calls?limit=1000000000").json()["calls"]) == 3


@pytest.mark.parametrize(
    ("query", "field", "hint"),
    [
        ("status=over", "status", "one of done, failed, open"),
        ("kind=sql", "kind", "one of llm, tool, patch, test, provider"),
        ("cursor=x", "cursor", "cursor"),
        ("cursor=-1", "cursor", "cursor"),
        ("limit=0", "limit", "at least 1"),
        ("limit=abc", "limit", "whole number"),
        ("steps=a", "steps", "did you mean 'step'"),
    ],
)
def test_what_is_wrong_about_calls_is_refused(
    api: Client, run_id: str, query: str, field: str, hint: str
) -> None:
    answer = api.get(f"/api/runs/{run_id}/calls?{query}")
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [field])
    assert hint in answer.json()["error"]


# -- compare


def test_two_runs_side_by_side(api: Client, store: SqlStore, clock: ManualClock, run_id: str) -> None:
    good = store.create_run("nightly").run_id
    store.append(good, [{"type": "step_started", "step": "a"}, {"type": "step_completed", "step": "a"}])
    store.end_run(good)
    answer = api.get(f"/api/compare?left={good}&right={run_id}")
    told = answer.json()
    assert msgspec.json.decode(answer.content, type=ComparisonView).left_run_id == good
    assert (told["left_run_id"], told["right_run_id"]) == (good, run_id)
    assert (told["left_status"], told["right_status"]) == ("completed", "failed")
    assert [step["step_id"] for step in told["steps"]] == ["a", "b", "c"]
    assert [error["message"] for error in told["new_errors"]] == ["disk full", "b failed"]
    same = api.get(f"/api/compare?left={run_id}&right={run_id}").json()
    assert (same["first_divergence"], same["new_errors"]) == (None, [])


@pytest.mark.parametrize(
    ("query", "fields"),
    [("", ["left", "right"]), ("left=a", ["right"]), ("right=a", ["left"]), ("left=&right=a", ["left"])],
)
def test_two_runs_are_needed(api: Client, query: str, fields: list[str]) -> None:
    answer = api.get(f"/api/compare?{query}")
    assert (answer.status_code, list(answer.json()["fields"])) == (400, fields)


def test_a_run_that_is_not_there_is_not_compared(
    api: Client, tenants: tuple[Tenant, Tenant], run_id: str
) -> None:
    assert api.get(f"/api/compare?left={run_id}&right=nobody").status_code == 404
    assert api.get(f"/api/compare?left=nobody&right={run_id}").status_code == 404
    acme, other = tenants
    for left, right in ((acme, other), (other, acme)):
        assert acme.ask("GET", f"/api/compare?left={left.run_id}&right={right.run_id}").status_code == 404


# -- all of them


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_of_a_run_that_is_not_there(api: Client, view: str) -> None:
    answer = api.get(f"/api/runs/nobody/{view}")
    assert (answer.status_code, answer.json()["code"]) == (404, "run_not_found")


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_of_another_tenants_run_is_as_unknown(tenants: tuple[Tenant, Tenant], view: str) -> None:
    acme, other = tenants
    foreign = acme.ask("GET", f"/api/runs/{other.run_id}/{view}")
    nobody = acme.ask("GET", f"/api/runs/nobody/{view}")
    assert (foreign.status_code, nobody.status_code) == (404, 404)
    assert foreign.text.replace(other.run_id, "nobody") == nobody.text
    assert acme.ask("GET", f"/api/runs/{acme.run_id}/{view}").status_code == 200


@pytest.mark.parametrize("view", VIEWS)
def test_a_deleted_runs_views_say_so(api: Client, store: SqlStore, run_id: str, view: str) -> None:
    store.delete_run(run_id)
    answer = api.get(f"/api/runs/{run_id}/{view}")
    assert (answer.status_code, answer.json()["code"]) == (404, "pruned")


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_takes_no_parameter_that_it_does_not_know(api: Client, run_id: str, view: str) -> None:
    answer = api.get(f"/api/runs/{run_id}/{view}?nope=1")
    assert (answer.status_code, json.loads(answer.content)["code"]) == (400, "bad_parameter")
