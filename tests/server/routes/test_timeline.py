"""The Timeline's API, as its document and contracts.md say."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from runline.export.load import read_export
from runline.model.clock import ManualClock, to_iso
from runline.store.sql_store import SqlStore
from runline.testing import corpus
from runline.testing.streams import tagged
from tests.server.routes import shapes
from tests.server.routes.test_notes import BAD_NOTES

if TYPE_CHECKING:
    from runline.testing.serving import Client
    from tests.server.routes.conftest import Tenant

JSON = {"Content-Type": "application/json"}
NEED_RUN_ID = ("events", "summary", "notes", "export")


@pytest.fixture
def run_id(store: SqlStore, clock: ManualClock) -> str:
    """Ten events: the start, then info in `load`, warn in `load` and error without a step, three times."""
    run_id = store.create_run("nightly").run_id
    for n in range(9):
        clock.advance(s=1)
        level, step = (("info", "load"), ("warn", "load"), ("error", None))[n % 3]
        store.append(run_id, [{"message": f"m{n}", "level": level, "step": step, "data": {"n": n}}])
    return run_id


def indexes(api: Client, query: str) -> list[int]:
    answer = api.get(f"/api/timeline/events?{query}")
    assert answer.status_code == 200, answer.text
    return [event["event_index"] for event in answer.json()["events"]]


# -- runs


def test_runs_with_their_window(api: Client, store: SqlStore, run_id: str, clock: ManualClock) -> None:
    store.create_run("later")
    told = api.get("/api/timeline/runs").json()
    assert list(told) == ["runs"]
    assert [set(run) for run in told["runs"]] == [shapes.TIMELINE_RUN] * 2
    run = store.get_run(run_id)
    assert told["runs"][1] == {
        "run_id": run_id,
        "status": "running",
        "started_at": to_iso(run.started_at_ms),
        "window_start": to_iso(run.started_at_ms),
        "window_end": to_iso(clock.now_ms()),
        "event_count": 10,
    }


def test_50_runs_and_at_most_500(api: Client, store: SqlStore) -> None:
    for n in range(503):
        store.create_run("many", run_id=f"many-{n:03}")
    for query, size in (("", 50), ("limit=1", 1), ("limit=100", 100), ("limit=250", 250), ("limit=501", 500)):
        runs = api.get(f"/api/timeline/runs?{query}").json()["runs"]
        assert [run["run_id"] for run in runs] == [f"many-{n:03}" for n in range(502, 502 - size, -1)]


# -- events


def test_events_in_the_seeds_words(api: Client, store: SqlStore, run_id: str) -> None:
    told = api.get(f"/api/timeline/events?run_id={run_id}").json()
    assert list(told) == ["events"]
    assert [set(event) for event in told["events"]] == [shapes.TIMELINE_EVENT] * 10
    stored = store.read(run_id)[2]
    assert told["events"][2] == {
        "id": stored.id,
        "run_id": run_id,
        "event_index": 3,
        "ts_utc": to_iso(stored.ts_ms),
        "stage": "load",
        "severity": "warn",
        "message": "m1",
        "elapsed_s": 2.0,
        "details": {"n": 1},
    }
    assert told["events"][3]["stage"] == "run"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        ("after_event_index=-1", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        ("after_event_index=0", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        ("after_event_index=1", [2, 3, 4, 5, 6, 7, 8, 9, 10]),
        ("after_event_index=9", [10]),
        ("after_event_index=10", []),
        ("after_event_index=1000000000000000000000", []),
        ("limit=3", [1, 2, 3]),
        ("limit=3&after_event_index=5", [6, 7, 8]),
        ("order=asc&limit=2", [1, 2]),
        ("order=desc&limit=3", [10, 9, 8]),
        ("order=desc&limit=3&after_event_index=8", [10, 9]),
        ("stage=load", [2, 3, 5, 6, 8, 9]),
        ("stage=run", [1, 4, 7, 10]),
        ("stage=run,load&severity=warn", [3, 6, 9]),
        ("stage=run&stage=load&limit=2", [1, 2]),
        ("stage=nowhere", []),
        ("stage=", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        ("severity=error", [4, 7, 10]),
        ("severity=warn,error", [3, 4, 6, 7, 9, 10]),
        ("severity=info&order=desc", [8, 5, 2, 1]),
        ("stage=load&severity=warn&after_event_index=3&order=desc&limit=1", [9]),
    ],
)
def test_which_events(api: Client, run_id: str, query: str, found: list[int]) -> None:
    assert indexes(api, f"run_id={run_id}&{query}") == found


def test_200_events_and_at_most_1000(api: Client, store: SqlStore) -> None:
    run_id = store.create_run("long").run_id
    store.append(run_id, tagged("e", 1100))
    for query, size in (("", 200), ("&limit=1000", 1000), ("&limit=1001", 1000), ("&limit=1000000000", 1000)):
        assert indexes(api, f"run_id={run_id}{query}") == list(range(1, size + 1))
    newest = indexes(api, f"run_id={run_id}&order=desc")
    assert newest == list(range(1101, 901, -1))


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=abc", "limit"),
        ("after_event_index=-2", "after_event_index"),
        ("after_event_index=x", "after_event_index"),
        ("severity=fatal", "severity"),
        ("severity=INFO", "severity"),
        ("order=newest", "order"),
        ("after=3", "after"),
        ("run_id=again", "run_id"),
    ],
)
def test_what_is_wrong_about_events_is_refused_with_a_detail(
    api: Client, run_id: str, query: str, field: str
) -> None:
    answer = api.get(f"/api/timeline/events?run_id={run_id}&{query}")
    told = answer.json()
    assert (answer.status_code, list(told["fields"])) == (400, [field])
    assert told["detail"] == told["error"]


def test_a_closed_value_names_the_known_ones(api: Client, run_id: str) -> None:
    told = api.get(f"/api/timeline/events?run_id={run_id}&severity=fatal").json()
    assert told["error"] == "'fatal' is no severity; one of info, warn, error."


# -- summary


def test_the_summary(api: Client, run_id: str, clock: ManualClock) -> None:
    clock.advance(s=5)
    told = api.get(f"/api/timeline/summary?run_id={run_id}").json()
    assert list(told) == ["summary"]
    assert set(told["summary"]) == shapes.TIMELINE_SUMMARY
    assert told["summary"] == {
        "run_id": run_id,
        "status": "running",
        "started_at": "2026-11-20T18:40:00.000Z",
        "event_count": 10,
        "error_event_count": 3,
        "warn_event_count": 3,
        "duration_s": 14.0,
        "last_stage": "run",
        "last_message": "m8",
        "by_stage": {"load": 6, "run": 4},
        "by_severity": {"info": 4, "warn": 3, "error": 3},
    }


def test_the_duration_of_an_ended_run_is_to_its_last_event(
    api: Client, store: SqlStore, run_id: str, clock: ManualClock
) -> None:
    store.end_run(run_id)
    clock.advance(s=100)
    told = api.get(f"/api/timeline/summary?run_id={run_id}").json()["summary"]
    assert (told["duration_s"], told["status"]) == (9.0, "completed")


# -- notes


def test_a_note_is_written_and_listed(api: Client, run_id: str) -> None:
    body = {
        "run_id": run_id,
        "note": "vendor API slow",
        "author": "me",
        "labels": ["vendor"],
        "actions": ["open ticket"],
        "event_index": 4,
    }
    answer = api.post("/api/timeline/notes", json=body)
    assert (answer.status_code, answer.json()) == (200, {"created": True, "id": 1})
    (note,) = api.get(f"/api/timeline/notes?run_id={run_id}").json()["notes"]
    assert set(note) == shapes.NOTE
    assert note == body | {"id": 1, "created_at_utc": "2026-11-20T18:40:09.000Z"}
    short = api.post("/api/timeline/notes", json={"run_id": run_id, "note": "x", "labels": None})
    assert short.json() == {"created": True, "id": 2}


def test_100_notes_newest_first_and_at_most_500(
    api: Client, store: SqlStore, run_id: str, clock: ManualClock
) -> None:
    made = []
    for n in range(502):
        clock.advance(ms=1)
        made.append(store.add_note(run_id, f"note {n}").id)
    for query, size in (("", 100), ("&limit=7", 7), ("&limit=501", 500), ("&limit=1000000000", 500)):
        notes = api.get(f"/api/timeline/notes?run_id={run_id}{query}").json()["notes"]
        assert [note["id"] for note in notes] == made[::-1][:size]
    assert api.get(f"/api/timeline/notes?run_id={run_id}&limit=0").status_code == 400


@pytest.mark.parametrize(("body", "field"), [({}, "note"), *BAD_NOTES])
def test_what_is_no_note_is_refused_by_field(
    api: Client, run_id: str, body: dict[str, Any], field: str
) -> None:
    given = {"run_id": run_id} | body
    if body.get("event_index") == 2:
        given["event_index"] = 11
    told = api.post("/api/timeline/notes", json=given)
    assert (told.status_code, list(told.json()["fields"])) == (400, [field])
    assert told.json()["detail"] == told.json()["error"]
    assert api.get(f"/api/timeline/notes?run_id={run_id}").json() == {"notes": []}


@pytest.mark.parametrize("given", ["", "  ", None, 7])
def test_a_run_id_that_is_blank_or_none_is_a_400(api: Client, given: object) -> None:
    answer = api.post("/api/timeline/notes", json={"run_id": given, "note": "x"})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["run_id"])


def test_a_note_without_a_run_id_is_a_422(api: Client) -> None:
    for body in ({"note": "x"}, {}):
        answer = api.post("/api/timeline/notes", json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "missing_run_id")
        assert answer.json()["detail"] == answer.json()["error"]
    assert api.post("/api/timeline/notes").status_code == 422


def test_bad_documents_never_break_the_server(api: Client, run_id: str) -> None:
    for document in corpus.BAD_JSON.values():
        for content in (document, b'{"run_id":"' + run_id.encode() + b'","note":' + document + b"}"):
            answer = api.post("/api/timeline/notes", content=content, headers=JSON)
            assert answer.status_code in (200, 400, 422), (content[:60], answer.text)
    for text in (*corpus.BAD_TEXTS.values(), *corpus.PATHS):
        body = json.dumps({"run_id": text, "note": text})
        assert api.post("/api/timeline/notes", content=body, headers=JSON).status_code in (400, 404), text


# -- export


def test_the_export_is_whole_and_a_download(api: Client, store: SqlStore) -> None:
    run_id = store.create_run("long").run_id
    store.append(run_id, tagged("e", 3000))
    for n in range(3):
        store.add_note(run_id, f"note {n}")
    answer = api.get(f"/api/timeline/export?run_id={run_id}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"] == f'attachment; filename="timeline-{run_id}.json"'
    assert "content-length" not in answer.headers
    told = answer.json()
    assert set(told) == shapes.TIMELINE_EXPORT
    assert (told["run_id"], told["exported_at_utc"]) == (run_id, to_iso(store.clock.now_ms()))
    assert told["summary"] == api.get(f"/api/timeline/summary?run_id={run_id}").json()["summary"]
    assert told["notes"] == api.get(f"/api/timeline/notes?run_id={run_id}").json()["notes"]
    assert [event["event_index"] for event in told["events"]] == list(range(1, 3002))
    assert told["events"][:200] == api.get(f"/api/timeline/events?run_id={run_id}").json()["events"]
    header, events = read_export(io.BytesIO(answer.content))
    assert (header.run["run_id"], len(list(events))) == (run_id, 3001)


# -- live


def test_live_is_the_active_run_that_started_last(api: Client, store: SqlStore, clock: ManualClock) -> None:
    assert api.get("/api/timeline/live").json() == {"run_id": None, "events": []}
    active = store.create_run("active").run_id
    clock.advance(s=1)
    ended = store.create_run("ended").run_id
    store.end_run(ended)
    told = api.get("/api/timeline/live").json()
    assert (told["run_id"], len(told["events"])) == (active, 1)
    assert set(told["events"][0]) == shapes.TIMELINE_EVENT
    store.end_run(active)
    assert api.get("/api/timeline/live").json()["run_id"] == ended
    assert api.get(f"/api/timeline/live?run_id={active}").json()["run_id"] == active
    assert api.get("/api/timeline/live?run_id=").json()["run_id"] == ended


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        ("limit=2", [1, 2]),
        ("limit=2&order=desc", [10, 9]),
        ("after_event_index=8", [9, 10]),
        ("after_event_index=-1&limit=1", [1]),
        ("after_event_index=9&order=desc", [10]),
    ],
)
def test_live_takes_a_page(api: Client, run_id: str, query: str, found: list[int]) -> None:
    events = api.get(f"/api/timeline/live?{query}").json()["events"]
    assert [event["event_index"] for event in events] == found


@pytest.mark.parametrize("query", ["limit=0", "after_event_index=-2", "order=up", "stage=load"])
def test_what_is_wrong_about_live_is_refused(api: Client, query: str) -> None:
    assert api.get(f"/api/timeline/live?{query}").status_code == 400


# -- runs that are not there, and those of others


@pytest.mark.parametrize("path", NEED_RUN_ID)
@pytest.mark.parametrize("query", ["", "run_id="])
def test_a_missing_run_id_is_a_422(api: Client, path: str, query: str) -> None:
    answer = api.get(f"/api/timeline/{path}?{query}")
    told = answer.json()
    assert (answer.status_code, told["code"], list(told["fields"])) == (422, "missing_run_id", ["run_id"])
    assert told["detail"] == told["error"]


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("events", 200, {"events": []}),
        ("notes", 200, {"notes": []}),
        ("live", 200, {"run_id": "nobody", "events": []}),
        ("summary", 404, None),
        ("export", 404, None),
    ],
)
def test_a_run_that_is_not_there_and_another_tenants_are_answered_alike(
    tenants: tuple[Tenant, Tenant], path: str, status: int, told: object
) -> None:
    acme, other = tenants
    nobody = acme.ask("GET", f"/api/timeline/{path}?run_id=nobody")
    foreign = acme.ask("GET", f"/api/timeline/{path}?run_id={other.run_id}")
    assert (nobody.status_code, foreign.status_code) == (status, status)
    assert foreign.text.replace(other.run_id, "nobody") == nobody.text
    if told is None:
        assert nobody.json()["detail"] == nobody.json()["error"]
        assert "content-disposition" not in nobody.headers
    else:
        assert nobody.json() == told


def test_a_note_about_a_run_that_is_not_there_or_anothers_is_a_404(
    tenants: tuple[Tenant, Tenant], store: SqlStore
) -> None:
    acme, other = tenants
    for run_id in ("nobody", other.run_id):
        answer = acme.ask("POST", "/api/timeline/notes", {"run_id": run_id, "note": "x"})
        assert (answer.status_code, answer.json()["code"]) == (404, "run_not_found")
    assert store.list_notes(other.run_id) == []


def test_a_tenants_lists_are_its_own(tenants: tuple[Tenant, Tenant]) -> None:
    acme, other = tenants
    assert [run["run_id"] for run in acme.ask("GET", "/api/timeline/runs").json()["runs"]] == [acme.run_id]
    assert other.ask("GET", "/api/timeline/live").json()["run_id"] == other.run_id
    assert acme.ask("GET", "/api/timeline/runs?tenant=other").status_code == 403


def test_a_removed_runs_timeline_is_empty_and_its_summary_says_why(
    api: Client, store: SqlStore, run_id: str
) -> None:
    store.end_run(run_id)
    store.delete_run(run_id)
    assert indexes(api, f"run_id={run_id}") == []
    assert api.get(f"/api/timeline/summary?run_id={run_id}").json()["code"] == "pruned"
