"""The answers about pipelines and personas, over a real store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from runline.fold.wire.pipelines import PipelineDetail
from runline.model.errors import NotFound
from runline.model.wire.pipelines import PipelineList
from runline.pipelines.listing import (
    manifest_view,
    persona_list,
    pipeline_detail,
    pipeline_list,
    started_run,
)
from runline.pipelines.manifest import Manifest
from runline.pipelines.plan import plan_of
from runline.store import open_store
from runline.store.interface import Store
from tests.pipelines.conftest import MakeManifest


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path / 'runline.db'}") as opened:
        yield opened


@pytest.fixture
def manifest(manifest_of: MakeManifest) -> Manifest:
    return manifest_of(
        {
            "runline.yaml": """
                adapters: {local: {command: [cat]}}
                personas:
                  writer:
                    adapter: local
                    description: Writes
                    model: small-1
                    temperature: 0.5
                    system_prompt_file: p.md
                    permissions: {allowed_tools: [Read], deny: [Write]}
                unknown: 1
                """,
            ".runline/pipelines/bad.yaml": "steps: []\n",
            ".runline/pipelines/nightly.yaml": """
                metadata: {name: nightly, description: Every night}
                input: {source: cli, example: {date: 2026-11-20}, schema: {type: object}}
                steps:
                  - id: fetch
                    exec: {type: command, source: make}
                    output_artifacts: [{name: raw, path: raw.json}]
                    timeout: 90s
                  - id: test
                    dependencies: [fetch]
                    matrix: [a, b]
                    optional: true
                    exec: {type: command, source: make}
                  - id: write
                    persona: writer
                    dependencies: [test]
                    retry: {max_attempts: 2}
                    exec: {type: prompt, source: Write}
                    contracts: [{type: file_exists, source: x}]
                """,
        }
    )


def through_json(value: msgspec.Struct) -> object:
    return msgspec.json.decode(msgspec.json.encode(value))


def test_without_a_manifest_there_is_nothing(store: Store) -> None:
    assert through_json(pipeline_list(None, store)) == {
        "pipelines": [],
        "manifest": {"path": None, "read_at": None, "errors": []},
    }
    assert through_json(persona_list(None)) == {"personas": []}


def test_a_pipeline_without_runs(manifest: Manifest, store: Store) -> None:
    bad, nightly = pipeline_list(manifest, store).pipelines
    assert through_json(nightly) == {
        "name": "nightly",
        "description": "Every night",
        "step_count": 3,
        "input": {"source": "cli", "schema": {"type": "object"}, "example": {"date": "2026-11-20"}},
        "last_run": None,
        "recent": [],
        "success_rate": None,
        "usual": None,
        "next_run_at": None,
        "source": ".runline/pipelines/nightly.yaml",
        "definition_sha256": manifest.pipelines["nightly"].definition_sha256,
        "startable": True,
        "reason": None,
    }
    assert not bad.startable
    assert bad.reason is not None and "a pipeline needs `steps`" in bad.reason


def test_runs_of_its_name_are_told(manifest: Manifest, store: Store) -> None:
    for status in ("completed", "failed", "completed"):
        run = store.create_run("nightly", kind="pipeline")
        store.end_run(run.run_id, status)
    last = store.create_run("nightly", kind="pipeline")
    store.create_run("other")
    nightly = pipeline_list(manifest, store).pipelines[1]
    assert nightly.last_run is not None and nightly.last_run.run_id == last.run_id
    assert [run.status for run in nightly.recent] == ["running", "completed", "failed", "completed"]
    assert nightly.success_rate == pytest.approx(2 / 3)
    assert nightly.usual is not None and nightly.usual.n == 2
    assert nightly.recent[0].duration_ms is None


def test_the_detail_of_a_pipeline(manifest: Manifest, store: Store) -> None:
    plan = plan_of(manifest.startable("nightly")).data()
    for _ in range(2):
        run = store.create_run("nightly", plan=plan)
        store.append(run.run_id, [{"type": "step_started", "step": "fetch"}])
        store.append(run.run_id, [{"type": "step_completed", "step": "fetch"}])
        store.end_run(run.run_id)
    detail = pipeline_detail(manifest, store, "nightly")
    fetch, test, write = detail.steps
    assert fetch.usual is not None and fetch.usual.n == 1
    assert msgspec.structs.replace(fetch, usual=None) == msgspec.convert(
        {
            "step_id": "fetch",
            "persona": None,
            "model": None,
            "type": "command",
            "dependencies": [],
            "optional": False,
            "max_attempts": 1,
            "timeout_ms": 90_000,
            "matrix_count": None,
            "contracts": [],
            "artifacts": ["raw"],
            "usual": None,
        },
        type(fetch),
    )
    assert (test.matrix_count, test.optional, test.usual) == (2, True, None)
    assert (write.persona, write.max_attempts, write.contracts) == ("writer", 2, ("file_exists",))
    assert [(node.id, node.x, node.y) for node in detail.dag.nodes] == [
        ("fetch", 0, 0),
        ("test", 232, 0),
        ("write", 464, 0),
    ]
    assert msgspec.json.decode(msgspec.json.encode(detail), type=PipelineDetail) == detail
    with pytest.raises(NotFound):
        pipeline_detail(manifest, store, "nightli")


def test_a_pipeline_that_never_ran_has_no_durations(manifest: Manifest, store: Store) -> None:
    assert [step.usual for step in pipeline_detail(manifest, store, "nightly").steps] == [None] * 3


def test_personas(manifest: Manifest) -> None:
    assert through_json(persona_list(manifest)) == {
        "personas": [
            {
                "name": "writer",
                "description": "Writes",
                "adapter": "local",
                "model": "small-1",
                "temperature": 0.5,
                "system_prompt_file": "p.md",
                "allowed_tools": ["Read"],
                "denied_tools": ["Write"],
            }
        ]
    }


def test_problems_are_shown(manifest: Manifest) -> None:
    view = manifest_view(manifest)
    assert view.path == str(manifest.path)
    assert view.read_at == "2026-11-20T12:10:00.000Z"
    assert [(one.severity, one.file, one.line) for one in view.errors] == [
        ("warning", "runline.yaml", 11),
        ("error", ".runline/pipelines/bad.yaml", 1),
    ]


def test_the_answer_to_a_start(store: Store) -> None:
    run = store.create_run("nightly", started_at_ms=0)
    assert through_json(started_run(run)) == {
        "run_id": run.run_id,
        "pipeline_name": "nightly",
        "status": "running",
        "started_at": "1970-01-01T00:00:00.000Z",
    }


def test_the_list_comes_back_from_json(manifest: Manifest, store: Store) -> None:
    found = pipeline_list(manifest, store)
    assert msgspec.json.decode(msgspec.json.encode(found), type=PipelineList) == found
