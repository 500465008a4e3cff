"""Notes of a run, over HTTP."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from runline.model.clock import ManualClock
from runline.store.sql_store import SqlStore
from runline.testing import corpus
from tests.server.routes import shapes

if TYPE_CHECKING:
    from runline.testing.serving import Client
    from tests.server.routes.conftest import Tenant

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def run_id(store: SqlStore) -> str:
    return store.create_run("nightly").run_id


def test_a_note_is_written(api: Client, store: SqlStore, run_id: str) -> None:
    body = {
        "note": " vendor API slow ",
        "author": "me",
        "labels": ["vendor"],
        "actions": ["open ticket"],
        "event_index": 1,
    }
    answer = api.post(f"/api/runs/{run_id}/notes", json=body)
    assert answer.status_code == 201
    told = answer.json()
    assert set(told) == shapes.NOTE
    assert told | {"id": 1} == body | {
        "id": 1,
        "run_id": run_id,
        "note": "vendor API slow",
        "created_at_utc": "2026-11-20T18:40:00.000Z",
    }
    assert api.get(f"/api/runs/{run_id}/notes").json() == {"notes": [told]}
    assert store.get_run(run_id).last_seq == 1


def test_the_text_is_enough_and_the_run_may_have_ended(api: Client, store: SqlStore, run_id: str) -> None:
    store.end_run(run_id)
    nothing = dict.fromkeys(("author", "labels", "actions", "event_index"))
    for body in ({"note": "x"}, {"note": "x", **nothing}):
        told = api.post(f"/api/runs/{run_id}/notes", json=body).json()
        assert (told["author"], told["labels"], told["actions"], told["event_index"]) == (None, [], [], None)


def test_notes_are_listed_newest_first_and_paged(
    api: Client, store: SqlStore, run_id: str, clock: ManualClock
) -> None:
    made = []
    for n in range(502):
        clock.advance(ms=1)
        made.append(store.add_note(run_id, f"note {n}").id)
    newest = made[::-1]

    def ids(query: str) -> list[int]:
        return [note["id"] for note in api.get(f"/api/runs/{run_id}/notes?{query}").json()["notes"]]

    assert ids("") == newest[:100]
    assert ids("limit=1000000000") == newest[:500]
    assert ids(f"before_id={newest[499]}") == newest[500:]
    assert ids("before_id=999999999") == []


@pytest.mark.parametrize("query", ["limit=0", "limit=-1", "limit=x", "before_id=0", "before_id=x", "lmit=1"])
def test_what_is_wrong_about_a_page_is_refused(api: Client, run_id: str, query: str) -> None:
    answer = api.get(f"/api/runs/{run_id}/notes?{query}")
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [query.partition("=")[0]])


BAD_NOTES: list[tuple[dict[str, Any], str]] = [
    ({"note": ""}, "note"),
    ({"note": " \n\t"}, "note"),
    ({"note": 7}, "note"),
    ({"note": "x", "labels": "vendor"}, "labels"),
    ({"note": "x", "labels": {"a": 1}}, "labels"),
    ({"note": "x", "labels": [7]}, "labels[0]"),
    ({"note": "x", "labels": ["l"] * 51}, "labels"),
    ({"note": "x", "actions": "ticket"}, "actions"),
    ({"note": "x", "event_index": 0}, "event_index"),
    ({"note": "x", "event_index": 2}, "event_index"),
    ({"note": "x", "event_index": 2**80}, "event_index"),
    ({"note": "x", "event_index": "1"}, "event_index"),
    ({"note": "x", "event_index": True}, "event_index"),
    ({"note": "x", "auhtor": "me"}, "auhtor"),
]


@pytest.mark.parametrize(("body", "field"), [({}, "note"), *BAD_NOTES])
def test_what_is_no_note_is_refused_by_field(
    api: Client, run_id: str, body: dict[str, Any], field: str
) -> None:
    answer = api.post(f"/api/runs/{run_id}/notes", json=body)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [field])
    assert api.get(f"/api/runs/{run_id}/notes").json() == {"notes": []}


def test_a_secret_is_taken_out(api: Client, run_id: str) -> None:
    told = api.post(f"/api/runs/{run_id}/notes", json={"note": "password=hunter2hunter2"}).text
    assert "hunter2" not in told
    assert "REDACTED" in told


def test_bad_texts_and_documents_never_break_the_server(api: Client, run_id: str) -> None:
    for text in (*corpus.BAD_TEXTS.values(), *corpus.TERMINAL.values()):
        body = {"note": text, "author": text, "labels": [text], "actions": [text]}
        answer = api.post(f"/api/runs/{run_id}/notes", content=json.dumps(body), headers=JSON)
        assert answer.status_code == (201 if text.replace("\0", "x").strip() else 400), (text, answer.text)
    for document in corpus.BAD_JSON.values():
        for content in (document, b'{"note":' + document + b"}"):
            answer = api.post(f"/api/runs/{run_id}/notes", content=content, headers=JSON)
            assert answer.status_code in (201, 400), (content[:40], answer.text)
    assert api.get(f"/api/runs/{run_id}/notes").status_code == 200


def test_a_run_that_is_not_there_has_no_notes(api: Client) -> None:
    assert api.get("/api/runs/nobody/notes").status_code == 404
    answer = api.post("/api/runs/nobody/notes", json={"note": "x"})
    assert (answer.status_code, answer.json()["code"]) == (404, "run_not_found")


def test_another_tenants_run_has_none_either(tenants: tuple[Tenant, Tenant], store: SqlStore) -> None:
    acme, other = tenants
    assert acme.ask("GET", f"/api/runs/{other.run_id}/notes").status_code == 404
    assert acme.ask("POST", f"/api/runs/{other.run_id}/notes", {"note": "x"}).status_code == 404
    assert store.list_notes(other.run_id) == []
    assert acme.ask("POST", f"/api/runs/{acme.run_id}/notes", {"note": "x"}).status_code == 201
