"""What is done with a run: end, heartbeat, cancel, pin."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from runline.model.clock import ManualClock
from runline.model.status import END_STATUSES
from runline.server.settings import Settings
from runline.store.sql_store import SqlStore
from runline.testing import corpus
from runline.testing.serving import client
from tests.server.routes import shapes

if TYPE_CHECKING:
    from runline.testing.serving import Client
    from tests.server.routes.conftest import Tenant

JSON = {"Content-Type": "application/json"}
CONTROLS = ("end", "heartbeat", "cancel", "pin")


@pytest.fixture
def run_id(store: SqlStore) -> str:
    return store.create_run("nightly").run_id


# -- end


@pytest.mark.parametrize("status", END_STATUSES)
def test_a_run_ends_with_an_event(api: Client, store: SqlStore, run_id: str, status: str) -> None:
    answer = api.post(f"/api/runs/{run_id}/end", json={"status": status, "error": "the disk is full"})
    assert answer.status_code == 200
    event = answer.json()
    assert set(event) >= shapes.CANONICAL
    assert (event["type"], event["seq"], event["run_id"]) == ("run_ended", 2, run_id)
    assert event["data"] == {"status": status, "error": "the disk is full"}
    assert store.get_run(run_id).status == status
    again = api.post(f"/api/runs/{run_id}/end", json={"status": status})
    assert (again.status_code, again.json()["code"]) == (409, "run_ended")


def test_an_end_without_a_body_is_a_success(api: Client, store: SqlStore, run_id: str) -> None:
    assert api.post(f"/api/runs/{run_id}/end").status_code == 200
    assert store.get_run(run_id).status == "completed"


def test_a_repeated_end_is_answered_as_the_first(api: Client, store: SqlStore, run_id: str) -> None:
    headers = {"Idempotency-Key": "k1"}
    first = api.post(f"/api/runs/{run_id}/end", json={"status": "failed"}, headers=headers)
    again = api.post(f"/api/runs/{run_id}/end", json={"status": "failed"}, headers=headers)
    assert (again.status_code, again.json()) == (200, first.json())
    other = api.post(f"/api/runs/{run_id}/end", json={"status": "completed"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    assert store.get_run(run_id).last_seq == 2


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"status": "done"}, "status"),
        ({"status": 7}, "status"),
        ({"error": []}, "error"),
        ({"stat": 1}, "stat"),
    ],
)
def test_an_end_that_is_none_is_refused(
    api: Client, store: SqlStore, run_id: str, body: dict[str, object], field: str
) -> None:
    answer = api.post(f"/api/runs/{run_id}/end", json=body)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [field])
    assert store.get_run(run_id).status == "running"


def test_a_status_that_is_none_names_the_known_ones(api: Client, run_id: str) -> None:
    told = api.post(f"/api/runs/{run_id}/end", json={"status": "done"}).json()["error"]
    assert told == f"'done' is no end status; one of {', '.join(END_STATUSES)}."


# -- heartbeat


def test_a_heartbeat_keeps_a_run_alive(api: Client, store: SqlStore, run_id: str, clock: ManualClock) -> None:
    answer = api.post(f"/api/runs/{run_id}/heartbeat", json={"host": "worker-7", "pid": 4711})
    assert answer.status_code == 200
    assert answer.json() == {"run_id": run_id, "status": "running", "cancel_requested": False}
    clock.advance(s=31)
    assert store.get_run(run_id).status == "interrupted"
    assert api.post(f"/api/runs/{run_id}/heartbeat").json()["status"] == "running"
    run = store.get_run(run_id)
    assert (run.host, run.pid, run.last_seq) == ("worker-7", 4711, 1)


def test_a_heartbeat_is_told_of_a_wish_to_stop(api: Client, run_id: str) -> None:
    api.post(f"/api/runs/{run_id}/cancel")
    assert api.post(f"/api/runs/{run_id}/heartbeat").json()["cancel_requested"] is True


@pytest.mark.parametrize("body", [{"pid": -1}, {"pid": "7"}, {"pid": 2**70}, {"host": 7}, {"when": 1}])
def test_a_heartbeat_that_is_none_is_refused(api: Client, run_id: str, body: dict[str, object]) -> None:
    answer = api.post(f"/api/runs/{run_id}/heartbeat", json=body)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, list(body))


# -- cancel


def test_a_run_is_asked_to_stop(api: Client, store: SqlStore, run_id: str) -> None:
    for _ in range(2):
        answer = api.post(f"/api/runs/{run_id}/cancel")
        assert (answer.status_code, answer.json()) == (200, {"run_id": run_id, "status": "cancelling"})
    run = store.get_run(run_id)
    assert (run.status, run.cancel_requested) == ("running", True)


def test_a_run_is_stopped_by_force(api: Client, store: SqlStore, run_id: str) -> None:
    answer = api.post(f"/api/runs/{run_id}/cancel", json={"force": True})
    assert (answer.status_code, answer.json()) == (200, {"run_id": run_id, "status": "cancelled"})
    assert store.get_run(run_id).status == "cancelled"
    late = api.post(f"/api/runs/{run_id}/events", json={"message": "still here"})
    assert (late.status_code, late.json()["code"]) == (409, "run_ended")
    again = api.post(f"/api/runs/{run_id}/cancel", json={})
    assert (again.status_code, again.json()["code"]) == (409, "not_active")


def test_an_interrupted_run_is_stopped_at_once(
    api: Client, store: SqlStore, run_id: str, clock: ManualClock
) -> None:
    clock.advance(s=3600)
    assert api.post(f"/api/runs/{run_id}/cancel").json()["status"] == "cancelled"


@pytest.mark.parametrize("body", [{"force": 1}, {"force": "true"}, {"force": None}, {"now": True}])
def test_a_cancellation_that_is_none_is_refused(api: Client, run_id: str, body: dict[str, object]) -> None:
    answer = api.post(f"/api/runs/{run_id}/cancel", json=body)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, list(body))


def test_the_audit_names_who_cancelled(store: SqlStore, run_id: str) -> None:
    secret = store.create_token("operator", scopes=("operate",)).secret
    with client(store, Settings(auth=True)) as api:
        headers = {"Authorization": f"Bearer {secret}"}
        assert api.post(f"/api/runs/{run_id}/cancel", headers=headers).status_code == 200
        assert api.post(f"/api/runs/{run_id}/pin", headers=headers).status_code == 200
        assert api.post(f"/api/runs/{run_id}/end", headers=headers).status_code == 403
    told = [(entry.action, entry.who) for entry in store.list_audit().items]
    assert told[:2] == [("pin", "operator"), ("cancel", "operator")]


# -- pin


def test_a_run_is_pinned_and_let_go(api: Client, store: SqlStore, run_id: str) -> None:
    for body, pinned in (({"pinned": True}, True), ({"pinned": False}, False), (None, True)):
        answer = api.post(f"/api/runs/{run_id}/pin", json=body)
        assert (answer.status_code, answer.json()) == (200, {"run_id": run_id, "pinned": pinned})
        assert store.get_run(run_id).pinned is pinned


@pytest.mark.parametrize("body", [{"pinned": 1}, {"pinned": None}, {"pin": True}])
def test_a_pin_that_is_none_is_refused(api: Client, run_id: str, body: dict[str, object]) -> None:
    answer = api.post(f"/api/runs/{run_id}/pin", json=body)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, list(body))


# -- all of them


@pytest.mark.parametrize("control", CONTROLS)
def test_a_run_that_is_not_there(api: Client, control: str) -> None:
    answer = api.post(f"/api/runs/nobody/{control}")
    assert (answer.status_code, answer.json()["code"]) == (404, "run_not_found")


@pytest.mark.parametrize("control", CONTROLS)
def test_another_tenants_run_is_as_unknown(
    tenants: tuple[Tenant, Tenant], store: SqlStore, control: str
) -> None:
    acme, other = tenants
    before = store.get_run(other.run_id)
    foreign = acme.ask("POST", f"/api/runs/{other.run_id}/{control}")
    nobody = acme.ask("POST", f"/api/runs/nobody/{control}")
    assert (foreign.status_code, nobody.status_code) == (404, 404)
    assert foreign.json()["error"].replace(other.run_id, "nobody") == nobody.json()["error"]
    assert store.get_run(other.run_id) == before
    assert acme.ask("POST", f"/api/runs/{acme.run_id}/{control}").status_code == 200


@pytest.mark.parametrize("control", CONTROLS)
def test_bad_documents_never_break_the_server(api: Client, store: SqlStore, control: str) -> None:
    for document in corpus.BAD_JSON.values():
        run_id = store.create_run("target").run_id
        answer = api.post(f"/api/runs/{run_id}/{control}", content=document, headers=JSON)
        # An empty body is none, and these need none.
        assert answer.status_code == (200 if document == b"" else 400), (document[:40], answer.text)


def test_bad_texts_never_break_the_server(api: Client, store: SqlStore) -> None:
    for text in (*corpus.BAD_TEXTS.values(), *corpus.TERMINAL.values()):
        run_id = store.create_run("target").run_id
        host = api.post(f"/api/runs/{run_id}/heartbeat", content=json.dumps({"host": text}), headers=JSON)
        assert host.status_code == 200, (text, host.text)
        end = api.post(
            f"/api/runs/{run_id}/end", content=json.dumps({"status": "failed", "error": text}), headers=JSON
        )
        assert end.status_code == 200, (text, end.text)
        assert api.get(f"/api/runs/{run_id}").status_code == 200
