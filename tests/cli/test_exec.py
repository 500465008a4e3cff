from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine

RUNLINE = [sys.executable, "-m", "runline.cli"]


def recorded(*args: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([*RUNLINE, "exec", *args], capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    return done


def test_output_is_shown_and_each_line_is_an_event(cli: CommandLine) -> None:
    done = recorded(
        "--name", "hello", "--tag", "a,b", "--kind", "session", "--", "sh", "-c", "echo one; echo two >&2"
    )
    assert (done.stdout, done.stderr) == ("one\n", "two\n")
    events = cli.lines("tail", "-n", "-1")
    said = {(event["source"], event["message"]) for event in events if event["type"] == "log"}
    assert said == {("stdout", "one"), ("stderr", "two")}
    run = cli.json("show")["run"]
    assert (run["pipeline_name"], run["kind"], run["tags"], run["status"]) == (
        "hello",
        "session",
        ["a", "b"],
        "completed",
    )


def test_it_ends_as_the_command_does(cli: CommandLine) -> None:
    recorded("--", "sh", "-c", "exit 3", code=3)
    recorded("sh", "-c", "kill -9 $$", code=128 + signal.SIGKILL)
    assert "command not found" in recorded("--", "no-such-command-here", code=127).stderr
    runs = cli.json("ls")["runs"]
    assert [run["error_message"] for run in runs] == [
        "no-such-command-here: command not found",
        "killed by SIGKILL",
        "exit code 3",
    ]


def test_options_of_the_command_are_its_own(cli: CommandLine) -> None:
    assert recorded("sh", "-c", "echo $0 $1", "--name", "x").stdout == "--name x\n"
    assert cli.json("ls")["runs"][0]["pipeline_name"].startswith("sh -c")


def test_programs_in_it_join_the_run(cli: CommandLine) -> None:
    recorded("--id", "outer-1", "--", *RUNLINE, "emit", "inner", "from inside")
    assert [event["type"] for event in cli.lines("tail", "outer-1")] == ["run_started", "inner", "run_ended"]


def test_without_a_command_it_says_so(cli: CommandLine) -> None:
    assert "COMMAND" in recorded(code=2).stderr


def test_the_store_is_named_and_need_not_take_it(cli: CommandLine, tmp_path: Path) -> None:
    done = recorded("-v", "--", "true")
    assert done.stderr == f"store: sqlite:///{cli.path}\n"
    (tmp_path / "bad.db").write_text("not a database " * 100)
    bad = ["--store", str(tmp_path / "bad.db")]
    assert recorded(*bad, "--", "echo", "hi", code=5).stdout == ""
    done = recorded(*bad, "--best-effort", "--", "echo", "hi")
    assert done.stdout == "hi\n"
    assert "not recorded" in done.stderr


@pytest.mark.parametrize(
    ("script", "said", "code"),
    [("true", "recorded: `runline show`", 0), ("exit 4", "exit code 4, recorded: `runline why`", 4)],
)
def test_on_a_terminal_it_says_where_to_look(
    terminal: CommandLine, monkeypatch: pytest.MonkeyPatch, script: str, said: str, code: int
) -> None:
    monkeypatch.setattr("runline.record.process.record_command", lambda command, **fields: code)
    assert said in terminal.text("exec", "sh", "-c", script, exits=code)
