"""Files out of the server and back in: complete, streamed, safe in a spreadsheet."""

from __future__ import annotations

import csv
import errno
import gzip
import io
import json
import tempfile
import tracemalloc
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest

from runline.export.runs import COLUMNS
from runline.model.clock import ManualClock
from runline.model.wire.runs import run_summary
from runline.server.routes import exports
from runline.server.settings import Settings
from runline.store.sql_store import SqlStore
from runline.testing import corpus
from runline.testing.serving import client, serving
from runline.testing.streams import tagged
from tests.server.routes import shapes

if TYPE_CHECKING:
    from runline.testing.serving import Client
    from tests.server.routes.conftest import Tenant

JSON = {"Content-Type": "application/json"}
NDJSON = {"Content-Type": "application/x-ndjson"}
HEADERS = {"json": JSON, "jsonl": NDJSON}


@pytest.fixture
def run_id(store: SqlStore) -> str:
    run_id = store.create_run("nightly", tags=["prod"], input={"date": "2026-11-20"}).run_id
    store.append(run_id, [{"type": "step_started", "step": "load", "data": {"n": [1, None]}}])
    store.append(run_id, tagged("e", 1500))
    store.add_note(run_id, "slow", author="me")
    store.end_run(run_id, "failed", error="disk full")
    return run_id


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


# -- the list


def test_the_whole_list_not_one_page_of_it(api: Client, store: SqlStore) -> None:
    for n in range(250):
        store.create_run("many", run_id=f"many-{n:03}")
    ids = [f"many-{n:03}" for n in range(249, -1, -1)]
    answer = api.get("/api/runs/export")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="runs-20261120-184000.csv"'
    assert [row["run_id"] for row in rows(answer.content)] == ids
    answer = api.get("/api/runs/export?format=json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"] == 'attachment; filename="runs-20261120-184000.json"'
    assert list(answer.json()) == ["exported_at_utc", "runs"]
    assert [run["run_id"] for run in answer.json()["runs"]] == ids


def test_a_row_has_the_summarys_figures_and_no_formula(api: Client, store: SqlStore, run_id: str) -> None:
    for lead in corpus.CSV_LEADS:
        store.create_run(f"x{lead}", tags=[f"{lead}1+1"], input=None)
    store.create_run("=cmd|' /C calc'!A0", tags=["+1"])
    for row in rows(api.get("/api/runs/export").content):
        assert not any(cell.startswith(corpus.CSV_LEADS) for cell in row.values())
    (row,) = rows(api.get("/api/runs/export?status=failed").content)
    assert tuple(row) == COLUMNS
    assert (row["run_id"], row["event_count"], row["error_message"], row["tags"]) == (
        run_id,
        "1503",
        "disk full",
        "prod",
    )


def test_the_document_has_summaries(api: Client, store: SqlStore, run_id: str) -> None:
    (run,) = api.get("/api/runs/export?format=json").json()["runs"]
    assert set(run) >= shapes.RUN
    assert run == json.loads(msgspec.json.encode(run_summary(store.get_run(run_id))))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=running", ["b", "a"]),
        ("pipeline=a,failed", ["failed", "a"]),
        ("tag=x", ["b"]),
        ("q=status:failed", ["failed"]),
        ("since=90s", ["failed", "b"]),
        ("until=90s", ["a"]),
        ("kind=session", []),
    ],
)
def test_the_list_takes_the_filters_of_the_list(
    api: Client, store: SqlStore, clock: ManualClock, query: str, found: list[str]
) -> None:
    store.create_run("a")
    clock.advance(s=60)
    store.create_run("b", tags=["x"])
    clock.advance(s=60)
    store.end_run(store.create_run("failed").run_id, "failed")
    assert [row["pipeline_name"] for row in rows(api.get(f"/api/runs/export?{query}").content)] == found


@pytest.mark.parametrize(
    "query", ["format=xlsx", "format=jsonl", "limit=3", "cursor=x", "q=nope:x", "status=done"]
)
def test_what_is_wrong_about_the_list_is_refused_before_it_begins(api: Client, query: str) -> None:
    answer = api.get(f"/api/runs/export?{query}")
    assert (answer.status_code, "content-disposition" in answer.headers) == (400, False)


def test_a_format_that_is_none_names_the_known_ones(api: Client, run_id: str) -> None:
    assert api.get("/api/runs/export?format=xlsx").json()["error"] == "'xlsx' is no format; one of csv, json."
    told = api.get(f"/api/runs/{run_id}/export?format=html").json()["error"]
    assert told == "'html' is no format; one of json, jsonl, csv."


# -- one run


def test_a_run_as_json_has_everything(api: Client, store: SqlStore, run_id: str) -> None:
    answer = api.get(f"/api/runs/{run_id}/export")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"] == f'attachment; filename="{run_id}.json"'
    told = answer.json()
    assert set(told) == shapes.TIMELINE_EXPORT | {"run"}
    assert told["run"]["input"] == {"date": "2026-11-20"}
    assert [event["event_index"] for event in told["events"]] == list(range(1, 1504))
    assert [note["note"] for note in told["notes"]] == ["slow"]


def test_a_run_as_lines(api: Client, run_id: str) -> None:
    answer = api.get(f"/api/runs/{run_id}/export?format=jsonl")
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.headers["content-disposition"] == f'attachment; filename="{run_id}.jsonl"'
    head, *lines = map(json.loads, answer.content.splitlines())
    assert (head["runline"], head["run"]["run_id"]) == (1, run_id)
    assert [set(line) for line in lines] == [shapes.CANONICAL] * 1503
    assert [line["seq"] for line in lines] == list(range(1, 1504))


def test_a_run_as_a_table(api: Client, run_id: str) -> None:
    answer = api.get(f"/api/runs/{run_id}/export?format=csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="{run_id}.csv"'
    assert [row["seq"] for row in rows(answer.content)] == [str(n) for n in range(1, 1504)]


@pytest.mark.parametrize("format", ["json", "jsonl", "csv"])
def test_a_run_that_is_not_there_or_anothers(tenants: tuple[Tenant, Tenant], format: str) -> None:
    acme, other = tenants
    nobody = acme.ask("GET", f"/api/runs/nobody/export?format={format}")
    foreign = acme.ask("GET", f"/api/runs/{other.run_id}/export?format={format}")
    assert (nobody.status_code, nobody.json()["code"]) == (404, "run_not_found")
    assert foreign.text.replace(other.run_id, "nobody") == nobody.text
    assert acme.ask("GET", f"/api/runs/{acme.run_id}/export?format={format}").status_code == 200


def test_the_list_of_a_tenant_is_its_own(tenants: tuple[Tenant, Tenant]) -> None:
    acme, _ = tenants
    assert [row["run_id"] for row in rows(acme.ask("GET", "/api/runs/export").content)] == [acme.run_id]
    assert acme.ask("GET", "/api/runs/export?tenant=other").status_code == 403


def test_an_export_is_sent_as_it_is_read(store: SqlStore) -> None:
    run_id = store.create_run("long").run_id
    for _ in range(10):
        store.append(run_id, [{"message": "m", "data": {"text": "x" * 10_000}}] * 300)
    with serving(store) as server, httpx.stream("GET", f"{server.url}/api/runs/{run_id}/export") as answer:
        pieces = answer.iter_bytes()
        next(pieces)
        tracemalloc.start()
        size = sum(map(len, pieces))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert size > 30_000_000
    assert peak < 25_000_000


def test_whoever_breaks_off_an_export_leaves_the_server_well(store: SqlStore, run_id: str) -> None:
    with serving(store) as server:
        for _ in range(3):
            with httpx.stream("GET", f"{server.url}/api/runs/{run_id}/export") as answer:
                next(answer.iter_bytes())
        assert httpx.get(f"{server.url}/api/runs/{run_id}").status_code == 200


# -- import


@pytest.mark.parametrize("format", ["json", "jsonl"])
@pytest.mark.parametrize("zipped", [False, True])
def test_a_run_comes_back_equal(api: Client, store: SqlStore, run_id: str, format: str, zipped: bool) -> None:
    document = api.get(f"/api/runs/{run_id}/export?format={format}").content
    before = store.get_run(run_id), store.read(run_id, limit=1000), store.state(run_id)
    store.delete_run(run_id)
    headers = HEADERS[format] | ({"Content-Encoding": "gzip"} if zipped else {})
    answer = api.post(
        "/api/runs/import", content=gzip.compress(document) if zipped else document, headers=headers
    )
    assert answer.status_code == 201
    assert set(answer.json()) >= shapes.RUN
    assert answer.json()["run_id"] == run_id
    run = store.get_run(run_id)
    same = (
        "run_id",
        "name",
        "status",
        "started_at_ms",
        "completed_at_ms",
        "last_seq",
        "tags",
        "input_json",
        "note_count",
    )
    assert [getattr(run, name) for name in same] == [getattr(before[0], name) for name in same]
    assert (store.read(run_id, limit=1000), store.state(run_id)) == before[1:]


def test_an_id_that_is_taken_needs_another(api: Client, store: SqlStore, run_id: str) -> None:
    document = api.get(f"/api/runs/{run_id}/export?format=jsonl").content
    taken = api.post("/api/runs/import", content=document, headers=NDJSON)
    assert (taken.status_code, taken.json()["code"]) == (409, "run_exists")
    answer = api.post("/api/runs/import?as=copy-1", content=document, headers=NDJSON)
    assert (answer.status_code, answer.json()["run_id"]) == (201, "copy-1")
    assert store.get_run("copy-1").last_seq == 1503
    bad = api.post("/api/runs/import?as=../x", content=document, headers=NDJSON)
    assert (bad.status_code, bad.json()["code"]) == (400, "bad_run_id")


def test_the_timelines_export_can_be_imported(api: Client, store: SqlStore, run_id: str) -> None:
    document = api.get(f"/api/timeline/export?run_id={run_id}").content
    answer = api.post("/api/runs/import?as=copy-1", content=document, headers=JSON)
    assert (answer.status_code, answer.json()["status"]) == (201, "failed")


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"7", b'{"runline":2}', b'{"run_id":"r","events":[]}', b"\xff"]
)
def test_what_is_no_export_is_refused(api: Client, content: bytes) -> None:
    answer = api.post("/api/runs/import", content=content, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_export")


def test_bad_documents_never_break_the_server_or_leave_anything(api: Client, store: SqlStore) -> None:
    start: dict[str, Any] = {"seq": 1, "type": "run_started", "data": {"name": "x"}}
    head = json.dumps({"runline": 1, "run": {"run_id": "r"}, "notes": []}).encode() + b"\n"
    for document in corpus.BAD_JSON.values():
        for content in (
            document,
            b'{"run_id":"r","events":[' + document + b"]}",
            head + json.dumps(start).encode() + b"\n" + document,
        ):
            answer = api.post("/api/runs/import", content=content, headers=JSON)
            assert answer.status_code in (201, 400), (content[:80], answer.text)
            if answer.status_code == 201:
                store.end_run("r")
                store.delete_run("r")
    assert api.get("/api/runs").json()["runs"] == []


def test_an_export_that_was_cut_off_leaves_nothing(api: Client, store: SqlStore, run_id: str) -> None:
    document = api.get(f"/api/runs/{run_id}/export").content
    for size in (1, 100, 1000, len(document) // 2, len(document) - 5):
        answer = api.post("/api/runs/import?as=cut", content=document[:size], headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_export")
    assert api.get("/api/runs/cut").status_code == 404


def test_an_import_may_be_larger_than_a_request(store: SqlStore, run_id: str) -> None:
    with client(store, Settings(request_bytes=10_000)) as api:
        document = api.get(f"/api/runs/{run_id}/export").content
        assert len(document) > 100_000
        assert api.post("/api/runs/import?as=large", content=document, headers=JSON).status_code == 201


def test_an_import_has_its_own_limit(api: Client) -> None:
    headers = JSON | {"Content-Length": str(exports.IMPORT_BYTES + 1)}
    answer = api.post("/api/runs/import", content=b"{}", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize("media", ["text/plain", "multipart/form-data; boundary=x", "text/csv"])
def test_a_form_of_another_site_cannot_import(api: Client, media: str) -> None:
    answer = api.post("/api/runs/import", content=b"{}", headers={"Content-Type": media})
    assert answer.status_code == 415


@pytest.mark.parametrize(
    ("number", "status", "code"), [(errno.ENOSPC, 507, "store_full"), (errno.EIO, 503, "import_not_kept")]
)
def test_a_disk_that_does_not_take_it(
    api: Client, monkeypatch: pytest.MonkeyPatch, number: int, status: int, code: str
) -> None:
    class Full(tempfile.SpooledTemporaryFile[bytes]):
        def write(self, _: object) -> int:
            raise OSError(number, "no")

    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", Full)
    answer = api.post("/api/runs/import", content=b"{}", headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_an_import_needs_admin_and_becomes_the_tenants(
    tenants: tuple[Tenant, Tenant], store: SqlStore, run_id: str
) -> None:
    acme, other = tenants
    document = acme.api.get(f"/api/runs/{other.run_id}/export", headers=other.headers).content
    answer = acme.api.post("/api/runs/import?as=mine", content=document, headers=acme.headers | JSON)
    assert (answer.status_code, answer.json()["tenant_id"]) == (201, "acme")
    secret = store.create_token("operator", scopes=("operate", "ingest", "read"), tenant="acme").secret
    weak = acme.api.post(
        "/api/runs/import", content=document, headers=JSON | {"Authorization": f"Bearer {secret}"}
    )
    assert (weak.status_code, weak.json()["code"]) == (403, "missing_scope")


def test_the_words_before_an_id_are_no_ids(api: Client) -> None:
    for path in ("/api/runs/export", "/api/runs/counts"):
        assert api.get(path).status_code == 200
    for taken in ("export", "import", "bulk", "counts"):
        assert api.post("/api/runs", json={"name": "x", "run_id": taken}).status_code == 400
