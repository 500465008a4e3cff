from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runline.store.sql_store import SqlStore
from tests.record.conftest import only_run, types

EXAMPLES = Path(__file__).parents[2] / "examples"


def run_example(name: str, store: SqlStore, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", EXAMPLES / f"{name}.py"],
        cwd=folder,
        env=os.environ | {"RUNLINE_STORE": store.url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return only_run(store)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_every_example_completes(path: Path, store: SqlStore, tmp_path: Path) -> None:
    run = store.get_run(run_example(path.stem, store, tmp_path))
    assert (run.status, run.progress, run.failed_steps) == ("completed", 100, 0)


def test_the_pipeline_leaves_its_report(store: SqlStore, tmp_path: Path) -> None:
    run_id = run_example("pipeline", store, tmp_path)
    (artifact,) = store.list_artifacts(run_id)
    assert (artifact.name, artifact.step_id) == ("report.md", "report")
    assert store.get_run(run_id).last_note is not None


def test_the_agents_calls_are_paired(store: SqlStore, tmp_path: Path) -> None:
    calls = store.calls(run_example("agent", store, tmp_path)).items
    assert [(call.kind, call.status) for call in calls] == [
        ("llm", "done"),
        ("tool", "failed"),
        ("tool", "done"),
        ("test", "done"),
    ]
    assert calls[1].parent == calls[0].correlation_id


def test_workers_record_into_one_run(store: SqlStore, tmp_path: Path) -> None:
    assert types(store, run_example("workers", store, tmp_path)).count("log") == 41
