from __future__ import annotations

import contextlib
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runline.cli.shown import Screen

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
    [
        ("true", "✔ recorded: `runline show`", 0),
        ("exit 4", "✖ exit code 4, recorded: `runline why`", 4),
        ("kill -TERM $PPID; exit 7", "⊘ cancelled (exit code 7), recorded: `runline show`", 7),
    ],
)
def test_on_a_terminal_it_says_where_to_look(
    terminal: CommandLine, script: str, said: str, code: int
) -> None:
    assert said in terminal.text("exec", "sh", "-c", script, exits=code)


def test_on_a_terminal_it_says_that_nothing_was_recorded(terminal: CommandLine, tmp_path: Path) -> None:
    for place, text in (("bad.db", "not a database " * 100), ("none.db", None)):
        if text is not None:
            (tmp_path / place).write_text(text)
        store = ["--store", str(tmp_path / place / "x.db" if text is None else tmp_path / place)]
        (tmp_path / "none.db").write_text("in the way")
        said = terminal.text("exec", *store, "--best-effort", "--", "sh", "-c", "exit 4", exits=4)
        assert "✖ exit code 4, not recorded" in said


def test_a_damaged_store_is_told_as_the_store_tells_it(cli: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "bad.db").write_text("not a database " * 100)
    said = cli.text("exec", "--store", str(tmp_path / "bad.db"), "--", "true", exits=5)
    assert "--best-effort" not in said


class _AfterUnendedLine(Screen):
    def __init__(self) -> None:
        self.at_line_start = False


def test_after_an_unended_line_the_closing_line_begins_one(
    terminal: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runline.cli.exec.Screen", _AfterUnendedLine)
    assert terminal.text("exec", "--", "true").startswith("\n✔ recorded")


def test_a_run_of_somebody_else_is_not_taken_for_this_one(
    terminal: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.failed()
    monkeypatch.setattr("runline.record.process.record_command", lambda command, **fields: 4)
    assert "not recorded" in terminal.text("exec", "sh", exits=4)


def test_a_store_that_cannot_be_made_is_told_once(cli: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    place = tmp_path / "file" / "sub" / "x.db"
    assert cli("exec", "--store", str(place), "--", "true", exits=2).stderr == (
        f"✖ {place} cannot be created: Not a directory. Name another place with --store. "
        "Or run the command unrecorded: --best-effort.\n"
    )


def test_on_a_terminal_the_closing_line_begins_a_line(cli: CommandLine) -> None:
    for script, said in (
        ("printf hi", "hi\n✔"),
        ("echo hi", "hi\n✔"),
        ("true", "✔"),
        ("echo; printf x >&2", "\nx\n✔"),
    ):
        leader, follower = pty.openpty()
        command = subprocess.Popen(
            [*RUNLINE, "exec", "--", "sh", "-c", script], stdout=follower, stderr=follower, stdin=follower
        )
        os.close(follower)
        shown = b""
        with contextlib.suppress(OSError):  # how Linux tells that nobody writes any more
            while piece := os.read(leader, 4096):
                shown += piece
        os.close(leader)
        assert command.wait() == 0
        plain = re.sub(r"\x1b\[[0-9;]*m|\r|\ufe0e", "", shown.decode())
        assert plain == f"{said} recorded: `runline show`\n"
