"""Attempts: real programs, their output, their limits and their end."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from runline.model.event import Draft
from runline.pipelines import attempt as attempt_module
from runline.pipelines.attempt import Attempt, Outcome, tool_of
from runline.pipelines.permissions import Permissions

ENV = {"PATH": os.environ["PATH"]}


class Recorded:
    """An attempt whose events are kept here."""

    def __init__(self, tmp_path: Path, **given: Any) -> None:
        self.drafts: list[Draft] = []
        self.cwd = tmp_path
        self.attempt = Attempt(
            "build", record=self.drafts.extend, force=given.pop("force", lambda: False), **given
        )

    def run(self, source: str, **given: Any) -> Outcome:
        return self.attempt.run([sys.executable, "-c", source], cwd=self.cwd, env=ENV, **given)

    @property
    def messages(self) -> list[str]:
        return [draft.message for draft in self.drafts]


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_a_program_that_ends_well(tmp_path: Path) -> None:
    recorded = Recorded(tmp_path)
    outcome = recorded.run(
        "import os, sys; print(os.getcwd()); print('oh', file=sys.stderr); print(os.getsid(0) == os.getpid())"
    )
    assert outcome == Outcome(exit_code=0, tail=("oh",))
    assert sorted(recorded.messages) == sorted([str(tmp_path), "oh", "True"])
    assert {draft.step for draft in recorded.drafts} == {"build"}
    assert {draft.source for draft in recorded.drafts} == {"stdout", "stderr"}


def test_a_program_that_fails(tmp_path: Path) -> None:
    outcome = Recorded(tmp_path).run("print('first'); print('why'); raise SystemExit(3)")
    assert outcome == Outcome(error="exit code 3", exit_code=3, tail=("first", "why"))
    killed = Recorded(tmp_path).run("import os; os.kill(os.getpid(), 9)")
    assert (killed.error, killed.exit_code, killed.final) == ("killed by SIGKILL", -9, False)
    odd = Recorded(tmp_path).run("import os; os.kill(os.getpid(), 40)")
    assert odd.error == "killed by signal 40"


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    one = Recorded(tmp_path).attempt
    assert one.run(["no-such-program"], cwd=tmp_path, env=ENV).error == "no-such-program: command not found"
    assert (
        one.run([str(tmp_path)], cwd=tmp_path, env=ENV).error
        == f"{tmp_path} cannot be run: Permission denied"
    )
    missing = one.run(["true"], cwd=tmp_path / "nowhere", env=ENV)
    assert missing.error == f"its folder {tmp_path / 'nowhere'} does not exist" and missing.final
    assert one.run(["true", "\0"], cwd=tmp_path, env=ENV).error == "true cannot be run: embedded null byte"


def test_a_prompt_comes_on_standard_input(tmp_path: Path) -> None:
    (tmp_path / "prompt").write_text("do $(this)")
    recorded = Recorded(tmp_path)
    with (tmp_path / "prompt").open("rb") as prompt:
        recorded.run("import sys; print(sys.stdin.read())", stdin=prompt)
    assert recorded.messages == ["do $(this)"]
    without = Recorded(tmp_path)
    without.run("import sys; print(repr(sys.stdin.read()))")
    assert without.messages == ["''"]


def test_standard_output_is_captured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt_module, "MOST_CAPTURED_BYTES", 10)
    with (tmp_path / "captured").open("wb") as capture:
        Recorded(tmp_path).run(
            "import sys; print('12345'); print('x', file=sys.stderr); print('67890')", capture=capture
        )
    assert (tmp_path / "captured").read_bytes() == b"12345\n6789"


TREE = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import os, signal, time; os.setsid(); print('up', flush=True); time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""


def test_at_its_time_limit_everything_it_started_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runline.record.tree._KILL_AFTER_S", 0.2)
    recorded = Recorded(tmp_path)
    outcome = recorded.run(TREE, timeout_s=1.0)
    assert outcome.error == "it was stopped after 1.0s, its time limit"
    assert not outcome.final
    pid = next(int(message) for message in recorded.messages if message.isdigit())
    assert gone(pid)


def test_a_forced_stop_ends_it(tmp_path: Path) -> None:
    recorded: Recorded = Recorded(tmp_path, force=lambda: "up" in recorded.messages)
    outcome = recorded.run("import time; print('up', flush=True); time.sleep(600)")
    assert (outcome.error, outcome.cancelled, outcome.final) == ("stopped by force", True, True)


def test_a_tool_that_its_persona_may_not_use_ends_it(tmp_path: Path) -> None:
    rules = Permissions(allowed_tools=("Read", "Bash(git *)"))
    told = [
        {"type": "note", "message": "Web"},
        {"type": "tool_call", "data": {"name": "Read", "args": {"file_path": "a"}}},
        {"type": "tool_call", "data": {"name": "Bash", "args": {"command": "rm -rf x"}}},
        {"type": "tool_call", "data": {"name": "Web"}},
    ]
    lines = "".join(f"print({json.dumps(event)!r}, flush=True)\n" for event in told)
    recorded = Recorded(tmp_path, permissions=rules)
    outcome = recorded.run(f"import time\n{lines}time.sleep(600)")
    assert outcome.error == "it used a tool that its persona may not use: Bash(rm -rf x)"
    assert outcome.final and not outcome.cancelled
    assert [draft.type for draft in recorded.drafts] == ["note", *["tool_call"] * 3]


def test_a_program_that_has_ended_is_not_waited_for_by_its_background(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempt_module, "_GRACE_S", 0.2)
    recorded = Recorded(tmp_path)
    outcome = recorded.run(
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True)\n"
        "print(child.pid, end='', flush=True)"
    )
    assert outcome.error is None
    (pid,) = map(int, recorded.messages)
    assert not gone(pid)
    os.kill(pid, 9)


def test_a_program_that_closes_its_output_is_waited_for(tmp_path: Path) -> None:
    outcome = Recorded(tmp_path).run(
        "import os, time; os.close(1); os.close(2); time.sleep(0.3); os._exit(4)"
    )
    assert outcome.error == "exit code 4"


def test_a_program_does_not_outlive_a_fault_of_its_watcher(tmp_path: Path) -> None:
    def full(_: list[Draft]) -> None:
        raise MemoryError

    attempt = Attempt("build", record=full, force=lambda: False)
    source = "import os, pathlib, time; pathlib.Path('pid').write_text(str(os.getpid())); print('x', flush=True); time.sleep(600)"
    with pytest.raises(MemoryError):
        attempt.run([sys.executable, "-c", source], cwd=tmp_path, env=ENV)
    assert gone(int((tmp_path / "pid").read_text()))


def test_much_output_is_taken_whole(tmp_path: Path) -> None:
    recorded = Recorded(tmp_path)
    recorded.run("for n in range(20_000): print(n)")
    assert recorded.messages == [str(n) for n in range(20_000)]


@pytest.mark.parametrize(
    ("event", "tool"),
    [
        ({"data": {"name": "Read", "args": {"file_path": "a.py"}}}, "Read(a.py)"),
        ({"payload": {"tool_name": "Bash", "tool_target": "git status"}}, "Bash(git status)"),
        ({"name": "Bash", "args": "ls"}, "Bash(ls)"),
        ({"data": {"name": "Bash", "input": {"command": "ls", "path": "/"}}}, "Bash(ls)"),
        ({"data": {"name": "Web", "url": "http://x"}}, "Web(http://x)"),
        ({"data": {"name": "Think", "args": {"n": 1}}}, "Think"),
        ({"data": {"name": 7}}, ""),
        ({"data": "text"}, ""),
        ({}, ""),
    ],
)
def test_the_use_of_a_tool(event: dict[str, Any], tool: str) -> None:
    assert tool_of(event) == tool
