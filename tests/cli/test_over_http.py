"""Every command with `--store http://…`: what it prints is what it prints on the file, and what it does is done."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runline.store import open_local
from runline.testing.serving import serving

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine


@pytest.fixture
def url(cli: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The command line's store behind a server, with some runs in it."""
    monkeypatch.setenv("RUNLINE_SPOOL", str(tmp_path / "spool"))
    cli.completed()
    cli.failed()
    cli.emitted({"type": "log", "message": "a, b"}, {"type": "note"}, name="with, comma", end="completed")
    cli("note", cli.json("ls")["runs"][0]["run_id"], "look here", "--author", "me")
    with open_local(str(cli.path)) as store, serving(store) as served:
        yield served.url


READING = [
    ["ls"],
    ["ls", "--json"],
    ["ls", "--status", "failed", "--name", "nightly"],
    ["ls", "status:failed", "--json"],
    ["ls", "--name", "with, comma"],
    ["show"],
    ["show", "--json"],
    ["why"],
    ["why", "--json"],
    ["tail"],
    ["tail", "--json", "-n", "3"],
    ["tail", "--level", "error"],
    ["tail", "-f"],
    ["watch", "--json"],
    ["search", "overflow"],
    ["search", "level:error", "--json"],
    ["export", "--format", "jsonl"],
    ["export", "--format", "csv"],
    ["prune", "--dry-run", "--json"],
    ["verify", "--json"],
    ["token", "ls"],
    ["audit", "--json"],
]


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_a_server_tells_what_the_file_tells(cli: CommandLine, url: str, command: list[str]) -> None:
    assert cli("--store", url, *command).output == cli(*command).output


def test_one_run_by_the_end_of_its_id(cli: CommandLine, url: str) -> None:
    for run in cli.json("ls")["runs"]:
        for command in ("show", "tail", "note"):
            assert (
                cli("--store", url, command, run["run_id"][-6:]).output == cli(command, run["run_id"]).output
            )


def test_what_is_done_there_is_done(cli: CommandLine, url: str, tmp_path: Path) -> None:
    there = ("--store", url)
    run_id = cli(*there, "emit", "--new", "by emit").stdout.strip()
    cli(*there, "emit", "tool_call", "read", "--run", run_id, "--data", '{"n": 1}')
    cli(*there, "note", run_id, "over there")
    cli(*there, "pin", run_id)
    assert "asked to stop" in cli(*there, "cancel", run_id).output
    cli(*there, "emit", "--run", run_id, "--end", "completed")
    shown = cli.json("show", run_id)["run"]
    assert (shown["status"], shown["pinned"], shown["note_count"]) == ("completed", True, 1)
    assert shown["event_count"] == 4
    exported = tmp_path / "run.jsonl"
    exported.write_bytes(cli("export", run_id, "--format", "jsonl").stdout_bytes)
    cli(*there, "import", str(exported), "--as", "copy")
    assert cli.json("show", "copy")["run"]["event_count"] == 4
    assert (
        cli(*there, "import", str(exported), exits=4).output == cli("import", str(exported), exits=4).output
    )
    cli(*there, "backup", str(tmp_path / "copy.db"))
    assert (tmp_path / "copy.db").stat().st_size > 0
    assert "rebuilt" in cli(*there, "rebuild").output
    assert cli(*there, "token", "create", "ci").stdout.startswith("rl_")


def test_with_v_the_servers_address_is_told(cli: CommandLine, url: str) -> None:
    assert f"store: {url}" in cli("-v", "--store", f"{url}/", "ls").output


@pytest.mark.parametrize("command", [["serve", "--no-open"]])
def test_what_needs_a_file_says_so(cli: CommandLine, url: str, command: list[str]) -> None:
    assert "is a server" in cli("--store", url, *command, exits=2).output


def test_a_server_that_is_not_there_is_named(cli: CommandLine) -> None:
    said = cli("--store", "http://127.0.0.1:1", "ls", exits=5).output
    assert "http://127.0.0.1:1 cannot be reached" in said
    assert "runline serve" in said


def test_a_token_in_the_url_is_refused(cli: CommandLine) -> None:
    assert "RUNLINE_TOKEN" in cli("--store", "http://secret@127.0.0.1:1", "ls", exits=2).output


def test_blank_lines_of_a_command_stay_blank(cli: CommandLine, url: str) -> None:
    cli("--store", url, "exec", "--name", "blank", "--", "sh", "-c", "echo a; echo; echo '  '; echo b")
    lines = [event["message"] for event in cli.lines_of("tail", "--json") if event["source"] == "stdout"]
    assert lines == ["a", "", "  ", "b"]


def test_a_command_on_a_file_loads_nothing_of_the_network(cli: CommandLine) -> None:
    cli.completed()
    code = (
        "import sys; from runline.cli.main import main; sys.argv[1:] = ['ls']\n"
        "try: main()\n"
        "except SystemExit: print(sorted({'httpx', 'litestar', 'uvicorn'} & {*sys.modules}))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.endswith("[]\n")
