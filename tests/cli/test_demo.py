from __future__ import annotations

import importlib
import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from runline.server.serve import Listening

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine

demo_module = importlib.import_module("runline.cli.demo")


def test_it_records_real_commands_and_leaves_one_running(cli: CommandLine) -> None:
    started_s = time.monotonic()
    said = cli.text("demo", "--live", "60")
    assert time.monotonic() - started_s < 20
    runs = cli.json("ls")["runs"]
    try:
        assert [(run["pipeline_name"], run["status"]) for run in runs] == [
            ("index-library", "running"),
            ("derive-keys", "failed"),
            ("test-rates", "failed"),
            ("archive-library", "failed"),
            ("archive-library", "completed"),
            ("archive-library", "completed"),
            ("compile-runline", "completed"),
        ]
        assert "changed while it was archived" in said
        assert "blocked  publish" in said
        assert "never in 2 earlier runs" in said
        assert f"runline tail -f {runs[0]['run_id'][-4:]}" in said
        assert runs[1]["error_message"] == "killed by SIGXCPU"
    finally:
        os.kill(runs[0]["pid"], signal.SIGTERM)


def test_without_a_live_run_it_ends_at_the_list(cli: CommandLine) -> None:
    said = cli.text("demo", "--live", "0")
    assert "still running" not in said
    assert "derive-keys" in said


def test_a_demo_inside_a_run_is_not_its_child(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNLINE_RUN_ID", "outer")
    cli("demo", "--live", "0")
    assert {run["parent_run_id"] for run in cli.json("ls")["runs"]} == {None}


def test_it_serves_what_it_recorded(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_module, "_jobs", lambda _: ())
    monkeypatch.setattr(Listening, "run", Listening.close)
    assert "Runline serves" in cli.text("demo", "--live", "0", "--serve")
