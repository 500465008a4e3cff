"""`runline exec`: any command, recorded from outside.

Its output is shown as it comes, every line is an event, its exit code is the run's status, signals are passed
on, and programs in it that use Runline join the run through the environment. The pipe is read no faster than events
are stored, so that none is dropped and memory stays flat.
"""

from __future__ import annotations

import os
import selectors
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from runline.model.errors import Invalid, RunlineError
from runline.record.config import store_for
from runline.record.current import NO_RUN
from runline.record.output import Output
from runline.record.run import ActiveRun
from runline.record.signals import PassedOn
from runline.record.tree import Tree, marked, marker

_POLL_S = 0.1
_GRACE_S = 1.0
"""How long output may still come once the command itself is gone."""
_ROOM_WAIT_S = 60.0
_END_WAIT_S = 60.0
_QUEUE_SIZE = 20_000
NOT_FOUND, NOT_EXECUTABLE = 127, 126


def record_command(
    argv: Sequence[str],
    *,
    store: Any = None,
    name: str | None = None,
    kind: str = "run",
    tags: Sequence[str] = (),
    tenant: str | None = None,
    run_id: str | None = None,
    stdout: IO[bytes] | None = None,
    stderr: IO[bytes] | None = None,
    best_effort: bool = False,
) -> int:
    """Runs the command and records it; its exit code, 128 + n when signal n killed it, 127 when there is none.

    `stdout` and `stderr` are where its output is shown (this process's own). Raises what `ActiveRun.start` raises,
    before anything runs; with `best_effort` the command then runs unrecorded, and standard error says so.
    """
    if not argv:
        raise Invalid("There is no command to run.", code="no_command", fields={"command": "missing"})
    shown, told = stdout or sys.stdout.buffer, stderr or sys.stderr.buffer
    given = {"command": list(argv), "cwd": str(Path.cwd())}
    try:
        run = ActiveRun(
            name or shlex.join(argv),
            kind=kind,
            tags=tags,
            tenant=tenant,
            input=given,
            run_id=run_id,
            store=store_for(store, queue_size=_QUEUE_SIZE),
        ).start()
    except RunlineError as error:
        if not best_effort:
            raise
        _say(told, f"this command is not recorded: {error}")
        run = NO_RUN
    return _Command(run, argv, shown, told).record()


class _Command:
    """One command under way."""

    def __init__(self, run: ActiveRun, argv: Sequence[str], shown: IO[bytes], told: IO[bytes]) -> None:
        self.run = run
        self.argv = list(argv)
        self.shown = shown
        self.told = told
        self.cancelled = False
        self._look_s = 0.0
        self._signals = PassedOn()

    def record(self) -> int:
        own = marker()
        with self._signals as signals:
            try:
                command = subprocess.Popen(
                    self.argv,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    bufsize=0,
                    env=os.environ | self.run.environment() | marked(own),
                )
            except OSError as error:
                return self._not_started(error)
            tree = Tree(command.pid, own)
            signals.attach(command, tree)
            outputs = [
                Output(pipe, sink, source)
                for pipe, sink, source in (
                    (command.stdout, self.shown, "stdout"),
                    (command.stderr, self.told, "stderr"),
                )
                if pipe is not None
            ]
            self._read(command, tree, outputs)
            code = self._wait(command, tree)
        return self._end(code, outputs, stopped=signals.stopping or self.cancelled)

    def _read(self, command: subprocess.Popen[bytes], tree: Tree, outputs: Sequence[Output]) -> None:
        """Until both outputs end, or the command is gone and somebody else keeps one of them open."""
        stop_s: float | None = None
        with selectors.DefaultSelector() as ready:
            for output in outputs:
                ready.register(output.pipe, selectors.EVENT_READ, output)
            while ready.get_map() and (stop_s is None or time.monotonic() < stop_s):
                for key, _ in ready.select(_POLL_S):
                    output = key.data
                    drafts = output.read()
                    if output.ended:
                        ready.unregister(output.pipe)
                        drafts += output.finish()
                    self.run.put_all(drafts, timeout_s=_ROOM_WAIT_S)
                now_s = time.monotonic()
                if now_s >= self._look_s:
                    self._look_s = now_s + _POLL_S
                    self._look_after(command, tree)
                    if stop_s is None and command.poll() is not None and not tree.under_way:
                        stop_s = now_s + _GRACE_S
            left = [key.data for key in ready.get_map().values()]
        for output in left:
            self.run.put_all(output.finish(), timeout_s=_ROOM_WAIT_S)
        if left:
            self.run.flush(_END_WAIT_S)
            sources = " and ".join(output.source for output in left)
            message = (
                f"a background process still holds {sources}; what it prints from here on is not recorded"
            )
            self.run.event("log", message, level="warn", source="runline")

    def _wait(self, command: subprocess.Popen[bytes], tree: Tree) -> int:
        """Until the command is gone, and when it was stopped everything that it started."""
        while True:
            self._look_after(command, tree)
            if tree.under_way:
                time.sleep(_POLL_S)
                continue
            try:
                code = command.wait(_POLL_S)
            except subprocess.TimeoutExpired:
                continue
            if tree.stopping or not self._signals.terminated:
                break
        if tree.left:
            message = f"{len(tree.left)} processes could not be killed: {', '.join(map(str, tree.left))}"
            self.run.event("log", message, level="warn", source="runline")
        return code

    def _look_after(self, command: subprocess.Popen[bytes], tree: Tree) -> None:
        """Stops all of it when somebody cancelled its run, and what a command that was told to stop left behind."""
        if not self.cancelled and self.run.cancel_requested:
            self.cancelled = True
            tree.stop()
        if self._signals.terminated and command.poll() is not None:
            tree.stop()
        if tree.under_way:
            tree.advance()

    def _not_started(self, error: OSError) -> int:
        missing = isinstance(error, (FileNotFoundError, NotADirectoryError))
        what = "command not found" if missing else f"cannot be run ({error.strerror or error})"
        _say(self.told, f"{self.argv[0]}: {what}")
        code = NOT_FOUND if missing else NOT_EXECUTABLE
        data = {"name": type(error).__name__, "message": what, "exit_code": code}
        self.run.event("error", f"{self.argv[0]}: {what}", data=data, source="runline")
        self.run.end("failed", error=f"{self.argv[0]}: {what}")
        return code

    def _end(self, code: int, outputs: Sequence[Output], *, stopped: bool) -> int:
        # Room for what follows: a full queue would drop it.
        self.run.flush(_END_WAIT_S)
        if code == 0:
            status, error = "completed", None
        else:
            status = "cancelled" if stopped else "failed"
            error = f"killed by {_signal_name(-code)}" if code < 0 else f"exit code {code}"
            tail = next((list(output.tail) for output in reversed(outputs) if output.tail), [])
            data: dict[str, Any] = {"name": error, "tail": tail}
            data |= {"signal": _signal_name(-code)} if code < 0 else {"exit_code": code}
            if tail:
                data["message"] = tail[-1].strip()
            self.run.event("error", data.get("message", error), data=data, source="runline")
        # A forced cancel has ended the run, and what came after it was meant to be refused.
        if not self.run.end(status, error=error) and not self.run.cancel_requested:
            _say(self.told, self._not_stored())
        return 128 - code if code < 0 else code

    def _not_stored(self) -> str:
        waiting = None if self.run.lost else self.run.store.waiting
        if waiting is not None:
            return f"events of this run wait in {waiting} until its store is back; the next command sends them (run {self.run.id})"
        return f"{self.run.lost or 'some'} events of this run could not be stored (run {self.run.id})"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _say(told: IO[bytes], sentence: str) -> None:
    try:
        told.write(f"runline: {sentence}\n".encode("utf-8", "replace"))
        told.flush()
    except OSError:
        pass  # nobody is there to read it
