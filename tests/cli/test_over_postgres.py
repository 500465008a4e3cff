"""Every command with `--store postgresql://…`: what it prints is what it prints on the file, and what it does is done."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import runline
from runline.testing.place import PostgresPlace
from runline.testing.postgres import PostgresServer

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture
def url(
    cli: CommandLine, server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """A copy of the command line's store, with some runs in it."""
    monkeypatch.setenv("RUNLINE_ARTIFACTS", str(tmp_path / "artifacts"))
    cli.completed()
    cli.failed()
    cli.emitted({"type": "log", "message": "a, b"}, {"type": "note"}, name="with, comma", end="completed")
    cli("note", cli.json("ls")["runs"][0]["run_id"], "look here", "--author", "me")
    place = PostgresPlace(server)
    cli("copy", str(cli.path), place.url)
    yield place.url
    runline.close(10)  # what recorded here holds the store open
    place.close()


READING = [
    ["ls", "--status", "failed", "--name", "nightly"],
    ["ls", "--name", "with, comma"],
    ["show"],
    ["why"],
    ["tail"],
    ["tail", "--level", "error"],
    ["tail", "-f"],
    ["search", "overflow"],
    ["export", "--format", "csv"],
    ["verify", "--json"],
]


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_it_tells_what_the_file_tells(cli: CommandLine, url: str, command: list[str]) -> None:
    ours, theirs = (cli.text("--store", where, *command) for where in (url, str(cli.path)))
    if command[0] == "export":  # ids of events are new
        ours, theirs = (_without_first_column(text) for text in (ours, theirs))
    assert ours == theirs


def _without_first_column(text: str) -> str:
    return "\n".join(line.partition(",")[2] for line in text.splitlines())


def test_what_is_done_there_is_done(cli: CommandLine, url: str, tmp_path: Path) -> None:
    there = ("--store", url)
    run_id = cli(*there, "emit", "--new", "by emit").stdout.strip()
    cli(*there, "emit", "tool_call", "read", "--run", run_id, "--data", '{"n": 1}')
    cli(*there, "note", run_id, "over there")
    cli(*there, "pin", run_id)
    assert "asked to stop" in cli(*there, "cancel", run_id).output
    cli(*there, "emit", "--run", run_id, "--end", "completed")
    shown = cli.json(*there, "show", run_id)["run"]
    assert (shown["status"], shown["pinned"], shown["note_count"]) == ("completed", True, 1)
    exported = tmp_path / "run.jsonl"
    exported.write_bytes(cli(*there, "export", run_id, "--format", "jsonl").stdout_bytes)
    cli(*there, "import", str(exported), "--as", "copy")
    assert cli.json(*there, "show", "copy")["run"]["event_count"] == 4
    assert "pg_dump" in cli(*there, "backup", str(tmp_path / "copy.db"), exits=2).output
    assert "rebuilt" in cli(*there, "rebuild").output
    assert cli(*there, "token", "create", "ci").stdout.startswith("rl_")
    assert cli.json(*there, "prune", "--keep", "0", "--older-than", "0")["removed"] >= 1
    assert "sound" in cli(*there, "verify").output


def test_a_command_is_recorded_and_its_children_join_in(cli: CommandLine, url: str) -> None:
    secret = url.replace("runline@", "runline:hunter2@")
    inner = "import runline; runline.event('inner', 'from the child'); runline.flush(10)"
    said = cli("-v", "--store", secret, "exec", "--name", "joined", "--", sys.executable, "-c", inner).output
    assert f"store: {url}" in said
    assert "hunter2" not in said
    shown = cli.json("--store", url, "ls", "--name", "joined")["runs"]
    events = [event["type"] for event in map(dict, cli.lines_of("--store", url, "tail", "--json"))]
    assert len(shown) == 1
    assert "inner" in events


def test_doctor(cli: CommandLine, url: str) -> None:
    # The server that tests start is careless about power cuts, which is a failure.
    told = json.loads(cli("--store", url, "doctor", "--json", exits=1).stdout)
    checks = {check["name"]: check for check in told["checks"]}
    assert checks["server"]["value"].startswith("PostgreSQL ")
    assert checks["store"]["value"] == url
    assert {name for name, check in checks.items() if check["status"] != "ok"} == {"durability"}
    nowhere = url.replace("/t", "/nosuch")
    assert "does not exist" in cli("--store", nowhere, "doctor", exits=1).output
