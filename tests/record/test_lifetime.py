from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import runline
from runline.record import config, lifetime
from runline.record.context import RUN, STEP
from runline.store.sql_store import SqlStore
from tests.record.conftest import Program, only_run, told, types


def test_a_run_that_nobody_ended_is_interrupted_when_the_process_ends(
    store: SqlStore, program: Program
) -> None:
    done = program("import runline; runline.run('left').start().event('seen')")
    assert (done.returncode, done.stderr) == (0, "")
    run = store.get_run(only_run(store))
    assert (run.status, run.error_message) == ("interrupted", "the process ended without ending the run")
    assert types(store, run.run_id) == ["run_started", "seen", "run_ended"]


def test_an_uncaught_exception_fails_the_run_that_it_leaves_open(store: SqlStore, program: Program) -> None:
    done = program("import runline; runline.run('left').start(); raise ValueError('uncaught')")
    assert done.returncode == 1
    run_id = only_run(store)
    assert store.get_run(run_id).status == "failed"
    assert types(store, run_id) == ["run_started", "error", "run_ended"]
    assert told(store, run_id)[1].data["message"] == "uncaught"


def test_nothing_queued_is_lost_when_the_process_ends(store: SqlStore, program: Program) -> None:
    done = program(
        "import runline; runline.configure(queue_size=100_000)\n"
        "with runline.run('burst') as run:\n"
        "    for n in range(30_000): run.event('tick', data={'n': n})\n"
        "    print(runline.flush(60))\n"
    )
    assert done.stdout == "True\n"
    assert store.get_run(only_run(store)).event_count == 30_002


def test_a_program_pays_only_for_what_it_uses(program: Program) -> None:
    done = program(
        "import sys, runline\n"
        "with runline.run('light') as run, run.step('s'), run.call('tool', 't'): run.event('x')\n"
        "print(sorted({'asyncio', 'multiprocessing', 'typer', 'rich', 'ijson'} & set(sys.modules)))\n"
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


FORK = """
import os, sys, runline
with runline.run("forked") as run, run.step("both"):
    run.event("before")
    child = os.fork()
    if child == 0:
        for n in range(200): runline.event("child", data={"n": n})
        %s
    for n in range(200): run.event("parent", data={"n": n})
    assert os.waitpid(child, 0)[1] == 0
print(runline.close(10))
"""


@pytest.mark.parametrize(
    "leaving",
    [
        "sys.exit(0)",
        "assert run.flush(10); os._exit(0)",
        "assert run.end(); sys.exit(0)",
        "assert runline.close(10); runline.event('after'); assert run.flush(10); os._exit(0)",
    ],
)
def test_a_forked_child_records_into_the_same_run(store: SqlStore, program: Program, leaving: str) -> None:
    done = program(FORK % leaving)
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr
    run_id = only_run(store)
    events = told(store, run_id)
    for who in ("child", "parent"):
        assert [event.data["n"] for event in events if event.type == who] == list(range(200))
    assert store.get_run(run_id).status == "completed"
    assert events[-1].type == "run_ended"
    assert {event.step for event in events if event.type == "child"} == {"both"}


def test_an_exception_in_a_forked_child_is_told_and_ends_nothing(store: SqlStore, program: Program) -> None:
    done = program(
        "import os, runline\n"
        "with runline.run('forked') as run:\n"
        "    child = os.fork()\n"
        "    if child == 0: raise ValueError('in the child')\n"
        "    os.waitpid(child, 0)\n"
        "    run.event('after')\n"
    )
    assert done.returncode == 0
    run_id = only_run(store)
    assert types(store, run_id) == ["run_started", "error", "after", "run_ended"]
    assert store.get_run(run_id).status == "completed"


def test_a_forked_child_may_have_a_run_of_its_own(store: SqlStore, program: Program) -> None:
    done = program(
        "import os, runline\n"
        "with runline.run('parent', run_id='p') as run:\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        with runline.run('own', run_id='c') as own: own.event('mine')\n"
        "        os._exit(0)\n"
        "    os.waitpid(child, 0)\n"
    )
    assert done.returncode == 0
    assert types(store, "c") == ["run_started", "mine", "run_ended"]
    assert store.get_run("c").parent_run_id == "p"
    assert types(store, "p") == ["run_started", "run_ended"]


def test_forking_while_other_threads_record(store: SqlStore, program: Program) -> None:
    done = program(
        "import os, threading, runline\n"
        "with runline.run('busy') as run, run.step('s', total=10**9) as step:\n"
        "    stop = threading.Event()\n"
        "    def work():\n"
        "        while not stop.is_set():\n"
        "            run.event('tick'); step.advance()\n"
        "    threads = [threading.Thread(target=work) for _ in range(2)]\n"
        "    for thread in threads: thread.start()\n"
        "    for n in range(10):\n"
        "        child = os.fork()\n"
        "        if child == 0:\n"
        "            run.event('child', data={'n': n}); step.advance(); ok = run.flush(20); os._exit(not ok)\n"
        "        assert os.waitpid(child, 0)[1] == 0, n\n"
        "    stop.set()\n"
        "    for thread in threads: thread.join()\n"
    )
    assert done.returncode == 0, done.stderr
    children = [event.data["n"] for event in told(store, only_run(store)) if event.type == "child"]
    assert children == list(range(10))


WORKERS = """
import multiprocessing, runline
def work(worker):
    for n in range(300): runline.event("tick", data={"worker": worker, "n": n})
def main():
    context = multiprocessing.get_context("%s")
    with runline.run("workers") as run, run.step("spread"):
        workers = [context.Process(target=work, args=(n,)) for n in range(3)]
        for worker in workers: worker.start()
        for worker in workers: worker.join()
        assert [worker.exitcode for worker in workers] == [0, 0, 0]
if __name__ == "__main__": main()
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_children_of_multiprocessing_lose_nothing(
    store: SqlStore, program: Program, tmp_path: Path, method: str
) -> None:
    (tmp_path / "workers.py").write_text(WORKERS % method)
    done = program(
        "import sys, subprocess; sys.exit(subprocess.run([sys.executable, 'workers.py']).returncode)"
    )
    assert done.returncode == 0, done.stderr
    events = [event for event in told(store, only_run(store)) if event.type == "tick"]
    for worker in range(3):
        assert [event.data["n"] for event in events if event.data["worker"] == worker] == list(range(300))
    assert {event.step for event in events} == {"spread"}


def test_the_process_run_is_the_innermost_of_one_chain() -> None:
    assert lifetime.process_run() is None
    with runline.run("a") as a:
        assert lifetime.process_run() is a
        with runline.run("b") as b:
            assert lifetime.process_run() is b
            assert os.environ["RUNLINE_RUN_ID"] == b.id
        assert lifetime.process_run() is a
    assert lifetime.process_run() is None
    assert "RUNLINE_RUN_ID" not in os.environ


def test_side_by_side_the_run_around_them_is_the_process_run() -> None:
    around = runline.run("around").start()
    left = runline.run("left").start()
    RUN.set(around)
    right = runline.run("right").start()
    assert lifetime.process_run() is around
    left.end()
    assert lifetime.process_run() is right
    around.end()
    assert lifetime.process_run() is right  # it lies in nothing that is open
    right.end()
    assert lifetime.process_run() is None


def test_two_runs_that_share_nothing_leave_no_process_run() -> None:
    left = runline.run("left").start()
    RUN.set(None)
    right = runline.run("right").start()
    assert lifetime.process_run() is None
    assert "RUNLINE_RUN_ID" not in os.environ
    left.end()
    right.end()


def test_a_run_of_another_thread_is_nobody_elses() -> None:
    started, leave = threading.Event(), threading.Event()

    def work() -> None:
        with runline.run("job"):
            started.set()
            leave.wait(30)

    thread = threading.Thread(target=work)
    thread.start()
    assert started.wait(30)
    assert lifetime.process_run() is None
    leave.set()
    thread.join()


def test_steps_of_the_main_thread_reach_the_environment() -> None:
    with runline.run("r") as run:
        with run.step("a"):
            assert os.environ["RUNLINE_STEP"] == "a"
            with run.step("b"):
                assert os.environ["RUNLINE_STEP"] == "b"
            assert os.environ["RUNLINE_STEP"] == "a"
            beside = run.step("beside").start()
            beside.outer = None
            again = run.step("again").start()
            again.outer = None
            assert "RUNLINE_STEP" not in os.environ  # side by side: none of them
            again.end()
            beside.end()
            STEP.set(None)
        elsewhere = run.step("elsewhere")
        thread = threading.Thread(target=lambda: elsewhere.start().end())
        thread.start()
        thread.join()
        assert "RUNLINE_STEP" not in os.environ


def test_flush_tells_the_truth(store: SqlStore) -> None:
    assert runline.flush(1)
    with runline.run("r") as run:
        run.event("x")
        assert runline.flush(10)
        store.cancel(run.id, force=True)
        run.event("late")
        assert not runline.flush(10)
    assert not runline.flush(10)  # something was lost, and stays lost


def test_a_run_goes_on_after_close(store: SqlStore) -> None:
    with runline.run("r") as run:
        run.event("before")
        assert runline.close(10)
        assert not config.opened()
        assert run.flush()
        run.event("after")
        assert run.flush()
    assert types(store, run.id) == ["run_started", "before", "after", "run_ended"]


def test_a_store_of_the_callers_is_not_closed(store: SqlStore) -> None:
    with runline.run("r", store=store) as run:
        assert runline.close(10)
        run.event("after")
        assert run.flush()
    assert store.get_run(run.id).event_count == 3


def test_a_close_that_runs_out_of_time_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with runline.run("r") as run, monkeypatch.context() as patched:
        patched.setattr(run.store, "flush", lambda timeout_s: False)
        assert not runline.close(10)


def test_diagnostics_go_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    run = runline.run("r")
    with caplog.at_level(logging.WARNING, "runline"):
        run.failed_to("do it", "too early")
        run.failed_to("do it", "too early")
    assert [record.getMessage() for record in caplog.records] == ["runline: run r could not do it: too early"]


def test_the_trace_of_an_uncaught_exception_is_read_where_python_keeps_it(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runline.run("r").start()
    monkeypatch.setattr(sys, "last_exc", KeyError("k"), raising=False)
    lifetime.at_exit()
    assert store.get_run(run.id).status == "failed"
    lifetime.closed(run)
    RUN.set(None)


class FakeMultiprocessing:
    """What the recorder asks of `multiprocessing.util` and `.process`."""

    def __init__(self, parent: object) -> None:
        self.parent = parent
        self.after_fork: list[Callable[[object], None]] = []
        self.finalizers: list[tuple[object, int]] = []

    def register_after_fork(self, _: object, function: Callable[[object], None]) -> None:
        self.after_fork.append(function)

    def Finalize(self, _: object, function: object, exitpriority: int) -> None:  # noqa: N802
        self.finalizers.append((function, exitpriority))

    def parent_process(self) -> object:
        return self.parent


@pytest.mark.parametrize("parent", [None, object()])
def test_what_a_forked_child_does(store: SqlStore, monkeypatch: pytest.MonkeyPatch, parent: object) -> None:
    fake = FakeMultiprocessing(parent)
    with runline.run("r") as run, run.step("s", total=2) as step:
        run.event("before")
        assert run.flush()
        with monkeypatch.context() as patched:
            patched.setitem(sys.modules, "multiprocessing.util", fake)
            patched.setitem(sys.modules, "multiprocessing.process", fake)
            lifetime._forked()
            (arm,) = fake.after_fork
            arm(None)
        assert fake.finalizers == ([] if parent is None else [(lifetime.at_exit, -100)])
        step.advance()
        run.event("as_the_child")
        run.abandon(None)
        assert run.end()
        assert not run.ended
        run._owned = True
    assert types(store, run.id)[-4:] == ["step_progress", "as_the_child", "step_completed", "run_ended"]


def test_a_fork_without_multiprocessing(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with runline.run("r") as run:
        monkeypatch.delitem(sys.modules, "multiprocessing.util", raising=False)
        lifetime._forked()
        lifetime._arm_multiprocessing()
        run._owned = True
    assert store.get_run(run.id).status == "completed"


def test_the_recorder_arms_itself_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifetime._runs, "armed", True)
    monkeypatch.setattr("atexit.register", None)
    with runline.run("r"):
        pass
