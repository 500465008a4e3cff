"""The hub: who follows what, that nothing is lost or doubled however they come and go, and that it ends."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from runline.model.errors import Invalid, NotFound, Unavailable
from runline.model.event import Event
from runline.model.limits import DEFAULT_LIMITS
from runline.server import follower as follower_module
from runline.server import pump
from runline.server.follower import Follower, RunsFollower
from runline.server.hub import Hub
from runline.server.settings import Settings
from runline.server.sse import event_frame
from runline.store.follow import encode_cursor
from runline.store.sql_store import SqlStore
from runline.testing.place import SqlitePlace
from runline.testing.streams import tagged, whole
from tests.server.streaming import PATIENCE_S, Frame, Parser


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 3 * PATIENCE_S))


@asynccontextmanager
async def hub_of(store: SqlStore, settings: Settings | None = None) -> AsyncIterator[Hub]:
    hub = Hub(store, settings or Settings())
    hub.start()
    try:
        yield hub
    finally:
        hub.close()
        await asyncio.sleep(0)


async def heard(follower: Follower | RunsFollower, until: int | None = None) -> list[Frame]:
    """Its frames to the end, or so many."""
    parser, seen = Parser(), list[Frame]()
    chunks = follower.chunks()
    async for chunk in chunks:
        seen.extend(parser.feed(chunk))
        if until is not None and len(seen) >= until:
            break
    await chunks.aclose()
    follower.leave()
    return seen


def seqs(frames: list[Frame]) -> list[int]:
    return [frame.data["seq"] for frame in frames]


async def followed(hub: Hub, store: SqlStore, run_id: str, **more: Any) -> Follower:
    filters = more.pop("filters", {})
    follower = await hub.follow_run(store, run_id, filters, **more)
    assert follower is not None
    return follower


@pytest.mark.parametrize("buffer", [1, 600, 3_000, 10**6])
def test_followers_that_come_stall_and_go_as_they_like_miss_and_double_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, buffer: int
) -> None:
    """Small pages and buffers, writers in this process and another, followers joining all the time."""
    monkeypatch.setattr(pump, "PAGE", 7)
    monkeypatch.setattr(follower_module, "_PAGE", 3)
    place = SqlitePlace(tmp_path)
    store, other = place.open(), place.open()
    runs = [store.create_run(f"r{n}").run_id for n in range(2)]
    chance = random.Random(buffer)

    def write() -> None:
        for n in range(60):
            for at, run_id in enumerate(runs):
                (store, other)[(n + at) % 2].append(run_id, tagged("w", chance.randint(1, 4), first=n))
        for run_id in runs:
            other.end_run(run_id)

    async def follow(hub: Hub, run_id: str, rare: bool) -> None:
        last_id: int | None = None
        seen: list[int] = []
        patience = random.Random(run_id)
        while True:
            follower = await hub.follow_run(
                store, run_id, {"levels": ("info",)} if rare else {}, after_id=last_id
            )
            if follower is None:
                break
            parser, cut_after = Parser(), patience.randint(1, 120)
            chunks = follower.chunks()
            async for chunk in chunks:
                for frame in parser.feed(chunk):
                    seen.append(frame.data["seq"])
                    last_id = int(frame.id)
                cut_after -= 1
                if not cut_after:
                    break
                for _ in range(patience.choice((0, 0, 0, 5, 50))):
                    await asyncio.sleep(0)
            await chunks.aclose()
            follower.leave()
        assert seen == [event.seq for event in whole(store, run_id)]

    async def test() -> None:
        async with hub_of(store, Settings(follower_bytes=buffer)) as hub:
            with ThreadPoolExecutor(1) as pool:
                writing = pool.submit(write)
                followers = []
                for n in range(30):
                    followers.append(asyncio.create_task(follow(hub, runs[n % 2], rare=n % 5 == 0)))
                    await asyncio.sleep(0.001)
                await asyncio.gather(*followers)
                await asyncio.wrap_future(writing)
            assert (hub.followers, hub.channels, hub.lag_events, hub.lag_s) == (0, 0, 0, 0.0)

    run(test)
    place.close()


def test_all_who_follow_the_same_share_one_reading(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = store.create_run("r").run_id
    encoded: list[int] = []

    def counted(event: Event, id: str | None = None) -> bytes:
        encoded.append(event.seq)
        return event_frame(event, id)

    async def test() -> None:
        async with hub_of(store) as hub:
            everyone = [await followed(hub, store, run_id) for _ in range(20)]
            tasks = [asyncio.create_task(heard(follower)) for follower in everyone]
            rare = await followed(hub, store, run_id, filters={"types": ("rare",)})
            tasks.append(asyncio.create_task(heard(rare)))
            assert (hub.followers, hub.channels) == (21, 2)
            for _ in range(50):  # each has been handed what it had read, and attached
                await asyncio.sleep(0)
            assert len(everyone[0].channel.followers) == 20
            monkeypatch.setattr("runline.server.channels.event_frame", counted)
            await asyncio.to_thread(store.append, run_id, tagged("a", 5))
            await asyncio.to_thread(store.end_run, run_id)
            told = await asyncio.gather(*tasks)
            assert [seqs(frames) for frames in told] == [[1, 2, 3, 4, 5, 6, 7]] * 20 + [[7]]
            assert sorted(encoded) == [2, 3, 4, 5, 6, 7, 7]
            assert hub.frames == 20 * 7 + 1

    run(test)


def test_where_a_follower_begins(store: SqlStore) -> None:
    run_id = store.create_run("r").run_id
    store.append(run_id, tagged("a", 5))
    log = whole(store, run_id)

    async def test() -> None:
        async with hub_of(store) as hub:
            for after, first in (
                ({}, 1),
                ({"after_seq": 3}, 4),
                ({"after_id": log[3].id}, 5),
                ({"after_seq": 4, "after_id": log[1].id}, 5),
            ):
                assert seqs(await heard(await followed(hub, store, run_id, **after), 1))[0] == first
            waiting = asyncio.create_task(heard(await followed(hub, store, run_id, after_id=2**62)))
            store.append(run_id, tagged("b", 1))
            beyond = asyncio.create_task(heard(await followed(hub, store, run_id, after_seq=8)))
            store.append(run_id, tagged("c", 2))
            store.end_run(run_id)
            assert seqs(await waiting) == [7, 8, 9, 10]
            assert seqs(await beyond) == [9, 10]
            for after in ({"after_seq": 10}, {"after_id": 2**62}, {"after_seq": 99}):
                assert await hub.follow_run(store, run_id, {}, **after) is None
            assert seqs(await heard(await followed(hub, store, run_id, after_seq=9))) == [10]

    run(test)


def test_what_cannot_be_followed_is_refused_and_leaves_nothing(store: SqlStore) -> None:
    run_id = store.create_run("r").run_id
    gone = store.create_run("gone").run_id
    store.end_run(gone)
    store.delete_run(gone)

    async def test() -> None:
        async with hub_of(store) as hub:
            with pytest.raises(NotFound) as unknown:
                await hub.follow_run(store, "nobody", {})
            with pytest.raises(NotFound) as others:
                await hub.follow_run(store.scoped("other"), run_id, {})
            with pytest.raises(NotFound) as pruned:
                await hub.follow_run(store, gone, {})
            with pytest.raises(Invalid):
                await hub.follow_run(store, run_id, {"q": "level:loud"})
            with pytest.raises(Invalid) as cursor:
                await hub.follow_all(store, cursor="nonsense")
            codes = [told.value.code for told in (unknown, others, pruned, cursor)]
            assert codes == ["run_not_found", "run_not_found", "pruned", "bad_cursor"]
            assert (hub.followers, hub.channels) == (0, 0)

    run(test)


def test_a_run_that_is_removed_ends_its_streams(store: SqlStore) -> None:
    run_id = store.create_run("r").run_id

    async def test() -> None:
        async with hub_of(store) as hub:
            live = asyncio.create_task(heard(await followed(hub, store, run_id)))
            end = store.end_run(run_id)
            assert seqs(await live) == [1, 2]
            store.delete_run(run_id)
            with pytest.raises(NotFound):
                await hub.follow_run(store, run_id, {}, after_id=end.id)
            assert hub.channels == 0

    run(test)


def test_all_runs_of_a_tenant_by_cursor(store: SqlStore) -> None:
    mine, others = store.scoped("mine"), store.scoped("others")

    async def test() -> None:
        async with hub_of(store) as hub:
            first = mine.create_run("before").run_id
            live = asyncio.create_task(heard(await hub.follow_all(mine, cursor=None), 3))
            all_of_them = asyncio.create_task(heard(await hub.follow_all(store, cursor=encode_cursor(0)), 5))
            others.create_run("not mine")
            mine.append(first, tagged("a", 2))
            mine.create_run("after")
            told = await live
            assert [(frame.data["run_id"] == first, frame.data["seq"]) for frame in told] == [
                (True, 2),
                (True, 3),
                (False, 1),
            ]
            assert [frame.data["id"] for frame in await all_of_them] == [1, 2, 3, 4, 5]
            again = await heard(await hub.follow_all(mine, cursor=told[0].id), 2)
            assert again == told[1:]
            # A cursor of a store that has been made anew since.
            ahead = asyncio.create_task(heard(await hub.follow_all(mine, cursor=encode_cursor(10**9)), 1))
            await asyncio.to_thread(mine.append, first, tagged("b", 1))
            assert seqs(await ahead) == [4]

    run(test)


def test_the_runs_of_a_tenant_as_they_change(store: SqlStore) -> None:
    mine = store.scoped("mine")

    def told(frames: list[Frame]) -> list[tuple[str, str]]:
        return [(frame.data["pipeline_name"], frame.data["status"]) for frame in frames]

    async def test() -> None:
        async with hub_of(store) as hub:
            store.scoped("others").create_run("not mine")
            active = mine.create_run("active").run_id
            mine.end_run(mine.create_run("over").run_id)
            stream = await hub.follow_runs(mine)
            chunks, parser = stream.chunks(), Parser()
            assert told(list(parser.feed(await anext(chunks)))) == [("active", "running")]
            second = await hub.follow_runs(mine)  # the channel knows it already
            assert told(await heard(second, 1)) == [("active", "running")]
            mine.end_run(active)
            assert told(list(parser.feed(await anext(chunks)))) == [("active", "completed")]
            mine.create_run("later")
            assert told(list(parser.feed(await anext(chunks)))) == [("later", "running")]
            assert told(await heard(await hub.follow_runs(mine), 1)) == [("later", "running")]
            stream.leave()
            await chunks.aclose()
            assert hub.channels == 0

    run(test)


def test_closing_ends_every_stream_at_once_and_no_new_one_begins(store: SqlStore) -> None:
    run_id = store.create_run("r").run_id

    async def test() -> None:
        async with hub_of(store) as hub:
            tasks = [asyncio.create_task(heard(await followed(hub, store, run_id))) for _ in range(50)]
            tasks.append(asyncio.create_task(heard(await hub.follow_all(store, cursor=None))))
            tasks.append(asyncio.create_task(heard(await hub.follow_runs(store))))
            threading.Thread(target=hub.close).start()
            await asyncio.gather(*tasks)
            assert (hub.followers, hub.channels) == (0, 0)
            for begin in (hub.follow_run(store, run_id, {}), hub.follow_all(store, cursor=None)):
                with pytest.raises(Unavailable) as stopping:
                    await begin
                assert stopping.value.code == "stopping"
            hub.start()
            assert seqs(await heard(await followed(hub, store, run_id), 1)) == [1]

    run(test)


def test_a_hub_that_was_not_started_starts_with_its_first_follower(store: SqlStore) -> None:
    run_id = store.create_run("r").run_id

    async def test() -> None:
        hub = Hub(store, Settings())
        assert seqs(await heard(await followed(hub, store, run_id), 1)) == [1]
        hub.close()

    run(test)


def test_closing_before_it_began_or_after_its_loop_has_gone_is_harmless(store: SqlStore) -> None:
    hub = Hub(store, Settings())
    hub.close()

    async def test() -> None:
        hub.start()

    run(test)
    hub.close()
    assert hub.followers == 0


def test_a_stalled_follower_shows_as_lag_and_holds_nobody_up(store: SqlStore) -> None:
    run_id = store.create_run("r").run_id

    async def test() -> None:
        async with hub_of(store, Settings(follower_bytes=2_000)) as hub:
            stalled, brisk = await followed(hub, store, run_id), await followed(hub, store, run_id)
            chunks, parser = stalled.chunks(), Parser()
            told = list(parser.feed(await anext(chunks)))
            listening = asyncio.create_task(heard(brisk, 41))
            for n in range(40):
                await asyncio.to_thread(store.append, run_id, tagged("a", 1, first=n))
            assert seqs(await listening) == list(range(1, 42))
            assert hub.cut_loose == 1
            assert hub.lag_events > 30
            assert hub.lag_s > 0
            while len(told) < 41:
                told += list(parser.feed(await anext(chunks)))
            assert seqs(told) == list(range(1, 42))
            stalled.leave()
            await chunks.aclose()

    run(test)


def test_limits_are_the_stores_own() -> None:
    """A frame of the largest event fits what waits for a follower, so nobody is cut loose for one event."""
    assert Settings().follower_bytes > 2 * DEFAULT_LIMITS.event_bytes
