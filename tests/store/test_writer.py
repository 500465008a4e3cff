"""The writing thread: what it promises to those who wait, what it keeps when the store refuses."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from runline.intake.accept import draft
from runline.model.clock import ManualClock
from runline.model.errors import RunlineError, StoreFull, Unavailable
from runline.model.event import Draft
from runline.store import jobs, sql_store, writer
from runline.store.engine import Writing
from runline.store.jobs import Job
from runline.store.sql_store import SqlStore
from runline.testing.place import SqlitePlace
from runline.testing.streams import tagged, whole

PATIENCE_S = 20.0


@pytest.fixture
def place(tmp_path: Path) -> Iterator[SqlitePlace]:
    place = SqlitePlace(tmp_path)
    yield place
    place.close()


def line(message: str, **fields: Any) -> Draft:
    return draft("log", message, {}, ts_ms=ManualClock().now_ms(), **fields)


def messages(store: SqlStore, run_id: str) -> list[str]:
    return [event.message for event in whole(store, run_id)[1:]]


@contextmanager
def held_up(store: SqlStore) -> Iterator[None]:
    """While inside, the writing thread is busy with something else, and everything queues."""
    busy, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        busy.set()
        go_on.wait(PATIENCE_S)

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(store.writer.between, wait)
        busy.wait(PATIENCE_S)
        try:
            yield
        finally:
            go_on.set()
            done.result(PATIENCE_S)


class Refusing:
    """An engine's `transaction` that raises what it is told to, and then is itself again."""

    def __init__(self, store: SqlStore, *errors: Exception, then: Exception | None = None) -> None:
        self._begin = store.engine.transaction
        self._errors = list(errors)
        self.then = then
        self.asked = 0

    def __call__(self) -> AbstractContextManager[Writing]:
        self.asked += 1
        error = self._errors.pop(0) if self._errors else self.then
        if error is not None:
            raise error
        return self._begin()


def refuse(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch, *errors: Exception, then: Exception | None = None
) -> Refusing:
    refusing = Refusing(store, *errors, then=then)
    monkeypatch.setattr(store.engine, "transaction", refusing)
    return refusing


FULL = StoreFull("The disk is full.")


def test_a_closed_store_takes_nothing(store: SqlStore) -> None:
    run_id = store.create_run("closed").run_id
    stream = store.stream(run_id)
    store.close()
    for attempt in (
        lambda: store.append(run_id, tagged("a", 1)),
        lambda: store.writer.between(lambda: None),
        lambda: store.get_run(run_id),
        store.engine.changed,
    ):
        with pytest.raises(Unavailable) as told:
            attempt()
        assert told.value.code == "closed"
    assert store.flush(0)
    stream.put(line("late"))
    assert (stream.dropped, stream.given_up) == (1, 1)
    assert not stream.flush(0)


@pytest.mark.parametrize("way", ["submit", "between", "flush"])
def test_nobody_waits_for_a_store_that_closes_at_that_very_moment(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    store.create_run("closing")

    class JobOfAClosingStore(Job[None]):
        def __init__(self, perform: Callable[..., None]) -> None:
            store.close()
            super().__init__(perform)

    # Both lie between the look at whether the store is closed and the queue.
    if way == "flush":
        monkeypatch.setattr(writer, "Job", JobOfAClosingStore)
        assert not store.flush(PATIENCE_S)
        return
    monkeypatch.setattr(store.writer, "start", store.close)
    with pytest.raises(Unavailable) as told:
        store.writer.submit(Job(jobs.nothing)) if way == "submit" else store.writer.between(lambda: None)
    assert told.value.code == "closed"


def test_what_takes_too_long_is_not_waited_for(store: SqlStore) -> None:
    run_id = store.create_run("busy").run_id
    stream = store.stream(run_id)
    stream.put(line("before"))
    assert stream.flush(PATIENCE_S)
    with held_up(store):
        stream.put(line("queued"))
        assert not stream.flush(0.01)
    assert stream.flush(PATIENCE_S)
    assert messages(store, run_id) == ["before", "queued"]


def test_nobody_can_take_a_job_back_once_the_writer_has_it(store: SqlStore) -> None:
    store.create_run("open")
    with held_up(store):
        answer = store.writer.enqueue(Job(jobs.nothing))
        assert not answer.cancel()
    assert answer.result(PATIENCE_S) is None


def test_a_store_that_nothing_was_written_to_has_nothing_to_flush(place: SqlitePlace) -> None:
    store = place.open()
    assert store.flush(0)
    assert store.writer.close(0)


def test_an_errand_that_fails_tells_who_sent_it(store: SqlStore) -> None:
    with pytest.raises(ZeroDivisionError):
        store.writer.between(lambda: 1 // 0)
    assert store.writer.between(lambda: "still there") == "still there"


def test_events_wait_while_the_store_refuses_and_jobs_are_told(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run_id = store.create_run("full").run_id
    stream = store.stream(run_id)
    refusing = refuse(store, monkeypatch, then=FULL)
    for n in range(5):
        stream.put(line(f"held {n}"))
    for _ in range(3):
        with pytest.raises(StoreFull):
            store.append(run_id, tagged("job", 1))
    assert not stream.flush(0.05)
    assert not stream.flush(0)
    assert store.writer.failing is FULL
    with ThreadPoolExecutor(1) as pool:
        flushed = pool.submit(stream.flush, PATIENCE_S)
        asked = refusing.asked
        while refusing.asked < asked + 3:
            time.sleep(0.001)
        refusing.then = None
        assert flushed.result(PATIENCE_S)
    assert messages(store, run_id) == [f"held {n}" for n in range(5)]
    assert store.writer.failing is None
    said = [record.message for record in caplog.records]
    assert said == [
        "runline: events wait, the store does not accept them: The disk is full.",
        "runline: the store accepts events again",
    ]


def test_what_cannot_be_stored_before_closing_is_given_up_and_counted(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run_id = store.create_run("lost").run_id
    stream = store.stream(run_id)
    refuse(store, monkeypatch, then=FULL)
    for n in range(3):
        stream.put(line(f"{n}"))
    assert not store.writer.close(0.1)
    assert stream.given_up == 3
    assert not stream.flush(0)
    assert not store.flush(0)
    assert caplog.records[-1].message == "runline: 3 events were not stored: The disk is full."


def test_closing_counts_what_is_still_queued(place: SqlitePlace, caplog: pytest.LogCaptureFixture) -> None:
    store = place.open()
    stream = store.stream(store.create_run("queued").run_id)
    store.writer.close(PATIENCE_S)
    store.writer.queue.append((stream, line("nobody will take this")))
    assert not store.writer.close(0)
    assert stream.given_up == 1
    assert caplog.records[-1].levelno == logging.ERROR


def test_one_event_that_cannot_be_stored_takes_no_other_along(
    store: SqlStore, caplog: pytest.LogCaptureFixture
) -> None:
    run_id = store.create_run("poison").run_id
    stream, other = store.stream(run_id), store.stream(store.create_run("other").run_id)
    poison = msgspec.structs.replace(line("poison"), level="no level")
    with ThreadPoolExecutor(1) as pool:
        with held_up(store):
            for draft_ in (line("first"), poison, line("last")):
                stream.put(draft_)
            other.put(line("beside"))
            job = pool.submit(store.append, run_id, [{"message": "job"}])
            while len(store.writer.queue) < 5:
                time.sleep(0.001)
        assert job.result(PATIENCE_S)[0].message == "job"
    assert messages(store, run_id) == ["first", "last", "job"]
    assert messages(store, other.run_id) == ["beside"]
    assert (stream.given_up, other.given_up) == (1, 0)
    assert not stream.flush(PATIENCE_S)
    assert other.flush(PATIENCE_S)
    assert [record.message for record in caplog.records] == ["runline: an event could not be stored"]


def test_nothing_overtakes_what_is_held_when_two_things_go_wrong_at_once(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = store.create_run("order").run_id
    stream = store.stream(run_id)
    with ThreadPoolExecutor(1) as pool:
        with held_up(store):
            stream.put(line("one"))
            stream.put(line("two"))
            job = pool.submit(store.append, run_id, [{"message": "job"}])
            while len(store.writer.queue) < 3:
                time.sleep(0.001)
            refuse(store, monkeypatch, ValueError("something odd"), FULL)
        with pytest.raises(StoreFull):
            job.result(PATIENCE_S)
    assert stream.flush(PATIENCE_S)
    assert messages(store, run_id) == ["one", "two"]


def test_redaction_that_fails_does_not_end_the_thread(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = store.create_run("redaction").run_id

    def broken(drafts: list[Draft]) -> list[Draft]:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(store.redactor, "batch", broken)
        with pytest.raises(RunlineError, match="ZeroDivisionError"):
            store.append(run_id, tagged("a", 1))
    assert store.append(run_id, tagged("a", 1))[0].seq == 2


def test_more_than_a_turn_holds_is_written_in_several(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "_BATCH", 10)
    run_id = store.create_run("turns").run_id
    stream = store.stream(run_id)
    with held_up(store):
        for n in range(35):
            stream.put(line(f"{n}"))
    assert stream.flush(PATIENCE_S)
    assert messages(store, run_id) == [f"{n}" for n in range(35)]


def test_what_was_queued_just_before_the_thread_sleeps_is_not_slept_over(place: SqlitePlace) -> None:
    store = place.open()
    stream = store.stream(store.create_run("awake").run_id)
    store.writer.close(PATIENCE_S)
    store.writer.queue.append((stream, line("x")))
    assert store.writer._rest(1_000) == 0
    assert not store.writer.idle


def test_two_threads_that_start_it_start_one(place: SqlitePlace, monkeypatch: pytest.MonkeyPatch) -> None:
    store = place.open()
    faster = threading.Thread()

    class Overtaken:
        def __enter__(self) -> None:
            store.writer._thread = faster

        def __exit__(self, *error: object) -> None:
            pass

    store.writer.close(0)
    store.writer._thread = None
    monkeypatch.setattr(store.writer, "_starting", Overtaken())
    store.writer.start()
    assert store.writer._thread is faster
    store.writer._thread = None


def test_signs_of_life_go_on_while_streams_come_and_go(
    place: SqlitePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "HEARTBEAT_S", 0.01)
    clock = ManualClock()
    store = place.open(clock=clock)
    runs = [store.create_run(name, announced=True).run_id for name in ("first", "second", "stopped")]
    streams = [store.stream(run_id) for run_id in runs]
    streams[2].close()
    stopped_at = clock.now_ms()
    monkeypatch.setattr(writer, "HEARTBEAT_S", 0.02)
    for _ in range(3):
        clock.advance(s=5)
        for _ in range(20):
            store.stream(runs[0])  # does not put the others' off
        ends_s = time.monotonic() + PATIENCE_S
        while any(store.get_run(run_id).last_seen_at_ms != clock.now_ms() for run_id in runs[:2]):
            assert time.monotonic() < ends_s
            store.stream(runs[0])
            time.sleep(0.001)
    assert store.get_run(runs[2]).last_seen_at_ms == stopped_at


def test_a_forked_child_writes_on_its_own(place: SqlitePlace) -> None:
    """Both sides of a fork append to the run; the parent's queue stays the parent's."""
    store = place.open()
    run_id = store.create_run("fork").run_id
    store.close()
    script = """
import os, sys
from runline.store import open_store
store = open_store(sys.argv[1])
run_id = sys.argv[2]
store.append(run_id, [{"message": "before"}])
store.read(run_id)
follower = store.follow(run_id)
next(follower)
stream = store.stream(run_id)
pid = os.fork()
name = "child" if pid == 0 else "parent"
for n in range(50):
    store.append(run_id, [{"message": name, "data": {"n": n}}])
assert len([event for event in store.read(run_id, limit=1000) if event.message == name]) == 50
assert [event.seq for event, _ in zip(store.follow(run_id), range(20))] == list(range(1, 21))
store.close()
if pid:
    assert os.waitpid(pid, 0)[1] == 0
"""
    subprocess.run([sys.executable, "-c", script, str(place.path), run_id], check=True)
    after = place.open()
    assert sorted(messages(after, run_id)) == ["before", *["child"] * 50, *["parent"] * 50]
    assert after.verify().problems == ()


def test_what_a_fork_does_to_a_store(place: SqlitePlace) -> None:
    sql_store._forked(None)
    store = place.open()
    run_id = store.create_run("fork").run_id
    follower = store.follow(run_id)
    next(follower)
    follower.close()  # type: ignore[attr-defined]
    ends_s = time.monotonic() + PATIENCE_S
    while store.wake._watching:  # in a child the parent's threads do not exist
        assert time.monotonic() < ends_s
        time.sleep(0.001)
    store.writer.close(PATIENCE_S)
    sql_store._forked(store)
    assert store.wake.followers == 0
    assert store.append(run_id, tagged("child", 1))[0].seq == 2
    assert next(store.follow(run_id)).seq == 1
