from __future__ import annotations

import logging
import os
import threading

import pytest

from runline.intake import forking
from runline.intake.forking import inside, was_quiet


def forked_child_saw(expected: bool) -> bool:
    """Whether a forked child finds the gate as expected and can go inside."""
    child = os.fork()
    if child == 0:
        with inside(), inside():
            os._exit(0 if was_quiet() is expected else 1)
    return os.waitpid(child, 0)[1] == 0


def test_a_fork_waits_until_everybody_is_out() -> None:
    entered, leave = threading.Event(), threading.Event()
    order: list[str] = []

    def work() -> None:
        with inside(), inside():
            entered.set()
            leave.wait(30)
            order.append("out")

    thread = threading.Thread(target=work)
    thread.start()
    assert entered.wait(30)
    threading.Timer(0.05, leave.set).start()
    assert forked_child_saw(True)
    order.append("forked")
    thread.join()
    assert order == ["out", "forked"]


def test_a_fork_does_not_wait_for_ever(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(forking, "_WAIT_S", 0.01)
    entered, leave = threading.Event(), threading.Event()

    def work() -> None:
        with inside():
            entered.set()
            leave.wait(30)

    thread = threading.Thread(target=work)
    thread.start()
    assert entered.wait(30)
    assert forked_child_saw(False)
    leave.set()
    thread.join()
    (told,) = caplog.records
    assert (told.name, told.levelname) == ("runline", "WARNING")
    assert "was forked while the store was busy for 0.01 s" in told.getMessage()


def test_a_handler_that_goes_inside_may_take_the_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    class Recording(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            with inside():
                told.append(record.getMessage())

    monkeypatch.setattr(forking, "_WAIT_S", 0.01)
    told: list[str] = []
    entered, leave = threading.Event(), threading.Event()

    def work() -> None:
        with inside():
            entered.set()
            leave.wait(30)

    thread, handler = threading.Thread(target=work), Recording()
    thread.start()
    assert entered.wait(30)
    logging.getLogger("runline").addHandler(handler)
    assert forked_child_saw(False)
    logging.getLogger("runline").removeHandler(handler)
    leave.set()
    thread.join()
    assert len(told) == 1


def test_a_thread_that_forks_inside_does_not_wait_for_itself(caplog: pytest.LogCaptureFixture) -> None:
    with inside():
        assert forked_child_saw(False)
    assert caplog.records == []


def test_nobody_goes_inside_while_a_fork_is_under_way() -> None:
    passed = threading.Event()

    def work() -> None:
        with inside():
            passed.set()

    forking._before()
    forking._gate.lock.release()
    thread = threading.Thread(target=work)
    thread.start()
    assert not passed.wait(0.02)
    forking._gate.lock.acquire()
    forking._after_in_parent()
    assert passed.wait(30)
    thread.join()


def test_the_child_finds_the_gate_open() -> None:
    forking._before()
    forking._after_in_child()
    assert was_quiet()
    with inside():
        assert forking._gate.inside == 1
    assert forking._gate.inside == 0
