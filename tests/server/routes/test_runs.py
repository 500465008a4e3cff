"""Runs: listed, counted, shown, made and deleted, as the dashboard's document says."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from runline.model.clock import ManualClock, parse_instant, to_iso
from runline.model.status import RUN_STATUSES
from runline.model.wire.runs import RunDetail, RunSummary, run_summary
from runline.store.sql_store import SqlStore
from runline.testing import corpus
from runline.testing.streams import tagged
from tests.server.routes import shapes

if TYPE_CHECKING:
    from runline.testing.serving import Client
    from tests.server.routes.conftest import Tenant


def names(api: Client, query: str) -> list[str]:
    answer = api.get(f"/api/runs?{query}")
    assert answer.status_code == 200, answer.text
    return [run["pipeline_name"] for run in answer.json()["runs"]]


@pytest.fixture
def five(store: SqlStore, clock: ManualClock) -> list[str]:
    """Runs a, b, c, d, e, a minute apart, oldest first."""
    made = []
    for name, kind, tags in (
        ("a", "run", ["x"]),
        ("b", "pipeline", ["x", "y"]),
        ("c", "run", []),
        ("d", "session", ["y"]),
        ("e", "run", []),
    ):
        made.append(store.create_run(name, kind=kind, tags=tags).run_id)
        clock.advance(s=60)
    store.end_run(made[0], "failed", error="disk full")
    store.end_run(made[1])
    return made


# -- GET /api/runs


def test_a_page_has_the_seeds_keys_and_those_of_the_contract(api: Client, store: SqlStore) -> None:
    run_id = store.create_run("nightly", tags=["prod"], parent_run_id="parent-1").run_id
    store.add_note(run_id, "slow", author="me", labels=["vendor"])
    told = api.get("/api/runs").json()
    assert list(told) == ["runs", "has_more"]
    assert told["has_more"] is False
    (run,) = told["runs"]
    assert shapes.RUN <= set(run)
    assert "input" not in run
    assert run == json.loads(msgspec.json.encode(run_summary(store.get_run(run_id))))
    assert (run["run_id"], run["pipeline_name"], run["status"], run["tags"]) == (
        run_id,
        "nightly",
        "running",
        ["prod"],
    )
    assert run["last_note"] == {"note": "slow", "author": "me", "labels": ["vendor"]}
    assert (run["completed_at"], run["duration"], run["eta"], run["parent_run_id"]) == (
        None,
        None,
        None,
        "parent-1",
    )


def test_without_runs_there_is_an_empty_page(api: Client) -> None:
    assert api.get("/api/runs").json() == {"runs": [], "has_more": False}


def test_newest_start_first_and_by_id_within_an_instant(api: Client, store: SqlStore) -> None:
    for run_id in ("b", "c", "a"):
        store.create_run("same instant", run_id=run_id)
    store.create_run("earlier", run_id="z", started_at_ms=store.clock.now_ms() - 1)
    assert [run["run_id"] for run in api.get("/api/runs").json()["runs"]] == ["c", "b", "a", "z"]


def test_25_runs_a_page_and_at_most_100(api: Client, store: SqlStore) -> None:
    for n in range(103):
        store.create_run("many", run_id=f"many-{n:03}")
    for query, size in (
        ("", 25),
        ("limit=7", 7),
        ("limit=100", 100),
        ("limit=101", 100),
        ("limit=1000000000", 100),
    ):
        told = api.get(f"/api/runs?{query}").json()
        assert (len(told["runs"]), told["has_more"], "next_cursor" in told) == (size, True, True)


@pytest.mark.parametrize("limit", ["-1", "0", "abc", "1.5", ""])
def test_a_limit_that_is_none_is_refused(api: Client, limit: str) -> None:
    answer = api.get(f"/api/runs?limit={limit}")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_parameter")
    assert list(answer.json()["fields"]) == ["limit"]


def test_pages_stay_as_they_are_while_runs_are_added(
    api: Client, store: SqlStore, clock: ManualClock
) -> None:
    first = [store.create_run("old", run_id=f"old-{n}").run_id for n in range(10)]
    seen: list[str] = []
    cursor = ""
    while True:
        told = api.get(f"/api/runs?limit=3&cursor={cursor}").json()
        seen += [run["run_id"] for run in told["runs"]]
        clock.advance(s=1)
        store.create_run("new", run_id=f"new-{len(seen)}")
        if not told["has_more"]:
            break
        cursor = told["next_cursor"]
    assert "next_cursor" not in told
    assert seen == sorted(first, reverse=True)


def test_a_cursor_is_base64url_json_of_instant_and_id(api: Client, store: SqlStore) -> None:
    for n in range(2):
        store.create_run("two", run_id=f"two-{n}")
    cursor = api.get("/api/runs?limit=1").json()["next_cursor"]
    decoded = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    assert decoded == {"t": store.clock.now_ms(), "id": "two-1"}


@pytest.mark.parametrize(
    "cursor",
    ["x", "%00", "e30", "bnVsbA", "===", "eyJ0Ijoi", "W10", "eyJ0IjoxZTk5LCJpZCI6ImEifQ", "a" * 5000],
)
def test_a_cursor_that_is_none_is_refused(api: Client, cursor: str) -> None:
    answer = api.get(f"/api/runs?cursor={cursor}")
    assert answer.status_code == 400
    assert answer.json()["code"] in ("bad_cursor", "bad_parameter")
    assert list(answer.json()["fields"]) == ["cursor"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "edcba"),
        ("status=failed", "a"),
        ("status=failed,completed", "ba"),
        ("status=failed&status=running", "edca"),
        ("status=", "edcba"),
        ("pipeline=b", "b"),
        ("pipeline=b,e", "eb"),
        ("pipeline=nope", ""),
        ("kind=run", "eca"),
        ("kind=session,pipeline", "db"),
        ("tag=x", "ba"),
        ("tag=x&tag=y", "dba"),
        ("tag=x&kind=run", "a"),
        ("q=status:failed", "a"),
        ("q=-status:running%20tag:y", "b"),
        ("q=%22disk%20full%22", "a"),
        ("since=3m", "edc"),
        ("until=3m", "ba"),
        ("since=4m&until=2m", "cb"),
        ("parent=nobody", ""),
    ],
)
def test_filters(api: Client, five: list[str], query: str, found: str) -> None:
    assert "".join(names(api, query)) == found


def test_since_and_until_take_iso_times(api: Client, five: list[str], clock: ManualClock) -> None:
    at = to_iso(clock.now_ms() - 3 * 60_000)
    assert "".join(names(api, f"since={at}")) == "edc"
    assert "".join(names(api, f"until={at}")) == "ba"


def test_children_of_a_run(api: Client, store: SqlStore) -> None:
    parent = store.create_run("parent").run_id
    store.create_run("child", parent_run_id=parent)
    assert names(api, f"parent={parent}") == ["child"]


def test_a_name_with_a_comma(api: Client, store: SqlStore) -> None:
    store.create_run("load, then check")
    assert names(api, "pipeline=load%5C,%20then%20check") == ["load, then check"]
    assert names(api, "pipeline=load,%20then%20check") == []


def test_a_status_that_is_none_is_refused_with_the_known_ones(api: Client) -> None:
    for path in ("/api/runs", "/api/runs/counts", "/api/runs/export"):
        answer = api.get(f"{path}?status=done")
        assert answer.status_code == 400
        assert answer.json()["error"] == f"'done' is no status; one of {', '.join(RUN_STATUSES)}."


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("limt=3", "did you mean 'limit'"),
        ("state=failed", "'status'"),
        ("after=3", "this route takes cursor, kind"),
    ],
)
def test_a_parameter_that_is_none_is_refused_with_a_suggestion(api: Client, query: str, hint: str) -> None:
    answer = api.get(f"/api/runs?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_parameter")
    assert hint in answer.json()["error"]


@pytest.mark.parametrize("q", ["status:", "nope:x", "%22open", "duration:%3Eabc", "status:done"])
def test_a_filter_that_is_none_is_refused(api: Client, q: str) -> None:
    assert api.get(f"/api/runs?q={q}").status_code == 400


def test_an_instant_that_is_none_is_refused(api: Client) -> None:
    for query in ("since=yesterday", "until=24", "since=2026-13-01"):
        answer = api.get(f"/api/runs?{query}")
        assert (answer.status_code, list(answer.json()["fields"])) == (400, [query.partition("=")[0]])


# -- GET /api/runs/counts


def test_counts(api: Client, five: list[str]) -> None:
    assert api.get("/api/runs/counts").json() == {
        "total": 5,
        "by_status": {
            "pending": 0,
            "running": 3,
            "completed": 1,
            "failed": 1,
            "cancelled": 0,
            "interrupted": 0,
        },
        "by_day": [{"date": "2026-11-20", "total": 5, "failed": 1}],
        "median_ms": 240_000,
        "success_rate": 0.5,
    }
    narrowed = api.get("/api/runs/counts?kind=run&tag=x").json()
    assert (narrowed["total"], narrowed["by_status"]["failed"], narrowed["success_rate"]) == (1, 1, 0.0)
    nothing = api.get("/api/runs/counts?pipeline=nope").json()
    assert (nothing["total"], nothing["median_ms"], nothing["success_rate"]) == (0, None, None)
    assert api.get("/api/runs/counts?limit=3").status_code == 400


# -- GET of one run


def test_the_detail_has_the_seeds_five_parts(api: Client, store: SqlStore) -> None:
    plan = {"steps": [{"id": "extract"}, {"id": "load", "dependencies": ["extract"]}]}
    run_id = store.create_run("nightly", kind="pipeline", input={"date": "2026-11-20"}, plan=plan).run_id
    store.append(run_id, [{"type": "step_started", "step": "extract", "data": {"persona": "reader"}}])
    store.append(run_id, [{"type": "step_completed", "step": "extract", "data": {"tokens_used": 7}}])
    store.put_artifact(run_id, "out.txt", b"text", step="extract")
    store.put_artifact(run_id, "all.txt", b"text")
    told = api.get(f"/api/runs/{run_id}").json()
    assert list(told) == ["run", "steps", "events", "artifacts", "dag"]
    assert shapes.RUN | {"input"} <= set(told["run"])
    assert told["run"]["input"] == {"date": "2026-11-20"}
    assert [step["step_id"] for step in told["steps"]] == ["extract", "load"]
    assert shapes.STEP <= set(told["steps"][0])
    assert (told["steps"][0]["tokens_used"], told["steps"][1]["dependencies"]) == (7, ["extract"])
    assert [one["name"] for one in told["steps"][0]["artifacts"]] == ["out.txt"]
    assert [one["name"] for one in told["artifacts"]] == ["out.txt", "all.txt"]
    assert shapes.ARTIFACT <= set(told["artifacts"][0])
    assert [event["seq"] for event in told["events"]] == [1, 2, 3, 4, 5]
    assert set(told["events"][0]) == shapes.EVENT
    assert (told["events"][1]["state"], told["events"][1]["persona"]) == ("started", "reader")
    assert [set(node) for node in told["dag"]["nodes"]] == [shapes.NODE, shapes.NODE]
    assert told["dag"]["edges"] == [{"from": "extract", "to": "load"}]


def test_the_detail_never_has_the_whole_trace(api: Client, store: SqlStore) -> None:
    run_id = store.create_run("long").run_id
    store.append(run_id, tagged("e", 250))
    told = api.get(f"/api/runs/{run_id}").json()
    assert [event["seq"] for event in told["events"]] == list(range(152, 252))
    assert told["run"]["event_count"] == 251


def test_the_detail_is_what_clients_decode(api: Client, store: SqlStore) -> None:
    run_id = store.create_run("typed", input=[1, None, "x"]).run_id
    told = msgspec.json.decode(api.get(f"/api/runs/{run_id}").content, type=dict[str, msgspec.Raw])
    assert msgspec.json.decode(told["run"], type=RunDetail).input == msgspec.Raw(b'[1,null,"x"]')
    assert msgspec.json.decode(told["run"], type=RunSummary).run_id == run_id


def test_the_detail_takes_no_parameters(api: Client, store: SqlStore) -> None:
    run_id = store.create_run("plain").run_id
    answer = api.get(f"/api/runs/{run_id}?limit=5")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_parameter")


@pytest.mark.parametrize("run_id", ["nobody", "x" * 300, "%00", "a%0Ab", "%C3%A9", "%ff"])
def test_a_run_that_is_not_there(api: Client, run_id: str) -> None:
    answer = api.get(f"/api/runs/{run_id}")
    assert (answer.status_code, answer.json()["code"]) == (404, "run_not_found")


# -- POST /api/runs


def test_a_run_is_made_with_everything_that_is_given(api: Client, store: SqlStore) -> None:
    body = {
        "name": "nightly",
        "kind": "pipeline",
        "run_id": "nightly-1",
        "tags": ["prod", "eu"],
        "input": {"date": "2026-11-20"},
        "parent_run_id": "parent-1",
        "original_run_id": "nightly-0",
        "tenant_id": "acme",
        "started_at": "2026-11-20T06:00:00+01:00",
        "plan": {"steps": [{"id": "a"}, {"id": "b"}]},
        "host": "worker-7",
        "pid": 4711,
    }
    answer = api.post("/api/runs", json=body)
    assert answer.status_code == 201
    told = answer.json()
    assert shapes.RUN <= set(told)
    run = store.get_run("nightly-1")
    assert told == json.loads(msgspec.json.encode(run_summary(run)))
    same = ("kind", "run_id", "tags", "parent_run_id", "original_run_id", "tenant_id", "host", "pid")
    assert {key: told[key] for key in same} == {key: body[key] for key in same}
    assert (run.started_at_ms, run.total_steps, run.input) == (
        parse_instant("2026-11-20T05:00:00Z"),
        2,
        {"date": "2026-11-20"},
    )
    assert (told["pipeline_name"], told["status"], told["last_seq"]) == ("nightly", "running", 1)


def test_a_name_is_enough(api: Client) -> None:
    told = api.post("/api/runs", json={"name": "Nightly Report"}).json()
    assert told["run_id"].startswith("nightly-report-20261120-")
    assert (told["kind"], told["tenant_id"], told["tags"], told["host"]) == ("run", "default", [], None)


def test_what_is_null_is_as_good_as_absent(api: Client) -> None:
    nothing = dict.fromkeys(("run_id", "tags", "input", "parent_run_id", "tenant_id", "started_at", "plan"))
    assert api.post("/api/runs", json={"name": "x", **nothing}).status_code == 201


def test_a_secret_in_the_input_is_told(api: Client) -> None:
    told = api.post("/api/runs", json={"name": "x", "input": {"password": "hunter2hunter2"}}).json()
    assert told["input_redacted"] is True
    assert "hunter2" not in api.get(f"/api/runs/{told['run_id']}").text
    told = api.post("/api/runs", json={"name": "x", "input": {"a": 1}, "input_redacted": True}).json()
    assert told["input_redacted"] is True


def test_a_repeated_request_makes_one_run(api: Client) -> None:
    headers = {"Idempotency-Key": "k1"}
    first = api.post("/api/runs", json={"name": "once"}, headers=headers)
    again = api.post("/api/runs", json={"name": "once"}, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["run_id"] == again.json()["run_id"]
    other = api.post("/api/runs", json={"name": "another"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    assert len(api.get("/api/runs").json()["runs"]) == 1
    blank = api.post("/api/runs", json={"name": "once"}, headers={"Idempotency-Key": ""})
    assert (blank.status_code, blank.json()["code"]) == (400, "bad_idempotency_key")


def test_an_id_that_is_taken_is_a_conflict(api: Client, store: SqlStore) -> None:
    store.create_run("taken", run_id="taken")
    answer = api.post("/api/runs", json={"name": "x", "run_id": "taken"})
    assert (answer.status_code, answer.json()["code"]) == (409, "run_exists")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": " \n"}, "name"),
        ({"name": 7}, "name"),
        ({"name": "x", "nmae": "y"}, "nmae"),
        ({"name": "x", "tags": "prod"}, "tags"),
        ({"name": "x", "tags": [1]}, "tags[0]"),
        ({"name": "x", "tags": ["t"] * 1000}, "tags"),
        ({"name": "x", "kind": None}, "kind"),
        ({"name": "x", "run_id": "../x"}, "run_id"),
        ({"name": "x", "run_id": "export"}, "run_id"),
        ({"name": "x", "run_id": ""}, "run_id"),
        ({"name": "x", "parent_run_id": "a b"}, "parent_run_id"),
        ({"name": "x", "original_run_id": "bulk"}, "original_run_id"),
        ({"name": "x", "run_id": "r", "parent_run_id": "r"}, "parent_run_id"),
        ({"name": "x", "tenant_id": ""}, "tenant_id"),
        ({"name": "x", "started_at": "yesterday"}, "started_at"),
        ({"name": "x", "started_at": 1_795_200_000}, "started_at"),
        ({"name": "x", "started_at": "24h"}, "started_at"),
        ({"name": "x", "pid": -1}, "pid"),
        ({"name": "x", "pid": 2**63}, "pid"),
        ({"name": "x", "input": "i" * 1_100_000}, "input"),
    ],
)
def test_a_body_that_is_wrong_is_refused_by_field(api: Client, body: dict[str, Any], field: str) -> None:
    answer = api.post("/api/runs", json=body)
    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == [field]
    assert api.get("/api/runs").json()["runs"] == []


@pytest.mark.parametrize("document", corpus.BAD_JSON.values(), ids=corpus.BAD_JSON)
def test_bad_documents_never_break_the_server(api: Client, document: bytes) -> None:
    for content in (document, b'{"name":"x","input":' + document + b"}", b'{"name":' + document + b"}"):
        answer = api.post("/api/runs", content=content, headers={"content-type": "application/json"})
        assert answer.status_code in (201, 400), answer.text
        if answer.status_code == 201:
            assert api.get(f"/api/runs/{answer.json()['run_id']}").status_code == 200


def test_bad_texts_and_values_never_break_the_server(api: Client) -> None:
    texts = [*corpus.BAD_TEXTS.values(), *corpus.TERMINAL.values(), *corpus.PATHS]
    plans: list[Any] = [7, [], {"steps": 7}, {"steps": [None, {"id": 7}, {}]}, *texts[:5]]
    bodies: list[dict[str, Any]] = [
        *({"name": text, "kind": text, "tags": [text], "input": {text: text}} for text in texts),
        *(
            {"name": "x", field: text}
            for text in texts
            for field in ("run_id", "tenant_id", "started_at", "host")
        ),
        *({"name": "x", "plan": plan} for plan in plans),
    ]
    for body in bodies:
        answer = api.post("/api/runs", content=json.dumps(body), headers={"content-type": "application/json"})
        assert answer.status_code in (201, 400, 409), (body, answer.text)
    assert api.get("/api/runs?limit=100").status_code == 200


# -- DELETE


def test_an_ended_run_is_deleted(api: Client, store: SqlStore) -> None:
    run_id = store.create_run("going").run_id
    active = api.delete(f"/api/runs/{run_id}")
    assert (active.status_code, active.json()["code"]) == (409, "not_ended")
    store.end_run(run_id)
    answer = api.delete(f"/api/runs/{run_id}")
    assert (answer.status_code, answer.json()) == (200, {"run_id": run_id, "deleted": True})
    gone = api.get(f"/api/runs/{run_id}")
    assert (gone.status_code, gone.json()["code"]) == (404, "pruned")
    assert api.delete("/api/runs/nobody").status_code == 404


# -- tenants


def test_a_tenant_sees_and_makes_its_own_runs(tenants: tuple[Tenant, Tenant]) -> None:
    acme, other = tenants
    assert [run["run_id"] for run in acme.ask("GET", "/api/runs").json()["runs"]] == [acme.run_id]
    assert acme.ask("GET", "/api/runs/counts").json()["total"] == 1
    made = acme.ask("POST", "/api/runs", {"name": "x"})
    assert (made.status_code, made.json()["tenant_id"]) == (201, "acme")
    named = acme.ask("POST", "/api/runs", {"name": "x", "tenant_id": "acme"})
    assert (named.status_code, named.json()["tenant_id"]) == (201, "acme")
    foreign = acme.ask("POST", "/api/runs", {"name": "x", "tenant_id": "other"})
    assert (foreign.status_code, list(foreign.json()["fields"])) == (403, ["tenant_id"])
    assert len(other.ask("GET", "/api/runs").json()["runs"]) == 1


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_another_tenants_run_is_as_unknown_as_one_that_never_was(
    tenants: tuple[Tenant, Tenant], method: str
) -> None:
    acme, other = tenants
    foreign = acme.ask(method, f"/api/runs/{other.run_id}")
    nobody = acme.ask(method, "/api/runs/nobody")
    assert (foreign.status_code, nobody.status_code) == (404, 404)
    assert foreign.json()["error"].replace(other.run_id, "nobody") == nobody.json()["error"]
    assert other.ask("GET", f"/api/runs/{other.run_id}").status_code == 200


def test_who_sees_all_may_narrow_a_list(api: Client, store: SqlStore) -> None:
    for tenant in ("acme", "other"):
        store.create_run(f"of {tenant}", tenant=tenant)
    assert len(api.get("/api/runs").json()["runs"]) == 2
    assert names(api, "tenant=acme") == ["of acme"]
    assert api.get("/api/runs/counts?tenant=other").json()["total"] == 1
    assert names(api, "tenant=nobody") == []


def test_a_token_may_not_name_another_tenant(tenants: tuple[Tenant, Tenant]) -> None:
    acme, _ = tenants
    assert acme.ask("GET", "/api/runs?tenant=acme").status_code == 200
    assert acme.ask("GET", "/api/runs?tenant=other").status_code == 403
