"""Signals that a wrapped command should get: those sent to us are passed on to it.

Ctrl-C and Ctrl-backslash at a terminal reach the whole foreground process group, the command included; passing them
on as well would deliver them twice, and many programs take the second one as "now!".
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from types import FrameType, TracebackType
from typing import Any, Self

from runline.record.tree import Tree

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
"""Those that ask to stop."""
PASSED_ON = (*STOPPING, signal.SIGUSR1, signal.SIGUSR2)
_FROM_KEYS = (signal.SIGINT, signal.SIGQUIT)


class PassedOn:
    """While entered, signals go to the command attached; one that came before is sent when it is attached.

    Only the main thread can set handlers; from another one nothing is passed on. A signal that is ignored
    (nohup) stays ignored.
    """

    def __init__(self) -> None:
        self.stopping = False
        """One of them asked to stop."""
        self.terminated = False
        """One was SIGTERM, which is meant for everything that the command started."""
        self._tree: Tree | None = None
        self._command: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []
        self._before: dict[signal.Signals, Any] = {}

    def attach(self, command: subprocess.Popen[bytes], tree: Tree | None = None) -> None:
        """`tree` is looked at before a SIGTERM is passed on: afterwards the command's children may be orphans."""
        self._command, self._tree = command, tree
        for number in self._early:
            command.send_signal(number)

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in PASSED_ON:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._received)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            # None: a handler that was not set from Python; it cannot be put back.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def _received(self, number: int, _: FrameType | None) -> None:
        self.stopping |= number in STOPPING
        if number == signal.SIGTERM:
            self.terminated = True
            if self._tree is not None and not self._tree.stopping:
                self._tree.look()
        if self._command is None:
            self._early.append(number)
        elif number not in _FROM_KEYS or not in_foreground():
            self._command.send_signal(number)


def in_foreground() -> bool:
    """Whether this process group is the one that the terminal's keys reach."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
