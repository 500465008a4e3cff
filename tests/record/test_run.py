from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

import runline
from runline.model.errors import Conflict, Invalid
from runline.store.sql_store import SqlStore
from tests.record.conftest import told, types


def test_session_started_commits_as_sequence_1(store: SqlStore) -> None:
    with runline.run("generate", kind="session") as run:
        first = store.read(run.id)
    assert [(event.seq, event.type, event.data["command"]) for event in first] == [
        (1, "session_started", "generate")
    ]


def test_ten_emitted_events_commit_as_ten_sequential_records(store: SqlStore) -> None:
    with runline.run("ten") as run:
        for n in range(10):
            run.event("node_skipped", data={"n": n})
        assert run.flush()
        events = store.read(run.id, after_seq=1)
    assert [(event.seq, event.data["n"]) for event in events] == [(n + 2, n) for n in range(10)]


def test_session_ended_commits_as_final_record_in_completed_session(store: SqlStore) -> None:
    with runline.run("generate", kind="session") as run:
        run.event("scan_started")
    assert types(store, run.id) == ["session_started", "scan_started", "session_ended"]
    assert told(store, run.id)[-1].data == {"status": "completed"}
    assert store.get_run(run.id).status == "completed"


def leave(error: BaseException | None) -> runline.ActiveRun:
    run = runline.run("leaving")
    with nullcontext() if error is None else pytest.raises(type(error)), run:
        fail_with(error)
    return run


def fail_with(error: BaseException | None) -> None:
    if error is not None:
        raise error


@pytest.mark.parametrize(
    ("error", "status", "said", "error_events"),
    [
        (None, "completed", None, 0),
        (SystemExit(0), "completed", None, 0),
        (SystemExit(), "completed", None, 0),
        (SystemExit(3), "failed", "SystemExit: exit code 3", 1),
        (SystemExit("gone wrong"), "failed", "SystemExit: gone wrong", 1),
        (ValueError("no page"), "failed", "ValueError: no page", 1),
        (KeyboardInterrupt(), "cancelled", "KeyboardInterrupt", 0),
        (asyncio.CancelledError(), "cancelled", "CancelledError", 0),
        (GeneratorExit(), "cancelled", "GeneratorExit", 0),
    ],
)
def test_how_a_run_is_left_decides_its_status(
    store: SqlStore, error: BaseException | None, status: str, said: str | None, error_events: int
) -> None:
    run = leave(error)
    stored = store.get_run(run.id)
    assert (stored.status, stored.error_message) == (status, said)
    assert types(store, run.id).count("error") == error_events
    assert run.ended


@pytest.mark.parametrize(
    ("error", "status"),
    [(None, "completed"), (OSError("x"), "failed"), (asyncio.CancelledError(), "cancelled")],
)
def test_the_same_holds_for_async_with(store: SqlStore, error: BaseException | None, status: str) -> None:
    async def main() -> runline.ActiveRun:
        run = runline.run("async")
        with nullcontext() if error is None else pytest.raises(type(error)):
            async with run as entered:
                assert runline.current() is entered is run
                async with run.step("s"), run.call("tool", "t"):
                    pass
                fail_with(error)
        return run

    run = asyncio.run(main())
    assert store.get_run(run.id).status == status
    assert types(store, run.id)[1:5] == ["step_started", "tool_call", "tool_result", "step_completed"]


def test_an_error_is_told_with_name_message_stack_and_the_step_it_came_from(store: SqlStore) -> None:
    run = runline.run("failing")
    second = KeyError("second")
    second.__cause__ = ValueError("first")
    with pytest.raises(KeyError), run, run.step("outer"), run.step("inner"):
        raise second
    failed_inner, failed_outer, told_error, end = told(store, run.id)[-4:]
    assert (failed_inner.type, failed_inner.step) == ("step_failed", "inner")
    assert failed_inner.data["cause"] == {"name": "ValueError", "message": "first"}
    assert (failed_outer.type, failed_outer.step, "stack" in failed_outer.data) == (
        "step_failed",
        "outer",
        False,
    )
    assert (told_error.type, told_error.step, told_error.level) == ("error", "inner", "error")
    assert told_error.data["name"] == "KeyError"
    assert "in test_an_error_is_told" in told_error.data["stack"]
    assert (end.type, end.level) == ("run_ended", "info")


def test_plain_start_and_end(store: SqlStore) -> None:
    run = runline.run("plain")
    assert run.start() is run.start()
    assert runline.current() is run
    assert run.end("completed", partial=True)
    assert runline.current() is not run
    assert run.end("failed")  # the first end counts
    assert store.get_run(run.id).status == "completed"
    assert store.get_run(run.id).partial
    assert told(store, run.id)[-1].data == {"status": "completed", "partial": True}


def test_an_end_status_that_is_none_counts_as_failed(store: SqlStore) -> None:
    run = runline.run("odd").start()
    run.end("splendid", error=ValueError("x"))
    assert store.get_run(run.id).status == "failed"
    assert store.get_run(run.id).error_message == "ValueError: x"


@pytest.mark.parametrize("type_", ["run_ended", "session_ended"])
def test_an_end_type_ends_the_run(store: SqlStore, type_: str) -> None:
    with runline.run("by-event") as run:
        assert run.event(type_, data={"status": "failed", "error": "by hand"})
        assert run.ended
    assert types(store, run.id) == ["run_started", "run_ended"]
    assert store.get_run(run.id).error_message == "by hand"


def test_an_end_type_without_data_completes(store: SqlStore) -> None:
    with runline.run("by-event") as run:
        run.event("run_ended")
    assert store.get_run(run.id).status == "completed"


def test_what_a_caller_gets_wrong_at_the_start_is_raised(tmp_path: Path) -> None:
    with pytest.raises(Invalid):
        runline.run("").start()
    with pytest.raises(Invalid):
        runline.run("x", run_id="../up").start()
    with pytest.raises(Invalid):
        runline.run("x", plan=[{}]).start()
    runline.run("x", run_id="mine").start().end()
    with pytest.raises(Conflict):
        runline.run("x", run_id="mine").start()
    with pytest.raises(runline.RunlineError):
        runline.run("x", store=tmp_path / "runline.db" / "below-a-file.db").start()


def test_a_run_has_what_it_was_given(store: SqlStore) -> None:
    with runline.run(
        "given",
        kind="agent",
        tags=["prod", "eu"],
        input={"day": 1},
        tenant="acme",
        run_id="g1",
        plan=["a", "b"],
    ) as run:
        pass
    stored = store.get_run("g1")
    assert (stored.kind, stored.tags, stored.input, stored.tenant_id) == (
        "agent",
        ("prod", "eu"),
        {"day": 1},
        "acme",
    )
    assert [step.step_id for step in store.list_steps("g1")] == ["a", "b"]
    assert run.id == "g1"


def test_a_run_inside_a_run_is_its_child_and_shares_its_tenant(store: SqlStore) -> None:
    with runline.run("outer", tenant="acme") as outer:
        with runline.run("inner") as inner:
            assert runline.current() is inner
        assert runline.current() is outer
    assert store.get_run(inner.id).parent_run_id == outer.id
    assert store.get_run(inner.id).tenant_id == "acme"
    assert store.get_run(outer.id).parent_run_id is None


def test_an_event_belongs_to_the_step_of_its_context(store: SqlStore) -> None:
    with runline.run("steps") as run, run.step("a"):
        run.event("one")
        with run.step("b"):
            run.event("two")
            run.event("three", step="c")
            with runline.run("child") as child:
                child.event("four")
                run.event("five")  # the step of its own run, not of the child
        run.event("six")
    placed = {event.type: event.step for event in told(store, run.id)}
    assert placed | {"run_started": None} == placed
    assert [placed[name] for name in ("one", "two", "three", "five", "six")] == ["a", "b", "c", "b", "a"]
    assert {event.step for event in told(store, child.id)} == {None}


def test_a_durable_event_is_stored_when_it_returns(store: SqlStore) -> None:
    with runline.run("durable") as run:
        assert run.event("paid", durable=True) is True
        assert types(store, run.id) == ["run_started", "paid"]
        assert run.event("later") is False


def test_events_after_the_end_are_refused_and_told(store: SqlStore) -> None:
    with runline.run("ended") as run:
        pass
    assert run.flush()
    assert run.event("late", durable=True) is False
    assert run.lost == 1
    assert types(store, run.id) == ["run_started", "run_ended"]


class Hostile:
    """Raises whatever one asks of it."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __repr__(self) -> str:
        raise RuntimeError("repr")

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("eq")

    def __hash__(self) -> int:
        raise RuntimeError("hash")


ODD: dict[str, Callable[[], Any]] = {
    "none": lambda: None,
    "int": lambda: 0,
    "float": lambda: 1.5,
    "bytes": lambda: b"\xff",
    "surrogate": lambda: "\ud800",
    "blank": str,
    "list": list,
    "dict": dict,
    "object-inside": lambda: {"a": object()},
    "int-key": lambda: {1: 2},
    "object": object,
    "hostile": Hostile,
    "class": lambda: type,
}


@pytest.mark.parametrize("kind", ODD)
def test_all_writes_are_safe_if_called_with_anything(store: SqlStore, kind: str) -> None:
    odd = ODD[kind]()
    with runline.run("odd") as run:
        run.event(odd, odd, data=odd, step=odd, level=odd, source=odd, correlation_id=odd)
        run.error(odd)
        run.artifact(odd, odd, type=odd, step=odd, data=odd)
        run.artifact("content", content=odd)
        run.note(odd, labels=odd)
        with run.step(odd, total=odd, after=odd, persona=odd, data=odd) as step:
            step.progress(odd, odd)
            step.advance(odd, odd)
            step.result(tokens_used=odd, data=odd)
            step.track(odd, odd)
        with run.call(odd, odd, model=odd, message=odd, data=odd, step=odd, source=odd) as call:
            call.result(odd, tokens_used=odd, ok=odd, data=odd)
    assert store.get_run(run.id).status == "completed"


@pytest.mark.parametrize("odd", ["text", 3, {"message": "x"}, None], ids=str)
def test_an_error_may_be_told_with_anything(store: SqlStore, odd: Any) -> None:
    with runline.run("errors") as run:
        run.error(odd, step="s")
    event = told(store, run.id)[1]
    assert (event.type, event.level, event.step, event.message) == ("error", "error", "s", str(odd))


def test_before_the_start_nothing_is_recorded(caplog: pytest.LogCaptureFixture) -> None:
    run = runline.run("waiting")
    with caplog.at_level(logging.WARNING, "runline"):
        run.event("early")
        run.event("early")
        run.put_all([], timeout_s=1)
    assert run.lost == 2
    assert len([record for record in caplog.records if "has not been started" in record.message]) == 1
    assert not run.flush()
    assert not run.end()
    assert run.note("x") is None
    assert not run.cancel_requested


def test_a_note_is_written_beside_the_run(store: SqlStore) -> None:
    with runline.run("noted") as run:
        note = run.note("vendor API slow", author="me", labels=["vendor"], actions=["ticket"], event_seq=1)
    assert note is not None
    assert store.list_notes(run.id)[0] == note
    assert run.note("afterwards") is not None
    assert run.note("") is None


def test_a_cancellation_is_seen(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with runline.run("long") as run:
        assert not run.cancel_requested
        store.cancel(run.id)
        assert not run.cancel_requested  # asked a moment ago
        monkeypatch.setattr(run, "_look_again_s", 0.0)
        assert run.cancel_requested
        monkeypatch.setattr(run.store, "get_run", None)
        assert run.cancel_requested  # for good


def test_a_cancellation_that_cannot_be_looked_up_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    with runline.run("long") as run:
        with monkeypatch.context() as patched:
            patched.setattr(run.store, "get_run", None)
            assert not run.cancel_requested
        assert run.flush()


def test_a_forced_cancellation_fences_the_run(store: SqlStore) -> None:
    with runline.run("fenced") as run:
        store.cancel(run.id, force=True)
        run.event("late")
        assert not run.flush()
    assert types(store, run.id) == ["run_started", "cancel_requested", "run_ended"]
    assert store.get_run(run.id).status == "cancelled"


def test_url_and_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with runline.run("urls") as run, run.step("s"):
        assert run.url == f"http://127.0.0.1:8080/runs/{run.id}"
        assert run.environment() == {
            "RUNLINE_STORE": run.store_url,
            "RUNLINE_RUN_ID": run.id,
            "RUNLINE_STEP": "s",
        }
        runline.configure(url="https://runs.example.org/")
        assert run.url == f"https://runs.example.org/runs/{run.id}"


def test_many_threads_record_into_one_run(store: SqlStore) -> None:
    def work(run: runline.ActiveRun, thread: int) -> None:
        for n in range(200):
            run.event("tick", data={"thread": thread, "n": n})

    with runline.run("threads") as run:
        threads = [threading.Thread(target=work, args=(run, n)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    ticks = [event.data for event in told(store, run.id)[1:-1]]
    assert len(ticks) == 1600
    for thread_number in range(8):
        assert [tick["n"] for tick in ticks if tick["thread"] == thread_number] == list(range(200))


def test_tasks_have_steps_of_their_own(store: SqlStore) -> None:
    async def work(run: runline.ActiveRun, name: str, ready: asyncio.Barrier) -> None:
        async with run.step(name):
            await ready.wait()
            runline.event("inside", data={"name": name})
            await asyncio.to_thread(runline.event, "in_thread", data={"name": name})

    async def main() -> runline.ActiveRun:
        async with runline.run("tasks") as run:
            ready = asyncio.Barrier(3)
            await asyncio.gather(*(work(run, name, ready) for name in "abc"))
        return run

    run = asyncio.run(main())
    for type_ in ("inside", "in_thread"):
        found = [event for event in told(store, run.id) if event.type == type_]
        assert len(found) == 3
        assert all(event.step == event.data["name"] for event in found)


def test_leaving_in_another_context_leaves_the_current_run_alone() -> None:
    outer = runline.run("outer").start()
    thread = threading.Thread(target=outer.end)
    thread.start()
    thread.join()
    assert outer.ended
    assert runline.current() is not outer


def test_a_run_abandoned_with_an_error_fails(store: SqlStore) -> None:
    failed, left = runline.run("a").start(), runline.run("b").start()
    left.abandon(None)
    failed.abandon(ValueError("uncaught"))
    failed.abandon(ValueError("again"))
    for run in (left, failed):
        assert run._settle()
    assert store.get_run(left.id).status == "interrupted"
    assert store.get_run(failed.id).status == "failed"
    assert types(store, failed.id) == ["run_started", "error", "run_ended"]


def loop_of(event: Callable[..., bool]) -> None:
    for n in range(20_000):
        event("tick", "a message", data={"n": n})


def test_no_event_is_too_many(store: SqlStore) -> None:
    runline.configure(queue_size=100_000)
    with runline.run("many") as run:
        loop_of(run.event)
        assert run.flush(60)
        assert run.lost == 0
    assert store.get_run(run.id).event_count == 20_002


def test_a_started_run_may_be_entered(store: SqlStore) -> None:
    async def main() -> runline.ActiveRun:
        run = runline.run("r").start()
        async with run:
            pass
        return run

    assert store.get_run(asyncio.run(main()).id).status == "completed"
