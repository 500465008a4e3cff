"""Whole pipelines, run for real into a real store."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from runline.model.errors import Unavailable
from runline.model.event import Event
from runline.model.run import Run
from runline.model.step import Step
from runline.pipelines.execute import execute
from runline.pipelines.manifest import Manifest
from runline.pipelines.plan import plan_of
from runline.record.run import ActiveRun
from runline.store.interface import Store
from tests.pipelines.conftest import MakeManifest

pytestmark = pytest.mark.usefixtures("recorder")


class Ran:
    """A run of the manifest's pipeline `p`, and what the store has of it."""

    def __init__(self, manifest: Manifest, input: Any = None, **given: Any) -> None:
        pipeline = manifest.startable("p")
        plan = plan_of(pipeline, input)
        self.active = ActiveRun("p", kind="pipeline", input=input, plan=plan.data()).start()
        self.store: Store = self.active.store
        self.ending = execute(self.active, plan, manifest, input=input, **given)
        self.run: Run = self.store.get_run(self.active.id)
        self.events: list[Event] = self.store.read(self.active.id, limit=1000)

    @property
    def steps(self) -> dict[str, Step]:
        return {step.step_id: step for step in self.store.list_steps(self.active.id)}

    def messages(self, type: str = "log") -> list[str]:
        return [event.message for event in self.events if event.type == type]


def files(steps: str, manifest: str = "metadata: {name: x}\n") -> dict[str, str]:
    return {"runline.yaml": manifest, ".runline/pipelines/p.yaml": steps}


def test_steps_run_in_order_and_the_run_ends(manifest_of: MakeManifest) -> None:
    ran = Ran(
        manifest_of(
            files(
                """
                steps:
                  - {id: fetch, exec: {type: command, source: echo fetched}}
                  - {id: test, dependencies: [fetch], matrix: [a, b], exec: {type: command, source: 'echo {{ matrix }}'}}
                  - {id: publish, dependencies: [test], exec: {type: command, command: [echo, done]}}
                """
            )
        )
    )
    assert ran.ending == ran.run.status == "completed"
    assert ran.run.progress == 100 and ran.run.total_steps == 4
    assert [(name, step.state) for name, step in ran.steps.items()] == [
        ("fetch", "completed"),
        ("test[0]", "completed"),
        ("test[1]", "completed"),
        ("publish", "completed"),
    ]
    messages = ran.messages()
    assert messages[0] == "fetched" and messages[-1] == "done"
    assert sorted(messages[1:3]) == ["a", "b"]
    assert ran.events[-1].type == "run_ended"


def test_a_failure_blocks_what_waits_for_it(manifest_of: MakeManifest) -> None:
    ran = Ran(
        manifest_of(
            files(
                """
                steps:
                  - {id: may, optional: true, exec: {type: command, source: exit 2}}
                  - {id: bad, exec: {type: command, source: echo why >&2; exit 3}}
                  - {id: after, dependencies: [bad], exec: {type: command, source: echo never}}
                  - {id: other, dependencies: [may], exec: {type: command, source: echo other}}
                """
            )
        )
    )
    assert ran.ending == "failed"
    assert ran.run.error_message == "step bad failed"
    assert {name: step.state for name, step in ran.steps.items()} == {
        "may": "failed",
        "bad": "failed",
        "after": "blocked",
        "other": "completed",
    }
    assert ran.steps["bad"].error == "exit code 3"


def test_an_optional_failure_makes_it_partial(manifest_of: MakeManifest) -> None:
    ran = Ran(manifest_of(files("steps: [{id: a, optional: true, exec: {type: command, source: exit 1}}]")))
    assert (ran.ending, ran.run.status, ran.run.partial) == ("completed", "completed", True)


def test_steps_run_side_by_side(manifest_of: MakeManifest) -> None:
    """Each of the four waits for the files of all: one after the other they would never end."""
    source = "touch {{ matrix }}; while [ $(ls -d a b c d 2>/dev/null | wc -l) -lt 4 ]; do sleep 0.02; done"
    ran = Ran(
        manifest_of(
            files(
                f"steps: [{{id: s, matrix: [a, b, c, d], timeout: 30s, exec: {{type: command, source: '{source}'}}}}]"
            )
        )
    )
    assert ran.ending == "completed"


def test_reused_steps_do_not_run(manifest_of: MakeManifest) -> None:
    steps = """
        steps:
          - {id: a, exec: {type: command, source: echo again}}
          - {id: b, dependencies: [a], exec: {type: command, source: echo b}}
        """
    ran = Ran(manifest_of(files(steps)), reused=["a"])
    assert ran.messages() == ["b"]


SLOW = """
    steps:
      - {id: a, exec: {type: command, source: 'touch began; while [ ! -e go ]; do sleep 0.02; done; echo through'}}
      - {id: b, dependencies: [a], exec: {type: command, source: echo never}}
    """


def cancelled(manifest: Manifest, root: Path, *, force: bool, monkeypatch: pytest.MonkeyPatch) -> Ran:
    """Its run, cancelled once its first step has begun."""
    began, over = threading.Event(), threading.Event()

    def meddle() -> None:
        while not (root / "began").exists() and not over.is_set():
            began.wait(0.02)
        store = found[0].store
        store.cancel(found[0].id, force=force)
        if not force:
            while not found[0].cancel_requested and not over.is_set():
                began.wait(0.02)
            began.wait(0.3)
            (root / "go").touch()

    found: list[ActiveRun] = []
    start = ActiveRun.start

    def started(self: ActiveRun) -> ActiveRun:
        found.append(self)
        return start(self)

    monkeypatch.setattr(ActiveRun, "start", started)
    thread = threading.Thread(target=meddle)
    thread.start()
    try:
        return Ran(manifest)
    finally:
        over.set()
        thread.join()


def test_a_stop_lets_the_running_step_end(
    manifest_of: MakeManifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = cancelled(manifest_of(files(SLOW)), tmp_path, force=False, monkeypatch=monkeypatch)
    assert ran.ending == ran.run.status == "cancelled"
    assert {name: step.state for name, step in ran.steps.items()} == {"a": "completed", "b": "pending"}
    assert ran.messages() == ["through"]


def test_a_forced_stop_kills_it(
    manifest_of: MakeManifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = cancelled(manifest_of(files(SLOW)), tmp_path, force=True, monkeypatch=monkeypatch)
    assert ran.ending == ran.run.status == "cancelled"
    assert ran.events[-1].type == "run_ended"
    assert ran.messages() == []


def test_a_store_that_cannot_answer_whether_it_was_ended(
    manifest_of: MakeManifest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    from runline.store.sql_store import SqlStore

    get_run, told = SqlStore.get_run, threading.Event()

    def away(self: SqlStore, run_id: str) -> Run:
        """Away from when it has told of the cancellation until the step goes on."""
        if told.is_set() and not (tmp_path / "go").exists():
            raise Unavailable("The store is busy.")
        found = get_run(self, run_id)
        if found.cancel_requested:
            told.set()
        return found

    monkeypatch.setattr(SqlStore, "get_run", away)
    ran = cancelled(manifest_of(files(SLOW)), tmp_path, force=False, monkeypatch=monkeypatch)
    assert ran.ending == "cancelled"
    assert "could not look whether it was ended" in caplog.text
