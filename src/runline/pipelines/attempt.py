"""One attempt of a step: a program in a session of its own, its output recorded, its end enforced.

The program gets no terminal and nothing on standard input but its prompt. When it runs out of time, uses a tool it
may not, or is stopped by force, everything it started is ended with it: SIGTERM, five seconds later SIGKILL.
The pipe is read no faster than events are stored, so memory stays flat however much it prints.
"""

from __future__ import annotations

import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from msgspec import Struct

from runline.model.durations import format_ms
from runline.model.event import Draft
from runline.pipelines.output_events import StepOutput
from runline.pipelines.permissions import Permissions
from runline.record.tree import Tree, marked, marker

_POLL_S = 0.05
_GRACE_S = 1.0
"""How long output may still come once the program itself is gone."""
MOST_CAPTURED_BYTES = 10 * 1024 * 1024


class Outcome(Struct, frozen=True, kw_only=True):
    """How an attempt ended. `error` None: well. `final`: trying again would not help."""

    error: str | None = None
    exit_code: int | None = None
    final: bool = False
    cancelled: bool = False
    tail: tuple[str, ...] = ()


class Attempt:
    """Runs one program to its end. `record` takes events, waiting for room; `force` says that it must stop now."""

    def __init__(
        self,
        step: str,
        *,
        record: Callable[[list[Draft]], None],
        force: Callable[[], bool],
        noticed: Callable[[dict[str, Any]], bool] = lambda _: True,
        permissions: Permissions | None = None,
        cleaning: Mapping[str, Any] | None = None,
    ) -> None:
        self.step = step
        self.denied: str | None = None
        self._record = record
        self._force = force
        self._noticed = noticed
        self._permissions = permissions
        self._cleaning = dict(cleaning or {})
        self._timed_out = False
        self._cancelled = False

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        stdin: IO[bytes] | None = None,
        timeout_s: float | None = None,
        capture: IO[bytes] | None = None,
    ) -> Outcome:
        """Until the program and all that it started are gone, or the program is and nobody was told to stop.

        `capture` takes standard output too, its first 10 MiB.
        """
        own = marker()
        try:
            command = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL if stdin is None else stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                cwd=cwd,
                env={**env, **marked(own)},
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            return Outcome(error=_not_started(argv[0], cwd, error), final=True)
        tree = Tree(command.pid, own)
        end_s = None if timeout_s is None else time.monotonic() + timeout_s
        outputs = [
            StepOutput(pipe, source, self.step, self._seen, **self._cleaning)
            for pipe, source in ((command.stdout, "stdout"), (command.stderr, "stderr"))
            if pipe is not None
        ]
        try:
            self._read(command, tree, outputs, end_s, capture)
            while command.poll() is None or tree.under_way:
                self._look_after(tree, end_s)
                time.sleep(_POLL_S)
        except BaseException:
            _end(command, tree, outputs)
            raise
        return self._outcome(command.returncode, outputs, timeout_s)

    def _read(
        self,
        command: subprocess.Popen[bytes],
        tree: Tree,
        outputs: Sequence[StepOutput],
        end_s: float | None,
        capture: IO[bytes] | None,
    ) -> None:
        """Until both outputs end, or the program is gone and somebody else keeps one of them open."""
        stop_s: float | None = None
        look_s = 0.0
        with selectors.DefaultSelector() as ready:
            for output in outputs:
                ready.register(output.pipe, selectors.EVENT_READ, output)
            while ready.get_map() and (stop_s is None or time.monotonic() < stop_s):
                for key, _ in ready.select(_POLL_S):
                    output = key.data
                    chunk, drafts = output.read()
                    if capture is not None and output is outputs[0]:
                        capture.write(chunk[: max(0, MOST_CAPTURED_BYTES - capture.tell())])
                    if output.ended:
                        ready.unregister(output.pipe)
                        drafts += output.finish()
                    self._record(drafts)
                now_s = time.monotonic()
                if now_s >= look_s:
                    look_s = now_s + _POLL_S
                    self._look_after(tree, end_s)
                    if stop_s is None and command.poll() is not None and not tree.under_way:
                        stop_s = now_s + _GRACE_S
            left = [key.data for key in ready.get_map().values()]
        for output in left:
            self._record(output.finish())

    def _look_after(self, tree: Tree, end_s: float | None) -> None:
        if not tree.stopping:
            self._cancelled = self._force()
            self._timed_out = end_s is not None and time.monotonic() >= end_s
            if self._cancelled or self._timed_out or self.denied is not None:
                tree.stop()
        if tree.under_way:
            tree.advance()

    def _seen(self, event: dict[str, Any]) -> bool:
        """Looks at an event that the step told; a tool that it may not use ends it."""
        if event["type"] == "tool_call" and self._permissions is not None:
            tool = tool_of(event)
            if not self._permissions.allows(tool):
                self.denied = self.denied or tool
        return self._noticed(event)

    def _outcome(self, code: int, outputs: Sequence[StepOutput], timeout_s: float | None) -> Outcome:
        tail = next((tuple(output.tail) for output in reversed(outputs) if output.tail), ())
        if self._cancelled:
            return Outcome(error="stopped by force", exit_code=code, final=True, cancelled=True, tail=tail)
        if self.denied is not None:
            error = f"it used a tool that its persona may not use: {self.denied}"
            return Outcome(error=error, exit_code=code, final=True, tail=tail)
        if self._timed_out:
            error = f"it was stopped after {format_ms(round((timeout_s or 0) * 1000))}, its time limit"
            return Outcome(error=error, exit_code=code, tail=tail)
        if code < 0:
            return Outcome(error=f"killed by {_signal_name(-code)}", exit_code=code, tail=tail)
        return Outcome(error=f"exit code {code}" if code else None, exit_code=code, tail=tail)


def _end(command: subprocess.Popen[bytes], tree: Tree, outputs: Sequence[StepOutput]) -> None:
    """Nothing that was started outlives whoever watches it."""
    tree.stop()
    while tree.under_way:
        tree.advance()
        time.sleep(_POLL_S)
    for output in outputs:
        output.pipe.close()
    command.wait()


_TARGETS = ("command", "file_path", "path", "url", "pattern", "query")


def tool_of(event: Mapping[str, Any]) -> str:
    """The use of a tool that a `tool_call` tells of, as rules are about it: `Bash(git status)`."""
    data = event.get("data", event.get("payload", event.get("details")))
    said: dict[str, Any] = {**event, **(data if isinstance(data, dict) else {})}
    name = next((said[key] for key in ("name", "tool_name", "tool") if isinstance(said.get(key), str)), "")
    arguments = said.get("args", said.get("input"))
    places = {**said, **(arguments if isinstance(arguments, dict) else {})}
    target = said.get("tool_target", arguments)
    if not isinstance(target, str):
        target = next((places[key] for key in _TARGETS if isinstance(places.get(key), str)), None)
    return name if target is None else f"{name}({target})"


def _not_started(program: str, cwd: Path, error: Exception) -> str:
    if not cwd.is_dir():
        return f"its folder {cwd} does not exist"
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return f"{program}: command not found"
    return f"{program} cannot be run: {getattr(error, 'strerror', None) or error}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
