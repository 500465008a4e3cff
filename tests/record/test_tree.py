from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runline.model.errors import NotFound
from runline.record import process, tree
from runline.record.tree import MARKER, Process, Tree, marked, marker, processes
from runline.store.sql_store import SqlStore
from tests.record.conftest import told, types
from tests.record.test_process import Shown, start_exec

STUBBORN = {
    "ignores SIGTERM": "(trap '' TERM; exec sleep 77) & echo $!; wait",
    "a session of its own": "setsid sh -c 'trap \"\" TERM; echo $$; exec sleep 77' & wait",
    "orphaned": 'setsid sh -c \'trap "" TERM; (echo $(exec sh -c "echo \\$PPID"); exec sleep 77) & exit\' & wait; sleep 77',
    "without the pipe": "(trap '' TERM; exec sleep 77 >/dev/null 2>&1) & echo $!; wait",
    "without the environment": "env -i setsid sh -c 'trap \"\" TERM; echo $$; exec sleep 77' & wait",
}


def alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def wait_until(true: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def printed(store: SqlStore, run_id: str = "r") -> list[int]:
    """The pids that the command printed."""
    try:
        return [int(event.message) for event in told(store, run_id) if event.source == "stdout"]
    except NotFound:
        return []


def started_types(store: SqlStore) -> list[str]:
    try:
        return types(store, "r")
    except NotFound:
        return []


def children() -> list[int]:
    return [pid for pid, found in processes("").items() if found.parent == os.getpid()]


def environment(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/environ").read_text(errors="replace")
    except OSError:
        return ""


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "_KILL_AFTER_S", 0.3)


@pytest.fixture
def started() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts a command under a marker."""
    running: list[subprocess.Popen[bytes]] = []

    def start(own: str, script: str) -> subprocess.Popen[bytes]:
        command = subprocess.Popen(
            ["sh", "-c", script], stdout=subprocess.PIPE, env=os.environ | marked(own), start_new_session=True
        )
        running.append(command)
        return command

    yield start
    for command in running:
        command.kill()
        command.wait(30)
        assert command.stdout is not None
        command.stdout.close()


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("script", STUBBORN.values(), ids=STUBBORN.keys())
def test_a_cancelled_command_leaves_nobody(store: SqlStore, script: str, force: bool) -> None:
    def cancel() -> None:
        wait_until(lambda: bool(printed(store)))
        store.cancel("r", force=force)

    canceller = threading.Thread(target=cancel)
    canceller.start()
    shown = Shown()
    began_s = time.monotonic()
    process.record_command(["sh", "-c", script], run_id="r", stdout=shown, stderr=Shown())
    canceller.join()
    assert time.monotonic() - began_s < 20
    assert not alive(int(shown.getvalue()))
    assert store.get_run("r").status == "cancelled"


@pytest.mark.parametrize("script", STUBBORN.values(), ids=STUBBORN.keys())
def test_a_terminated_command_leaves_nobody_within_ten_seconds(
    store: SqlStore, tmp_path: Path, script: str
) -> None:
    running = start_exec(tmp_path, "sh", "-c", script, start_new_session=True)
    wait_until(lambda: bool(printed(store)))
    (pid,) = printed(store)
    began_s = time.monotonic()
    running.terminate()
    running.communicate(timeout=60)
    assert 4 < time.monotonic() - began_s < 10
    assert running.returncode == 128 + signal.SIGTERM
    assert not alive(pid)
    assert store.get_run("r").status == "cancelled"


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize(
    "script", ["echo $$; sleep 77", "exec >/dev/null 2>&1; sleep 77", STUBBORN["ignores SIGTERM"]]
)
def test_a_signal_stops_what_the_command_leaves_behind(store: SqlStore, script: str) -> None:
    def terminate() -> None:
        wait_until(lambda: "run_started" in started_types(store))
        wait_until(lambda: any(MARKER in environment(pid) for pid in children()))
        os.kill(os.getpid(), signal.SIGTERM)

    sender = threading.Thread(target=terminate)
    sender.start()
    shown = Shown()
    code = process.record_command(["sh", "-c", script], run_id="r", stdout=shown, stderr=Shown())
    sender.join()
    assert code == 128 + signal.SIGTERM
    assert not any(alive(int(pid)) for pid in shown.getvalue().split())
    assert store.get_run("r").status == "cancelled"


def test_what_a_completed_command_leaves_lives_on(store: SqlStore) -> None:
    shown = Shown()
    script = "setsid sleep 60 >/dev/null 2>&1 & echo $!"
    assert process.record_command(["sh", "-c", script], run_id="r", stdout=shown, stderr=Shown()) == 0
    pid = int(shown.getvalue())
    assert alive(pid)
    os.kill(pid, signal.SIGKILL)
    assert types(store, "r")[-1] == "run_ended"


def test_markers_are_nested(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(MARKER, raising=False)
    assert marked("a") == {MARKER: "a"}
    monkeypatch.setenv(MARKER, "a")
    assert marked("b") == {MARKER: "a:b"}
    assert marker() != marker()


def test_only_the_commands_own_are_marked(started: Callable[..., subprocess.Popen[bytes]]) -> None:
    own, other = marker(), marker()
    mine = started(own, "echo ready; exec sleep 60")
    theirs = started(other, "echo ready; exec sleep 60")
    for command in (mine, theirs):
        assert command.stdout is not None
        assert command.stdout.readline() == b"ready\n"
    table = processes(own)
    assert (table[mine.pid].marked, table[theirs.pid].marked, table[os.getpid()].marked) == (
        True,
        False,
        False,
    )
    assert table[mine.pid].parent == os.getpid()
    assert Tree(mine.pid, own).look() == [mine.pid]


def test_a_zombie_is_none() -> None:
    ended = subprocess.Popen(["true"])
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
    assert ended.pid not in processes(marker())
    assert Tree(ended.pid, marker()).look() == []
    ended.wait(30)


def test_another_process_with_a_members_pid_is_not_hit(monkeypatch: pytest.MonkeyPatch) -> None:
    table = {7: Process(1, "100", False), 8: Process(7, "101", False)}
    monkeypatch.setattr(tree, "processes", lambda _: table)
    watched = Tree(7, "own")
    assert sorted(watched.look()) == [7, 8]
    table = {7: Process(1, "555", False), 8: Process(1, "101", False)}
    assert watched.look() == [8]


def test_a_cycle_of_parents_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "processes", lambda _: {7: Process(8, "1", True), 8: Process(7, "1", False)})
    assert sorted(Tree(7, "own").look()) == [7, 8]


def test_who_cannot_be_killed_is_told(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "_KILL_AFTER_S", 0.0)
    monkeypatch.setattr(tree, "_GIVE_UP_AFTER_S", 0.0)

    def refused(pid: int, number: int) -> None:
        raise ProcessLookupError if number == signal.SIGTERM else PermissionError

    def cancel() -> None:
        wait_until(lambda: bool(printed(store)))
        store.cancel("r")

    canceller = threading.Thread(target=cancel)
    canceller.start()
    monkeypatch.setattr(os, "kill", refused)
    process.record_command(["sh", "-c", "echo 1; exec sleep 1"], run_id="r", stdout=Shown(), stderr=Shown())
    canceller.join()
    warning = next(event for event in told(store, "r") if event.level == "warn")
    assert warning.message.startswith("1 processes could not be killed: ")


def test_without_proc_ps_tells(
    started: Callable[..., subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tree, "_PROC", tmp_path / "none")
    monkeypatch.setattr(tree, "_KILL_AFTER_S", 0.0)
    own = marker()
    command = started(own, "trap '' TERM; setsid sleep 60 & echo $!; wait")
    assert command.stdout is not None
    pid = int(command.stdout.readline())
    watched = Tree(command.pid, own)
    assert {command.pid, pid} <= set(watched.look())
    watched.stop()
    watched.stop()
    while watched.under_way:
        watched.advance()
    assert not alive(pid)
    command.wait(30)


def test_without_anything_that_tells_nobody_is_hit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tree, "_PROC", tmp_path / "none")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert processes(marker()) == {}


def test_what_ends_while_it_is_looked_at_is_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tree, "_PROC", tmp_path)
    stat = "({}) S 1 " + "0 " * 17 + "900"
    for pid, text in ((1, "1 " + stat.format("a) (b")), (2, "2 (x"), (4, "4 " + stat.format("hidden"))):
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "stat").write_text(text)
    (tmp_path / "1" / "environ").write_bytes(b"A=1\0" + MARKER.encode() + b"=x:own\0")
    (tmp_path / "3").mkdir()
    assert processes("own") == {1: Process(1, "900", True), 4: Process(1, "900", False)}


def test_at_a_terminal_the_command_stays_in_the_foreground(tmp_path: Path) -> None:
    """Its keys reach the command, and what it reads comes from the terminal."""
    source = (
        "import sys; from runline.record.process import record_command\n"
        "sys.exit(record_command(['sh', '-c', 'trap \"echo int; exit 3\" INT; read x; echo got $x; sleep 60 & wait']))"
    )
    child, terminal = pty.fork()
    if child == 0:
        os.environ["RUNLINE_STORE"] = str(tmp_path / "runline.db")
        os.execv(sys.executable, [sys.executable, "-c", source])
    said = b""

    def read_until(wanted: bytes) -> None:
        nonlocal said
        while wanted not in said:
            assert select.select([terminal], [], [], 30)[0], said
            said += os.read(terminal, 1000)

    os.write(terminal, b"hello\n")
    read_until(b"got hello")
    os.write(terminal, b"\x03")
    read_until(b"int")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
    os.close(terminal)
