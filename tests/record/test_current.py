from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import runline
from runline.model.errors import Unavailable
from runline.record import current, lifetime
from runline.record.current import NO_RUN
from runline.store.sql_store import SqlStore
from tests.record.conftest import Program, told, types


def test_without_a_run_everything_is_ignored(tmp_path: Path) -> None:
    run = runline.current()
    assert run is NO_RUN
    assert runline.event("x", durable=True) is False
    assert run.start() is run
    with run as entered, entered.step("s", total=2) as step, entered.call("tool", "t") as call:
        step.advance()
        call.result(ok=True)
        entered.artifact("a", content="x")
        entered.error(ValueError("x"))
        entered.put_all([], timeout_s=1)
        entered.failed_to("do anything", "it is none")
        entered.note("n")
        assert not entered.cancel_requested
        assert entered.environment() == {}
    assert run.flush()
    assert run.end()
    assert run.lost == 0
    assert not run.ended
    assert not list(tmp_path.iterdir())


def test_without_a_run_async_works_too() -> None:
    async def main() -> None:
        async with runline.current() as run, run.step("s"):
            run.event("x")

    asyncio.run(main())


def test_a_thread_without_a_context_records_into_the_process_run(store: SqlStore) -> None:
    with runline.run("r") as run, run.step("s"), ThreadPoolExecutor(1) as pool:
        pool.submit(runline.event, "plain").result()
        pool.submit(runline.carry(runline.event), "carried").result()
    assert [(event.type, event.step) for event in told(store, run.id)[2:4]] == [
        ("plain", None),
        ("carried", "s"),
    ]


def test_a_thread_gets_the_run_that_it_carries(store: SqlStore) -> None:
    with runline.run("a") as a:
        work = runline.carry(runline.event)
        with runline.run("b") as b:
            threads = [threading.Thread(target=work, args=("x",)) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    assert types(store, a.id).count("x") == 4
    assert types(store, b.id) == ["run_started", "run_ended"]


def test_a_context_that_outlives_its_run_belongs_to_the_run_around_it() -> None:
    async def main() -> None:
        gone = asyncio.Event()

        async def later() -> runline.ActiveRun:
            await gone.wait()
            return runline.current()

        async with runline.run("outer") as outer:
            async with runline.run("inner"):
                task = asyncio.create_task(later())
                await asyncio.sleep(0)
            gone.set()
            assert await task is outer
            async with runline.run("child") as child:
                pass
            assert child.outer is outer

    asyncio.run(main())


JOIN = """
import runline
assert runline.event("joined", "hello", durable=True)
run = runline.current()
print(run.id, run.name, runline.current() is run)
run.end("failed")
with runline.run("child") as child: print(child.id)
"""


def test_a_child_process_joins_the_run(store: SqlStore, tmp_path: Path) -> None:
    with runline.run("parent") as run, run.step("extract"):
        done = subprocess.run(
            [sys.executable, "-c", JOIN], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
        )
        assert run.flush()
    first, child_id = done.stdout.splitlines()
    assert first == f"{run.id} parent True"
    events = told(store, run.id)
    assert [(event.type, event.step) for event in events[2:4]] == [
        ("joined", "extract"),
        ("step_completed", "extract"),
    ]
    assert store.get_run(run.id).status == "completed"
    assert store.get_run(child_id).parent_run_id == run.id


def test_a_child_process_joins_by_a_given_environment(store: SqlStore, program: Program) -> None:
    with runline.run("parent") as run:
        assert {**os.environ, **run.environment()} == dict(os.environ)
        program("import runline; runline.event('a'); runline.event('b')")
    assert types(store, run.id) == ["run_started", "a", "b", "run_ended"]


def test_a_run_that_cannot_be_joined_is_no_run(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("RUNLINE_STORE", store.url)
    for run_id in ("never-was", "../etc"):
        monkeypatch.setenv("RUNLINE_RUN_ID", run_id)
        assert runline.current() is NO_RUN
        assert runline.current() is NO_RUN
    assert caplog.text.count("nothing is recorded into the run that RUNLINE_RUN_ID names") == 2


def test_a_run_is_joined_while_its_store_cannot_be_asked(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = store.create_run("parent").run_id
    monkeypatch.setenv("RUNLINE_STORE", store.url)
    monkeypatch.setenv("RUNLINE_RUN_ID", run_id)

    def away(*_: object) -> None:
        raise Unavailable("The store is away.")

    with monkeypatch.context() as patch:
        patch.setattr(SqlStore, "get_run", away)
        joined = runline.current()
    assert isinstance(joined, current.JoinedRun)
    joined.event("joined")
    assert joined.flush()
    joined.abandon(None)
    assert types(store, run_id) == ["run_started", "joined"]
    lifetime.closed(joined)
    current._joined.runs.clear()


def test_two_threads_join_once(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    made = store.create_run("elsewhere")
    monkeypatch.setenv("RUNLINE_STORE", store.url)
    monkeypatch.setenv("RUNLINE_RUN_ID", made.run_id)
    with ThreadPoolExecutor(4) as pool:
        joined = {id(run): run for run in pool.map(lambda _: runline.current(), range(16))}
    (run,) = joined.values()
    run.event("x")
    assert run.flush()
    run.abandon(None)
    assert types(store, made.run_id) == ["run_started", "x"]
    lifetime.closed(run)
    current._joined.runs.clear()
