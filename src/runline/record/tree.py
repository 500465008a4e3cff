"""The processes that a command started, and their end: SIGTERM, five seconds later SIGKILL to what is left.

A process group would miss who called setsid, and a command in a group of its own would miss the terminal's keys.
So the tree is found by parents, and by a marker in the environment, which a process keeps when its parent is gone.
The marker belongs to one command alone, so no stranger is ever hit. Without /proc (not Linux) `ps` tells the
parents; who was orphaned before anybody looked is not found there.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

MARKER = "RUNLINE_TREE"
"""Environment variable: the markers of the commands that a process is under, outermost first."""
_KILL_AFTER_S = 5.0
_GIVE_UP_AFTER_S = 4.0
"""How long killing is repeated: a process may start another one while it is killed."""
_PROC = Path("/proc")
_PS = ("ps", "-A", "-o", "pid=,ppid=,stat=,lstart=")
_STATE, _PARENT, _STARTED = 0, 1, 19
"""Places in /proc/<pid>/stat after the name, which may hold anything."""


class Process(NamedTuple):
    """One line of the table. `started` tells two processes apart that have had the same pid."""

    parent: int
    started: str
    marked: bool


def marker() -> str:
    return secrets.token_hex(8)


def marked(own: str) -> dict[str, str]:
    """The variable for a command, within those that this process is under."""
    outer = os.environ.get(MARKER)
    return {MARKER: f"{outer}:{own}" if outer else own}


class Tree:
    """A command and all that it started. A pid is only signalled when it was found in the table just before."""

    def __init__(self, pid: int, own: str) -> None:
        self.stopping = False
        self.left: list[int] = []
        """Those that outlived SIGKILL: nobody may kill them, or the kernel waits for a device."""
        self._own = own
        self._members: dict[int, str] = {}
        self._kill_s = 0.0
        self._ended = False
        table = processes(own)
        if pid in table:
            self._members[pid] = table[pid].started

    @property
    def under_way(self) -> bool:
        """Asked to stop, and not all gone yet."""
        return self.stopping and not self._ended

    def look(self) -> list[int]:
        """The pids that live now. Who was seen once stays a member when its parent is gone."""
        table = processes(self._own)
        children: dict[int, list[int]] = {}
        for pid, process in table.items():
            children.setdefault(process.parent, []).append(pid)
        frontier = [
            pid
            for pid, process in table.items()
            if process.marked or self._members.get(pid) == process.started
        ]
        found: dict[int, str] = {}
        while frontier:
            pid = frontier.pop()
            if pid not in found:
                found[pid] = table[pid].started
                frontier += children.get(pid, ())
        self._members = found
        return list(found)

    def stop(self) -> None:
        """SIGTERM to all of them; the second time nothing."""
        if not self.stopping:
            self.stopping = True
            self._kill_s = time.monotonic() + _KILL_AFTER_S
            _signal(self.look(), signal.SIGTERM)

    def advance(self) -> None:
        """What is due by now, while under way: call it several times a second."""
        now_s = time.monotonic()
        left = self.look()
        if now_s >= self._kill_s:
            _signal(left, signal.SIGKILL)
        if now_s >= self._kill_s + _GIVE_UP_AFTER_S:
            self.left = left
        self._ended = not left or bool(self.left)


def processes(own: str) -> dict[int, Process]:
    """All living processes by pid; zombies are none."""
    try:
        pids = [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]
    except OSError:
        pids = []
    table = {pid: process for pid in pids if (process := _from_proc(pid, own.encode())) is not None}
    return table or _from_ps()


def _from_proc(pid: int, own: bytes) -> Process | None:
    try:
        stat = (_PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None  # it has just ended
    if len(stat) <= _STARTED or stat[_STATE] in (b"Z", b"X"):
        return None
    try:
        is_marked = _carries((_PROC / str(pid) / "environ").read_bytes(), own)
    except OSError:
        is_marked = False  # another user's
    return Process(int(stat[_PARENT]), stat[_STARTED].decode(), is_marked)


def _carries(environment: bytes, own: bytes) -> bool:
    name = MARKER.encode() + b"="
    return any(
        own in line.removeprefix(name).split(b":")
        for line in environment.split(b"\0")
        if line.startswith(name)
    )


def _from_ps() -> dict[int, Process]:
    try:
        told = subprocess.run(_PS, capture_output=True, text=True, check=False).stdout
    except OSError:
        return {}
    lines = (line.split(None, 3) for line in told.splitlines())
    return {
        int(pid): Process(int(parent), started, False)
        for pid, parent, state, started in lines
        if not state.startswith("Z")
    }


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        # Gone meanwhile, or another user's: `left` tells.
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
