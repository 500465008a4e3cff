"""Artifacts over HTTP: whole or not at all, and never shown by a browser as a page of ours."""

from __future__ import annotations

import gzip
import socket
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import httpx
import pytest

from runline.intake.names import clean_name
from runline.model.wire.artifacts import ArtifactMetadata, ArtifactSummary
from runline.server.routes import artifacts as routes
from runline.server.settings import Settings
from runline.store import artifact_content, artifact_files
from runline.store.sql_store import SqlStore
from runline.testing import corpus
from runline.testing.serving import client, serving

if TYPE_CHECKING:
    from runline.testing.serving import Client

SECRET = "ghp_" + "a1B2" * 9


@pytest.fixture
def run_id(store: SqlStore) -> str:
    return store.create_run("r", run_id="r").run_id


def url(name: str, step: str = "_run") -> str:
    return f"/api/runs/r/artifacts/{quote(step, safe='')}/{quote(name, safe='')}"


def files(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "artifacts").rglob("*") if path.is_file())


def test_uploaded_listed_and_read(api: Client, store: SqlStore, run_id: str) -> None:
    answer = api.put(
        url("report.html", "render"),
        content=b"<h1>Done</h1>",
        params={"type": "report", "data": '{"pages": 3}'},
    )
    assert answer.status_code == 201
    put = answer.json()
    assert set(put) == set(ArtifactSummary.__struct_fields__)
    assert (put["name"], put["step_id"], put["type"], put["size_bytes"]) == (
        "report.html",
        "render",
        "report",
        13,
    )
    event = store.read(run_id, types=["artifact_created"])[0]
    assert event.data["pages"] == 3
    assert api.get("/api/runs/r/artifacts").json() == {"artifacts": [put]}
    read = api.get(url("report.html", "render")).json()
    assert read["content"] == "<h1>Done</h1>"
    assert set(read["metadata"]) == set(ArtifactMetadata.__struct_fields__)
    assert read["metadata"] == {**put, "truncated": False, "binary": False}


def test_the_file_as_it_is_is_saved_and_never_shown(api: Client, run_id: str) -> None:
    content = f"<script>alert(1)</script> {SECRET}".encode()
    api.put(url("päge.html"), content=content)
    text = api.get(url("päge.html"))
    assert SECRET not in text.text and "[REDACTED:" in text.json()["content"]
    raw = api.get(url("päge.html"), params={"raw": "true"})
    assert (raw.status_code, raw.content) == (200, content)
    assert raw.headers["content-type"] == "text/plain; charset=utf-8"
    assert raw.headers["content-disposition"] == "attachment; filename*=UTF-8''p%C3%A4ge.html"
    assert raw.headers["content-security-policy"].startswith("sandbox;")
    assert raw.headers["x-content-type-options"] == "nosniff"
    assert raw.headers["cache-control"] == "no-store"


def test_the_file_as_it_is_needs_the_scope_operate(store: SqlStore, run_id: str) -> None:
    store.put_artifact(run_id, "a", b"x")
    with client(store, Settings(auth=True)) as api:
        for scope, status in (("read", 403), ("operate", 403), ("admin", 200)):
            api.headers["Authorization"] = f"Bearer {store.create_token('t', scopes=[scope]).secret}"
            assert api.get(url("a"), params={"raw": "true"}).status_code == status
        both = store.create_token("t", scopes=["read", "operate"]).secret
        api.headers["Authorization"] = f"Bearer {both}"
        assert api.get(url("a"), params={"raw": "1"}).text == "x"
        ingest = store.create_token("t", scopes=["ingest"]).secret
        api.headers["Authorization"] = f"Bearer {ingest}"
        assert api.get(url("a")).status_code == 403
        assert api.put(url("b"), content=b"x").status_code == 201
        read = store.create_token("t", scopes=["read"]).secret
        api.headers["Authorization"] = f"Bearer {read}"
        assert api.put(url("c"), content=b"x").json()["code"] == "missing_scope"
        assert api.get(url("a"), params={"raw": "true"}).json()["code"] == "missing_scope"


def test_an_empty_file_is_one(api: Client, run_id: str) -> None:
    assert api.put(url("empty"), content=b"").json()["size_bytes"] == 0
    assert api.get(url("empty"), params={"raw": "true"}).content == b""
    assert api.get(url("empty")).json()["content"] == ""


# A client takes dots alone for steps of the path; see below for one that does not.
@pytest.mark.parametrize("name", [path for path in corpus.PATHS if path.strip(" .")])
def test_a_name_is_what_was_sent_and_leads_nowhere(
    api: Client, store: SqlStore, run_id: str, tmp_path: Path, name: str
) -> None:
    for step in (name, "s"):
        put = api.put(url(name, step), content=b"here")
        assert put.status_code == 201, put.text
        assert put.json()["step_id"] == clean_name(step)
        assert api.get(url(name, step)).json()["content"] == "here"
        assert api.get(url(name, step), params={"raw": "true"}).content == b"here"
    root = (tmp_path / "artifacts").resolve()
    assert all(path.resolve().is_relative_to(root / "r") for path in root.rglob("*") if path.is_file())


def test_slashes_and_dots_of_a_client_that_does_not_tidy_up(
    store: SqlStore, run_id: str, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("outside")
    with serving(store) as server:
        for path in (
            "/api/runs/r/artifacts/_run/../../secret",
            "/api/runs/r/artifacts/../../../secret",
            "/api/runs/../artifacts/_run/secret",
            "/api/runs/r/artifacts/_run/..",
            "/api/runs/r/artifacts/%2e%2e/%2e%2e%2fsecret",
            "/api/runs/r/artifacts/_run/%2e%2e%2f%2e%2e%2fsecret",
            "/api/runs/r/artifacts/_run//etc/passwd",
            "/api/runs/r/artifacts/_run/%00",
        ):
            answer = raw_get(server.url, path)
            assert b"outside" not in answer and b"root:" not in answer
            assert answer.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400")), (path, answer[:200])


def raw_get(base: str, path: str) -> bytes:
    parts = urlsplit(base)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return answer


def test_an_address_that_hides_its_parts(store: SqlStore, run_id: str) -> None:
    with serving(store) as server:
        answer = raw_get(server.url, "/api/runs/r/%61rtifacts/_run/a")
    assert answer.startswith(b"HTTP/1.1 400") and b"bad_path" in answer


@pytest.mark.parametrize("path", ["%ff", "%c0%af", "%ed%a0%80"])
def test_a_name_that_is_no_text(api: Client, run_id: str, path: str) -> None:
    answer = api.put(f"/api/runs/r/artifacts/_run/{path}", content=b"x")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_path")


def test_an_address_without_a_place(api: Client, run_id: str) -> None:
    assert api.put("/api/runs/r/artifacts/_run/", content=b"x").status_code in (400, 404, 405)
    assert api.put("/api/runs/r/artifacts/_run", content=b"x").status_code in (400, 404, 405)


def test_a_server_that_does_not_tell_the_path_as_it_was_sent() -> None:
    scope = {"path": "/x/api/runs/r/artifacts/s/a/b ü", "raw_path": None}
    assert routes._place(scope) == ("s", "a/b ü")


def test_unknown_gone_and_outside_are_told_apart(
    api: Client, store: SqlStore, run_id: str, tmp_path: Path
) -> None:
    put = api.put(url("a"), content=b"x").json()
    (tmp_path / "artifacts" / put["path"]).unlink()
    store.append("r", [{"type": "artifact_created", "data": {"name": "o", "path": "/etc/passwd"}}])
    for name, status, code in (
        ("nothing", 404, "artifact_not_found"),
        ("a", 404, "artifact_gone"),
        ("o", 403, "artifact_outside"),
    ):
        for raw in ("false", "true"):
            answer = api.get(url(name), params={"raw": raw})
            assert (answer.status_code, answer.json()["code"]) == (status, code)
    for path in ("/api/runs/x/artifacts", "/api/runs/x/artifacts/_run/a"):
        assert api.get(path).json()["code"] == "run_not_found"
    assert api.put("/api/runs/x/artifacts/_run/a", content=b"x").json()["code"] == "run_not_found"
    store.end_run("r")
    answer = api.put(url("late"), content=b"x")
    assert (answer.status_code, answer.json()["code"]) == (409, "run_ended")


def test_another_tenants_are_not_there(store: SqlStore, run_id: str) -> None:
    store.put_artifact(run_id, "a", b"x")
    secret = store.create_token("t", scopes=["admin"], tenant="other").secret
    with client(store, Settings(auth=True)) as api:
        api.headers["Authorization"] = f"Bearer {secret}"
        for answer in (
            api.get("/api/runs/r/artifacts"),
            api.get(url("a")),
            api.get(url("a"), params={"raw": "true"}),
            api.put(url("b"), content=b"x"),
        ):
            assert (answer.status_code, answer.json()["code"]) == (404, "run_not_found")


@pytest.mark.parametrize("data", ["x", "[1]", "7", '{"a":', "[" * 100_000])
def test_data_that_is_no_object(api: Client, run_id: str, data: str) -> None:
    answer = api.put(url("a"), content=b"x", params={"data": data[:5000]})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["data"])


def test_a_repeated_upload_is_kept_once(api: Client, run_id: str, tmp_path: Path) -> None:
    key = {"Idempotency-Key": "k"}
    first = api.put(url("a"), content=b"x", headers=key).json()
    assert api.put(url("a"), content=b"x", headers=key).json() == first
    other = api.put(url("a"), content=b"y", headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    assert files(tmp_path) == ["a"]


def test_zipped_on_the_way_it_is_kept_as_it_was(api: Client, run_id: str) -> None:
    api.put(url("a"), content=gzip.compress(b"text"), headers={"Content-Encoding": "gzip"})
    assert api.get(url("a")).json()["content"] == "text"


def test_a_large_one_goes_through_whole(store: SqlStore, run_id: str) -> None:
    content = bytes(range(256)) * 20_000
    with serving(store) as server:
        put = httpx.put(server.url + url("big.bin"), content=content)
        assert put.status_code == 201, put.text
        raw = httpx.get(server.url + url("big.bin"), params={"raw": "true"})
        assert raw.content == content
        assert raw.headers["content-length"] == str(len(content))
        assert httpx.head(server.url + url("big.bin"), params={"raw": "true"}).headers[
            "content-length"
        ] == str(len(content))


def test_more_than_there_is_room_for_is_refused(
    api: Client, store: SqlStore, run_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = api.put(url("a"), content=b"x", headers={"Content-Length": str(artifact_files.MAX_BYTES + 1)})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(artifact_content, "_copied", full)
    answer = api.put(url("a"), content=b"x")
    assert (answer.status_code, answer.json()["code"]) == (507, "store_full")
    assert files(tmp_path) == []
    assert store.get_run("r").last_seq == 1


def test_a_client_that_goes_away_leaves_nothing(store: SqlStore, run_id: str, tmp_path: Path) -> None:
    with serving(store) as server:
        parts = urlsplit(server.url)
        with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
            head = f"PUT {url('half')} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3000000\r\n\r\n"
            connection.sendall(head.encode() + b"x" * 1_500_000)
        assert httpx.put(server.url + url("whole"), content=b"x").status_code == 201
    assert files(tmp_path) == ["whole"]
    assert [artifact.name for artifact in store.list_artifacts("r")] == ["whole"]
