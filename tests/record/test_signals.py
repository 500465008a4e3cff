from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import threading

import pytest

from runline.record import signals
from runline.record.signals import PASSED_ON, PassedOn, in_foreground


def sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen(["sleep", "60"])


def test_handlers_are_put_back() -> None:
    before = {number: signal.getsignal(number) for number in PASSED_ON}
    with PassedOn():
        assert signal.getsignal(signal.SIGTERM) != before[signal.SIGTERM]
    assert {number: signal.getsignal(number) for number in PASSED_ON} == before


def test_a_signal_that_came_early_is_sent_when_the_command_is_there() -> None:
    with PassedOn() as passed:
        os.kill(os.getpid(), signal.SIGTERM)
        assert passed.stopping
        command = sleeper()
        passed.attach(command)
        assert command.wait(30) == -signal.SIGTERM


def test_a_signal_that_does_not_ask_to_stop() -> None:
    with PassedOn() as passed:
        command = sleeper()
        passed.attach(command)
        os.kill(os.getpid(), signal.SIGUSR1)
        assert command.wait(30) == -signal.SIGUSR1
        assert not passed.stopping


@pytest.mark.parametrize("from_keys", [True, False])
def test_keys_reach_the_command_by_themselves(monkeypatch: pytest.MonkeyPatch, from_keys: bool) -> None:
    monkeypatch.setattr(signals, "in_foreground", lambda: from_keys)
    with PassedOn() as passed:
        command = sleeper()
        passed.attach(command)
        os.kill(os.getpid(), signal.SIGINT)
        assert passed.stopping
        os.kill(os.getpid(), signal.SIGTERM)
        assert command.wait(30) == (-signal.SIGTERM if from_keys else -signal.SIGINT)


def test_an_ignored_signal_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with PassedOn() as passed:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not passed.stopping
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_handler_from_outside_python_becomes_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGUSR2)
    with PassedOn() as passed:
        passed._before[signal.SIGUSR2] = None
    assert signal.getsignal(signal.SIGUSR2) is signal.SIG_DFL
    signal.signal(signal.SIGUSR2, before)


def test_outside_the_main_thread_nothing_is_passed_on() -> None:
    before = signal.getsignal(signal.SIGTERM)
    seen: list[object] = []

    def work() -> None:
        with PassedOn():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]


def test_without_a_terminal_nobody_is_in_the_foreground(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> int:
        raise OSError("no tty")

    monkeypatch.setattr(os, "open", none)
    assert not in_foreground()


def test_a_terminal_that_does_not_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    primary, secondary = pty.openpty()
    name = os.ttyname(secondary)
    open_file = os.open
    monkeypatch.setattr(os, "open", lambda _, flags: open_file(name, flags))
    assert not in_foreground()  # it is no terminal of this session
    for number in (primary, secondary):
        os.close(number)


def test_the_foreground_group_of_a_terminal_knows_it() -> None:
    child, terminal = pty.fork()
    if child == 0:
        os.execv(
            sys.executable,
            [
                sys.executable,
                "-c",
                "from runline.record.signals import in_foreground; print(in_foreground())",
            ],
        )
    said = b""
    while b"\n" not in said:
        said += os.read(terminal, 100)
    os.waitpid(child, 0)
    os.close(terminal)
    assert said.strip() == b"True"
