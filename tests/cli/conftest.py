"""A command line over a store of its own, with and without a terminal."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from runline.cli.main import app
from runline.model.clock import ManualClock, SystemClock
from runline.model.run import Run
from runline.store import open_local
from runline.store.sql_store import SqlStore

_STYLE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class CommandLine:
    """`cli("ls", "--json")` runs the command and checks its exit code."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self, *args: str, exits: int = 0, input: str | bytes | None = None) -> Result:
        result = CliRunner().invoke(app, [*args], input=input)
        assert result.exit_code == exits, result.output
        return result

    def text(self, *args: str, exits: int = 0, input: str | None = None) -> str:
        """Everything printed, without styles and the marks of narrow signs."""
        return _STYLE.sub("", self(*args, exits=exits, input=input).output).replace("\ufe0e", "")

    def json(self, *args: str, exits: int = 0) -> Any:
        return json.loads(self(*args, "--json", exits=exits).stdout)

    def json_of(self, *args: str) -> Any:
        """As `json`, for arguments that say themselves where `--json` stands."""
        return json.loads(self(*args).stdout)

    def lines_of(self, *args: str) -> list[Any]:
        return [json.loads(line) for line in self(*args).stdout.splitlines()]

    def lines(self, *args: str) -> list[Any]:
        """NDJSON."""
        return [json.loads(line) for line in self(*args, "--json").stdout.splitlines()]

    def store(self) -> SqlStore:
        return open_local(str(self.path))

    def completed(self, name: str = "nightly") -> Run:
        with self.store() as store:
            return _completed(store, name)

    def failed(self, name: str = "nightly") -> Run:
        """Fails in `transform` at its second attempt, with a call open; `load` and `report` are blocked."""
        with self.store() as store:
            return _failed(store, name)

    def running(self, name: str = "index") -> Run:
        with self.store() as store:
            return _running(store, name)

    def lost(self) -> Run:
        """Its writer fell silent a day ago."""
        clock = ManualClock(SystemClock().now_ms() - 86_400_000)
        with open_local(str(self.path), clock=clock) as store:
            return _running(store, "lost")

    def emitted(self, *events: dict[str, Any], name: str = "emitted", end: str | None = None) -> Run:
        """A run with these events."""
        with self.store() as store:
            run = store.create_run(name)
            store.append(run.run_id, events)
            if end is not None:
                store.end_run(run.run_id, end)
            return store.get_run(run.run_id)


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RUNLINE_RUN_ID", "RUNLINE_STEP", "NO_COLOR", "LC_ALL", "LC_CTYPE", "RUNLINE_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    monkeypatch.setenv("RUNLINE_STORE", str(tmp_path / "runline.db"))
    return CommandLine(tmp_path / "runline.db")


@pytest.fixture
def terminal(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """The same, printing as to a terminal of 100 columns."""
    monkeypatch.setattr("runline.cli.output._is_terminal", lambda stream: True)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("LINES", "40")
    return cli


_PLAN = {
    "steps": [
        {"id": "extract"},
        {"id": "transform", "dependencies": ["extract"], "max_attempts": 3},
        {"id": "load", "dependencies": ["transform"]},
        {"id": "report", "dependencies": ["load"]},
    ]
}


def _completed(store: SqlStore, name: str) -> Run:
    run = store.create_run(name, kind="pipeline", tags=["prod"], plan=_PLAN)
    for step in ("extract", "transform", "load", "report"):
        store.append(
            run.run_id, [{"type": "step_started", "step": step}, {"type": "step_completed", "step": step}]
        )
    store.end_run(run.run_id)
    return store.get_run(run.run_id)


def _failed(store: SqlStore, name: str) -> Run:
    run = store.create_run(name, kind="pipeline", tags=["prod"], plan=_PLAN, input={"date": "2026-11-20"})
    store.append(
        run.run_id,
        [
            {"type": "step_started", "step": "extract"},
            {"type": "log", "message": "row 1 of 9", "step": "extract", "source": "stdout"},
            {"type": "step_progress", "step": "extract", "data": {"progress": 40}},
            {"type": "artifact_created", "step": "extract", "data": {"name": "rows.csv", "type": "table", "path": "out/rows.csv", "size_bytes": 4096}},
            {"type": "step_completed", "step": "extract", "data": {"tokens_used": 432}},
            {"type": "step_started", "step": "transform"},
            {"type": "step_retrying", "step": "transform", "message": "once more"},
            {"type": "step_started", "step": "transform"},
            {"type": "tool_call", "step": "transform", "correlation_id": "c1", "data": {"name": "lookup_vat"}},
            {
                "type": "error",
                "step": "transform",
                "message": "1e309 does not fit numeric(9,4)",
                "data": {
                    "name": "DecimalOverflow",
                    "stack": "Traceback:\n  row 48213\nDecimalOverflow",
                    "cause": {"name": "ValueError", "message": "empty string"},
                },
            },
            {"type": "step_failed", "step": "transform", "message": "transform failed", "data": {"error": "overflow"}},
        ],
    )  # fmt: skip
    store.end_run(run.run_id, "failed", error="transform failed")
    return store.get_run(run.run_id)


def _running(store: SqlStore, name: str) -> Run:
    run = store.create_run(name)
    store.append(
        run.run_id,
        [
            {"type": "step_started", "step": "scan"},
            {"type": "step_progress", "step": "scan", "data": {"progress": 40, "current_action": "page 3"}},
            {"type": "log", "level": "warn", "message": "slow disk"},
        ],
    )
    return store.get_run(run.run_id)
