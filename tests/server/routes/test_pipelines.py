"""What can be started, as the manifest says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from runline.server.settings import Settings
from runline.store.sql_store import SqlStore
from runline.testing.serving import client
from tests.server.furnished import furnish, manifest

if TYPE_CHECKING:
    from runline.testing.serving import Client


def test_without_a_manifest_the_lists_are_empty(api: Client) -> None:
    told = api.get("/api/pipelines").json()
    assert told == {"pipelines": [], "manifest": {"path": None, "read_at": None, "errors": []}}
    assert api.get("/api/personas").json() == {"personas": []}
    for path in ("/api/pipelines/x", "/api/personas/x"):
        assert (api.get(path).status_code, api.get(path).json()["code"]) == (404, "no_manifest")
    assert api.post("/api/pipelines/reload").json()["path"] is None


def test_a_manifest_is_shown_with_the_runs_of_its_pipelines(store: SqlStore, tmp_path: Path) -> None:
    names = furnish(store)
    with client(store, Settings(manifest=manifest(tmp_path))) as api:
        told = api.get("/api/pipelines").json()
        assert told["manifest"]["errors"] == []
        (pipeline,) = told["pipelines"]
        assert (pipeline["name"], pipeline["step_count"]) == ("nightly-report", 2)
        assert {run["run_id"] for run in pipeline["recent"]} == {
            names["RUN"],
            names["OTHER"],
            names["FAILED"],
        }
        shown = api.get("/api/pipelines/nightly-report").json()
        assert [step["step_id"] for step in shown["steps"]] == ["extract", "write"]
        assert shown["dag"]["edges"] == [{"from": "extract", "to": "write"}]
        assert api.get("/api/pipelines/nope").status_code == 404
        (persona,) = api.get("/api/personas").json()["personas"]
        assert persona == api.get("/api/personas/writer").json()
        assert persona["denied_tools"] == ["Bash(rm *)"]
        assert api.get("/api/personas/nope").json()["code"] == "persona_not_found"


def test_the_manifest_is_read_anew_when_asked(store: SqlStore, tmp_path: Path) -> None:
    path = manifest(tmp_path)
    with client(store, Settings(manifest=path)) as api:
        path.write_text("metadata: {name: reports}\nadapers: {}\n")
        assert api.get("/api/personas").json()["personas"]
        told = api.post("/api/pipelines/reload").json()
        assert any("adapters" in one["message"] for one in told["errors"])
        assert api.get("/api/personas").json() == {"personas": []}
