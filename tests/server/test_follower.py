"""A follower by itself, on a log that the test moves: whatever happens in between, each event once and in order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runline.model.errors import Unavailable
from runline.server.channels import EventChannel, Round, RunsChannel, Stretch
from runline.server.follower import Follower, RunsFollower
from runline.server.sse import CAUGHT_UP, HEARTBEAT


class Log(EventChannel):
    """A channel whose store is a list: frame n is `n,`; every `sparse`th position has one."""

    def __init__(self, *, sparse: int = 1) -> None:
        super().__init__("log", 0)
        self.last = 0
        self.ended = False
        self.sparse = sparse
        self.failing = False

    def read(self, after: int, limit: int) -> Stretch:
        if self.failing:
            raise Unavailable("away")
        wanted = [at for at in range(after + 1, self.last + 1) if self.wants(at)][:limit]
        upto = wanted[-1] if len(wanted) == limit else max(after, self.last)
        return Stretch([(at, b"%d," % at) for at in wanted], upto, self.ended and upto >= self.last)

    def wants(self, at: int) -> bool:
        return at % self.sparse == 0 or (self.ended and at == self.last)

    def round(self, limit: int = 100) -> None:
        """What the pump does."""
        low, stretch = self.position, self.read(self.position, limit)
        self.position = stretch.upto
        if stretch.frames or stretch.done:
            chunk = b"".join(frame for _, frame in stretch.frames)
            self.told = stretch.upto
            for follower in list(self.followers):
                follower.hand(low, stretch, chunk, 1.0)
            self.over = stretch.done


class Place:
    """Stands for the hub."""

    def __init__(self, *, buffer_bytes: int = 1_000, heartbeat_s: float = 60.0) -> None:
        self.buffer_bytes = buffer_bytes
        self.heartbeat_s = heartbeat_s
        self.cut_loose = self.frames = 0
        self.gone: list[Any] = []

    async def in_thread(self, work: Callable[..., Any], *args: Any) -> Any:
        await asyncio.sleep(0)
        found = work(*args)
        await asyncio.sleep(0)
        return found

    def left(self, follower: Any) -> None:
        self.gone.append(follower)


class Client:
    """Takes a chunk when the test says so; until then it stalls."""

    def __init__(self, follower: Follower | RunsFollower) -> None:
        self._chunks = follower.chunks()
        self._next: asyncio.Task[bytes] | None = None
        self.text = b""
        self.caught_up = 0
        self.ended = False

    async def step(self) -> None:
        if self._next is None and not self.ended:
            self._next = asyncio.ensure_future(anext(self._chunks))
        for _ in range(4):
            await asyncio.sleep(0)
        if self._next is not None and self._next.done():
            try:
                chunk = self._next.result()
                self.caught_up += chunk.count(CAUGHT_UP)
                self.text += chunk.replace(CAUGHT_UP, b"")
            except StopAsyncIteration:
                self.ended = True
            self._next = None

    @property
    def seen(self) -> list[int]:
        return [int(number) for number in self.text.split(b",")[:-1]]

    async def close(self) -> None:
        if self._next is not None:
            self._next.cancel()
            await asyncio.gather(self._next, return_exceptions=True)
        await self._chunks.aclose()


def follow(place: Place, log: Log, after: int = 0) -> Follower:
    return Follower(place, log, after, log.read(after, 2))  # type: ignore[arg-type]


_ACTS = st.lists(
    st.sampled_from(["commit", "many", "round", "small round", "step", "step", "end"]), max_size=60
)


@given(_ACTS, st.integers(0, 12), st.sampled_from([1, 8, 30, 10_000]), st.sampled_from([1, 3, 50]))
def test_each_event_comes_once_and_in_order(acts: list[str], after: int, buffer: int, sparse: int) -> None:
    async def run() -> None:
        place, log = Place(buffer_bytes=buffer), Log(sparse=sparse)
        log.last = log.position = log.told = 10
        client = Client(follow(place, log, after))
        for act in [*acts, "end"]:
            if act == "step":
                await client.step()
            elif "round" in act and not log.over:
                log.round(2 if act == "small round" else 100)
            elif not log.ended:
                log.last += {"commit": 1, "many": 7, "end": 1}.get(act, 0)
                log.ended = act == "end"
        while not log.over:
            log.round(3)
        while not client.ended:
            await client.step()
        assert client.seen == [at for at in range(after + 1, log.last + 1) if log.wants(at)]

    asyncio.run(run())


def test_who_stalls_is_cut_loose_and_misses_nothing() -> None:
    async def run() -> None:
        place, log = Place(buffer_bytes=10), Log()
        follower = follow(place, log)
        client = Client(follower)
        await client.step()  # attached
        assert log.followers == {follower}
        for _ in range(20):
            log.last += 2
            log.round()
        assert (place.cut_loose, log.followers) == (1, set())
        assert follower.behind_since_s == 1.0
        while not log.followers:
            await client.step()
        assert (client.seen, client.caught_up, follower.behind_since_s) == (list(range(1, 41)), 2, 0.0)
        await client.close()

    asyncio.run(run())


def test_one_large_chunk_alone_is_no_reason_to_be_cut_loose() -> None:
    async def run() -> None:
        place, log = Place(buffer_bytes=1), Log()
        client = Client(follow(place, log))
        await client.step()
        log.last = 50
        log.round()
        await client.step()
        assert (client.seen, place.cut_loose) == (list(range(1, 51)), 0)
        await client.close()

    asyncio.run(run())


def test_large_frames_are_read_a_few_at_a_time() -> None:
    async def run() -> None:
        place, log = Place(buffer_bytes=6), Log()
        log.last = log.told = log.position = 30
        follower = follow(place, log)
        client = Client(follower)
        pieces = []
        while len(client.seen) < 30:
            before = len(client.text)
            await client.step()
            pieces.append(client.text[before:])
        assert max(map(len, pieces)) <= 6
        assert client.seen == list(range(1, 31))
        await client.step()
        assert log.followers == {follower}
        await client.close()

    asyncio.run(run())


def test_silence_is_broken_by_a_comment() -> None:
    async def run() -> None:
        place, log = Place(heartbeat_s=0.0), Log(sparse=1_000)
        log.last, log.told = 10, 500
        follower = follow(place, log)
        chunks = follower.chunks()
        assert await anext(chunks) == HEARTBEAT  # while it looks through what does not match
        log.told = 10
        assert await anext(chunks) == CAUGHT_UP
        assert log.followers == {follower}
        assert await anext(chunks) == HEARTBEAT  # and while it waits
        await chunks.aclose()

    asyncio.run(run())


def test_a_store_that_cannot_be_read_ends_the_stream() -> None:
    async def run() -> None:
        log = Log()
        log.last = log.told = 30
        client = Client(follow(Place(), log))
        await client.step()
        log.failing = True
        await client.step()
        assert (client.seen, client.ended) == ([1, 2], True)

    asyncio.run(run())


@pytest.mark.parametrize("when", ["reading", "waiting", "before"])
def test_who_leaves_is_gone_at_once_and_once(when: str) -> None:
    async def run() -> None:
        place, log = Place(), Log()
        log.last = log.told = 3 if when == "reading" else 2
        follower = follow(place, log)
        client = Client(follower)
        if when != "before":
            await client.step()
            task = asyncio.create_task(client.step())
            await asyncio.sleep(0)
            follower.leave()
            await task
        follower.leave()
        await client.step()
        assert client.ended
        assert (place.gone, log.followers) == ([follower], set())

    asyncio.run(run())


def test_the_end_of_a_channel_that_has_gone_is_the_end_of_who_still_reads() -> None:
    async def run() -> None:
        log = Log()
        log.last = log.told = 2
        log.over = True  # the run was removed, and another took its id: the store itself knows of no end
        client = Client(follow(Place(), log))
        await client.step()
        await client.step()
        assert (client.seen, client.ended) == ([1, 2], True)

    asyncio.run(run())


class Runs(RunsChannel):
    """Without a store."""

    def __init__(self) -> None:
        super().__init__(Nothing())  # type: ignore[arg-type]


class Nothing:
    tenant = None

    def changes(self) -> None:
        return None


def test_only_the_newest_state_of_a_run_waits() -> None:
    async def run() -> None:
        place, channel = Place(), Runs()
        channel.active = {"a": b"a1,"}
        follower = RunsFollower(place, channel)  # type: ignore[arg-type]
        client = Client(follower)
        await client.step()
        assert client.text == b"a1,"
        await client.step()  # now it waits
        follower.hand(Round([("a", b"a2,"), ("b", b"b1,")], frozenset({"a", "b"})))
        follower.hand(Round([("a", b"a3,")], frozenset({"a", "b"})))
        await client.step()
        assert client.text == b"a1,a3,b1,"
        assert place.frames == 3
        await client.close()

    asyncio.run(run())


def test_a_follower_of_runs_hears_a_heartbeat_and_is_sent_away_when_too_much_waits() -> None:
    async def run() -> None:
        place, channel = Place(buffer_bytes=5, heartbeat_s=0.0), Runs()
        follower = RunsFollower(place, channel)  # type: ignore[arg-type]
        chunks = follower.chunks()
        assert await anext(chunks) == HEARTBEAT
        follower.hand(Round([("a", b"active")], frozenset({"a"})))
        follower.hand(Round([("b", b"over")], frozenset({"a"})))
        assert not follower.over
        follower.hand(Round([("c", b"over")], frozenset({"a"})))
        assert follower.over
        assert (place.cut_loose, place.gone, channel.followers) == (1, [follower], set())
        with pytest.raises(StopAsyncIteration):
            await anext(chunks)

    asyncio.run(run())
