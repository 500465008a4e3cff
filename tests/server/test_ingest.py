"""Taking events in: what is answered, how many may wait, and that those who wait together are committed together."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest

from runline.model.errors import Conflict, Invalid, NotFound, RunEnded, StoreFull, Unavailable
from runline.server import ingest as ingest_module
from runline.server.errors import TooLarge
from runline.server.ingest import Ingest
from runline.server.settings import Settings
from runline.store.jobs import Job
from runline.store.sql_store import SqlStore
from runline.testing.streams import whole
from tests.server.streaming import PATIENCE_S


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 3 * PATIENCE_S))


@contextmanager
def held_up(store: SqlStore) -> Iterator[None]:
    """The writer is busy inside."""
    begun, go_on = threading.Event(), threading.Event()

    def wait(*_: object) -> None:
        begun.set()
        go_on.wait(PATIENCE_S)

    store.writer.enqueue(Job(wait))
    assert begun.wait(PATIENCE_S)
    try:
        yield
    finally:
        go_on.set()


async def take(ingest: Ingest, store: SqlStore, run_id: str, body: Any, **more: Any) -> tuple[Any, ...]:
    options = {"lines": False, "idempotency_key": None} | more
    body = body if isinstance(body, bytes) else msgspec.json.encode(body)
    told = await ingest.take(store, run_id, body, **options)
    return told.seqs, told.ids, told.not_stored


def test_an_object_an_array_and_lines(store: SqlStore) -> None:
    run_id = store.create_run("r").run_id

    async def test() -> None:
        ingest = Ingest(Settings())
        assert await take(ingest, store, run_id, {"message": "one"}) == ((2, 2), (2,), 0)
        assert await take(ingest, store, run_id, [{"message": "two"}, {}]) == ((3, 4), (3, 4), 0)
        assert await take(ingest, store, run_id, b'{"n":NaN}\n\n{}\n', lines=True) == ((5, 6), (5, 6), 0)
        assert await take(ingest, store, run_id, []) == (None, (), 0)
        assert await take(ingest, store, run_id, b"", lines=True) == (None, (), 0)
        assert ingest.waiting == 0

    run(test)
    assert [event.message for event in whole(store, run_id)][1:4] == ["one", "two", "log"]


def test_repetition_is_answered_as_it_was_the_first_time(store: SqlStore) -> None:
    run_id = store.create_run("r").run_id

    async def test() -> None:
        ingest = Ingest(Settings())
        first = await take(ingest, store, run_id, [{}, {"event_id": "e"}], idempotency_key="k")
        assert await take(ingest, store, run_id, [{}, {"event_id": "e"}], idempotency_key="k") == first
        assert await take(ingest, store, run_id, [{}, {"event_id": "e"}]) == ((3, 4), (4, 3), 0)
        for body, key in (([{"other": 1}], "k"), ([{"event_id": "e", "other": 1}], None)):
            with pytest.raises(Conflict):
                await take(ingest, store, run_id, body, idempotency_key=key)

    run(test)


def test_what_is_refused_stores_nothing_and_waits_no_longer(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id, ended = store.create_run("r").run_id, store.create_run("ended").run_id
    store.end_run(ended)
    monkeypatch.setattr(ingest_module, "MOST_EVENTS", 3)

    async def test() -> None:
        ingest = Ingest(Settings())
        for error, place, body in (
            (NotFound, "nobody", {}),
            (RunEnded, ended, {}),
            (Invalid, run_id, b"{"),
            (Invalid, run_id, [{}, {"event_id": 7}]),
            (TooLarge, run_id, [{}] * 4),
        ):
            with pytest.raises(error):
                await take(ingest, store, place, body)
        with pytest.raises(Invalid, match="Line 2"):
            await take(ingest, store, run_id, b"{}\n[]", lines=True)
        with monkeypatch.context() as patch:

            def full(*_: object) -> None:
                raise StoreFull("The disk is full.")

            patch.setattr(store.writer.appender, "begin", full)
            with pytest.raises(StoreFull):
                await take(ingest, store, run_id, {})
        assert ingest.waiting == 0
        assert await take(ingest, store, run_id, [{}] * 3) == ((2, 4), (4, 5, 6), 0)

    run(test)


def test_more_than_may_wait_are_told_to_come_back(store: SqlStore) -> None:
    run_id = store.create_run("r").run_id

    async def test() -> None:
        ingest = Ingest(Settings(max_waiting=2))
        with held_up(store):
            waiting = [asyncio.create_task(take(ingest, store, run_id, {})) for _ in range(2)]
            await asyncio.sleep(0)
            with pytest.raises(Unavailable) as full:
                await take(ingest, store, run_id, {})
            assert full.value.code == "queue_full"
        await asyncio.gather(*waiting)
        assert await take(ingest, store, run_id, {}) == ((4, 4), (4,), 0)

    run(test)


def test_those_who_wait_together_are_committed_together(store: SqlStore) -> None:
    runs = [store.create_run(f"r{n}").run_id for n in range(4)]
    commits = store.wake.count

    async def test() -> None:
        ingest = Ingest(Settings())
        with held_up(store):
            tasks = [
                asyncio.create_task(take(ingest, store, runs[n % 4], [{}] * (n % 3 + 1))) for n in range(60)
            ]
            while len(store.writer.queue) < 60:
                await asyncio.to_thread(threading.Event().wait, 0.001)
        told = await asyncio.gather(*tasks)
        assert sum(len(ids) for _, ids, _ in told) == 120

    run(test)
    assert store.wake.count - commits == 2  # what held them up, and all of them
    assert [len(whole(store, run_id)) for run_id in runs] == [31] * 4


def test_a_request_whose_server_goes_away_cannot_stop_the_writer(store: SqlStore) -> None:
    run_id = store.create_run("r").run_id

    async def test() -> None:
        ingest = Ingest(Settings())
        with held_up(store):
            waiting = asyncio.create_task(take(ingest, store, run_id, {}))
            while not store.writer.queue:
                await asyncio.to_thread(threading.Event().wait, 0.001)
            waiting.cancel()
            await asyncio.wait([waiting])
            assert waiting.cancelled()
        assert ingest.waiting == 0
        assert await take(ingest, store, run_id, {}) == ((3, 3), (3,), 0)

    run(test)
